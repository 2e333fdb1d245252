"""A program in a real (pseudo) terminal: what it writes, what that makes of the screen, and what it leaves behind."""

from __future__ import annotations

import re
import signal
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pexpect
import pyte

import tui

ROOT = Path(tui.__file__).parents[1]
PATIENCE = 30.0
ENTER_FULL_SCREEN, LEAVE_FULL_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"
SHOW_CURSOR = b"\x1b[?25h"
MOUSE_OFF = b"\x1b[?1000l"
MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
TAKEN = {"1049", "1000", "1002", "1003", "1004", "1006", "1015", "1016", "2004", "2026", "2048"}
"""Modes that are on only while a program has the terminal to itself."""


def _heed_signals() -> None:
    """Whoever runs the tests in the background, or under nohup, has them ignore signals, and their children too."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


class Terminal:
    """A terminal with a program in it."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str], cwd: Path = ROOT) -> None:
        self.screen = pyte.Screen(80, 24)
        self.output = b""
        self._stream = pyte.ByteStream(self.screen)
        self.program = pexpect.spawn(
            sys.executable,
            list(arguments),
            cwd=str(cwd),
            env={**environment, "PYTHONPATH": str(ROOT)},
            dimensions=(24, 80),
            timeout=PATIENCE,
            preexec_fn=_heed_signals,
        )
        self.attributes = termios.tcgetattr(self.program.child_fd)

    def read(self, timeout: float = 1.0) -> bool:
        """Takes in what the program has written; False where it has ended."""
        try:
            written = self.program.read_nonblocking(65536, timeout=timeout)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.output += written
        # What Textual asks the terminal about itself is no text, but pyte would show it as such.
        self._stream.feed(re.sub(rb"\x1b\[[?>=][0-9;]*[$a-zA-Z]+|\x1bP.*?\x1b\\", b"", written))
        return True

    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self.screen.display)

    def wait_for(self, words: str) -> None:
        """Reads until words are on the screen."""
        end = time.monotonic() + PATIENCE
        while words not in self.text():
            assert time.monotonic() < end, f"{words!r} never came:\n{self.text()}"
            assert self.read(), f"the program ended before {words!r}:\n{self.text()}"

    def press(self, keys: str) -> None:
        self.program.send(keys)

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        self.program.setwinsize(rows, columns)
        self.program.kill(signal.SIGWINCH)

    def wait_for_the_end(self, *, by_signal: bool = False) -> int:
        """Reads to the end, and returns the exit status, as a shell would see it where a signal may have done it."""
        end = time.monotonic() + PATIENCE
        while self.read():
            assert time.monotonic() < end, f"it never ended:\n{self.text()}"
        self.at_the_end = termios.tcgetattr(self.program.child_fd)
        self.program.close()
        if by_signal and self.program.signalstatus is not None:
            return 128 + int(self.program.signalstatus)
        assert self.program.signalstatus is None
        return int(self.program.exitstatus)

    def assert_given_back(self) -> None:
        """The full screen is left, the cursor shown, the mouse let go."""
        assert self.output.count(ENTER_FULL_SCREEN) == 1
        after = self.output.split(ENTER_FULL_SCREEN)[1]
        assert LEAVE_FULL_SCREEN in after
        assert after.rindex(SHOW_CURSOR) > after.rindex(b"\x1b[?25l")
        assert MOUSE_OFF in after

    @property
    def left_behind(self) -> str:
        """What stands in the terminal once the full screen is left."""
        rest = self.output.rpartition(LEAVE_FULL_SCREEN)[2]
        return re.sub(rb"\x1b(\[[0-9;?<>=]*[a-zA-Z]|[()][A-Z0-9]|[=>78])", b"", rest).decode().strip()

    def wait_until(self, state: Callable[[], object], patience: float = PATIENCE) -> None:
        """Reads until something has come about."""
        end = time.monotonic() + patience
        while not state():
            assert time.monotonic() < end, f"never came about:\n{self.text()}"
            self.read(0.05)

    def is_stopped(self) -> bool:
        """Whether the program is stopped (known on Linux only)."""
        stat = Path(f"/proc/{self.program.pid}/stat").read_text("utf-8")
        return stat.rpartition(")")[2].split()[0] == "T"

    def is_raw(self) -> bool:
        """Whether the terminal neither echoes nor waits for whole lines."""
        local = termios.tcgetattr(self.program.child_fd)[3]
        return not local & (termios.ECHO | termios.ICANON)

    def modes(self) -> set[str]:
        """What is switched on, by the numbers of the terminal's private modes; 25 is the cursor."""
        on = {"25", "7"}
        for numbers, switch in MODE.findall(self.output):
            for number in numbers.decode().split(";"):
                (on.add if switch == b"h" else on.discard)(number)
        return on

    def assert_restored(self) -> None:
        """Nothing is left of a program: attributes as they were, no mode of a full screen, a cursor."""
        try:
            now = termios.tcgetattr(self.program.child_fd)
        except (termios.error, OSError, ValueError):  # the terminal is closed, and was asked before
            now = self.at_the_end
        assert now == self.attributes, "the terminal is not as it was"
        modes = self.modes()
        assert not modes & TAKEN, f"left on: {modes & TAKEN}"
        assert {"25", "7"} <= modes, "no cursor, or no wrapped lines"
