"""The real program in a real (pseudo) terminal: it starts, draws, obeys, and gives the terminal back."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are a thing of Unix", allow_module_level=True)

from tests.tui.pseudo_terminal import ENTER_FULL_SCREEN, Terminal


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
    terminal.press("2\x1b[C")
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
from tui.stepper.stepper_screen import StepperScreen

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
