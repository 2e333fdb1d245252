"""What a convention costs in training: the same network and data, told in the file's default way and in another.

    python -m benchmarks.conventions [--threads 1] [--seconds 2]

Every row is a step of training with all its measurements, beside the same step under the default convention, both in
turns; the ratio is to stay within 1.03. Held-out samples are measured besides, so that row is work and no convention.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from benchmarks.timing import in_turns, set_threads

PLAIN = "the default"
CONVENTIONS = {
    'weights = "out_in"': {"network": 'weights = "out_in"'},
    "half = false": {"loss": "half = false"},
    'outputs = "mean"': {"loss": 'outputs = "mean"'},
    'samples = "sum"': {"loss": 'samples = "sum"'},
    "[notation]": {"more": '[notation]\npreactivation = "z"\nloss = "L"\nprediction = "ŷ"'},
    "test_share = 0.2": {"data": "test_share = 0.2"},
}
NETWORKS = {"2 layers of 16, n = 160": (2, 16, 160), "10 layers of 64, n = 256": (10, 64, 256)}


def text_of(depth: int, width: int, n: int, **more: str) -> str:
    # With a share held out there are as many samples to learn from as without.
    samples = n * 5 // 4 if "test_share" in more.get("data", "") else n
    return f"""
[data]
kind = "random"
n = {samples}
features = 8
outputs = 4
{more.get("data", "")}
[network]
bias = true
{more.get("network", "")}
[[network.layers]]
units = {width}
activation = "relu"
repeat = {depth}
[[network.layers]]
units = 4
activation = "linear"
[loss]
kind = "squared_error"
{more.get("loss", "")}
[train]
learning_rate = 1e-4
{more.get("more", "")}
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1, help="threads that NumPy may use")
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each contestant")
    options = parser.parse_args()
    set_threads(options.threads)

    from engine.experiment.loading import parse_experiment
    from engine.training.trainer import Trainer

    def stepping(text: str) -> Callable[[], object]:
        trainer = Trainer(parse_experiment(text, "benchmark"))
        trainer.limit = None
        return trainer.step

    print("| network | convention | default | ratio |")
    print("|---|---|---|---|")
    for name, size in NETWORKS.items():
        for convention, more in CONVENTIONS.items():
            contestants = {PLAIN: stepping(text_of(*size)), convention: stepping(text_of(*size, **more))}
            times = in_turns(contestants, options.seconds, options.threads)
            print(
                f"| {name} | {convention} | {times[PLAIN] * 1e6:.0f} µs | {times[convention] / times[PLAIN]:.3f}× |",
                flush=True,
            )


if __name__ == "__main__":
    main()
