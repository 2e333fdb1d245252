"""What the lessons say in numbers and comparisons, one sentence after the other: worked out anew, and true.

Each claim is the lesson's own words, which have to stand in it, and a check that computes what they say with plain
NumPy, a graph or a training. The blocks of commands and what they print are checked in test_lesson.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.diagnosis.finding import Kind
from engine.diagnosis.gradient_flow import GradientFlow
from engine.diagnosis.remedy_trial import with_remedy
from engine.experiment.layer_info import layer_infos
from engine.experiment.loading import load_experiment
from engine.formula.expression import Symbol
from engine.metrics.step_record import StepRecord
from engine.training.trainer import Trainer
from tests.engine.diagnosis.diagnosed import of_preset
from tui.lessons.lesson import read_lesson

SIGMOID = "vanishing-sigmoid-50"
W1, F1, Y_HAT = Symbol("W", 1), Symbol("f", 1), Symbol("Y_hat")


@cache
def graph(name: str) -> Any:
    return EvaluatedExperiment.of(load_experiment(name)).graph


@cache
def records(name: str, steps: int, *change: tuple[str, Any]) -> list[StepRecord]:
    """Of so many steps of a preset, with other values for some keys."""
    trainer = Trainer(with_remedy(load_experiment(name), dict(change)))
    return [trainer.step() for _ in range(steps)]


def value(name: str, symbol: Symbol) -> np.ndarray:
    return graph(name).nodes[symbol].value


def grad(name: str, symbol: Symbol) -> np.ndarray:
    return graph(name).nodes[symbol].grad


def near(number: float, told: str) -> bool:
    """Whether a number is what is told, to the digits that are told."""
    digits = len(told.partition(".")[2])
    return abs(number - float(told)) <= 0.5001 * 10.0**-digits


def outcomes(name: str) -> tuple[int, int, float]:
    """Of the trained preset: how many of Y = 1 are found, how many of Y = 0 are taken for it, and the accuracy."""
    found = of_preset(name)
    said = found.case.own.whole.prediction[0] > 0.5
    label = found.trainer.data.Y[0] == 1
    return int((said & label).sum()), int((said & ~label).sum()), float((said == label).mean())


def decades(name: str) -> dict[str, float]:
    """What each factor makes of δ from the last layer to the first, with the initial weights."""
    record = records(name, 1)[0]
    return dict(GradientFlow(record, layer_infos(Trainer(load_experiment(name)).network.layers)).budget.parts)


def a_layer(name: str, *factors: str) -> float:
    """What these factors multiply δ by, in one of the fifty layers on average."""
    return float(10 ** (sum(decades(name)[factor] for factor in factors) / 50))


def first_delta(name: str) -> float:
    """‖δ‖ of the first layer in those of the last."""
    delta = records(name, 1)[0].delta_l2
    return float(delta[0] / delta[-1])


def row(name: str, weights: str, activation: str, **other: str) -> Callable[[], bool]:
    """A row of lesson C3's table."""

    def checked() -> bool:
        parts = decades(name)
        told = {"weights": weights, "activation": activation, **other}
        return all(near(parts[key], text) for key, text in told.items())

    return checked


def after_update() -> Any:
    """Of tutorial-a."""
    trainer = Trainer(load_experiment("tutorial-a"))
    trainer.step()
    graph = trainer.network.graph(trainer.data.X, trainer.data.Y)
    graph.forward()
    return graph


def as_good_with_both_doubled() -> bool:
    """The weighted wines with α = 20, β = 2 and half the learning rate."""
    weighted = load_experiment("tutorial-a-weighted")
    rate = weighted.train.learning_rate / 2
    double = with_remedy(weighted, {"loss.alpha": 20.0, "loss.beta": 2.0, "train.learning_rate": rate})
    one, other = Trainer(weighted), Trainer(double)
    for _ in range(20):
        first, second = one.step(), other.step()
        assert second.loss == pytest.approx(2 * first.loss)
    return np.allclose(one.network.parameters[W1], other.network.parameters[W1])


def layer_one_learns_from_the_second_step_on() -> bool:
    """tutorial-b with W[2] all 0."""
    experiment = load_experiment("tutorial-b")
    first, second = experiment.network.layers
    layers = [first, msgspec.structs.replace(second, W=[[0.0], [0.0]])]
    network = msgspec.structs.replace(experiment.network, layers=layers)
    trainer = Trainer(msgspec.structs.replace(experiment, network=network))
    one, two = trainer.step(), trainer.step()
    return one.grad_max[0] == 0 < one.grad_max[1] and two.grad_max[0] > 0


