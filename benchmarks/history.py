"""What a long run holds: the history of ten million steps beside that of ten thousand.

    python -m benchmarks.history [--steps 10000000]

Records of one network are appended as fast as they go, one a step. Bytes are those of the history's rows; "resident" is
the whole program's memory, where the system tells it; "to draw" is what a chart of 110 points reads of one measurement.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time

from engine.experiment.loading import load_experiment
from engine.runs.history import History
from engine.training.trainer import Trainer

LOOKS = 21
POINTS = 110


def resident() -> str:
    """Mebibytes of memory in use, or a dash."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            (line,) = [line for line in status if line.startswith("VmRSS")]
    except (OSError, ValueError):
        return "–"
    return f"{int(line.split()[1]) / 1024:.1f} MiB"


def to_draw(history: History) -> float:
    """Median milliseconds of one look."""
    times = []
    for _ in range(LOOKS):
        begin = time.perf_counter()
        history.decimated("grad_max", POINTS)
        times.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(times)


def main() -> None:
    """The table, in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=10_000_000)
    steps = parser.parse_args().steps
    first = Trainer(load_experiment("xor")).step()
    assert first is not None
    history = History()
    print("| steps | rows | bytes | resident | to draw |\n|---|---|---|---|---|")
    for step in range(1, steps + 1):
        history.append(dataclasses.replace(first, step=step))
        if step in (10_000, 1_000_000, steps):
            print(
                f"| {step:,} | {len(history):,} | {history.nbytes:,} | {resident()} | {to_draw(history):.2f} ms |",
                flush=True,
            )


if __name__ == "__main__":
    main()
