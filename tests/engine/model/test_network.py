"""Networks against an independent automatic differentiation, and how they are built."""

import numpy as np
import pytest
from hypothesis import assume, given
from numpy.testing import assert_allclose, assert_array_equal

from engine.autodiff.array_memory import BLOCK
from engine.autodiff.graph import Graph
from engine.autodiff.ops.activation_functions import ACTIVATIONS
from engine.experiment.spec import (
    BceLoss,
    Experiment,
    Init,
    InlineData,
    LayerSpec,
    NetworkSpec,
    SquaredErrorLoss,
)
from engine.formula.expression import Symbol
from engine.model.network import Network, values_and_gradients
from tests.engine.networks import (
    HIDDEN_ACTIVATIONS,
    Case,
    cases,
    difference,
    is_well_conditioned,
    oracle,
    prediction_gradient,
)


def test_the_random_networks_use_every_activation():
    assert set(HIDDEN_ACTIVATIONS) == set(ACTIVATIONS)


@given(case=cases())
def test_loss_values_and_all_gradients_equal_those_of_autograd(case: Case):
    assume(is_well_conditioned(case, margin=1e-9, least_slope=1e-5, least_spread=1e-3))
    compare_with_oracle(case, relative=1e-10, loss_tolerance=1e-12, rounding=1e-13)


@given(case=cases())
def test_float32_gradients_equal_those_of_autograd_in_float64(case: Case):
    rounded = case.in_float32()  # the oracle starts from the same, already rounded numbers
    assume(is_well_conditioned(rounded, margin=1e-3, least_slope=5e-3, least_spread=0.05))
    compare_with_oracle(rounded, relative=1e-4, loss_tolerance=1e-4, rounding=1e-5)


def compare_with_oracle(case: Case, relative: float, loss_tolerance: float, rounding: float) -> None:
    graph = case.graph()
    values, gradients = values_and_gradients(graph)
    expected = oracle(case)
    assert graph.loss.value[0, 0] == pytest.approx(expected.loss, rel=loss_tolerance, abs=loss_tolerance)
    assert set(values) == set(gradients) == set(expected.values)
    prediction = values["Y_hat"]
    # Where terms cancel, in a sum over samples or in a norm, their rounding errors remain.
    terms = sums_without_signs(graph)
    for name, gradient in expected.gradients.items():
        assert values[name].dtype == gradients[name].dtype == case.network.dtype
        assert not difference(values[name], expected.values[name], relative, relative), name
        problem = difference(gradients[name], gradient, relative, rounding * terms[name])
        assert not problem, f"{name}: {problem}"
    assert not difference(prediction, expected.values["Y_hat"], relative, relative)
    assert not difference(gradients["Y_hat"], prediction_gradient(case, prediction), relative)


def sums_without_signs(graph: Graph) -> dict[str, float]:
    """For each matrix, its largest Σ |∂ℰ/∂o · ∂o/∂v|, each factor itself a sum without signs."""
    sums = {id(graph.loss): np.ones((1, 1))}
    for node in reversed(graph.nodes.values()):
        if node is graph.loss:
            continue
        sums[id(node)] = np.zeros(node.shape)
        for op, i in node.consumers:
            for entry in np.ndindex(node.shape):
                reached, partials = op.local_values(i, entry, graph.value_of)
                sums[id(node)][entry] += np.abs(partials) @ sums[id(op.output)][reached]
    return {node.symbol.plain(): float(sums[id(node)].max()) for node in graph.nodes.values()}


@given(case=cases())
def test_a_training_graph_sends_the_same_gradients_to_the_parameters(case: Case):
    full, training = case.graph(), case.graph(training=True)
    assert full.loss.value[0, 0] == training.loss.value[0, 0]
    for name in case.network.parameters:
        assert_array_equal(full.nodes[name].grad, training.nodes[name].grad)
    assert not training.nodes[Symbol("X")].needs_gradient


@given(case=cases())
def test_sharing_memory_changes_no_number(case: Case):
    """Nor do blocks: with `transient`, ops compute in place where nothing else reads their input."""
    apart, shared = (
        case.network.graph(case.X, case.Y, training=True, transient=transient) for transient in (False, True)
    )
    for graph in (apart, shared):
        graph.forward()
        graph.backward()
    assert shared.loss.value[0, 0] == apart.loss.value[0, 0]
    for name in case.network.parameters:
        assert_array_equal(shared.nodes[name].grad, apart.nodes[name].grad)


@pytest.mark.parametrize("transient", [False, True])
def test_arrays_that_take_several_blocks(transient: bool):
    network = Network.initialised(EXPERIMENT, features=2)
    X = np.random.default_rng(0).standard_normal((2, 2 * BLOCK + 7))
    graph = network.graph(X, np.ones((1, X.shape[1])), training=True, transient=transient)
    graph.forward()
    graph.backward()
    parts = [network.graph(part, np.ones((1, part.shape[1]))) for part in np.array_split(X, 7, axis=1)]
    for name in network.parameters:
        total = np.zeros(network.parameters[name].shape)
        for part in parts:
            part.forward()
            part.backward()
            total += part.nodes[name].grad * part.n / X.shape[1]
        assert_allclose(graph.nodes[name].grad, total, rtol=1e-10)


