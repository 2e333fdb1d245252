"""The networks that are timed: the tutorials' tiny ones, two that are deep and narrow, and two that are wide."""

from __future__ import annotations

from dataclasses import dataclass

from engine.experiment.loading import parse_experiment
from engine.experiment.spec import Experiment


@dataclass(frozen=True)
class Case:
    """A network by its layers, with plain gradient descent on a full batch of random samples."""

    name: str
    features: int
    hidden: tuple[int, ...]
    outputs: int
    n: int
    activation: str
    dtype: str = "float64"

    @property
    def widths(self) -> tuple[int, ...]:
        return (self.features, *self.hidden, self.outputs)

    @property
    def is_tiny(self) -> bool:
        return max(self.widths) < 32

    def experiment(self) -> Experiment:
        last, loss = ("sigmoid", "bce") if self.outputs == 1 else ("softmax", "cross_entropy")
        layers = [(units, self.activation) for units in self.hidden] + [(self.outputs, last)]
        tables = "\n".join(
            f'[[network.layers]]\nunits = {units}\nactivation = "{activation}"'
            for units, activation in layers
        )
        return parse_experiment(
            f'dtype = "{self.dtype}"\n'
            f'[data]\nkind = "random"\nn = {self.n}\nfeatures = {self.features}\noutputs = {self.outputs}\n'
            f'[network]\n{tables}\n[loss]\nkind = "{loss}"\n[train]\nlearning_rate = {LEARNING_RATE}\n',
            self.name,
        )


LEARNING_RATE = 0.001

CASES = (
    Case("2-2-1, n=1", 2, (2,), 1, 1, "relu"),
    Case("2-2-1, n=1100", 2, (2,), 1, 1100, "relu"),
    Case("50 hidden of 32, n=128, sigmoid", 32, (32,) * 50, 1, 128, "sigmoid"),
    Case("50 hidden of 64, n=256, ReLU", 64, (64,) * 50, 1, 256, "relu"),
    Case("784-256-256-10, n=128, ReLU, float32", 784, (256, 256), 10, 128, "relu", "float32"),
    Case("784-1024-1024-10, n=256, ReLU, float32", 784, (1024, 1024), 10, 256, "relu", "float32"),
)
