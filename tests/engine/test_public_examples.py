"""Worked examples that people bring, typed in as docs/experiment.md says, against the numbers of their sources.

A source's last digit may be its own rounding: then fewer are compared.
"""

from __future__ import annotations

import numpy as np
import pytest

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.evaluated_expression import EvaluatedExpression
from engine.experiment.datasets import load_data
from engine.experiment.expression_spec import ExpressionExperiment, ExpressionTable
from engine.experiment.loading import parse_experiment
from engine.formula.parser import parse_symbol
from engine.training.parameter_steps import parameter_steps
from engine.training.trainer import Trainer

# Matt Mazur, "A Step by Step Backpropagation Example" (2015): W as (out, in), ½ Σ, η = 0.5, biases left as they are.
MAZUR = """
[data]
kind = "inline"
layout = "rows"
X = [[0.05, 0.10]]
Y = [[0.01, 0.99]]
[network]
weights = "out_in"
[[network.layers]]
units = 2
activation = "sigmoid"
W = [[0.15, 0.20], [0.25, 0.30]]
b = [0.35, 0.35]
frozen = ["b"]
[[network.layers]]
units = 2
activation = "sigmoid"
W = [[0.40, 0.45], [0.50, 0.55]]
b = [0.60, 0.60]
frozen = ["b"]
[loss]
kind = "squared_error"
[train]
learning_rate = 0.5
"""

# A. Trask, "A Neural Network in 11 lines of Python": samples in rows, no 1/n, its weights after np.random.seed(1).
TRASK = """
[data]
kind = "inline"
layout = "rows"
X = [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]]
Y = [[0], [0], [1], [1]]
[[network.layers]]
units = 1
activation = "sigmoid"
W = [[-0.16595599], [0.44064899], [-0.99977125]]
[loss]
kind = "squared_error"
samples = "sum"
[train]
learning_rate = 1.0
"""

# Logistic regression of a well-known course's first programming exercise: X in columns, w = (1, 2), b = 2.
LOGISTIC = """
[data]
kind = "inline"
X = [[1, 2], [3, 4]]
Y = [[1, 0]]
[[network.layers]]
units = 1
activation = "sigmoid"
W = [[1], [2]]
b = [2]
[loss]
kind = "bce"
[train]
learning_rate = 0.009
"""

# "Neural network lifecycle", 2-2-1 with ReLU, ½ (ŷ − y)², W as (out, in).
LIFECYCLE = """
[data]
kind = "inline"
X = [[1], [2]]
Y = [[1]]
[network]
weights = "out_in"
bias = true
[[network.layers]]
units = 2
activation = "relu"
W = [[0.3, -0.1], [0.2, 0.4]]
[[network.layers]]
units = 1
W = [[0.5, -0.3]]
[loss]
kind = "squared_error"
"""

# An exercise on Adaline and the OR function with bipolar values: one sample after the other, α = 0.1.
ADALINE = """
[data]
kind = "inline"
layout = "rows"
X = [[1, 1], [1, -1], [-1, 1], [-1, -1]]
Y = [[1], [1], [1], [-1]]
[[network.layers]]
units = 1
W = [[0.1], [0.1]]
b = [0.1]
[loss]
kind = "squared_error"
[train]
learning_rate = 0.1
batch = 1
order = "given"
"""


def evaluated(text: str) -> EvaluatedExperiment:
    return EvaluatedExperiment.of(parse_experiment(text, "x"))


def stepped(text: str, count: int) -> dict[str, np.ndarray]:
    experiment = parse_experiment(text, "x")
    *_, last = parameter_steps(experiment, count, load_data(experiment))
    return {name.plain(): change.after for name, change in last.parameters.items()}


def trained(text: str, count: int) -> Trainer:
    experiment = parse_experiment(text, "x")
    trainer = Trainer(experiment, load_data(experiment))
    for _ in range(count):
        trainer.step()
    return trainer