def below_never_move() -> bool:
    """step-activation: layers 1 and 2 keep their weights to the last bit, 3 and 4 do not."""
    found = of_preset("step-activation")
    kept = [
        bool(np.array_equal(found.trainer.network.parameters[Symbol("W", layer)], start))
        for layer in (1, 2, 3, 4)
        for start in [found.case.own.initial[Symbol("W", layer)]]
    ]
    return kept == [True, True, False, False] and found.case.losses.last < found.case.losses.first


def dead(name: str, steps: int) -> list[int]:
    """Dead units of every layer after so many steps, of all data."""
    return [int(one) for one in of_preset(name, steps).case.own.whole.dead]


def zeros(name: str, steps: int) -> np.ndarray:
    return of_preset(name, steps).case.own.whole.record.zero_fraction


def ends(name: str, steps: int | None = None) -> tuple[float, float]:
    losses = of_preset(name, steps).case.losses
    return losses.first, losses.last


def bar(name: str, layer: int) -> float:
    """max |∂ℰ/∂W| of a layer, with the initial weights."""
    return float(records(name, 1)[0].grad_max[layer - 1])


def sloped(name: str, slope: float) -> Any:
    """The layers with another slope, as an experiment's tables have them."""
    layers = msgspec.to_builtins(load_experiment(name).network.layers)
    return Layers({**one, "slope": slope} if one.get("slope") else one for one in layers)


class Layers(tuple):
    """Tables that are told apart by being others, for the cache."""

    __hash__ = object.__hash__


class Claim(NamedTuple):
    """What a lesson says, and whether it is so."""

    lesson: str
    words: str
    holds: Callable[[], bool]


