"""The gradient check: right gradients pass, wrong ones do not, and what a difference cannot tell is no fault."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from engine.autodiff.graph import Graph
from engine.derivation.central_differences import BackwardRounding, CentralDifference
from engine.derivation.entry_ref import EntryRef
from engine.derivation.gradcheck import (
    ALL_CHECKED,
    SAMPLED,
    EntryCheck,
    check_entry,
    check_network,
    check_parameter,
    entries_to_check,
    relative_error,
)
from engine.derivation.stacked_differences import StackedDifferences
from engine.experiment.loading import load_experiment
from engine.experiment.spec import BceLoss, CrossEntropyLoss, LayerSpec, SquaredErrorLoss
from engine.formula.expression import Symbol
from engine.model.network import Network
from engine.training.trainer import Trainer
from tests.engine.networks import Case, cases, is_well_conditioned


def drawn_ref(data: st.DataObject, graph: Graph, *names: str) -> EntryRef:
    nodes = [node for node in graph.nodes.values() if node.needs_gradient and node is not graph.loss]
    node = data.draw(st.sampled_from([one for one in nodes if not names or one.symbol.name in names]))
    rows, columns = node.shape
    return EntryRef(node, (data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))))


def has_spread(case: Case) -> bool:
    """Whether no norm divides equal numbers by √1e-5, again and again: then the loss is steeper than any step."""
    return is_well_conditioned(case, margin=0.0, least_slope=0.0, least_spread=1e-3)


@settings(max_examples=60)
@given(case=cases(max_depth=5, max_width=4, max_n=4))
def test_right_gradients_pass(case: Case):
    assume(has_spread(case))
    for check in check_network(case.network, case.X, case.Y):
        assert check.passed, check
        assert check.checked == check.entries == case.network.parameters[named(check.name)].size


def named(plain: str) -> Symbol:
    name, _, layer = plain.partition("[")
    return Symbol(name, int(layer[:-1]))


@settings(max_examples=60)
@given(case=cases(max_depth=4, max_width=4, max_n=4), data=st.data())
def test_values_on_the_way_can_be_checked_too(case: Case, data: st.DataObject):
    assume(has_spread(case))
    graph = case.graph()
    check = check_entry(graph, drawn_ref(data, graph))
    assert check.passed, check


@settings(max_examples=60)
@given(
    case=cases(max_depth=4, max_width=4, max_n=4),
    data=st.data(),
    spoil=st.sampled_from(
        (lambda g: 1.01 * g, lambda g: -g, lambda g: 0.0, lambda g: math.nan, lambda g: math.inf)
    ),
)
def test_wrong_gradients_fail(case: Case, data: st.DataObject, spoil):
    graph = case.graph()
    ref = drawn_ref(data, graph, "W", "b")
    right = check_entry(graph, ref)
    # A gradient that no difference could resolve cannot be told from a wrong one.
    assume(right.verdict in ("good", "acceptable") and abs(right.analytic) > 1e3 * right.noise)
    ref.node.grad[ref.entry] = spoil(right.analytic)
    wrong = check_entry(graph, ref)
    assert not wrong.passed
    assert wrong.verdict in ("wrong", "suspicious", "not finite")
    assert wrong.numeric == pytest.approx(right.numeric, rel=1e-3)
    parameter = check_parameter(graph, ref.node, np.random.default_rng(0))
    assert not parameter.passed
    assert parameter.failed == 1
    assert parameter.worst.ref == ref


@settings(max_examples=30)
@given(case=cases(max_depth=3), data=st.data())
def test_checking_leaves_the_graph_as_it_was(case: Case, data: st.DataObject):
    graph = case.graph()
    before = {symbol: (node.value.copy(), node.grad.copy()) for symbol, node in graph.nodes.items()}
    ref = drawn_ref(data, graph, "W", "b", "X")
    check_entry(graph, ref)
    for symbol, (value, gradient) in before.items():
        assert_array_equal(graph.nodes[symbol].value, value)
        assert_array_equal(graph.nodes[symbol].grad, gradient)


def passed_through(layers: list[LayerSpec], loss, X: list, Y: list, *weights: list) -> Graph:
    parameters = {Symbol("W", number): np.array(weight) for number, weight in enumerate(weights, start=1)}
    graph = Network(layers, parameters, loss).graph(np.array(X), np.array(Y))
    graph.forward()
    graph.backward()
    return graph


def relu_units(X: list, Y: list, first: list, second: list) -> Graph:
    layers = [LayerSpec(units=len(first[0]), activation="relu"), LayerSpec(units=1, activation="sigmoid")]
    return passed_through(layers, BceLoss(), X, Y, first, second)


def check(graph: Graph, name: Symbol, entry: tuple[int, int] = (0, 0)) -> EntryCheck:
    return check_entry(graph, EntryRef(graph.nodes[name], entry))


def test_a_relu_at_exactly_0_passes_as_a_kink():
    graph = relu_units([[1.0], [2.0]], [[1.0]], [[2.0], [-1.0]], [[0.7]])
    assert graph.nodes[Symbol("f", 1)].value[0, 0] == 0.0
    for entry in ((0, 0), (1, 0)):
        found = check(graph, Symbol("W", 1), entry)
        assert found.verdict == "kink"
        assert found.passed
        assert not found.agrees, "the slope has two values there"
        # ∂ℰ/∂W[1] right of the kink is (Ŷ - 1)·0.7·X, left of it 0: as the weight grows f does, or the other way round.
        assert found.analytic == found.left == 0.0
        assert found.right == pytest.approx(-0.5 * 0.7 * (1.0, 2.0)[entry[0]], rel=1e-4)
        assert found.numeric == pytest.approx((found.left + found.right) / 2.0, rel=1e-6)


def test_beside_a_unit_at_its_kink_another_units_share_is_still_checked():
    # Moving X moves both units; the first is at its kink, the second carries all of the gradient.
    graph = relu_units([[1.0], [2.0]], [[1.0]], [[2.0, 0.5], [-1.0, 0.1]], [[0.7], [0.4]])
    found = check(graph, Symbol("X"))
    assert found.verdict == "kink"
    assert found.analytic == pytest.approx(found.left, rel=1e-5)
    assert found.analytic != 0.0
    graph.nodes[Symbol("X")].grad[0, 0] *= -1
    assert check(graph, Symbol("X")).verdict == "wrong"


def test_where_both_sides_leave_the_kink_differences_cannot_tell():
    # f = 0 for both samples; a larger weight switches on the first, a smaller one the second.
    graph = relu_units([[1.0, -1.0]], [[1.0, 0.0]], [[0.0]], [[0.7]])
    found = check(graph, Symbol("W", 1))
    assert (found.analytic, found.verdict) == (0.0, "undecided")
    assert found.numeric != 0.0
    assert found.passed
    assert not found.agrees
    counted = check_parameter(graph, graph.nodes[Symbol("W", 1)], np.random.default_rng(0))
    assert (counted.agreeing, counted.undecided, counted.failed, counted.checked) == (0, 1, 0, 1)
    assert counted.worst.verdict == "undecided"


def test_a_kink_nearby_is_avoided_by_a_smaller_step():
    graph = relu_units([[1.0]], [[1.0]], [[1e-6]], [[0.7]])
    found = check(graph, Symbol("W", 1))
    assert found.analytic != 0.0
    assert found.verdict in ("good", "acceptable", "below noise")


def test_where_the_loss_curves_within_a_step_a_smaller_one_is_taken():
    # Batch norm of a single sample divides by √1e-5: a step of 1e-4 in f's mean moves h by 0.03, across the
    # point where elu's curvature jumps.
    layers = [LayerSpec(units=1, activation="elu", norm="batch"), LayerSpec(units=1, activation="sigmoid")]
    graph = passed_through(layers, BceLoss(), [[0.6]], [[0.0]], [[0.04]], [[-0.04]])
    for name in (Symbol("mean", 1), Symbol("h", 1), Symbol("W", 2)):
        assert check(graph, name).passed
    graph.nodes[Symbol("mean", 1)].grad[...] *= 1.01
    assert not check(graph, Symbol("mean", 1)).passed


@pytest.mark.parametrize("weight", [1e154, 1e160, math.inf, math.nan])
def test_where_the_loss_has_overflowed_nothing_agrees_and_nothing_is_raised(weight):
    layers = [LayerSpec(units=1, activation="linear"), LayerSpec(units=1, activation="linear")]
    graph = passed_through(layers, SquaredErrorLoss(), [[1.0]], [[0.3]], [[weight]], [[2.0]])
    found = check(graph, Symbol("W", 2))
    assert found.verdict == "not finite"
    assert not found.passed


def test_a_vanishing_gradient_is_below_the_noise():
    depth = 25
    layers = [LayerSpec(units=1, activation="sigmoid")] * depth
    graph = passed_through(layers, BceLoss(), [[1.0]], [[1.0]], *[[[0.5]]] * depth)
    found = check(graph, Symbol("W", 1))
    assert 0.0 < abs(found.analytic) < found.noise
    assert found.verdict == "below noise"
    assert found.passed


def test_noise_that_a_norm_amplified_is_no_fault():
    # A bias before batch norm has the gradient 0, and dividing by a small std enlarges the rounding errors.
    layers = [LayerSpec(units=1, norm="batch"), LayerSpec(units=1, norm="batch"), LayerSpec(units=1)]
    rng = np.random.default_rng(3)
    for _ in range(20):
        parameters = {
            Symbol("W", 1): 0.002 * rng.standard_normal((2, 1)),
            Symbol("b", 1): rng.standard_normal((1, 1)),
            Symbol("W", 2): 0.002 * rng.standard_normal((1, 1)),
            Symbol("b", 2): rng.standard_normal((1, 1)),
            Symbol("W", 3): rng.standard_normal((1, 1)),
        }
        network = Network(layers, parameters, SquaredErrorLoss())
        for found in check_network(network, rng.standard_normal((2, 3)), rng.standard_normal((1, 3))):
            assert found.passed, found


def test_noise_of_backward_itself_is_no_fault():
    # Equal samples: f is constant, every h is 0 but for rounding, and 1/std = 316 multiplies what rounding leaves.
    layers = [
        LayerSpec(units=2, norm="batch"),
        LayerSpec(units=2, norm="batch"),
        LayerSpec(units=1, norm="batch"),
    ]
    rng = np.random.default_rng(4)
    for _ in range(20):
        parameters = {
            Symbol("W", number): rng.standard_normal(shape)
            for number, shape in enumerate(((1, 2), (2, 2), (2, 1)), start=1)
        }
        network = Network(layers, parameters, SquaredErrorLoss())
        for found in check_network(network, np.ones((1, 3)), rng.standard_normal((1, 3))):
            assert found.passed, found


def test_the_step_function_has_no_gradient_and_passes():
    layers = [LayerSpec(units=2, activation="step"), LayerSpec(units=1)]
    graph = passed_through(layers, SquaredErrorLoss(), [[1.0]], [[1.0]], [[0.5, -0.3]], [[0.2], [0.4]])
    found = check(graph, Symbol("W", 1))
    assert (found.analytic, found.numeric, found.verdict) == (0.0, 0.0, "good")


def test_saturated_gradients_pass():
    layers = [LayerSpec(units=1, activation="sigmoid")]
    for weight in (-800.0, 800.0):
        for label in (0.0, 1.0):
            graph = passed_through(layers, BceLoss(), [[1.0]], [[label]], [[weight]])
            assert check(graph, Symbol("W", 1)).passed


def test_large_parameters_are_sampled():
    rng = np.random.default_rng(1)
    parameters = {Symbol("W", 1): rng.standard_normal((30, 70)), Symbol("W", 2): rng.standard_normal((70, 1))}
    layers = [LayerSpec(units=70, activation="tanh"), LayerSpec(units=1)]
    network = Network(layers, parameters, SquaredErrorLoss())
    X, Y = rng.standard_normal((30, 2)), rng.standard_normal((1, 2))
    heard: list[int] = []
    first, second = check_network(network, X, Y, told=heard.append)
    assert (first.entries, first.checked) == (2100, 200)
    assert (second.entries, second.checked) == (70, 70)
    assert sum(heard) == 270
    assert first.passed
    again, _ = check_network(network, X, Y)
    assert again.worst.ref.entry == first.worst.ref.entry, "the seed decides which entries"


def test_which_entries_are_checked():
    sizes = {Symbol("W", 1): ALL_CHECKED - 10, Symbol("b", 1): 10}
    assert entries_to_check(sizes) == sizes, "all of a small network"
    deep = {Symbol("W", number): 4096 for number in range(1, 51)}
    assert set(entries_to_check(deep).values()) == {SAMPLED // 50}
    assert entries_to_check(deep, every=True) == deep


def test_every_entry_can_be_asked_for():
    rng = np.random.default_rng(5)
    network = Network(
        [LayerSpec(units=45, activation="tanh")],
        {Symbol("W", 1): rng.standard_normal((45, 45))},
        SquaredErrorLoss(),
    )
    X, Y = rng.standard_normal((45, 1)), rng.standard_normal((45, 1))
    (found,) = check_network(network, X, Y, every=True)
    assert (found.checked, found.failed) == (2025, 0)


# ── many in one pass ────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=40)
@given(case=cases(max_depth=5, max_width=4, max_n=4, norms=(None, "layer")))
def test_many_differences_in_one_pass_are_those_of_single_ones(case: Case):
    assume(not case.network.loss.l2)  # a weight then acts by two ops, and nothing is stacked
    graph = case.graph()
    stack = StackedDifferences(case.network, graph, 8)
    for name in case.network.parameters:
        node = graph.nodes[name]
        entries = [divmod(place, node.shape[1]) for place in range(min(node.value.size, 2))]
        moves = [(entry, offset) for entry in entries for offset in (-1e-3, 1e-3, 0.2)]
        losses, crosses = stack.losses(node, moves)
        for (entry, offset), loss, crossed in zip(moves, losses, crosses, strict=True):
            difference = CentralDifference(graph, node)
            difference.choose(EntryRef(node, entry))
            assert loss == pytest.approx(difference.loss_at(offset), rel=1e-12, abs=1e-300)
            assert crossed == difference.changes_piece(offset)
            difference.restore()
        stack.settle(node)


def test_batch_norm_mixes_the_samples_so_nothing_is_stacked():
    layers = [LayerSpec(units=2, norm="batch"), LayerSpec(units=1)]
    weights = [[0.3, -0.2]], [[0.5], [0.4]]
    graph = passed_through(layers, SquaredErrorLoss(), [[1.0, 2.0, 4.0]], [[1.0, 0.0, 1.0]], *weights)
    assert StackedDifferences.room_for(graph) == 0


def test_a_step_is_made_smaller_until_no_kink_lies_within():
    graph = relu_units([[1.0]], [[1.0]], [[1e-6]], [[0.7]])
    difference = CentralDifference(graph, graph.nodes[Symbol("W", 1)])
    difference.choose(EntryRef(difference.node, (0, 0)))
    step = difference.smaller_step(1e-4)
    assert 1e-8 <= step < 1e-6
    assert not difference.crosses_kink(step)
    difference.restore()


# ── saturation ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("x", [20.0, 30.0, 33.0, 40.0, 300.0])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_saturated_sigmoid_with_a_right_gradient_is_good(x: float, mirrored: bool):
    layers = [LayerSpec(units=1, activation="sigmoid")]
    f, y = (-x, 0.0) if mirrored else (x, 1.0)
    graph = passed_through(layers, BceLoss(), [[f]], [[y]], [[1.0]])
    found = check(graph, Symbol("W", 1))
    assert found.verdict == "good"
    assert found.analytic == pytest.approx((1 if mirrored else -1) * f * math.exp(-x), rel=1e-8)


@pytest.mark.parametrize("x", [20.0, 33.0, 40.0])
def test_a_saturated_softmax_with_a_right_gradient_is_good(x: float):
    layers = [LayerSpec(units=3, activation="softmax")]
    graph = passed_through(layers, CrossEntropyLoss(), [[x]], [[1.0], [0.0], [0.0]], [[1.0, 0.0, 0.1]])
    for unit in range(3):
        assert check(graph, Symbol("W", 1), (0, unit)).agrees
    graph.nodes[Symbol("W", 1)].grad[0, 0] *= 1.0001
    assert not check(graph, Symbol("W", 1)).passed


@settings(max_examples=40)
@given(
    case=cases(max_depth=4, max_width=4, max_n=4, activations=("sigmoid", "tanh", "softplus", "relu")),
    gain=st.sampled_from((3.0, 10.0, 30.0)),
)
def test_right_gradients_of_saturated_networks_pass(case: Case, gain: float):
    for value in case.network.parameters.values():
        value *= gain
    assume(has_spread(case))
    for found in check_network(case.network, case.X, case.Y):
        assert found.passed, found


@settings(max_examples=60)
@given(
    case=cases(max_depth=4, max_width=4, max_n=4),
    data=st.data(),
    gain=st.sampled_from((1.0, 3.0)),
    factor=st.sampled_from((1.0001, 0.9999)),
)
def test_a_gradient_that_is_wrong_by_one_in_ten_thousand_fails(
    case: Case, data: st.DataObject, gain: float, factor: float
):
    for value in case.network.parameters.values():
        value *= gain
    graph = case.graph()
    ref = drawn_ref(data, graph, "W", "b")
    right = check_entry(graph, ref)
    assume(right.verdict == "good" and right.analytic != 0.0)
    # What the difference could not resolve, or backward itself, cannot be told from a wrong one.
    resolved = right.noise + BackwardRounding(graph).of(ref)
    assume(2e-5 * abs(right.analytic) > resolved)
    ref.node.grad[ref.entry] *= factor
    wrong = check_entry(graph, ref)
    assert wrong.verdict == "suspicious", wrong


def test_xor_after_thirty_thousand_steps_passes():
    trainer = Trainer(load_experiment("xor"))
    trainer.limit = None
    for _ in range(30_000):
        trainer.step(measure=False)
    for found in check_network(trainer.network, trainer.data.X, trainer.data.Y):
        assert found.passed, found


@pytest.mark.parametrize("label", [1e200, -1e160])
def test_a_loss_that_has_overflowed_is_not_finite_even_where_backward_says_0(label: float):
    graph = passed_through(
        [LayerSpec(units=1, activation="step")], SquaredErrorLoss(), [[1.0]], [[label]], [[1.0]]
    )
    found = check(graph, Symbol("W", 1))
    assert (found.analytic, found.verdict, found.passed) == (0.0, "not finite", False)
    assert math.isnan(relative_error(0.0, math.nan))


def test_a_float32_network_is_checked_in_float64():
    rng = np.random.default_rng(2)
    parameters = {Symbol("W", 1): rng.standard_normal((3, 2)).astype("float32")}
    layers = [LayerSpec(units=2, activation="tanh")]
    network = Network(layers, parameters, SquaredErrorLoss(), np.dtype("float32"))
    X, Y = rng.standard_normal((3, 4)).astype("float32"), rng.standard_normal((2, 4)).astype("float32")
    (found,) = check_network(network, X, Y)
    assert found.worst.verdict == "good"
    assert found.worst.relative_error < 1e-8
    assert network.parameters[Symbol("W", 1)].dtype == np.float32


@pytest.mark.parametrize(
    ("analytic", "numeric", "expected"),
    [(0.0, 0.0, 0.0), (1.0, 1.0, 0.0), (1.0, 0.5, 0.5), (-1.0, 1.0, 2.0), (0.0, 1e-9, 1.0)],
)
def test_relative_error(analytic: float, numeric: float, expected: float):
    assert relative_error(analytic, numeric) == expected
    assert relative_error(numeric, analytic) == expected


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_relative_error_of_what_is_not_finite_is_nan(bad: float):
    assert math.isnan(relative_error(bad, 1.0))
    assert math.isnan(relative_error(1.0, bad))
