"""The thread that trains, one step at a time, and lets others in between two steps.

    thread     step step step step ········ step step step …
    screen                         draws                         asks for the lock, is given it after the present step

It takes the lock again for every step. A lock that is released and wanted again at once would not change hands, so the
thread stands back for a moment when somebody waits. Python runs one thread at a time, and two that both want to run
cost each other more than either's rest would: while a screen draws, the thread waits.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.autodiff.interruption import between_parts
from tui.session.training_snapshot import FULL_SPEED

HANDOVER_SECONDS = 0.0002
"""So long the thread stands back."""

DRAWING_SECONDS = 0.05
"""A screen that has not said after so long that it is drawn is not waited for any more."""

SWITCH_INTERVAL = 0.0005
"""How often Python may switch threads once one trains; its default of 5 ms is felt at the keys."""

PATIENCE = 0.05
"""Who waits for the present step may be called off as often."""

GLANCE = 0.01
"""So long a screen waits for it, which several times in one redraw must not be felt."""

JOIN_SECONDS = 0.25
"""So long `close` waits for the thread, which ends by itself after the present step."""

RATE_SECONDS = 0.5
"""The speed is measured over so long."""


class TrainingThread:
    """The thread that trains: it calls `advance`, which makes one step, as long as it is `running`."""

    def __init__(self, advance: Callable[[], bool]) -> None:
        self.running = False
        self.speed = FULL_SPEED
        self.steps_per_second = 0.0
        self.failure: Exception | None = None
        """What `advance` raised, which ended the run."""
        self._advance = advance
        self._lock = threading.Condition()
        self._waiting = 0
        self._closed = False
        self._drawn_by = 0.0
        self._thread: threading.Thread | None = None
        self._counted, self._since = 0, 0.0

    @contextmanager
    def between_steps(self) -> Iterator[None]:
        """A context in which no step is made; entering waits at most until the present one is done."""
        while not self._taken():
            between_parts()
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def at_once(self) -> Iterator[bool]:
        """A context in which no step is made, where it can be had within GLANCE; says whether it was."""
        taken = self._taken(GLANCE)
        try:
            yield taken
        finally:
            if taken:
                self._lock.release()

    def _taken(self, patience: float = PATIENCE) -> bool:
        """Whether the lock was given within so many seconds."""
        self._waiting += 1
        try:
            return self._lock.acquire(timeout=patience)
        finally:
            self._waiting -= 1

    def stand_back(self) -> None:
        """Has training stand back while a screen draws: no step until `go_on`, or DRAWING_SECONDS have gone by."""
        self._drawn_by = time.perf_counter() + DRAWING_SECONDS

    def go_on(self) -> None:
        """Lets training go on: the screen is drawn. Where the thread is in a step it does not wait to be told."""
        self._drawn_by = 0.0
        with self.at_once() as taken:
            if taken:
                self._lock.notify_all()

    def run(self) -> None:
        """Begins to train."""
        with self.between_steps():
            self.running, self._closed = True, False
            self._counted, self._since = 0, time.perf_counter()
            self.failure = None
            if self._thread is None or not self._thread.is_alive():
                sys.setswitchinterval(SWITCH_INTERVAL)
                self._thread = threading.Thread(target=self._work, name="training", daemon=True)
                self._thread.start()
            self._lock.notify_all()

    def pause(self) -> None:
        """Stops after the present step, and waits for it."""
        with self.between_steps():
            self.stop()

    def stop(self) -> None:
        """Stops after the present step, and waits for nothing."""
        self.running, self.steps_per_second = False, 0.0

    def change_speed(self, speed: float) -> None:
        """Changes the speed in steps a second, at once."""
        with self.between_steps():
            self.speed = speed
            self._lock.notify_all()

    def close(self) -> None:
        """Ends the thread, which may still be at the end of a step; `run` begins another, or goes on with this one."""
        self.stop()
        self._closed = True
        with self.at_once() as taken:
            if taken:
                self._lock.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=JOIN_SECONDS)

    def _work(self) -> None:
        """The thread's."""
        while True:
            with self._lock:
                while not self._closed and (rest := self._rest()) != 0.0:
                    self._lock.wait(rest)
                while self.running and not self._closed and not self._waiting and not self._drawn_by:
                    self._step()
                    if self.speed != FULL_SPEED and self.running:
                        self._lock.wait(
                            1.0 / self.speed
                        )  # others may come in between; `close` ends it at once
                if self._closed:
                    return
            if self._waiting:
                time.sleep(HANDOVER_SECONDS)

    def _rest(self) -> float | None:
        """So long there is no step to make; None until somebody says so."""
        if not self.running:
            return None
        if self._drawn_by <= time.perf_counter():
            self._drawn_by = 0.0
        return max(self._drawn_by - time.perf_counter(), 0.0)

    def _step(self) -> None:
        try:
            if not self._advance():
                self.running = False  # never True: it may have been stopped meanwhile
        except Exception as error:  # told on the screen's thread, which looks for it
            self.failure, self.running = error, False
        self._counted += 1
        now = time.perf_counter()
        if now - self._since >= RATE_SECONDS:
            self.steps_per_second = self._counted / (now - self._since)
            self._counted, self._since = 0, now
        if not self.running:
            self.steps_per_second = 0.0
