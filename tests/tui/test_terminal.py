"""The real program in a real (pseudo) terminal: it starts, draws, obeys, and gives the terminal back."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import tui

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are a thing of Unix", allow_module_level=True)

import pexpect
import pyte

ROOT = Path(tui.__file__).parents[1]
PATIENCE = 30.0
ENTER_FULL_SCREEN, LEAVE_FULL_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"
SHOW_CURSOR = b"\x1b[?25h"
MOUSE_OFF = b"\x1b[?1000l"


class Terminal:
    """A terminal with a program in it."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str]) -> None:
        self.screen = pyte.Screen(80, 24)
        self.output = b""
        self._stream = pyte.ByteStream(self.screen)
        self.program = pexpect.spawn(
            sys.executable,
            list(arguments),
            cwd=str(ROOT),
            env=environment,
            dimensions=(24, 80),
            timeout=PATIENCE,
        )

    def read(self) -> bool:
        """Takes in what the program has written; False where it has ended."""
        try:
            written = self.program.read_nonblocking(65536, timeout=1)
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

    def wait_for_the_end(self) -> int:
        """Reads to the end, and returns the exit status."""
        end = time.monotonic() + PATIENCE
        while self.read():
            assert time.monotonic() < end, f"it never ended:\n{self.text()}"
        self.program.close()
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


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """As of a terminal at home; the settings are this test's own."""
    return {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[object]:
    """Starts programs in terminals, and ends those that a failed test leaves behind."""
    started: list[Terminal] = []

    def run(*arguments: str, **extra: str) -> Terminal:
        started.append(Terminal(arguments, {**environment, **extra}))
        return started[-1]

    yield run
    for terminal in started:
        terminal.program.close(force=True)


def test_launch_step_resize_and_quit(start):
    terminal = start("-m", "tui", "open", "tutorial-b")
    terminal.wait_for("How the loss changes with the prediction")
    terminal.wait_for("step 1 of 5")
    terminal.wait_for("−1.925")
    terminal.press("\x1b[C")  # →
    terminal.wait_for("step 2 of 5")
    terminal.wait_for("Slope of the sigmoid")
    terminal.press("2n")
    terminal.wait_for("step 4 of 5")
    terminal.resize(120, 40)
    terminal.wait_for("Network")
    terminal.wait_for("Terms")
    assert "step 4 of 5" in terminal.text()
    terminal.resize(50, 15)
    terminal.wait_for("smaller than 60×20")
    terminal.resize(80, 24)
    terminal.wait_for("step 4 of 5")
    terminal.press("q")
    assert terminal.wait_for_the_end() == 0
    terminal.assert_given_back()
    assert terminal.left_behind == ""


def test_ctrl_c_leaves_as_well(start):
    terminal = start("-m", "tui")
    terminal.wait_for("Choose an experiment")
    terminal.press("\x03")
    assert terminal.wait_for_the_end() == 0
    terminal.assert_given_back()
    assert terminal.left_behind == ""


def test_a_terminal_without_the_glyphs_gets_ascii(start):
    terminal = start("-m", "tui", "open", "tutorial-b", BPTUI_ASCII="1")
    terminal.wait_for("dE/dW[1]_11")
    terminal.press("q")
    assert terminal.wait_for_the_end() == 0
    assert terminal.output.isascii()


CRASH = """
import sys
from tui.__main__ import main
from tui.stepper.screen import StepperScreen

def broken(self, direction):
    raise ZeroDivisionError("a test\\ndid this")

StepperScreen.action_node = broken
sys.argv[1:] = ["open", "tutorial-b"]
main()
"""


def test_an_exception_gives_the_terminal_back_and_leaves_one_line(start, tmp_path):
    terminal = start("-c", CRASH)
    terminal.wait_for("step 1 of 5")
    terminal.press("\x1b[B")  # ↓
    assert terminal.wait_for_the_end() == 1
    terminal.assert_given_back()
    (line,) = terminal.left_behind.splitlines()
    assert line.startswith("bptui: this should not have happened: ZeroDivisionError: a test did this; ")
    report = Path(line.rpartition("the crash report is ")[2])
    assert tmp_path in report.parents
    text = report.read_text("utf-8")
    assert text.startswith("bptui ")
    assert "TERM=xterm-256color" in text
    assert "Traceback (most recent call last)" in text
    assert "in broken" in text


def test_a_mistake_is_told_before_the_screen_is_taken(start):
    terminal = start("-m", "tui", "open", "tutorial-bb")
    assert terminal.wait_for_the_end() == 2
    assert ENTER_FULL_SCREEN not in terminal.output
    assert "did you mean" in terminal.left_behind or "did you mean" in terminal.output.decode()
