"""The graph: arrays made once and written in place, gradients that add where ways part, and partial recomputation."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from engine.autodiff.array_memory import ScratchMemory
from engine.autodiff.graph import Graph
from engine.autodiff.ops.activation_functions import ACTIVATIONS
from engine.autodiff.ops.arithmetic import OPERATIONS, PairwiseArithmetic
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.linear import Linear
from engine.autodiff.ops.residual import ResidualAdd
from engine.formula.expression import Symbol


def shared_weight() -> Graph:
    """One matrix and one bias used in two layers, and a way around the second: everything that must add up."""
    graph = Graph(2, np.dtype("float64"), constants={"n": 2.0})
    x = graph.leaf(Symbol("X"), np.array([[1.0, -2.0], [0.5, 3.0]]), per_sample=True)
    W = graph.leaf(Symbol("W", 1), np.array([[0.3, -0.2], [0.4, 0.9]]))
    b = graph.leaf(Symbol("b", 1), np.array([[0.1], [-0.3]]))
    first = graph.add(Linear([W, x, b], graph.result(Symbol("f", 1), (2, 2), (W, x))))
    a = graph.add(Elementwise(ACTIVATIONS["tanh"], first, graph.result(Symbol("a", 1), (2, 2), (first,))))
    second = graph.add(Linear([W, a, b], graph.result(Symbol("f", 2), (2, 2), (W, a))))
    total = graph.add(ResidualAdd((second, a), graph.result(Symbol("s"), (2, 2), (second, a))))
    ones = graph.leaf(Symbol("c", 1), np.ones((2, 1)), needs_gradient=False)
    rows = graph.add(Linear([ones, total], graph.result(Symbol("r"), (1, 2), (total,))))
    squared = graph.add(
        PairwiseArithmetic(OPERATIONS["multiply"], (rows, rows), graph.result(Symbol("q"), (1, 2), (rows,)))
    )
    one = graph.leaf(Symbol("c", 2), np.ones((1, 1)), needs_gradient=False)
    column = graph.add(Linear([squared, one], graph.result(Symbol("t"), (2, 1), (squared,))))
    graph.add(Linear([ones, column], graph.result(Symbol("E"), (1, 1), (column,))))
    return graph


def loss_graph() -> Graph:
    """E = Σ over a row of (Wᵀx)², with one sample."""
    graph = Graph(1, np.dtype("float64"))
    x = graph.leaf(Symbol("x"), np.array([[1.0], [2.0]]), per_sample=True)
    W = graph.leaf(Symbol("W", 1), np.array([[0.5], [-1.0]]))
    f = graph.add(Linear([W, x], graph.result(Symbol("f", 1), (1, 1), (W, x))))
    graph.add(PairwiseArithmetic(OPERATIONS["multiply"], (f, f), graph.result(Symbol("E"), (1, 1), (f,))))
    return graph


def test_forward_returns_the_loss_and_backward_the_gradients():
    graph = loss_graph().finish()
    assert graph.forward() == 2.25
    graph.backward()
    assert_array_equal(graph.nodes[Symbol("W", 1)].grad, [[-3.0], [-6.0]])
    assert_array_equal(graph.nodes[Symbol("x")].grad, [[-1.5], [3.0]])
    assert graph.loss.symbol == Symbol("E")
    assert graph.loss.grad[0, 0] == 1.0


def test_gradients_add_up_over_every_way_and_do_not_accumulate():
    graph = shared_weight().finish()

    for _ in range(2):  # a second pass finds the same
        graph.forward()
        graph.backward()
        for name in (Symbol("W", 1), Symbol("b", 1), Symbol("X")):
            node = graph.nodes[name]
            for entry in np.ndindex(node.shape):
                value = node.value[entry]
                node.value[entry] = value + 1e-6
                above = graph.forward()
                node.value[entry] = value - 1e-6
                below = graph.forward()
                node.value[entry] = value
                graph.forward()
                assert node.grad[entry] == pytest.approx((above - below) / 2e-6, rel=1e-7)


def test_arrays_are_made_once():
    graph = shared_weight().finish()
    arrays = [(node.value, node.grad) for node in graph.nodes.values()]
    for _ in range(2):
        graph.forward()
        graph.backward()
    for node, (value, gradient) in zip(graph.nodes.values(), arrays, strict=True):
        assert node.value is value
        assert node.grad is gradient


def test_a_leaf_uses_the_array_it_is_given():
    array = np.array([[1.0], [2.0]])
    graph = Graph(1, np.dtype("float64"))
    assert graph.leaf(Symbol("x"), array).value is array


def test_two_nodes_of_one_name_are_refused():
    graph = loss_graph()
    with pytest.raises(ValueError, match=r"^the graph already has a node named W\[1\]$"):
        graph.leaf(Symbol("W", 1), np.ones((1, 1)))


def test_consumers_and_makers_are_known():
    graph = loss_graph().finish()
    f, W = graph.nodes[Symbol("f", 1)], graph.nodes[Symbol("W", 1)]
    linear, square = graph.ops
    assert W.consumers == [(linear, 0)]
    assert f.consumers == [(square, 0), (square, 1)]
    assert f.op is linear
    assert W.op is None
    assert repr(W) == "Node(W[1], 2×1)"


def test_what_needs_no_gradient_gets_none():
    graph = shared_weight().finish()
    constant = graph.nodes[Symbol("c", 1)]
    assert constant.grad.size == 0
    assert all(node.grad.shape == node.shape for node in graph.nodes.values() if node.needs_gradient)


def test_a_result_of_constants_needs_no_gradient():
    graph = Graph(1, np.dtype("float64"))
    constant = graph.leaf(Symbol("c"), np.ones((1, 1)), needs_gradient=False)
    variable = graph.leaf(Symbol("x"), np.ones((1, 1)))
    assert not graph.result(Symbol("p"), (1, 1), (constant,)).needs_gradient
    assert graph.result(Symbol("q"), (1, 1), (constant, variable)).needs_gradient


def test_without_gradients_none_are_allocated():
    graph = loss_graph().finish(gradients=False)
    assert graph.forward() == 2.25
    assert all(node.grad.size == 0 for node in graph.nodes.values())


def test_recompute_runs_only_what_lies_after_a_node():
    graph = loss_graph().finish()
    graph.forward()
    f, W = graph.nodes[Symbol("f", 1)], graph.nodes[Symbol("W", 1)]
    f.value[0, 0] = 3.0  # not Wᵀx; only what follows is computed anew
    assert graph.recompute(f) == 9.0
    assert f.value[0, 0] == 3.0
    W.value[0, 0] = 1.0
    assert graph.recompute(W) == 1.0
    assert f.value[0, 0] == -1.0


def test_value_of_knows_nodes_entries_and_constants():
    graph = shared_weight().finish()
    graph.forward()
    assert graph.value_of(Symbol("n")) == 2.0
    assert graph.value_of(Symbol("X", None, (1, 0))) == 0.5
    assert graph.value_of(Symbol("W", 1, (0, 1))) == -0.2
    with pytest.raises(KeyError):
        graph.value_of(Symbol("W", 9, (0, 0)))


def test_scratch_is_shared_by_shape_and_slot():
    scratch = ScratchMemory(np.dtype("float32"))
    first = scratch.like(np.zeros((2, 3)))
    assert first.dtype == np.float32
    assert scratch.like(np.ones((2, 3))) is first
    assert scratch.like(np.ones((2, 3)), slot=1) is not first
    assert scratch.like(np.ones((3, 2))) is not first
