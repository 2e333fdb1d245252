"""Who trains, and when: the event loop while it has nothing else to do, or a thread.

    event loop   |key|steps|redraw|steps steps|key|steps      short steps at full speed: see `tui.session.courtesy`
    thread       ──step────── ──step────── ──step──────       long ones, slow speeds, and where there is no such loop

Whoever trains holds the lock, and lets others in between two steps. A loop that does not come to it, because a slow
terminal holds it up, is stood in for by the thread: nothing on the screen's side makes a run stand still.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tui.session.courtesy import CourteousLoop, make_way, running_loop, way_is_wanted

FULL_SPEED = math.inf
"""As many steps a second as there can be."""

TURN_SECONDS = 0.005
"""The event loop looks for keys after so long, or after one step if that takes longer."""

LONG_STEP_SECONDS = 0.01
"""Steps of this length are too long for the event loop: a key would be felt to wait. It gets those of half of it."""

LONG_TURNS = 3
"""So many turns of long steps in a row are no accident."""

SURPRISE_SECONDS = 0.1
"""After one turn as long as this, the thread makes the steps for the rest of the run: now and then there may be others,
as when all of a large data set is looked at for dead units."""

STAND_IN_SECONDS = 0.1
"""The thread stands in for an event loop that has not trained for so long."""

SLICE_SECONDS = 0.02
"""The thread lets others in after so long, if it was not asked to before."""

HANDOVER_SECONDS = 0.0002
"""A lock that is released and wanted again at once would not change hands; so long it is left alone."""

SWITCH_INTERVAL = 0.0005
"""How often Python may switch threads once one has trained; its default of 5 ms is felt at the keys."""

RATE_SECONDS = 0.5
"""The speed is measured over so long."""


class Worker:
    """Calls `advance`, which makes one step and says whether there is another, as long as it is `running`."""

    def __init__(self, advance: Callable[[], bool]) -> None:
        self.running = False
        self.speed = FULL_SPEED
        self.steps_per_second = 0.0
        self.failure: Exception | None = None
        """What `advance` raised, which ended the run."""
        self._advance = advance
        self._lock = threading.Condition()
        self._visitors = 0
        self._closed = False
        self._thread: threading.Thread | None = None
        self._loop: CourteousLoop | None = None
        self._short_steps = False  # until the thread has seen that they are
        self._long_turns = 0
        self._surprised = False
        self._turned = 0.0
        self._counted, self._since = 0, 0.0

    @contextmanager
    def between_steps(self) -> Iterator[None]:
        """Keeps steps from being made meanwhile; it waits at most until the present one is done."""
        self._visitors += 1
        try:
            with self._lock:
                yield
        finally:
            self._visitors -= 1

    def run(self) -> None:
        """Begins, in the event loop that runs in this thread if it is a courteous one."""
        with self.between_steps():
            self.running, self._closed = True, False
            self._counted, self._since = 0, time.perf_counter()
            self._turned = self._since
            self._short_steps, self._long_turns, self._surprised = False, 0, False
            self.failure = None
            self._loop = running_loop()
            if self._loop is not None:
                self._loop.when_idle(self._turn)
            if self._thread is None or not self._thread.is_alive():
                sys.setswitchinterval(SWITCH_INTERVAL)
                self._thread = threading.Thread(target=self._work, name="training", daemon=True)
                self._thread.start()
            self._lock.notify_all()

    def pause(self) -> None:
        """Stops after the present step."""
        with self.between_steps():
            self.running, self.steps_per_second = False, 0.0

    def change_speed(self, speed: float) -> None:
        """Steps a second, at once."""
        with self.between_steps():
            self.speed = speed
            self._lock.notify_all()

    def close(self) -> None:
        """Ends the thread; `run` begins another."""
        with self.between_steps():
            self.pause()
            self._closed = True
            if self._loop is not None and self._loop is running_loop():
                self._loop.no_longer(self._turn)
            self._loop = None
            self._lock.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=2.0)

    # ── who ─────────────────────────────────────────────────────────────────────────────────────────

    def _is_the_loops(self) -> bool:
        """Whether the event loop is to make the next step."""
        at_once = self.running and self.speed == FULL_SPEED
        return at_once and self._short_steps and self._loop is not None

    def _turn(self) -> bool:
        """A few steps in the event loop's thread; False if there are none for it to make."""
        if not self._is_the_loops():  # asked without the lock, which the thread may hold for long
            return False
        with self.between_steps():
            if not self._is_the_loops():
                return False
            began = now = time.perf_counter()
            steps = 0
            while now < began + TURN_SECONDS:
                now = self._step()
                steps += 1
            self._turned = time.perf_counter()
            took = self._turned - began
            self._long_turns = self._long_turns + 1 if took > steps * LONG_STEP_SECONDS else 0
            self._surprised = self._surprised or took > SURPRISE_SECONDS
            if self._long_turns == LONG_TURNS or self._surprised:
                self._short_steps, self._long_turns = False, 0
                self._lock.notify_all()
            return self.running

    def _work(self) -> None:
        """The thread's."""
        patient = True
        while True:
            with self._lock:
                while not self._closed and (rest := self._rest()) != 0.0:
                    self._lock.wait(rest)
                if self._closed:
                    return
                began = time.perf_counter()
                steps = 1
                while self._step() < began + SLICE_SECONDS:
                    if self._visitors or (patient and way_is_wanted()):
                        break
                    steps += 1
                took = time.perf_counter() - began
                self._short_steps = not self._surprised and took < steps * LONG_STEP_SECONDS / 2
                if self.speed != FULL_SPEED and self.running:
                    self._lock.wait(1.0 / self.speed)  # looks may come in between; `close` ends it at once
            if self._visitors:
                time.sleep(HANDOVER_SECONDS)
            if self.speed == FULL_SPEED:  # a slower one leaves time enough
                patient = make_way() if patient else not way_is_wanted()

    def _rest(self) -> float | None:
        """So long the thread has nothing to do; None until it is told."""
        if not self.running:
            return None
        if not self._is_the_loops():
            return 0.0
        return max(self._turned + STAND_IN_SECONDS - time.perf_counter(), 0.0)

    # ── steps ───────────────────────────────────────────────────────────────────────────────────────

    def _step(self) -> float:
        """Makes one step, and returns what the clock says then; infinity if no other is to follow at once."""
        try:
            self.running = self._advance()
        except Exception as error:  # told on the screen's thread, which looks for it
            self.failure, self.running = error, False
        now = time.perf_counter()
        self._counted += 1
        if now - self._since >= RATE_SECONDS:
            self.steps_per_second = self._counted / (now - self._since)
            self._counted, self._since = 0, now
        if not self.running:
            self.steps_per_second = 0.0
        return now if self.running and self.speed == FULL_SPEED else math.inf
