"""Where a training became NaN or infinite: the number named is the first one, and every number told is right."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.experiment.loading import load_experiment, parse_experiment
from engine.export.text_document import render_text
from engine.export.why_nonfinite import WhyNonfinite, compose_why, why_nonfinite
from engine.formula.expression import Partial, Symbol
from engine.formula.notation import Style
from engine.training.trainer import Trainer

TOO_LARGE = """
data = {{kind = "inline", X = [[{x}], [2.0]], Y = [[0.0]]}}
network = {{layers = [{{units = 2, activation = "{activation}"}}, {{units = 1, activation = "linear"}}]}}
loss = {{kind = "squared_error"}}
train = {{optimizer = "sgd", learning_rate = {rate}, steps = 200}}
"""


def broken(text: str) -> tuple[Trainer, WhyNonfinite]:
    trainer = Trainer(parse_experiment(text, "test.toml"))
    for _ in trainer:
        pass
    why = why_nonfinite(trainer)
    assert why is not None
    return trainer, why


@pytest.mark.parametrize(
    ("x", "rate", "activation", "way"),
    [
        (1e3, 1e5, "linear", "forward"),
        (1e200, 1e5, "tanh", "forward"),
        (1e154, 1e-5, "linear", "forward"),
        (1e153, 1e3, "linear", "update"),
    ],
)
def test_the_update_that_is_told_is_the_one_that_was_made(x, rate, activation, way):
    trainer, why = broken(TOO_LARGE.format(x=x, rate=rate, activation=activation))
    assert why.found.way == way
    assert why.update is not None
    with np.errstate(all="ignore"):
        assert why.update.before - rate * why.update.gradient == pytest.approx(why.update.after)
    blamed = why.trail[-1] if why.trail else why.name
    assert isinstance(blamed, Symbol)
    assert float(trainer.network.parameters[blamed.matrix][blamed.index]) == why.update.after


def test_the_formula_comes_to_the_number_that_broke_and_its_factors_are_finite():
    _, why = broken(TOO_LARGE.format(x=1e3, rate=1e5, activation="linear"))
    graph = why.found.graph
    assert why.formula is not None
    assert why.formula.evaluate(graph.value_of) == why.value == math.inf
    values = [graph.value_of(name) for name in why.trail]
    assert all(map(math.isfinite, values))
    assert [name.plain() for name in why.trail] == [
        "Y_hat[0,0]",
        "f[2][0,0]",
        "a[1][0,0]",
        "f[1][0,0]",
        "W[1][0,0]",
    ]


def test_what_was_given_too_large_is_traced_to_the_input():
    _, why = broken(TOO_LARGE.format(x=1e200, rate=0.1, activation="linear"))
    assert why.trail[-1] == Symbol("X").at((0, 0))
    assert why.update is None


def test_the_exploding_preset_is_traced_to_the_step_that_was_too_large():
    trainer = Trainer(load_experiment("exploding-50"))
    for _ in trainer:
        pass
    why = why_nonfinite(trainer)
    assert why is not None
    assert why.found.way == "forward"
    assert why.name.plain().startswith("f[2]")
    assert why.trail[-1].plain().startswith("W[1]")
    assert why.update is not None
    assert abs(why.update.gradient) > 1e200 * abs(why.update.before)


def test_a_gradient_that_overflows_on_the_way_back_is_told_with_what_it_is_made_of():
    deep = """
    data = {kind = "inline", X = [[1.0]], Y = [[1e154]]}
    network = {layers = [
      {units = 1, activation = "linear", W = [[1e-100]], b = [0.0]},
      {units = 1, activation = "linear", W = [[1e200]], b = [0.0]},
    ]}
    loss = {kind = "squared_error"}
    train = {learning_rate = 0.1, steps = 3}
    """
    _, why = broken(deep)
    assert why.found.way == "back"
    assert isinstance(why.name, Partial)
    assert why.formula is not None
    assert why.formula.evaluate(why.found.graph.value_of) == why.value
    assert why.trail[0].plain() == "W[2][0,0]"


def test_it_is_written_with_its_numbers_and_recorded():
    _, why = broken(TOO_LARGE.format(x=1e3, rate=1e5, activation="linear"))
    text = render_text(compose_why(why), 80, Style())
    assert why.found.sentence.split(";")[0] in text.replace("\n", " ")
    assert "(cannot be computed)" not in text
    assert "learning rate  η = 100000" in text
    record = why.record()
    assert record["way"] == "forward"
    assert [factor["name"] for factor in record["factors"]] == [name.plain() for name in why.trail]


def test_a_training_that_stays_finite_has_nothing_to_take_apart():
    trainer = Trainer(load_experiment("tutorial-b"))
    next(trainer)
    assert why_nonfinite(trainer) is None
