"""The Jacobian over the samples: equal to the numeric one, and diagonal exactly where it says so."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.autodiff.graph import Array, Graph
from engine.derivation.chain_rule import explain
from engine.derivation.edges import Edge, edges_from
from engine.derivation.entry_ref import EntryRef
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.jacobian import SampleJacobian, sample_jacobian
from engine.experiment.loading import load_experiment
from engine.experiment.toml_decoding import decode
from engine.formula.expression import Symbol
from tests.engine.networks import Case, cases, is_well_conditioned

STEP = 1e-6
SMOOTH = ("tanh", "sigmoid", "linear", "softplus", "gelu", "silu")


def edges_between_samples(graph: Graph) -> list[Edge]:
    """One edge for every pair of matrices with a column for each sample, and every pair of rows."""
    matrices = [node for node in graph.nodes.values() if node.per_sample and node.needs_gradient]
    rows = [EntryRef(node, (row, 0)) for node in matrices for row in range(node.shape[0])]
    edges = [edge for ref in rows for edge in edges_from(ref)]
    return [edge for edge in edges if edge.above.node.per_sample and edge.above.entry[1] == 0]


def numeric(graph: Graph, edge: Edge) -> Array:
    """∂above_i/∂below_j by central differences, the nodes between them (mean and std) moving along.

    What leads from one to the other by way of another matrix with samples in it (a residual block) is another
    edge's business, so those matrices are held.
    """
    below, above = edge.below, edge.above
    ops = [op for op in graph.ops if not op.output.per_sample and op is not graph.ops[-1]] + [edge.op]
    result = np.zeros((graph.n, graph.n))
    for column in range(graph.n):
        place = (below.entry[0], column)
        value = below.node.value[place]
        rows = []
        for moved in (value + STEP, value - STEP):
            below.node.value[place] = moved
            for op in ops:
                if below.node in op.inputs or op is edge.op:
                    op.forward()
            rows.append(above.node.value[above.entry[0]].copy())
        below.node.value[place] = value
        result[:, column] = (rows[0] - rows[1]) / (2 * STEP)
    graph.forward()
    return result


def whole(graph: Graph, edge: Edge) -> SampleJacobian:
    jacobian = sample_jacobian(graph, edge, range(graph.n))
    assert jacobian is not None
    return jacobian


OVERFLOW = """
    [data]
    kind = "inline"
    X = [[1e200, 1.0]]
    Y = [[1e200, 1.0]]
    [[network.layers]]
    units = 1
    activation = "tanh"
    norm = "batch"
    W = [[1e200]]
    [[network.layers]]
    units = 1
    activation = "linear"
    W = [[1e200]]
    [loss]
    kind = "squared_error"
