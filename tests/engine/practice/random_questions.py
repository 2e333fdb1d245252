"""Random networks with a question about one of their entries, for the tests and the benchmark of answers."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.spec import Experiment
from engine.formula.expression import Symbol
from engine.practice.judging.judge import Judge
from engine.practice.question.asked_target import AskedTarget

HIDDEN = ("relu", "sigmoid", "tanh", "leaky_relu", "softplus", "linear")


def random_experiment(rng: np.random.Generator, *, depth: int | None = None, n: int = 1) -> Experiment:
    """A network of one to three layers, each of the three losses, with or without biases."""
    depth = int(rng.integers(1, 4)) if depth is None else depth
    features = int(rng.integers(2, 4))
    kind = str(rng.choice(["bce", "bce", "squared_error", "weighted"]))
    loss: dict[str, Any] = (
        {"kind": "bce", "alpha": 3.0, "beta": 0.7} if kind == "weighted" else {"kind": kind}
    )
    output = "linear" if kind == "squared_error" else "sigmoid"
    layers: list[dict[str, Any]] = []
    for number in range(1, depth + 1):
        last = number == depth
        activation = output if last else str(rng.choice(HIDDEN))
        layers.append({"units": 1 if last else int(rng.integers(2, 4)), "activation": activation})
    labels = rng.integers(0, 2, n).tolist() if output == "sigmoid" else rng.normal(size=n).tolist()
    document = {
        "data": {"kind": "inline", "X": rng.normal(size=(features, n)).tolist(), "Y": [labels]},
        "network": {"layers": layers, "bias": bool(rng.random() < 0.3)},
        "loss": loss,
        "seed": int(rng.integers(1000)),
    }
    return msgspec.convert(document, Experiment)


def random_question(rng: np.random.Generator, n: int = 1) -> tuple[EvaluatedExperiment, AskedTarget]:
    """An experiment and an entry to differentiate by, from which one path leads up (for n = 1)."""
    evaluated = EvaluatedExperiment.of(random_experiment(rng, n=n))
    graph = evaluated.graph
    depth = len(evaluated.network.layers)
    # One path leads up from the last two layers, where the output is one unit.
    layer = depth if depth == 1 or rng.random() < 0.4 else depth - 1
    node = graph.nodes[Symbol("W", layer)]
    rows, columns = node.shape
    return evaluated, AskedTarget(node.symbol.at((int(rng.integers(rows)), int(rng.integers(columns)))))


def judge_of(rng: np.random.Generator, n: int = 1) -> Judge:
    """A judge of a random question."""
    return Judge(*random_question(rng, n))
