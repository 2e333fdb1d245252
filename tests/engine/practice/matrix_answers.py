"""Whole-matrix gradients as a learner writes them, with planted mistakes: for the tests and the benchmark of answers.

a[1] @ (((W[3] @ (Y_hat - Y)/n) * a[2]*(1 - a[2]))).T       a slope that is forgotten, 1/n, f for a, a sign …
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.spec import BceLoss
from engine.formula.expression import Symbol
from engine.practice.judging.judge import Judge
from engine.practice.question.asked_target import AskedTarget
from engine.practice.question.path_factors import Path
from engine.practice.verdict import Mistake, Verdict
from tests.engine.practice.random_questions import random_experiment
from tests.engine.practice.rewrites import Planted, Rng, plant

SLOPES = {
    "relu": "indicator({f} > 0)",
    "sigmoid": "{a}*(1 - {a})",
    "tanh": "(1 - {a}**2)",
    "leaky_relu": "(indicator({f} > 0) + 0.01*indicator({f} <= 0))",
    "softplus": "sigmoid({f})",
}


@dataclass(frozen=True)
class PlantedSlip:
    """One planted mistake: its kind, and what a mistake that names it speaks of."""

    kind: str
    about: tuple[str, ...]

    def is_named_by(self, mistake: Mistake) -> bool:
        """Whether this is that mistake."""
        told = f"{mistake.what} {mistake.instead} {mistake.text}"
        # Without its slope ∂ℰ/∂f is ∂ℰ/∂a, "one factor away".
        kinds = (self.kind, "swapped") if "one factor away" in told else (self.kind,)
        return mistake.kind in kinds and any(one in told for one in self.about)


@dataclass
class MatrixAnswer:
    """The formula of one whole gradient, and the mistakes in it."""

    evaluated: EvaluatedExperiment
    layer: int
    by_weights: bool
    planted: dict[str, PlantedSlip] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.activations = [layer.activation for layer in self.evaluated.network.layers]
        self.depth, self.n = len(self.activations), self.evaluated.graph.n

    def options(self) -> dict[str, PlantedSlip]:
        """What can go wrong here, by a name of its own."""
        found = {"sign": PlantedSlip("sign", ("-1",)), "2": PlantedSlip("extra", ("2",))}
        if self.n > 1:
            found["1/n"] = PlantedSlip("missing", ("1/n",))
        if self.weighted:
            found["weights"] = PlantedSlip("missing", ("alpha", "α"))
        for layer in range(self.layer, self.depth):
            activation, f, a = self.activations[layer - 1], f"f[{layer}]", f"a[{layer}]"
            if activation in SLOPES:
                about = (f, a, SLOPES[activation].format(f=f, a=a))
                found[f"slope {layer}"] = PlantedSlip("missing", about)
            if activation in ("sigmoid", "tanh"):
                found[f"value {layer}"] = PlantedSlip("swapped", (a,))
        below = self.layer - 1
        if self.by_weights and below and self.activations[below - 1] in SLOPES:
            found["input"] = PlantedSlip("swapped", (f"f[{below}]",))
        return found

    @property
    def weighted(self) -> bool:
        """Whether the loss weighs the classes."""
        loss = self.evaluated.network.loss
        return isinstance(loss, BceLoss) and loss.alpha is not None

    def text(self) -> str:
        """As it is typed."""
        error = "(Y_hat - Y)"
        if self.weighted and "weights" not in self.planted:
            error = "(-alpha*Y*(1 - Y_hat) + beta*(1 - Y)*Y_hat)"
        if self.n > 1 and "1/n" not in self.planted:
            error = f"{error}/n"
        delta = f"({error})"
        for layer in range(self.depth - 1, self.layer - 1, -1):
            delta = f"(W[{layer + 1}] @ {delta})"
            slope = SLOPES.get(self.activations[layer - 1], "").format(f=f"f[{layer}]", a=f"a[{layer}]")
            if f"value {layer}" in self.planted:
                slope = f"a[{layer}]"
            if slope and f"slope {layer}" not in self.planted:
                delta = f"({delta} * {slope})"
        if self.by_weights:
            below = self.layer - 1
            name = ("f" if "input" in self.planted else "a") + f"[{below}]" if below else "X"
            delta = f"{name} @ {delta}.T"
        sign, two = ("-" if "sign" in self.planted else ""), ("2*" if "2" in self.planted else "")
        return f"{sign}{two}({delta})" if sign or two else delta

    @property
    def judge(self) -> Judge:
        """Who judges it."""
        return Judge(self.evaluated, AskedTarget(Symbol("W" if self.by_weights else "f", self.layer)))


def random_matrix_answer(rng: Rng, mistakes: int) -> MatrixAnswer | None:
    """A question about a whole matrix with so many planted mistakes, or None where there is no room for them."""
    evaluated = EvaluatedExperiment.of(
        random_experiment(rng, depth=int(rng.integers(2, 4)), n=int(rng.integers(1, 4)))
    )
    depth = len(evaluated.network.layers)
    answer = MatrixAnswer(evaluated, int(rng.integers(1, depth + 1)), bool(rng.random() < 0.6))
    options = answer.options()
    if len(options) < mistakes:
        return None
    for name in rng.choice(list(options), mistakes, replace=False):
        clash = str(name).partition(" ")[2]
        if clash and any(one.endswith(f" {clash}") for one in answer.planted):
            return None
        answer.planted[str(name)] = options[str(name)]
    return answer


def is_named(planted: Sequence[PlantedSlip], verdict: Verdict) -> bool:
    """Whether the mistakes of a verdict are the planted ones, each once and no other."""
    left = list(verdict.mistakes)
    for slip in planted:
        found = next((one for one in left if slip.is_named_by(one)), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def spoiled_sum(paths: Sequence[Path], rng: Rng) -> tuple[str, list[Planted]]:
    """The sum over several ways with one mistake: a term left out, or one factor of one term."""
    from engine.practice.question.path_factors import product_of_path

    terms = [product_of_path(path) for path in paths]
    place = int(rng.integers(len(paths)))
    if rng.random() < 0.4:
        rest = [f"({one.plain()})" for number, one in enumerate(terms) if number != place]
        return " + ".join(rest), [("path", terms[place].plain(), None)]
    wrong, planted = plant(paths[place], rng, 1)
    if planted[0][0] == "sign":
        planted = [("sign", terms[place].plain(), None)]
    written = [f"({(wrong if number == place else one).plain()})" for number, one in enumerate(terms)]
    return " + ".join(written), planted


def random_sum(rng: Rng) -> tuple[Judge, Sequence[Path]] | None:
    """A question about an entry from which several ways lead up: two or three samples, or a layer further down."""
    evaluated = EvaluatedExperiment.of(
        random_experiment(rng, depth=int(rng.integers(2, 4)), n=int(rng.integers(1, 4)))
    )
    node = evaluated.graph.nodes[Symbol("W", int(rng.integers(1, 3)))]
    index = (int(rng.integers(node.shape[0])), int(rng.integers(node.shape[1])))
    judge = Judge(evaluated, AskedTarget(node.symbol.at(index)))
    return (judge, judge.question.paths) if judge.question.paths and len(judge.question.paths) > 1 else None


def random_generator(*seed: int) -> Rng:
    """A generator of its own for each question."""
    return np.random.default_rng(list(seed))
