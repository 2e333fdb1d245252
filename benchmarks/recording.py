"""The price of being recorded: processor time of one torch step with and without `bptui.watch`, in turns.

    python -m benchmarks.recording [--only 784]

Contract: at most 1.10 times on 784-256-256-10 with batch 128, one thread, every step; at most 1.02 times at every
tenth step on a model of ten million parameters. Only the norms (`grad_l2`), loss, rate and time are logged. The floor
is the same training in which torch takes those norms (`_foreach_norm` of all gradients) and nobody looks at them.

Three trainings alike take turns of ten steps, one of them with one log from beginning to end. Every step is timed by
itself, and what counts are medians: of the steps that are recorded, and of those that are only counted. So what other
programs do to single steps does not show. Where in memory a training lies makes a percent or two, so that there are
several such threes, one after the other.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median

TURN = 10
"""Steps with each in turns."""

THREES = 5
"""Trainings alike are made anew so many times: each lies elsewhere in memory."""

CASES = (
    ("784-256-256-10, batch 128, every step", [784, 256, 256, 10], 128, 1, 60),
    ("784-256-256-10, batch 128, every 10th", [784, 256, 256, 10], 128, 10, 200),
    ("10 million parameters, batch 32, every 10th", [1024, 2048, 2048, 1800, 10], 32, 10, 12),
)
"""Name, widths, batch, how often is recorded, and how many turns."""


def model(widths: list[int]):
    import torch

    layers: list[torch.nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


class Times:
    """Seconds of single steps: those of every `every`-th, and the others."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._due: list[float] = []
        self._others: list[float] = []

    def take(self, turn: list[float]) -> None:
        """Those of a turn, whose last step is due; with `every` = 1 all are."""
        for place, seconds in enumerate(turn, 1):
            (self._due if place % self._every == 0 else self._others).append(seconds)

    @property
    def typical(self) -> float:
        """Seconds a step, of the mixture of the two kinds."""
        others = median(self._others) * (self._every - 1) if self._others else 0.0
        return (median(self._due) + others) / self._every


class Training:
    """A network that is trained step by step; three alike take turns, so that none finds its numbers in the cache."""

    def __init__(self, widths: list[int], batch: int) -> None:
        import torch

        torch.manual_seed(0)
        self.net = model(widths)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=1e-3)
        self._X, self._Y = torch.randn(batch, widths[0]), torch.randint(0, widths[-1], (batch,))

    def update(self, before: Callable[[], object] = lambda: None) -> None:
        """One step; `before` is called where the gradients are complete."""
        import torch

        self.optimizer.zero_grad()
        torch.nn.functional.cross_entropy(self.net(self._X), self._Y).backward()
        before()
        self.optimizer.step()

    def turn(self, each: Callable[[int], object] = lambda step: None) -> list[float]:
        """Processor time of each of ten steps."""
        times = []
        for step in range(1, TURN + 1):
            began = time.process_time()
            self.update(partial(each, step))
            times.append(time.process_time() - began)
        return times


def price(widths: list[int], batch: int, every: int, turns: int) -> tuple[float, float, float]:
    """Seconds a step: of the bare training, of the recorded one, and of one that only takes the norms."""
    import torch

    import bptui

    torch.set_num_threads(1)
    times = [Times(every) for _ in range(3)]
    for _ in range(THREES):
        _, recorded, floor = three = [Training(widths, batch) for _ in range(3)]

        def take_norms(step: int, net: torch.nn.Module = floor.net) -> None:
            if step % every == 0:
                torch._foreach_norm([parameter.grad for parameter in net.parameters()])

        with (
            tempfile.TemporaryDirectory() as folder,
            bptui.watch(recorded.net, recorded.optimizer, Path(folder) / "run.jsonl", every=every),
        ):
            # The first update looks up the names and makes the file. It is recorded, and so is every tenth after it:
            # the last one of a turn.
            recorded.update()
            for number in range(1 + turns // THREES):
                for place in range(3):  # nobody always follows the same one
                    kind = (place + number) % 3
                    taken = three[kind].turn(take_norms) if kind == 2 else three[kind].turn()
                    if number:  # the first turn warms up
                        times[kind].take(taken)
    typical, watched, norms = (one.typical for one in times)
    return typical, watched, norms


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="only cases whose names contain this")
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    print("| one step of | bare | recorded | recorded / bare | the norms alone / bare |")
    print("|---|---|---|---|---|")
    for name, widths, batch, every, turns in CASES:
        if asked.only in name:
            bare, recorded, floor = price(widths, batch, every, turns)
            times = f"{1e3 * bare:.3f} ms | {1e3 * recorded:.3f} ms"
            print(f"| {name} | {times} | {recorded / bare:.3f} | {floor / bare:.3f} |", flush=True)


if __name__ == "__main__":
    main()
