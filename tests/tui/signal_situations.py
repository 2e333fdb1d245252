"""Programs that a signal may meet, in a terminal, and what must be true afterwards.

open        the stepper, waiting for a key                 watch    a log that grows, on the charts
training    the charts, while a network trains             train    without the app, writing a log

Used by the tests with a few moments and by `benchmarks/signals.py` with many.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.tui.pseudo_terminal import Terminal

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
STOPPING = (signal.SIGTSTP, signal.SIGSTOP)
STEPS = 100_000_000


@dataclass(frozen=True)
class Situation:
    """What is run, what is on the screen once it runs, and the keys that then lead to where the signal comes."""

    name: str
    arguments: tuple[str, ...]
    words: str
    keys: str = ""
    full_screen: bool = True


SITUATIONS = (
    Situation("open", ("open", "tutorial-b"), "step 1 of"),
    Situation("training", ("open", "relu-50"), "relu-50", keys=" "),
    Situation("watch", ("watch", "{log}"), "step"),
    Situation(
        "train",
        ("train", "tutorial-b-wine", "--steps", str(STEPS), "--log", "{log}"),
        "training",
        full_screen=False,
    ),
)


def by_name(name: str) -> Situation:
    """The situation of a name."""
    return next(one for one in SITUATIONS if one.name == name)


def make_log(path: Path) -> None:
    """A finished log to watch."""
    import subprocess

    subprocess.run(
        [sys.executable, "-m", "tui", "train", "xor", "--steps", "20", "--log", str(path)],
        check=True,
        capture_output=True,
    )


def begin(situation: Situation, folder: Path, environment: dict[str, str]) -> Terminal:
    """Starts it, and waits until it is well under way."""
    log = folder / "run.jsonl"
    if situation.name == "watch" and not log.exists():
        make_log(log)
    arguments = [one.format(log=log) for one in situation.arguments]
    terminal = Terminal(["-m", "tui", *arguments], environment)
    terminal.wait_for(situation.words)
    if situation.keys:
        terminal.press(situation.keys)
    return terminal


def stop_and_go_on(terminal: Terminal, situation: Situation, number: signal.Signals) -> None:
    """Stops the program, looks at what it leaves, has it go on, and waits until it is back."""
    terminal.program.kill(number)
    if not situation.full_screen and number == signal.SIGTSTP:
        time.sleep(0.05)  # a program without a shell above it is not stopped by this one
        return
    terminal.wait_until(terminal.is_stopped)
    wait(terminal, 0.1)  # what it wrote before is read
    if number == signal.SIGTSTP:
        terminal.assert_restored()
    written = len(terminal.output)
    terminal.program.kill(signal.SIGCONT)
    if situation.full_screen:
        terminal.wait_until(lambda: b"\x1b[?1049h" in terminal.output[written:])
        terminal.wait_until(terminal.is_raw)
        terminal.wait_until(lambda: len(terminal.output) > written + 400)  # it has drawn itself again


def end(terminal: Terminal, situation: Situation, number: signal.Signals, folder: Path) -> None:
    """Ends the program by a signal: the terminal is given back, the log whole, the status the signal's."""
    terminal.program.kill(number)
    status = terminal.wait_for_the_end()
    assert status == 128 + number, f"{number.name}: exit status {status}\n{terminal.text()}"
    terminal.assert_restored()
    assert b"Traceback" not in terminal.output
    if situation.name == "train":
        assert_whole(folder / "run.jsonl")


def assert_whole(log: Path) -> None:
    """Every line of a run log is whole, and no step is missing."""
    raw = log.read_bytes()
    assert raw.endswith(b"\n")
    _, *records = [json.loads(line) for line in raw.splitlines()]
    assert [record["step"] for record in records] == list(range(len(records)))


def try_all(
    situation: Situation,
    number: signal.Signals,
    moment: random.Random,
    folder: Path,
    environment: dict[str, str],
    latest: float = 1.0,
) -> None:
    """Stops and goes on at two random moments, then ends at a third."""
    folder.mkdir()
    terminal = begin(situation, folder, environment)
    try:
        for stopping in STOPPING:
            wait(terminal, moment.uniform(0, latest))
            stop_and_go_on(terminal, situation, stopping)
        wait(terminal, moment.uniform(0, latest))
        end(terminal, situation, number, folder)
    finally:
        terminal.program.close(force=True)


def wait(terminal: Terminal, seconds: float) -> None:
    """Lets the program run, and takes in what it writes."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        terminal.read(0.02)


def home_environment() -> dict[str, str]:
    """The environment of a terminal at home."""
    return {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
