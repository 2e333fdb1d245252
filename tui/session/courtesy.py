"""An event loop that works while it waits, and that tells other threads when it is busy.

    event loop   ▇▇work▇▇|key|▇▇▇work▇▇▇|redraw|▇▇▇▇work▇▇▇▇      short pieces of work: `CourteousLoop.when_idle`
    a thread     ▇▇▇▇▇▇▇▇▇▇·····▇▇▇▇▇▇▇▇·······▇▇▇▇▇▇▇▇▇▇▇▇      long ones: `make_way`

Python runs one thread at a time. Two that both want to run hand that right to and fro between two cores thousands
of times a second, which costs more than either waiting for the other: a redraw takes twice as long, and so do the
steps trained meanwhile. But a core that waits cools down: after 12 ms of rest, steps took half as long again and were
as quick as before only 100 ms later (measured on a virtual machine), and so with a redraw after 200 ms. One thread that
does both loses nothing.

There is one such loop in a program, and whoever makes it closes it: a loop that has ended but is still open counts as
busy.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import threading
import time
from collections.abc import Callable

PATIENCE_SECONDS = 0.05
"""A thread that makes way goes on after so long, however busy the interface is."""

Work = Callable[[], bool]
"""Does a little, and says whether there is more to do."""

Ready = list[tuple[selectors.SelectorKey, int]]

_waiting = threading.Event()
_waiting.set()


def way_is_wanted() -> bool:
    """Whether the event loop is busy."""
    return not _waiting.is_set()


def make_way() -> bool:
    """Returns when the event loop waits for something to happen; False if it was busy for PATIENCE_SECONDS."""
    return _waiting.wait(PATIENCE_SECONDS)


class _Courteous(selectors.DefaultSelector):
    """The system's selector, which works while the loop waits in it, and tells when it does."""

    work: Work | None = None

    def select(self, timeout: float | None = None) -> Ready:
        """As the selector does. A time-out of 0 means that there is more to do at once."""
        if timeout is not None and timeout <= 0:
            _waiting.clear()
            return super().select(timeout)
        _waiting.set()
        try:
            return super().select(timeout) if self.work is None else self._select_and_work(timeout)
        finally:
            _waiting.clear()

    def _select_and_work(self, timeout: float | None) -> Ready:
        end = None if timeout is None else time.monotonic() + timeout
        while not (ready := super().select(0)):
            more = self.work is not None and self.work()
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                break
            if not more:
                return super().select(left)
        return ready

    def close(self) -> None:
        """Nobody has to make way for a loop that is closed."""
        self.work = None
        _waiting.set()
        super().close()


class CourteousLoop(asyncio.SelectorEventLoop):
    """An event loop for which `make_way` makes way, and which has work done in its own thread while it waits."""

    def __init__(self) -> None:
        self._courteous = _Courteous()
        super().__init__(self._courteous)

    def when_idle(self, work: Work) -> None:
        """Has `work` called again and again while there is nothing else to do, and nothing else so called any more.

        To be called in the loop's own thread. When `work` says that there is no more, it is asked again after something
        has happened. What happens meanwhile waits until it returns, so it should neither take long nor wait for a lock
        that others may hold for long.
        """
        self._courteous.work = work

    def no_longer(self, work: Work) -> None:
        """Has `work` called no more, if it is."""
        if self._courteous.work == work:
            self._courteous.work = None


def running_loop() -> CourteousLoop | None:
    """The loop that runs in this thread, if it is one of these."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return loop if isinstance(loop, CourteousLoop) else None


def courteous_loop() -> asyncio.AbstractEventLoop:
    """A CourteousLoop; the system's own on Windows, where that has no selector."""
    return asyncio.new_event_loop() if sys.platform == "win32" else CourteousLoop()
