"""A training that is asked to end, by Ctrl+C or another signal, finishes its step and closes its log first.

SIGINT, SIGTERM, SIGHUP ──> asked ──after the step──> log closed, summary written ──> exit 128 + signal
                     again ──> at once
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from tui.cli.one_line_errors import INTERRUPTED

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)


class AskedToEnd:
    """A context in which a signal only asks to end; a second one has its usual effect.

    A second one has its usual effect.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        """The one that asked, or None."""
        self._usual: dict[int, Any] = {}

    def __bool__(self) -> bool:
        return self.signal is not None

    @property
    def status(self) -> int:
        """The exit status that says which signal it was, as shells expect it."""
        return INTERRUPTED if self.signal is None else 128 + self.signal

    def __enter__(self) -> AskedToEnd:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                    self._usual[number] = signal.signal(number, self._ask)
        return self

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        self._give_back()

    def _give_back(self) -> None:
        while self._usual:
            number, usual = self._usual.popitem()
            signal.signal(number, usual)

    def __exit__(self, *_: object) -> None:
        self._give_back()