"""


@given(cases(max_depth=3, max_width=3, max_n=5, norms=(None, "batch"), activations=SMOOTH), st.data())
def test_it_is_the_numeric_jacobian(case: Case, data):
    assume(is_well_conditioned(case, margin=0.0, least_slope=1e-3, least_spread=1e-2))
    graph = case.graph()
    edge = data.draw(st.sampled_from(edges_between_samples(graph)))
    assume(edge.above.node is not graph.loss)
    jacobian = whole(graph, edge)
    np.testing.assert_allclose(jacobian.matrix, numeric(graph, edge), rtol=1e-4, atol=1e-5)


@given(cases(max_depth=3, max_width=3, max_n=4))
def test_the_row_times_the_jacobian_is_its_product(case: Case):
    graph = case.graph()
    for edge in edges_between_samples(graph):
        jacobian = whole(graph, edge)
        with np.errstate(all="ignore"):
            expected = jacobian.left @ jacobian.matrix
        np.testing.assert_allclose(jacobian.product, expected, rtol=0, atol=jacobian.rounding)


@given(cases(max_depth=3, max_width=3, max_n=4))
def test_it_says_diagonal_exactly_where_samples_do_not_meet(case: Case):
    graph = case.graph()
    for edge in edges_between_samples(graph):
        jacobian = whole(graph, edge)
        off_diagonal = jacobian.matrix[~np.eye(graph.n, dtype=bool)]
        batch_norm = (
            edge.above.node.symbol.name == "h"
            and not graph.nodes[Symbol("mean", edge.above.node.symbol.layer)].per_sample
        )
        assert jacobian.diagonal == (not batch_norm or graph.n == 1)
        if jacobian.diagonal:
            assert not off_diagonal.any()


@given(cases(max_depth=3, max_width=3, max_n=4, norms=(None,)))
def test_where_one_row_feeds_on_one_other_the_product_is_the_gradient(case: Case):
    """Between an activation and what it is made from, entry by entry: nothing else feeds on it."""
    graph = case.graph()
    for edge in edges_between_samples(graph):
        if edge.below.node.symbol.name == "f" and not edge.op.fused and edge.op.fan_out(edge.i) == 1:
            assert whole(graph, edge).agrees


# ── the tutorials ───────────────────────────────────────────────────────────────────────────────────


def preset(name: str) -> Graph:
    return EvaluatedExperiment.of(load_experiment(name), name).graph


def test_a3_the_sigmoid_of_1100_wines():
    graph = preset("tutorial-a-wine")
    edge = explain(graph, Symbol("W", 1, (0, 0))).edge(1)
    jacobian = sample_jacobian(graph, edge, (0, 500, 1099))
    assert jacobian is not None
    assert jacobian.diagonal
    assert jacobian.agrees
    prediction = graph.nodes[Symbol("Y_hat")].value[0]
    np.testing.assert_allclose(np.diag(jacobian.matrix), (prediction * (1 - prediction))[[0, 500, 1099]])
    np.testing.assert_allclose(
        jacobian.product, (prediction - graph.nodes[Symbol("Y")].value[0]) / 1100, rtol=1e-12
    )


def test_batch_norm_ties_every_sample_to_every_other():
    graph = preset("batch-norm")
    f, h = graph.nodes[Symbol("f", 1)], graph.nodes[Symbol("h", 1)]
    edge = next(edge for edge in edges_from(EntryRef(f, (0, 0))) if edge.above.node is h)
    jacobian = whole(graph, edge)
    assert not jacobian.diagonal
    assert jacobian.agrees
    std = graph.value_of(Symbol("std", 1, (0, 0)))
    rows = h.value[0]
    expected = (np.eye(4) - 0.25 - np.outer(rows, rows) / 4) / std
    np.testing.assert_allclose(jacobian.matrix, expected, atol=1e-12)


def test_without_a_column_for_each_sample_there_is_none():
    graph = preset("batch-norm")
    derivation = explain(graph, Symbol("W", 1, (2, 0)))
    assert sample_jacobian(graph, derivation.edge(0), (0,)) is None  # the loss is one number
    assert sample_jacobian(graph, derivation.edge(len(derivation) - 1), (0,)) is None  # so is the weight


def test_a_shortcut_s_product_is_not_the_whole_gradient():
    graph = preset("residual-fork")
    node = graph.nodes[Symbol("a", 2)]
    edge = next(
        edge for edge in edges_from(EntryRef(node, (1, 0))) if edge.above.node.symbol == Symbol("a", 3)
    )
    jacobian = whole(graph, edge)
    np.testing.assert_array_equal(jacobian.matrix, np.eye(2))
    assert not jacobian.agrees


@pytest.mark.parametrize("name", ["tutorial-a-wine", "batch-norm"])
def test_float32_agrees_within_its_precision(name):
    exact = EvaluatedExperiment.of(load_experiment(name), name)
    network = exact.network.astype("float32")
    case = Case(network, exact.data.X.astype("float32"), exact.data.Y.astype("float32"))
    graph = case.graph()
    f = graph.nodes[Symbol("f", 1)]
    edge = next(edge for edge in edges_from(EntryRef(f, (0, 0))) if edge.above.node.per_sample)
    assert sample_jacobian(graph, edge, (0,)).agrees


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize("weight", [3.0, 9.0, 11.0, 13.5, 19.0])
def test_a_saturated_unit_agrees_although_rounding_is_all_that_its_derivative_is_made_of(activation, weight):
    text = f"""
        [data]
        kind = "inline"
        X = [[1.0, -1.1]]
        Y = [[0.3, 0.9]]
        [network]
        layers = [
            {{ units = 1, activation = "{activation}", residual = true, W = [[{weight}]] }},
            {{ units = 1, activation = "linear", W = [[1.7]] }},
        ]
        [loss]
        kind = "squared_error"
    """
    graph = EvaluatedExperiment.of(decode(textwrap.dedent(text), "saturated"), "saturated").graph
    edge = next(edge for edge in edges_between_samples(graph) if edge.below.node.symbol == Symbol("f", 1))
    assert whole(graph, edge).agrees


def test_what_has_overflowed_agrees_with_nothing_and_warns_of_nothing():
    graph = EvaluatedExperiment.of(decode(textwrap.dedent(OVERFLOW), "overflow")).graph
    (edge,) = edges_from(EntryRef(graph.nodes[Symbol("h", 1)], (0, 0)))
    jacobian = sample_jacobian(graph, edge, [0, 1])
    assert jacobian is not None
    assert not jacobian.agrees
