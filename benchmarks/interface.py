"""What it costs to watch: training throughput with the gradients screen drawing, and how soon a key shows.

    python -m benchmarks.interface

Throughput is of the app without a terminal (Textual's headless driver) beside the trainer alone, in turns. Latency is
measured from outside, in a pseudo-terminal: from writing a key to reading what it changed, while a network trains at
full speed, beside the same app at rest and a Textual app that does nothing but show a number.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import select
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

EXPERIMENTS = ("vanishing-sigmoid-50", "dying-relu")
WIDTH, HEIGHT = 120, 40
PATIENCE = 20.0


def endless(name: str, folder: Path) -> str:
    """The path of a preset's file with so many steps that it does not end."""
    lines = (resources.files("engine") / "presets" / f"{name}.toml").read_text("utf-8").splitlines()
    text = "\n".join("steps = 100000000" if line.startswith("steps = ") else line for line in lines)
    path = folder / f"{name}.toml"
    path.write_text(text, "utf-8")
    return str(path)


# ── throughput ──────────────────────────────────────────────────────────────────────────────────────


def alone(path: str, seconds: float) -> float:
    """Steps a second of the trainer by itself, with the same measurements, all of them kept."""
    from engine.experiment.loading import load_experiment
    from engine.runs.history import History
    from engine.training.trainer import Trainer

    trainer, history = Trainer(load_experiment(path)), History()
    for _ in range(20):
        history.append(next(trainer))
    begin, done = time.perf_counter(), trainer.steps_done
    while time.perf_counter() - begin < seconds:
        history.append(next(trainer))
    return (trainer.steps_done - done) / (time.perf_counter() - begin)


async def watched(path: str, seconds: float) -> float:
    """Steps a second while the gradients screen draws."""
    from tui.app import BptuiApp
    from tui.session.network_session import NetworkSession

    session = NetworkSession.open(path)
    app = BptuiApp(session, personal=False)
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.opened.show("gradients")
        await pilot.pause()
        session.training.run()
        await asyncio.sleep(1.0)
        begin, done = time.perf_counter(), session.training.first.steps_done
        await asyncio.sleep(seconds)
        rate = (session.training.first.steps_done - done) / (time.perf_counter() - begin)
    session.close()
    return rate


def throughput(path: str, rounds: int, seconds: float) -> tuple[float, float, float]:
    """Median rates alone and watched, and the median of their ratios, pair by pair."""
    pairs = [(alone(path, seconds), asyncio.run(watched(path, seconds))) for _ in range(rounds)]
    return (
        statistics.median(one for one, _ in pairs),
        statistics.median(two for _, two in pairs),
        statistics.median(two / one for one, two in pairs),
    )


# ── latency ─────────────────────────────────────────────────────────────────────────────────────────


class Terminal:
    """A program in a pseudo-terminal."""

    def __init__(self, command: Sequence[str], folder: str) -> None:
        import fcntl
        import pty
        import termios

        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            variables = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
            os.environ.update(dict.fromkeys(variables, folder), TERM="xterm-256color")
            os.execv(command[0], list(command))
        size = struct.pack("HHHH", HEIGHT, WIDTH, 0, 0)
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, size)

    def write(self, keys: bytes) -> None:
        os.write(self.descriptor, keys)

    def until(self, text: bytes) -> float:
        """When a text was read."""
        seen, end = b"", time.perf_counter() + PATIENCE
        while text not in seen:
            if not select.select([self.descriptor], [], [], max(end - time.perf_counter(), 0.0))[0]:
                raise TimeoutError(f"never saw {text!r}")
            seen = seen[-len(text) :] + os.read(self.descriptor, 65536)
        return time.perf_counter()

    def settle(self, seconds: float) -> None:
        """Reads whatever comes for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.descriptor], [], [], left)[0]:
                os.read(self.descriptor, 65536)

    def close(self) -> None:
        import signal

        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.descriptor)


RIGHT, LEFT = b"\x1b[C", b"\x1b[D"


def latencies(
    command: Sequence[str], ready: bytes, before: bytes, shown: str, keys: int, layers: int = 51
) -> list[float]:
    """Milliseconds from each arrow key to what it changed on the terminal: the number of the layer, up to `layers`."""
    times, at, step, rng = [], 1, 1, random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(command, folder)
        try:
            terminal.until(ready)
            terminal.settle(1.0)
            terminal.write(before)
            terminal.settle(2.0)
            for _ in range(keys):
                if not 1 <= at + step <= layers:
                    step = -step
                at += step
                begin = time.perf_counter()
                terminal.write(RIGHT if step > 0 else LEFT)
                times.append(1e3 * (terminal.until(shown.format(at).encode()) - begin))
                terminal.settle(rng.uniform(0.03, 0.15))
        finally:
            terminal.close()
    return times


def run_bare() -> None:
    """A Textual app that shows where a cursor is, and nothing else."""
    from textual.app import App, ComposeResult
    from textual.widgets import Static

    class Bare(App[None]):
        BINDINGS = [("right", "move(1)", "Right"), ("left", "move(-1)", "Left")]  # noqa: RUF012 - as Textual wants it
        at = 1

        def compose(self) -> ComposeResult:
            yield Static(" layer 1 of 51 ")

        def action_move(self, by: int) -> None:
            self.at += by
            self.query_one(Static).update(f" layer {self.at} of 51 ")

    Bare().run()


def percentile(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(int(share * len(times)), len(times) - 1)]


def main() -> None:
    """Both tables, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.bare:
        run_bare()
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("| training | alone | watched | watched / alone |\n|---|---|---|---|")
        for experiment in EXPERIMENTS:
            one, two, ratio = throughput(endless(experiment, folder), asked.rounds, asked.seconds)
            print(
                f"| {experiment} | {one:,.0f} steps/s | {two:,.0f} steps/s | {100 * ratio:.0f} % |",
                flush=True,
            )
        app = [sys.executable, "-m", "tui", "open", endless(EXPERIMENTS[0], folder)]
        bare = [sys.executable, "-m", "benchmarks.interface", "--bare"]
        contestants = {
            "bptui, training at full speed": (app, b"Press space", b" "),
            "bptui, paused": (app, b"Press space", b"."),
            "a bare Textual app": (bare, b"layer 1", b""),
        }
        print("\n| key to screen | median | p95 | largest |\n|---|---|---|---|")
        for label, (command, ready, before) in contestants.items():
            times = latencies(command, ready, before, "layer {} of 51", asked.keys)
            p50, p95, most = percentile(times, 0.5), percentile(times, 0.95), max(times)
            print(f"| {label} | {p50:.0f} ms | {p95:.0f} ms | {most:.0f} ms |", flush=True)


if __name__ == "__main__":
    main()