def test_two_two_two_sigmoids_after_a_step():
    of = evaluated(MAZUR)
    assert of.graph.value_of(of.graph.loss.symbol) == pytest.approx(0.298371109, abs=5e-10)
    assert of.graph.nodes[parse_symbol("W[2][0,0]").matrix].grad[0, 0] == pytest.approx(
        0.082167041, abs=5e-10
    )
    after = stepped(MAZUR, 1)
    np.testing.assert_allclose(
        after["W[2]"], [[0.35891648, 0.408666186], [0.511301270, 0.561370121]], atol=5e-9
    )
    np.testing.assert_allclose(
        after["W[1]"], [[0.149780716, 0.19956143], [0.24975114, 0.29950229]], atol=5e-9
    )


def test_an_output_layer_by_itself_as_it_is_printed_in_the_ten_thousandth_step():
    trainer = trained(TRASK, 9_999)  # what is printed was computed before the last update
    graph = trainer.network.graph(trainer.data.X, trainer.data.Y)
    graph.forward()
    said = [[0.00966449, 0.00786506, 0.99358898, 0.99211957]]
    np.testing.assert_allclose(graph.nodes[parse_symbol("Y_hat")].value, said, atol=5e-9)


def test_logistic_regression_s_gradients_and_its_weights_after_a_hundred_steps():
    of = evaluated(LOGISTIC)
    assert of.graph.value_of(of.graph.loss.symbol) == pytest.approx(6.000064773192205, rel=1e-12)
    np.testing.assert_allclose(
        of.graph.nodes[parse_symbol("W[1]")].grad, [[0.99993216], [1.99980262]], atol=5e-9
    )
    assert of.graph.nodes[parse_symbol("b[1]")].grad[0, 0] == pytest.approx(0.499935230625, abs=5e-13)
    parameters = trained(LOGISTIC, 100).network.parameters
    np.testing.assert_allclose(parameters[parse_symbol("W[1]")], [[0.1124579], [0.23106775]], atol=5e-8)
    assert parameters[parse_symbol("b[1]")][0, 0] == pytest.approx(1.55930492484, abs=5e-11)


def test_a_relu_network_by_hand():
    of = evaluated(LIFECYCLE)
    assert of.graph.value_of(of.graph.loss.symbol) == 0.78125
    np.testing.assert_allclose(of.graph.nodes[parse_symbol("W[2]")].grad, [[-0.125, -1.25]])
    np.testing.assert_allclose(of.graph.nodes[parse_symbol("W[1]")].grad, [[-0.625, -1.25], [0.375, 0.75]])


def test_the_delta_rule_takes_one_sample_after_the_other():
    after = stepped(ADALINE, 4)
    np.testing.assert_allclose(after["W[1]"], [[0.26213], [0.2787]], atol=5e-5)
    np.testing.assert_allclose(after["b[1]"], [[0.2439]], atol=5e-5)


@pytest.mark.parametrize(
    ("formula", "values", "gradients"),
    [
        # H. Kinsley and D. Kukieła, "Neural Networks from Scratch": one neuron whose output is to become smaller.
        (
            "relu(x0*w0 + x1*w1 + x2*w2 + b)",
            {"x0": 1, "x1": -2, "x2": 3, "w0": -3, "w1": -1, "w2": 2, "b": 1},
            {"x0": -3, "x1": -1, "x2": 2, "w0": 1, "w1": -2, "w2": 3, "b": 1},
        ),
        # The softmax of (2, 1, 0.1) that courses print as 0.659, 0.242, 0.099: minus its logarithm gives p − y.
        (
            "-log(exp(a)/(exp(a)+exp(b)+exp(c)))",
            {"a": 2, "b": 1, "c": 0.1},
            {"a": 0.659 - 1, "b": 0.242, "c": 0.099},
        ),
    ],
)
def test_a_bare_function(formula: str, values: dict[str, float], gradients: dict[str, float]):
    experiment = ExpressionExperiment(expression=ExpressionTable(formula=formula, values=values))
    found = EvaluatedExpression.of(experiment, "x").gradients()
    assert found == pytest.approx(gradients, abs=5e-4)
