"""How soon the first frame is there: of the list of experiments and of an experiment, beside a bare Textual app's.

    python -m benchmarks.start [--rounds 15] [--experiment tutorial-b]

Each in a pseudo-terminal, in turns, from the start of Python to the text that the first frame has. Wall time and
processor time of each, the medians, and the median of the ratios round by round.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence

from benchmarks.interface import Terminal, run_bare

BARE, LIST, EXPERIMENT = "a bare Textual app", "the list", "an experiment"
GOALS = {LIST: 1.5, EXPERIMENT: 2.0}


def first_frame(command: Sequence[str], text: bytes) -> tuple[float, float]:
    """Seconds of wall time and of processor time until `text` is drawn."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        terminal = Terminal(command, folder)
        try:
            wall = terminal.until(text) - begin
        finally:
            os.kill(terminal.pid, signal.SIGKILL)
            _, _, used = os.wait4(terminal.pid, 0)
            os.close(terminal.descriptor)
    return wall, used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--experiment", default="tutorial-b")
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.bare:
        run_bare()
        return
    contestants = {
        BARE: ([sys.executable, "-m", "benchmarks.start", "--bare"], b"layer 1 of 51"),
        LIST: ([sys.executable, "-m", "tui"], b"tutorial-a"),
        EXPERIMENT: ([sys.executable, "-m", "tui", "open", asked.experiment], b"Backward"),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    with tempfile.TemporaryDirectory() as bytecode:
        # As where bptui is installed: compiled once, whatever the environment says about a source tree.
        os.environ |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode}
        for turn in range(asked.rounds + 1):
            for name, (command, text) in contestants.items():
                found = first_frame(command, text)
                if turn:  # the first one compiles, and reads the disk
                    times[name].append(found)
    print("| first frame | wall time | by the bare app's | processor time | by the bare app's | goal |")
    print("|---|---|---|---|---|---|")
    for name, found in times.items():
        cells = []
        for kind in (0, 1):
            ratio = statistics.median(
                one[kind] / bare[kind] for one, bare in zip(found, times[BARE], strict=True)
            )
            cells += [f"{1e3 * statistics.median(one[kind] for one in found):.0f} ms", f"{ratio:.2f}"]
        print(f"| {name} | {' | '.join(cells)} | {GOALS.get(name, '')} |")


if __name__ == "__main__":
    main()
