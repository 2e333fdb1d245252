"""One step of gradient descent: it moves what it should, as far as it should, and foretells the loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.autodiff.graph import Graph
from engine.experiment.optimizer_specs import SgdTraining
from engine.experiment.spec import BceLoss, LayerSpec
from engine.formula.expression import Partial, Symbol
from engine.model.network import Network, trainable
from engine.training.steps_by_hand import StepsByHand, Update
from tests.engine.networks import Case, cases

W, B = Symbol("W", 1), Symbol("b", 1)


def gradient_step(network: Network, graph: Graph, eta: float, watch: Sequence[Symbol] = ()) -> Update:
    """One step of plain gradient descent."""
    return StepsByHand(network, graph, SgdTraining()).step(eta, watch)


def neuron(frozen: list[str]) -> Case:
    layer = LayerSpec(units=1, activation="sigmoid", frozen=frozen)
    network = Network([layer], {W: np.array([[0.5], [-1.0]]), B: np.array([[0.25]])}, BceLoss())
    return Case(network, np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([[1.0, 0.0]]))


@given(cases(), st.floats(1e-6, 10.0))
def test_every_parameter_moves_by_eta_times_its_gradient(case, eta):
    graph = case.graph()
    before = {name: value.copy() for name, value in case.network.parameters.items()}
    gradients = {name: graph.nodes[name].grad.copy() for name in before}
    gradient_step(case.network, graph, eta)
    for name, value in case.network.parameters.items():
        assert value is graph.nodes[name].value  # in place: the graph sees it
        np.testing.assert_array_equal(value, before[name] - eta * gradients[name])


@given(cases())
def test_the_graph_is_left_as_a_fresh_one_would_be(case):
    graph = case.graph()
    gradient_step(case.network, graph, 0.1)
    fresh = case.graph()
    for symbol, node in fresh.nodes.items():
        np.testing.assert_array_equal(graph.nodes[symbol].value, node.value)
        np.testing.assert_array_equal(graph.nodes[symbol].grad, node.grad)


@given(cases(activations=("tanh", "sigmoid", "linear", "softplus"), norms=(None,)))
def test_to_first_order_the_loss_changes_as_foretold(case):
    graph = case.graph()
    length = sum(float((graph.nodes[name].grad ** 2).sum()) for name in case.network.parameters)
    eta = 1e-7 / (1 + length)  # so small that the loss is straight that far
    update = gradient_step(case.network, graph, eta)
    change = update.loss.after - update.loss.before
    allowed = 1e-3 * abs(update.predicted) + 1e-12 * (1 + abs(update.loss.before))
    assert change == pytest.approx(update.predicted, abs=allowed)
    assert update.predicted <= 0


def test_foretold_is_eta_times_the_squared_length_of_the_gradient():
    case = neuron([])
    graph = case.graph()
    length = sum(float((graph.nodes[name].grad ** 2).sum()) for name in (W, B))
    assert gradient_step(case.network, graph, 0.3).predicted == pytest.approx(-0.3 * length, rel=1e-12)


def test_what_was_watched_is_told_before_and_after():
    case = neuron([])
    graph = case.graph()
    watch = (W.at((1, 0)), Symbol("Y_hat", None, (0, 1)))
    before = [graph.value_of(symbol) for symbol in watch]
    update = gradient_step(case.network, graph, 0.5, watch)
    assert [change.symbol for change in update.watched] == list(watch)
    assert [change.before for change in update.watched] == before
    assert [change.after for change in update.watched] == [graph.value_of(symbol) for symbol in watch]
    assert update.learning_rate == 0.5
    assert update.loss.after == graph.value_of(Symbol("E")) < update.loss.before


@pytest.mark.parametrize(
    ("frozen", "moving"), [([], {W, B}), (["b"], {W}), (["W"], {B}), (["W", "b"], set())]
)
def test_frozen_parameters_stay(frozen, moving):
    case = neuron(frozen)
    graph = case.graph()
    before = {name: value.copy() for name, value in case.network.parameters.items()}
    update = gradient_step(case.network, graph, 0.1)
    assert set(trainable(case.network)) == moving
    moved = {
        name for name, value in case.network.parameters.items() if not np.array_equal(value, before[name])
    }
    assert moved == moving
    assert (update.predicted == 0) == (not moving)


@given(cases(max_depth=2), st.floats(1e-3, 1.0))
def test_the_formula_of_an_update_is_what_the_update_does(case, eta):
    graph = case.graph()
    target = W.at((0, 0))
    (line,) = StepsByHand(case.network, graph, SgdTraining()).rule(target)
    formula = line.formula

    def value_of(name: Symbol | Partial) -> float:
        return eta if name == Symbol("eta") else graph.value_of(name)

    foretold = formula.evaluate(value_of)
    assert Partial(Symbol("E"), target).plain() in formula.plain()
    gradient_step(case.network, graph, eta)
    assert graph.value_of(target) == pytest.approx(foretold, rel=1e-15, abs=1e-300)


def test_float32_stays_float32():
    case = neuron([]).in_float32()
    gradient_step(case.network, case.graph(), 0.1)
    assert all(value.dtype == np.float32 for value in case.network.parameters.values())