@given(case=cases())
def test_a_graph_without_gradients_computes_the_same_values(case: Case):
    full = case.graph()
    forward_only = case.network.graph(case.X, case.Y, gradients=False)
    assert forward_only.forward() == full.loss.value[0, 0]
    for symbol, node in full.nodes.items():
        assert_array_equal(forward_only.nodes[symbol].value, node.value)


@given(case=cases(max_depth=3))
def test_passes_do_not_accumulate(case: Case):
    graph = case.graph()
    before = {symbol: node.grad.copy() for symbol, node in graph.nodes.items()}
    graph.forward()
    graph.backward()
    for symbol, gradient in before.items():
        assert_array_equal(graph.nodes[symbol].grad, gradient)


def test_graphs_of_different_batches_share_the_parameters():
    network = Network.initialised(EXPERIMENT, features=2)
    small = network.graph(np.ones((2, 1)), np.ones((1, 1)))
    large = network.graph(np.ones((2, 5)), np.ones((1, 5)))
    before = small.forward()
    network.parameters[Symbol("W", 1)][...] *= 2.0
    assert small.forward() == pytest.approx(large.forward(), rel=1e-15)
    assert small.forward() != before


def test_astype_copies_the_parameters():
    network = Network.initialised(EXPERIMENT, features=2)
    copy = network.astype("float32")
    copy.parameters[Symbol("W", 1)][...] = 0.0
    assert copy.dtype == np.float32
    assert all(value.dtype == np.float32 for value in copy.parameters.values())
    assert np.abs(network.parameters[Symbol("W", 1)]).min() > 0


EXPERIMENT = Experiment(
    data=InlineData(X=[[0.0], [0.0]], Y=[[0.0]]),
    network=NetworkSpec(
        layers=[
            LayerSpec(units=2, activation="relu", W=[[1.0, 2.0], [3.0, 4.0]]),
            LayerSpec(units=2, activation="tanh", repeat=2),
            LayerSpec(units=1, activation="sigmoid", b=[0.25]),
        ],
        init=Init(scheme="normal"),
    ),
    loss=BceLoss(),
    seed=3,
)


def test_initialised_takes_what_is_given_and_draws_the_rest():
    parameters = Network.initialised(EXPERIMENT, features=2).parameters
    assert list(parameters) == [
        Symbol("W", 1),
        Symbol("W", 2),
        Symbol("W", 3),
        Symbol("W", 4),
        Symbol("b", 4),
    ]
    assert_array_equal(parameters[Symbol("W", 1)], [[1.0, 2.0], [3.0, 4.0]])
    assert_array_equal(parameters[Symbol("b", 4)], [[0.25]])
    assert parameters[Symbol("W", 4)].shape == (2, 1)
    # Repeated layers are equal in shape, not in weights.
    assert not np.array_equal(parameters[Symbol("W", 2)], parameters[Symbol("W", 3)])


def test_the_seed_decides_the_weights():
    def drawn(seed: int) -> np.ndarray:
        experiment = Experiment(
            data=EXPERIMENT.data, network=EXPERIMENT.network, loss=EXPERIMENT.loss, seed=seed
        )
        return Network.initialised(experiment, features=2).parameters[Symbol("W", 2)]

    assert_array_equal(drawn(3), drawn(3))
    assert not np.array_equal(drawn(3), drawn(4))


def test_a_layers_weights_do_not_depend_on_the_other_layers():
    def experiment(first: LayerSpec) -> Experiment:
        layers = [first, LayerSpec(units=3), LayerSpec(units=1)]
        return Experiment(
            data=EXPERIMENT.data, network=NetworkSpec(layers=layers), loss=SquaredErrorLoss(), seed=1
        )

    drawn = Network.initialised(experiment(LayerSpec(units=2)), features=2)
    given = Network.initialised(experiment(LayerSpec(units=2, W=[[1.0, 0.0], [0.0, 1.0]])), features=2)
    assert_array_equal(drawn.parameters[Symbol("W", 2)], given.parameters[Symbol("W", 2)])


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_a_norm_makes_mean_0_and_variance_nearly_1(norm: str):
    layers = [LayerSpec(units=4, norm=norm), LayerSpec(units=1)]
    rng = np.random.default_rng(5)
    parameters = {Symbol("W", 1): rng.standard_normal((3, 4)), Symbol("W", 2): rng.standard_normal((4, 1))}
    graph = Network(layers, parameters, SquaredErrorLoss()).graph(
        rng.standard_normal((3, 6)), rng.standard_normal((1, 6))
    )
    graph.forward()
    h, f = graph.nodes[Symbol("h", 1)].value, graph.nodes[Symbol("f", 1)].value
    axis = 1 if norm == "batch" else 0
    variance = f.var(axis=axis)
    np.testing.assert_allclose(h.mean(axis=axis), 0.0, atol=1e-14)
    np.testing.assert_allclose(h.var(axis=axis), variance / (variance + 1e-5), rtol=1e-12)
