"""Examples that others worked out and published: the engine must find their numbers."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from engine.autodiff.graph import Graph
from engine.autodiff.ops.activation_functions import ACTIVATIONS
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.linear import Linear
from engine.derivation.chain_rule import explain
from engine.experiment.spec import BceLoss, LayerSpec
from engine.formula.expression import Symbol
from engine.model.network import Network
from tests.engine.circuits import Circuit
from tests.engine.plain_form import names_of, python_value


def check_explanations(circuit: Circuit, *names: str) -> None:
    """Every input's derivation holds together: formulas, sums, and the sum over all its paths."""
    plain = names_of(circuit.graph)
    for name in names:
        derivation = explain(circuit.graph, Symbol(name))
        assert derivation.value == circuit.gradient(name)
        for step in derivation:
            total = math.fsum(term.contribution for term in step.terms)
            assert total == pytest.approx(step.gradient, rel=1e-12, abs=1e-12)
            for term in step.terms:
                assert python_value(term.formula.plain(), plain) == pytest.approx(term.local, rel=1e-12)
        every = derivation.top_paths(1000)
        assert math.fsum(path.value for path in every) == pytest.approx(
            derivation.value, rel=1e-12, abs=1e-12
        )
        assert len(every) <= derivation.path_count


# ── Stanford CS231n, "Backpropagation, intuitions" ──────────────────────────────────────────────────


def test_cs231n_sum_times_z():
    circuit = Circuit()
    x, y, z = circuit.input("x", -2), circuit.input("y", 5), circuit.input("z", -4)
    assert circuit.output((x + y) * z) == -12
    assert [circuit.gradient(name) for name in "xyz"] == [-4, -4, 3]
    check_explanations(circuit, "x", "y", "z")


def test_cs231n_product_and_maximum():
    circuit = Circuit()
    x, y = circuit.input("x", 3), circuit.input("y", -4)
    z, w = circuit.input("z", 2), circuit.input("w", -1)
    assert circuit.output((x * y + z.maximum(w)) * 2) == -20
    assert [circuit.gradient(name) for name in "xyzw"] == [-8, 6, 2, 0]
    check_explanations(circuit, "x", "y", "z", "w")


def test_cs231n_sigmoid_neuron():
    circuit = Circuit()
    w0, w1, w2 = circuit.input("w0", 2), circuit.input("w1", -3), circuit.input("w2", -3)
    x0, x1 = circuit.input("x0", -1), circuit.input("x1", -2)
    dot = w0 * x0 + w1 * x1 + w2
    assert circuit.output(dot.apply("sigmoid")) == pytest.approx(0.731058578630005, abs=1e-15)
    slope = 0.196611933241482
    assert float(dot.node.grad[0, 0]) == pytest.approx(slope, abs=1e-15)
    expected = {"x0": 2 * slope, "x1": -3 * slope, "w0": -slope, "w1": -2 * slope, "w2": slope}
    for name, gradient in expected.items():
        assert circuit.gradient(name) == pytest.approx(gradient, abs=3e-15)
    check_explanations(circuit, *expected)


def test_cs231n_sigmoid_neuron_as_a_network_of_one():
    parameters = {Symbol("W", 1): np.array([[2.0], [-3.0], [-3.0]])}
    network = Network([LayerSpec(units=1, activation="sigmoid")], parameters, BceLoss())
    graph = network.graph(np.array([[-1.0], [-2.0], [1.0]]), np.array([[1.0]]))
    graph.forward()
    assert graph.nodes[Symbol("Y_hat")].value[0, 0] == pytest.approx(0.731058578630005, abs=1e-15)


# ── Prince, "Understanding Deep Learning", notebook 7.1 ─────────────────────────────────────────────


def test_understanding_deep_learning_notebook_7_1():
    circuit = Circuit()
    beta = [circuit.input(f"beta{i}", value) for i, value in enumerate((1.0, 2.0, -3.0, 0.4))]
    omega = [circuit.input(f"omega{i}", value) for i, value in enumerate((0.1, -0.4, 2.0, 3.0))]
    x, y = circuit.constant(2.3), circuit.constant(2.0)
    inner = (beta[1] + omega[1] * (beta[0] + omega[0] * x).apply("sin")).apply("exp")
    f = beta[3] + omega[3] * (beta[2] + omega[2] * inner).apply("cos")
    loss = circuit.output((f - y) ** 2)
    assert f.value == pytest.approx(2.372, abs=5e-4)
    assert loss == pytest.approx(0.139, abs=5e-4)
    beta_gradients = [circuit.gradient(f"beta{i}") for i in range(4)]
    omega_gradients = [circuit.gradient(f"omega{i}") for i in range(4)]
    assert beta_gradients == pytest.approx([2.281, -17.060, -1.683, 0.745], abs=5e-4)
    assert omega_gradients == pytest.approx([5.246, -16.079, -8.530, 0.489], abs=5e-4)
    check_explanations(circuit, *(f"beta{i}" for i in range(4)), *(f"omega{i}" for i in range(4)))


# ── karpathy/micrograd, README ──────────────────────────────────────────────────────────────────────


def test_micrograd_readme():
    circuit = Circuit()
    a, b = circuit.input("a", -4.0), circuit.input("b", 2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    assert circuit.output(g) == pytest.approx(24.7041, abs=5e-5)
    assert circuit.gradient("a") == pytest.approx(138.8338, abs=5e-5)
    assert circuit.gradient("b") == pytest.approx(645.5773, abs=5e-5)
    check_explanations(circuit, "a", "b")


# ── a layer, from ∂ℰ/∂a and the pre-activation ──────────────────────────────────────────────────────

A_BEFORE = np.array([[-2.1361961, 1.64027081], [-1.79343559, -0.84174737], [0.50288142, -1.24528809]])
WEIGHTS = np.array([[-1.05795222, -0.90900761, 0.55145404]])  # (fan_out, fan_in)
PRE_ACTIVATION = np.array([[0.04153939, -1.11792545]])
GRADIENT = np.array([[-0.41675785, -0.05626683]])


@pytest.mark.parametrize(
    ("activation", "by_weights", "by_bias"),
    [
        ("sigmoid", [0.10266786, 0.09778551, -0.01968084], -0.05729622),
        ("relu", [0.44513824, 0.37371418, -0.10478989], -0.20837892),
    ],
)
def test_one_layer_backwards(activation: str, by_weights: list[float], by_bias: float):
    graph = Graph(2, np.dtype("float64"))
    inputs = [
        graph.leaf(Symbol("W", 1), WEIGHTS.T.copy()),
        graph.leaf(Symbol("a", 0), A_BEFORE, per_sample=True),
        graph.leaf(Symbol("b", 1), np.zeros((1, 1))),
    ]
    f = graph.add(Linear(inputs, graph.result(Symbol("f", 1), (1, 2), inputs)))
    a = graph.add(Elementwise(ACTIVATIONS[activation], f, graph.result(Symbol("a", 1), (1, 2), (f,))))
    graph.finish()
    f.value[...] = PRE_ACTIVATION  # the example gives it, and it is not Wᵀa
    a.op.forward()
    a.grad[...] = GRADIENT / 2  # the example takes the mean over its two samples in the layer
    for op in reversed(graph.ops):
        op.backward()
    weight, _, bias = inputs
    assert_allclose(weight.grad, np.array([by_weights]).T, atol=5e-9)
    assert_allclose(bias.grad, [[by_bias]], atol=5e-9)
