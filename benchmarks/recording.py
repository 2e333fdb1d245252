"""The price of being recorded: processor time of one torch step with and without `bptui.watch`, in turns.

    python -m benchmarks.recording

Contract: at most 1.10 times on 784-256-256-10 with batch 128, one thread, every step; at most 1.02 times at every
tenth step on a model of ten million parameters. Only the norms (`grad_l2`), loss, rate and time are logged.
"""

from __future__ import annotations

import os
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

ROUNDS = 30


def model(widths: list[int]):
    import torch

    layers: list[torch.nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def price(
    widths: list[int], batch: int, every: int, steps: int, rounds: int = ROUNDS
) -> tuple[float, float, float]:
    """Seconds a step without and with recording, the medians of rounds in turns, and the median of their ratios."""
    import torch

    import bptui

    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = model(widths)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    X, Y = torch.randn(batch, widths[0]), torch.randint(0, widths[-1], (batch,))

    def train(count: int) -> float:
        began = time.process_time()
        for _ in range(count):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(X), Y).backward()
            optimizer.step()
        return (time.process_time() - began) / count

    train(steps)
    bare, recorded, ratios = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            first = train(steps)
            with bptui.watch(net, optimizer, Path(folder) / f"{number}.jsonl", every=every):
                train(1)
                second = train(steps)
            third = train(steps)
            bare += [first, third]
            recorded.append(second)
            ratios.append(2 * second / (first + third))
    return median(bare), median(recorded), median(ratios)


def main() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    for name, widths, batch, every, steps, rounds in (
        ("784-256-256-10, batch 128, every step", [784, 256, 256, 10], 128, 1, 40, ROUNDS),
        ("784-256-256-10, batch 128, every 10th", [784, 256, 256, 10], 128, 10, 40, ROUNDS),
        ("10 million parameters, batch 32, every 10th", [1024, 2048, 2048, 1800, 10], 32, 10, 10, 8),
    ):
        bare, recorded, ratio = price(widths, batch, every, steps, rounds)
        print(f"{name:<46}{1e3 * bare:8.3f} ms{1e3 * recorded:9.3f} ms{ratio:8.3f} times")


if __name__ == "__main__":
    main()
