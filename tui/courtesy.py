"""Makes way for the interface: a thread that computes waits while the event loop has something to do.

    event loop   ····waits····|key|··waits··|redraw|····waits····
    training     ▇▇▇▇▇▇▇▇▇▇▇▇▇     ▇▇▇▇▇▇▇▇▇        ▇▇▇▇▇▇▇▇▇▇▇▇▇

Python runs one thread at a time. Two that both want to run hand that right to and fro between two cores thousands
of times a second, which costs more than either waiting for the other: a redraw takes twice as long, and so do the
steps trained meanwhile.

There is one such loop in a program, and whoever makes it closes it: a loop that has ended but is still open counts as
busy.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import threading

PATIENCE_SECONDS = 0.05
"""A thread that makes way goes on after so long, however busy the interface is."""

_waiting = threading.Event()
_waiting.set()


def way_is_wanted() -> bool:
    """Whether the event loop is busy."""
    return not _waiting.is_set()


def make_way() -> bool:
    """Returns when the event loop waits for something to happen; False if it was busy for PATIENCE_SECONDS."""
    return _waiting.wait(PATIENCE_SECONDS)


class _Courteous(selectors.DefaultSelector):
    """The system's selector, which tells when the loop waits in it."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As the selector does. A time-out of 0 means that there is more to do at once."""
        if timeout is not None and timeout <= 0:
            _waiting.clear()
            return super().select(timeout)
        _waiting.set()
        try:
            return super().select(timeout)
        finally:
            _waiting.clear()

    def close(self) -> None:
        """Nobody has to make way for a loop that is closed."""
        _waiting.set()
        super().close()


def courteous_loop() -> asyncio.AbstractEventLoop:
    """An event loop for which `make_way` makes way; the system's own on Windows, where it has no selector."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    return asyncio.SelectorEventLoop(_Courteous())
