"""The tutorials' items A0 to A4, B1, B2 and B4: the engine's formulas are theirs, by value and by algebra.

SymPy is the witness for the algebra: it reads the displayed text and simplifies it on its own.
"""

import math
from typing import Any

import numpy as np
import pytest
import sympy
from numpy.testing import assert_allclose, assert_array_equal

from engine.autodiff.graph import Graph
from engine.derivation.chain_rule import Derivation, explain
from engine.experiment.spec import BceLoss, LayerSpec
from engine.formula.expression import Expr, Partial, Symbol
from engine.model.network import Network

# ── reading the plain form with SymPy ───────────────────────────────────────────────────────────────


class Matrix:
    """A matrix of SymPy symbols: f[0, 0] is the symbol “f[0,0]”."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getitem__(self, index: tuple[int, int]) -> sympy.Symbol:
        return sympy.Symbol(f"{self.name}[{index[0]},{index[1]}]", real=True)


def sigma(x: Any) -> Any:
    return 1 / (1 + sympy.exp(-x))


W, F, A = ({layer: Matrix(f"{name}[{layer}]") for layer in (1, 2)} for name in "Wfa")
X, Y, Y_HAT = Matrix("X"), Matrix("Y"), Matrix("Y_hat")
ALPHA, BETA, N = sympy.symbols("alpha beta n", positive=True)
NAMES = {
    "W": W,
    "f": F,
    "a": A,
    "X": X,
    "Y": Y,
    "Y_hat": Y_HAT,
    "alpha": ALPHA,
    "beta": BETA,
    "n": N,
    "sigmoid": sigma,
    "log": sympy.log,
    "indicator": lambda holds: sympy.Piecewise((1, holds), (0, True)),
}


def algebra(formula: Expr) -> Any:
    return eval(formula.plain(), {"__builtins__": {}}, NAMES)


def product(derivation: Derivation) -> Any:
    return sympy.prod(algebra(step.term.formula) for step in derivation)


def assert_same(left: Any, right: Any) -> None:
    assert sympy.simplify(left - right) == 0


# ── A. one neuron ───────────────────────────────────────────────────────────────────────────────────


def one_neuron(Y: list[float], **loss: float) -> Graph:
    n = len(Y)
    X = np.vstack([np.ones(n), np.random.default_rng(0).standard_normal((2, n))])
    parameters = {Symbol("W", 1): np.array([[0.1], [0.4], [0.3]])}
    graph = Network([LayerSpec(units=1, activation="sigmoid")], parameters, BceLoss(**loss)).graph(
        X, np.array([Y])
    )
    graph.forward()
    graph.backward()
    return graph


def value(graph: Graph, name: str, layer: int | None = None) -> np.ndarray:
    return graph.nodes[Symbol(name, layer)].value


def grad(graph: Graph, name: str, layer: int | None = None) -> np.ndarray:
    return graph.nodes[Symbol(name, layer)].grad


def loss_of_predictions(Y: list[float], predictions: list[float], **loss: float) -> Graph:
    """One input per sample, chosen so that the neuron predicts just these."""
    logits = np.log(np.array([predictions]) / (1 - np.array([predictions])))
    network = Network(
        [LayerSpec(units=1, activation="sigmoid")], {Symbol("W", 1): np.array([[1.0]])}, BceLoss(**loss)
    )
    graph = network.graph(logits, np.array([Y]))
    graph.forward()
    graph.backward()
    return graph


def test_a0_loss_by_hand():
    graph = loss_of_predictions([0.0, 1.0], [0.2, 0.9])
    assert_allclose(value(graph, "Y_hat"), [[0.2, 0.9]], rtol=1e-15)
    assert value(graph, "E")[0, 0] == pytest.approx(-(math.log(0.8) + math.log(0.9)) / 2, rel=1e-14)
    assert value(graph, "E")[0, 0] == pytest.approx(0.16425, abs=5e-6)
    formula = graph.ops[-1].formula((0, 0))
    assert formula.evaluate(graph.value_of) == pytest.approx(0.16425, abs=5e-6)
    written = -sum(
        Y[0, i] * sympy.log(Y_HAT[0, i]) + (1 - Y[0, i]) * sympy.log(1 - Y_HAT[0, i]) for i in (0, 1)
    )
    assert_same(algebra(formula), written / N)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_a1a_loss_by_prediction(label: float):
    graph = one_neuron([label])
    (term,) = explain(graph, Symbol("Y_hat", None, (0, 0)))[0].terms
    assert_same(algebra(term.formula), -Y[0, 0] / Y_HAT[0, 0] + (1 - Y[0, 0]) / (1 - Y_HAT[0, 0]))
    prediction = value(graph, "Y_hat")[0, 0]
    assert term.local == pytest.approx(-1 / prediction if label else 1 / (1 - prediction), rel=1e-15)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_a1b_loss_by_weighted_sum_line_by_line(label: float):
    graph = one_neuron([label])
    derivation = explain(graph, Symbol("f", 1, (0, 0)))
    assert [step.term.symbol.plain() for step in derivation] == [
        "∂E/∂Y_hat[0,0]",
        "∂Y_hat[0,0]/∂f[1][0,0]",
    ]
    slope = sigma(F[1][0, 0])
    assert_same(algebra(derivation[1].term.formula), slope * (1 - slope))
    assert_same(product(derivation).subs(Y_HAT[0, 0], slope), slope - Y[0, 0])
    # The intermediate lines, each as the tutorial writes it.
    p, y = Y_HAT[0, 0], Y[0, 0]
    factors, multiplied, collected = derivation[1].simplification
    assert algebra(factors) == (-y / p + (1 - y) / (1 - p)) * p * (1 - p)
    assert algebra(multiplied) == -y * (1 - p) + (1 - y) * p
    assert algebra(collected) == p - y
    for line in derivation[1].simplification:
        assert line.evaluate(graph.value_of) == pytest.approx(derivation.value, rel=1e-14)
    assert derivation.value == value(graph, "Y_hat")[0, 0] - label


def test_a1c_and_a2_loss_by_weights():
    graph = one_neuron([1.0])
    error = value(graph, "Y_hat")[0, 0] - 1.0
    derivation = explain(graph, Symbol("W", 1, (2, 0)))
    assert algebra(derivation[2].term.formula) == X[2, 0]
    assert_same(
        product(derivation).subs(Y_HAT[0, 0], sigma(F[1][0, 0])), (sigma(F[1][0, 0]) - Y[0, 0]) * X[2, 0]
    )
    # The matrix ∂ℰ/∂W is the scalar (Ŷ-Y) times the matrix X.
    assert grad(graph, "W", 1).shape == (3, 1)
    assert_allclose(grad(graph, "W", 1), error * value(graph, "X"), rtol=1e-15)
    weighted_sum = graph.ops[0].formula((0, 0))
    assert algebra(weighted_sum) == sum(W[1][i, 0] * X[i, 0] for i in range(3))


def test_a2_a_step_against_the_gradient_lowers_the_loss_as_predicted():
    graph = one_neuron([1.0])
    before, gradient = value(graph, "E")[0, 0], grad(graph, "W", 1).copy()
    rate = 1e-5
    value(graph, "W", 1)[...] -= rate * gradient
    assert before - graph.forward() == pytest.approx(rate * (gradient**2).sum(), rel=1e-4)


@pytest.mark.parametrize("n", [2, 5])
def test_a3_many_samples(n: int):
    labels = [float(k % 2) for k in range(n)]
    graph = one_neuron(labels)
    assert grad(graph, "f", 1).shape == (1, n)
    assert_allclose(grad(graph, "f", 1), (value(graph, "Y_hat") - labels) / n, rtol=1e-15)
    for k in range(n):
        derivation = explain(graph, Symbol("f", 1, (0, k)))
        slope = sigma(F[1][0, k])
        assert_same(product(derivation).subs(Y_HAT[0, k], slope), (slope - Y[0, k]) / N)
        assert algebra(derivation[-1].simplification[-1]) == (Y_HAT[0, k] - Y[0, k]) / N
        assert len(derivation[1].terms) == 1, "∂Ŷ_i/∂f_k is 0 for every other i"


def test_a3_the_jacobian_of_the_activation_is_diagonal():
    n = 4
    graph = one_neuron([1.0, 0.0, 0.0, 1.0])
    activation = graph.ops[1]
    f, prediction = activation.inputs[0], activation.output
    said, measured = np.zeros((n, n)), np.zeros((n, n))
    for j in range(n):
        for (_, i), formula in activation.local(0, (0, j)):
            said[i, j] = formula.evaluate(graph.value_of)
            assert_same(algebra(formula), sympy.diff(sigma(F[1][0, i]), F[1][0, j]))
        centre = f.value[0, j]
        for sign in (1, -1):
            f.value[0, j] = centre + sign * 1e-5
            graph.recompute(f)
            measured[:, j] += sign * prediction.value[0] / 2e-5
        f.value[0, j] = centre
        graph.recompute(f)
    assert_allclose(said, measured, atol=1e-10)
    assert_array_equal(said, np.diag(np.diag(said)))
    # The row ∂ℰ/∂Ŷ times the Jacobian is the row ∂ℰ/∂f.
    assert_allclose(grad(graph, "Y_hat") @ said, grad(graph, "f", 1), rtol=1e-14)


def test_a4_class_weights():
    beta = 0.7
    alpha = 10 * beta  # 100 samples against 1000: α/β = (1/100)/(1/1000)
    graph = loss_of_predictions([0.0, 1.0], [0.2, 0.9], alpha=alpha, beta=beta)
    expected = -(beta * math.log(0.8) + alpha * math.log(0.9)) / 2
    assert value(graph, "E")[0, 0] == pytest.approx(expected, rel=1e-14)
    assert graph.ops[-1].formula((0, 0)).evaluate(graph.value_of) == pytest.approx(expected, rel=1e-14)
    assert_allclose(grad(graph, "f", 1), [[beta * 0.2 / 2, -alpha * 0.1 / 2]], rtol=1e-14)
    (term,) = explain(graph, Symbol("Y_hat", None, (0, 1)))[0].terms
    written = -ALPHA * Y[0, 1] / Y_HAT[0, 1] + BETA * (1 - Y[0, 1]) / (1 - Y_HAT[0, 1])
    assert_same(algebra(term.formula), written / N)


def test_a4_weights_of_one_are_no_weights():
    plain, weighted = one_neuron([0.0, 1.0]), one_neuron([0.0, 1.0], alpha=1.0, beta=1.0)
    assert value(plain, "E") == value(weighted, "E")
    assert_array_equal(grad(plain, "W", 1), grad(weighted, "W", 1))


# ── B. one hidden layer ─────────────────────────────────────────────────────────────────────────────


def one_hidden_layer(label: float = 1.0, **loss: float) -> Graph:
    parameters = {
        Symbol("W", 1): np.array([[0.1, -0.4], [0.3, 0.2], [-0.5, -0.7]]),
        Symbol("W", 2): np.array([[0.6], [-0.8]]),
    }
    layers = [LayerSpec(units=2, activation="relu"), LayerSpec(units=1, activation="sigmoid")]
    graph = Network(layers, parameters, BceLoss(**loss)).graph(
        np.array([[1.0], [0.5], [-1.2]]), np.array([[label]])
    )
    graph.forward()
    graph.backward()
    return graph


B1_NAMES = [
    "∂E/∂Y_hat[0,0]",
    "∂Y_hat[0,0]/∂f[2][0,0]",
    "∂f[2][0,0]/∂a[1][1,0]",
    "∂a[1][1,0]/∂f[1][1,0]",
    "∂f[1][1,0]/∂W[1][1,1]",
]


def b1_factors() -> list[Any]:
    p, y, slope = Y_HAT[0, 0], Y[0, 0], sigma(F[2][0, 0])
    return [
        -ALPHA * y / p + BETA * (1 - y) / (1 - p),
        slope * (1 - slope),
        W[2][1, 0],
        sympy.Piecewise((1, F[1][1, 0] > 0), (0, True)),
        X[1, 0],
    ]


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_b1_five_factors(label: float):
    alpha, beta = 10.0, 0.5
    graph = one_hidden_layer(label, alpha=alpha, beta=beta)
    derivation = explain(graph, Symbol("W", 1, (1, 1)))
    assert [step.term.symbol.plain() for step in derivation] == B1_NAMES
    for step, expected in zip(derivation, b1_factors(), strict=True):
        assert_same(algebra(step.term.formula), expected)
    assert_same(product(derivation), sympy.prod(b1_factors()))
    # The numbers, worked out here: f₁ = 0.54 is positive, f₂ = 0.6·0.85 - 0.8·0.54 = 0.078.
    prediction = 1 / (1 + math.exp(-0.078))
    factors = [
        -alpha / prediction if label else beta / (1 - prediction),
        prediction * (1 - prediction),
        -0.8,
        1.0,
        0.5,
    ]
    assert [step.term.local for step in derivation] == pytest.approx(factors, rel=1e-14)
    running = np.cumprod(factors)
    assert [step.running for step in derivation] == pytest.approx(running, rel=1e-13)
    assert derivation.value == pytest.approx(running[-1], rel=1e-13)
    assert derivation.path_count == 1


def test_b2_earlier_gradients_contain_later_weights_and_no_partial_derivatives():
    derivation = explain(one_hidden_layer(), Symbol("W", 1, (1, 1)))
    symbols = {symbol.matrix for step in derivation for symbol in step.term.formula.symbols()}
    assert Symbol("W", 2) in symbols
    assert not any(contains_partial(step.term.formula) for step in derivation)


def contains_partial(expression: Expr) -> bool:
    return isinstance(expression, Partial) or any(map(contains_partial, expression.children()))


def test_b2_the_derivative_of_relu_at_0_is_0():
    graph = one_hidden_layer()
    value(graph, "W", 1)[:, 1] = 0.0
    graph.forward()
    graph.backward()
    assert value(graph, "f", 1)[1, 0] == 0.0
    assert_array_equal(grad(graph, "W", 1)[:, 1], 0.0)
    assert grad(graph, "W", 1)[0, 0] != 0.0


def test_b4_shapes():
    graph = one_hidden_layer()
    shapes = {
        "X": (3, 1),
        "W[1]": (3, 2),
        "f[1]": (2, 1),
        "a[1]": (2, 1),
        "W[2]": (2, 1),
        "f[2]": (1, 1),
        "Y_hat": (1, 1),
    }
    found = {node.symbol.plain(): node.shape for node in graph.nodes.values() if node.symbol.name not in "YE"}
    assert found == shapes
    # A gradient has the shape of what the loss is differentiated by, and the products fit together.
    for node in graph.nodes.values():
        if node.needs_gradient:
            assert node.grad.shape == node.shape
    assert_allclose(grad(graph, "W", 2), value(graph, "a", 1) @ grad(graph, "f", 2).T, rtol=1e-15)
    assert_allclose(grad(graph, "a", 1), value(graph, "W", 2) @ grad(graph, "f", 2), rtol=1e-15)
    assert_allclose(grad(graph, "f", 1), grad(graph, "a", 1) * (value(graph, "f", 1) > 0), rtol=1e-15)
    assert_allclose(grad(graph, "W", 1), value(graph, "X") @ grad(graph, "f", 1).T, rtol=1e-15)
    assert_allclose(grad(graph, "X"), value(graph, "W", 1) @ grad(graph, "f", 1), rtol=1e-15)


def test_d3_a_leaky_relu_of_slope_1_is_a_single_matrix():
    rng = np.random.default_rng(4)
    layers = [LayerSpec(units=3, activation="leaky_relu", slope=1.0)] * 4
    parameters = {Symbol("W", number): rng.standard_normal((3, 3)) for number in range(1, 5)}
    inputs = rng.standard_normal((3, 6))
    graph = Network([*layers[:3], LayerSpec(units=3)], parameters, BceLoss()).graph(inputs, np.zeros((3, 6)))
    graph.forward()
    single = np.linalg.multi_dot(list(parameters.values()))
    assert_allclose(value(graph, "Y_hat"), single.T @ inputs, rtol=1e-12)