CLAIMS = [
    Claim(
        "A0",
        "(0.22314 + 0.10536)/2 ≈ 0.16425",
        lambda: near(graph("tutorial-a-loss").loss.value.item(), "0.16425"),
    ),
    Claim(
        "A0", "more digits: 0.164252", lambda: near(graph("tutorial-a-loss").loss.value.item(), "0.164252")
    ),
    Claim("A0", "Ŷ is [0.2 0.9]", lambda: np.allclose(value("tutorial-a-loss", Y_HAT), [[0.2, 0.9]])),
    Claim("A0", "log 2 ≈ 0.6931", lambda: near(math.log(2), "0.6931")),
    Claim("A1", "−1/0.6457 ≈ −1.549", lambda: near(grad("tutorial-a", Y_HAT).item(), "-1.549")),
    Claim("A1", "1/(1 − 0.6457) ≈ 2.822", lambda: near(1 / (1 - value("tutorial-a", Y_HAT).item()), "2.822")),
    Claim(
        "A2",
        "X₁₀ = 2, twice the first input",
        lambda: value("tutorial-a", Symbol("X"))[:2, 0].tolist() == [1, 2],
    ),
    Claim(
        "A2",
        "gradient is twice that",
        lambda: grad("tutorial-a", W1)[1, 0] == pytest.approx(2 * grad("tutorial-a", W1)[0, 0]),
    ),
    Claim("A2", "from 0.4 to 0.4709", lambda: near(after_update().nodes[W1].value[1, 0], "0.4709")),
    Claim("A2", "from 0.6 to 0.8126", lambda: near(after_update().nodes[F1].value.item(), "0.8126")),
    Claim("A2", "0.6457 to 0.6927", lambda: near(after_update().nodes[Y_HAT].value.item(), "0.6927")),
    Claim("A2", "from 0.4375 to 0.3672", lambda: near(after_update().loss.value.item(), "0.3672")),
    Claim("A2", "≈ −0.07534", lambda: near(-0.1 * np.square(grad("tutorial-a", W1)).sum(), "-0.07534")),
    Claim("A2", "X₂₀ = −1 is the", lambda: np.sign(grad("tutorial-a", W1)).ravel().tolist() == [-1, -1, 1]),
    Claim(
        "A3",
        "0.16 and 0.09 on the diagonal",
        lambda: np.allclose(
            value("tutorial-a-loss", Y_HAT) * (1 - value("tutorial-a-loss", Y_HAT)), [[0.16, 0.09]]
        ),
    ),
    Claim("A3", "1,210,000 entries", lambda: value("tutorial-a-wine", Y_HAT).shape[1] ** 2 == 1_210_000),
    Claim("A4", "right in 91 % of all cases", lambda: round(100 * 1000 / 1100) == 91),
    Claim(
        "A4",
        "is 0.6384 with α = 10",
        lambda: near(graph("tutorial-a-loss-weighted").loss.value.item(), "0.6384"),
    ),
    Claim(
        "A4",
        "of the second is ten times as large",
        lambda: (
            grad("tutorial-a-loss-weighted", F1)[0, 1]
            == pytest.approx(10 * grad("tutorial-a-loss", F1)[0, 1])
        ),
    ),
    Claim("A4", "77 are found", lambda: outcomes("tutorial-a-weighted")[0] == 77),
    Claim("A4", "and 151 of B are taken for A", lambda: outcomes("tutorial-a-weighted")[1] == 151),
    Claim("A4", "45 of A are found", lambda: outcomes("tutorial-a-wine")[0] == 45),
    Claim("A4", "0.1682 without weights", lambda: near(ends("tutorial-a-wine")[1], "0.1682")),
    Claim("A4", "0.701 with", lambda: near(ends("tutorial-a-weighted")[1], "0.701")),
    Claim("A4", "from 94.8 %", lambda: near(100 * outcomes("tutorial-a-wine")[2], "94.8")),
    Claim("A4", "to 84.2 %", lambda: near(100 * outcomes("tutorial-a-weighted")[2], "84.2")),
    Claim(
        "A4", "from 95.7 % to 33.8 %", lambda: near(100 * 45 / (45 + outcomes("tutorial-a-wine")[1]), "95.7")
    ),
    Claim("A4", "from 95.7 % to 33.8 %", lambda: near(100 * 77 / (77 + 151), "33.8")),
    Claim("A4", "the training is the same", as_good_with_both_doubled),
    Claim("B1", "≈ −1.925", lambda: near(grad("tutorial-b", Y_HAT).item(), "-1.925")),
    Claim(
        "B1",
        "≈  0.2496",
        lambda: near(
            float(value("tutorial-b", Y_HAT).item() * (1 - value("tutorial-b", Y_HAT).item())), "0.2496"
        ),
    ),
    Claim("B1", "= −0.8", lambda: value("tutorial-b", Symbol("W", 2))[1, 0] == -0.8),
    Claim("B1", "=  0.5", lambda: value("tutorial-b", Symbol("X"))[1, 0] == 0.5),
    Claim(
        "B1",
        "All but the last",
        lambda: grad("tutorial-b", W1)[1, 1] == 0.5 * grad("tutorial-b", W1)[0, 1],
    ),
    Claim(
        "B2",
        "0.54, and no weight among them",
        lambda: near(value("tutorial-b", Symbol("a", 1))[1, 0], "0.54"),
    ),
    Claim("B2", "from the second step on, layer 1 learns, too", layer_one_learns_from_the_second_step_on),
    Claim("B3", "layers 1 and 2 keep the weights that chance gave them", below_never_move),
    Claim("C1", "0.085 in the last layer", lambda: near(bar(SIGMOID, 51), "0.085")),
    Claim("C1", "about 10⁻¹⁵ in layer 25", lambda: round(math.log10(bar(SIGMOID, 25))) == -15),
    Claim("C1", "about 10⁻²⁶ in the first", lambda: round(math.log10(bar(SIGMOID, 1))) == -26),
    Claim("C1", "by 0.227 a", lambda: near(a_layer(SIGMOID, "activation"), "0.227")),
    Claim(
        "C1",
        "the weights by 1.39",
        lambda: near(a_layer(SIGMOID, "weights"), "1.39"),
    ),
    Claim(
        "C1",
        "together by 0.316",
        lambda: near(a_layer(SIGMOID, "weights", "activation"), "0.316"),
    ),
    Claim("C1", "factors of ¼ are 10⁻³⁰", lambda: round(50 * math.log10(0.25)) == -30),
    Claim(
        "C2",
        "0.002 and 0.06 in all layers",
        lambda: all(0.002 <= bar("relu-50", one) <= 0.06 for one in range(1, 52)),
    ),
    Claim("C2", "weights +7.24 decades, activations −8.63", row("relu-50", "7.24", "-8.63")),
    Claim("C2", "weights +7.49, activations −8.74", row("leaky-relu-50", "7.49", "-8.74")),
    Claim("C3", "51 it is 0.27", lambda: near(bar("exploding-tanh-50", 51), "0.27")),
    Claim("C3", "in layer 25 it is 593", lambda: near(bar("exploding-tanh-50", 25), "593")),
    Claim("C3", "in layer 1 it is 203336", lambda: near(bar("exploding-tanh-50", 1), "203336")),
    Claim("C3", "weights +23.24 decades, the tanh −16.06", row("exploding-tanh-50", "23.24", "-16.06")),
    Claim(
        "C3",
        "enlarges δ = ∂ℰ/∂f by 2.92",
        lambda: near(a_layer("exploding-tanh-50", "weights"), "2.92"),
    ),
    Claim(
        "C3",
        "Neither saturates",
        lambda: (
            not any(
                Kind.SATURATED in of_preset(name).diagnosis.kinds
                for name in ("exploding-tanh-50-clip", "exploding-tanh-50-adam")
            )
        ),
    ),
    Claim(
        "C3",
        "explode as before, and the loss goes up and down",
        lambda: (
            of_preset("exploding-tanh-50-clip").diagnosis.headline == "Exploding"
            and 33 < of_preset("exploding-tanh-50-clip").case.losses.rises < 67
        ),
    ),
    Claim(
        "C3",
        "with Adam it falls",
        lambda: ends("exploding-tanh-50-adam")[1] < 0.75 * ends("exploding-tanh-50-adam")[0],
    ),
    Claim(
        "C3",
        "grows 2.5×10⁷ times",
        lambda: near(
            records("exploding-50", 1)[0].delta_l2[0] / records("exploding-50", 1)[0].delta_l2[-1] / 1e7,
            "2.5",
        ),
    ),
    Claim("C3", "ℰ is 3×10³⁰⁵", lambda: 2.5e305 < records("exploding-50", 2)[1].loss < 3.5e305),
    Claim(
        "C3", "falls from 31348", lambda: round(float(records("exploding-50", 1)[0].update_ratio[0])) == 31348
    ),
    Claim(
        "C3",
        "to 5.8×10⁻⁵",
        lambda: near(float(records("exploding-50-clip", 1)[0].update_ratio[0]) * 1e5, "5.8"),
    ),
    Claim(
        "C3", "xavier       weights  −0.68   tanh      −0.29", row("vanishing-50-xavier", "-0.68", "-0.29")
    ),
    Claim("C3", "he           weights  +7.46   ReLU      −7.73", row("vanishing-50-he", "7.46", "-7.73")),
    Claim(
        "C3", "orthogonal   weights  +0.00   tanh      −0.27", row("vanishing-50-orthogonal", "0.00", "-0.27")
    ),
    Claim("D1", "35 of the 49 units are dead", lambda: sum(dead("dying-relu", 10)) == 35),
    Claim(
        "D1",
        "more than four fifths of the activations",
        lambda: (zeros("dying-relu", 10)[:3] > 0.8).all(),
    ),
    Claim(
        "D1",
        "two of layer 3 are dead from the beginning",
        lambda: dead("dying-relu", 0)[:3] == [0, 0, 2],
    ),
    Claim(
        "D1",
        "three in layer 1, three in layer 2 and three more in layer 3",
        lambda: dead("dying-relu", 1)[:3] == [3, 3, 5],
    ),
    Claim("D1", "7 units are dead after 200 steps", lambda: sum(dead("dying-relu-he", 200)) == 7),
    Claim("D1", "the loss, 17.36", lambda: near(ends("dying-relu", 1)[0], "17.36")),
    Claim("D2", "three layers that is 0.027", lambda: near(0.3**3, "0.027")),
    Claim(
        "D2",
        "points are classified rightly",
        lambda: outcomes("dying-relu-leaky")[2] == 1,
    ),
    Claim(
        "D3",
        "The loss stays near log 2 ≈ 0.6931",
        lambda: abs(ends("leaky-slope-1")[1] - math.log(2)) < 0.005,
    ),
    Claim(
        "D3",
        "half of the points are taken for the other class",
        lambda: 0.45 < outcomes("leaky-slope-1")[2] < 0.55,
    ),
    Claim(
        "D3",
        "falls to nearly 0",
        lambda: (
            records("leaky-slope-1", 500, ("network.layers", sloped("leaky-slope-1", 0.125)))[-1].loss < 0.05
        ),
    ),
]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.lesson} {claim.words[:40]}")
def test_what_a_lesson_says_is_so(claim):
    text = " ".join(read_lesson(claim.lesson).text.split())
    assert " ".join(claim.words.split()) in text, "the lesson says it differently"
    assert claim.holds()


def test_every_lesson_with_numbers_has_its_claims_checked():
    assert {claim.lesson for claim in CLAIMS} == {
        "A0", "A1", "A2", "A3", "A4", "B1", "B2", "B3", "C1", "C2", "C3", "D1", "D2", "D3",
    }  # fmt: skip
