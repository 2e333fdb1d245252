"""How fast training is beside what it was: this tree and that of an older commit, in turns.

    python -m benchmarks.older --commit 19571ea [--rounds 15] [--seconds 0.2] [--only TEXT]

The older commit is checked out beside (`git worktree`); each tree trains in a process of its own, with one thread. What
counts is processor time: the median of the ratios, pair by pair, and the ratio of the fastest ones.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import set_threads

HERE = Path(__file__).parents[1]
KINDS = ("bptui", "bptui, step", "bptui, bare")


class Tree:
    """A process that trains with the code of one folder, when it is asked to."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-c", CHILD, str(folder)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
        )

    def seconds_a_step(self, case: str, kind: str, seconds: float) -> float:
        """What a step takes, over as many as go into `seconds`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{case}|{kind}|{seconds}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


CHILD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from benchmarks.cases import CASES
try:
    from engine.runs.history import History
    from engine.training.trainer import Trainer
except ImportError:  # before the engine had wings
    from engine.history import History
    from engine.training import Trainer

steps = {}
for line in sys.stdin:
    name, kind, seconds = line.split("|")
    if (name, kind) not in steps:
        trainer, history = Trainer(next(case for case in CASES if case.name == name).experiment()), History()
        steps[name, kind] = step = {
            "bptui": lambda trainer=trainer, history=history: history.append(trainer.step()),
            "bptui, step": trainer.step,
            "bptui, bare": lambda trainer=trainer: trainer.step(measure=False),
        }[kind]
        for _ in range(20):
            step()
    step, count, begin = steps[name, kind], 0, time.process_time()
    while time.process_time() - begin < float(seconds):
        step()
        count += 1
    print((time.process_time() - begin) / count, flush=True)
"""


def compare(old: Tree, new: Tree, case: str, kind: str, rounds: int, seconds: float) -> str:
    """One row of the table."""
    pairs = []
    for turn in range(rounds + 1):
        both = {tree: tree.seconds_a_step(case, kind, seconds) for tree in ((old, new), (new, old))[turn % 2]}
        pairs.append((both[old], both[new]))
    del pairs[0]  # the first fills caches
    before, after = (1e6 * statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(two / one for one, two in pairs)
    fastest = min(two for _, two in pairs) / min(one for one, _ in pairs)
    return f"| {case} | {kind} | {before:,.1f} µs | {after:,.1f} µs | {ratio:.3f} | {fastest:.3f} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--commit", required=True, help="the older commit")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.2, help="time for each step's turn")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    asked = parser.parse_args()
    set_threads(1)
    from benchmarks.cases import CASES

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "older"
        subprocess.run(
            ["git", "worktree", "add", "-q", "--detach", str(folder), asked.commit], cwd=HERE, check=True
        )
        old, new = Tree(folder), Tree(HERE)
        try:
            print("| one step | kind | before | now | median of ratios | fastest by fastest |")
            print("|---|---|---|---|---|---|")
            for case in CASES:
                for kind in KINDS:
                    if asked.only in case.name:
                        print(compare(old, new, case.name, kind, asked.rounds, asked.seconds), flush=True)
        finally:
            old.close()
            new.close()
            subprocess.run(["git", "worktree", "remove", "--force", str(folder)], cwd=HERE, check=True)


if __name__ == "__main__":
    main()
