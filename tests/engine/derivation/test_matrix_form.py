"""Matrix products: every line agrees with the graph, every shape multiplies, and a wrong number is noticed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.autodiff.graph import Graph
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.matrix_form import MatrixLine, contribution, matrix_lines
from engine.experiment.loading import load_experiment
from engine.experiment.spec import LayerSpec, SquaredErrorLoss
from engine.formula.expression import Expr, Partial, Symbol
from engine.model.network import Network
from tests.engine.networks import SMALL_PRESETS, Case, cases, is_unsaturated, is_well_conditioned


def preset(name: str) -> Graph:
    return EvaluatedExperiment.of(load_experiment(name), name).graph


def held(graph: Graph, name: Expr) -> np.ndarray:
    """The matrix that the graph holds under a line's name."""
    return graph.nodes[name.by].grad if isinstance(name, Partial) else graph.nodes[name].value


def assert_shapes_fit(line: MatrixLine) -> None:
    shapes = [factor.shape for factor in line.factors]
    match line.operator:
        case "·":
            (rows, inner), (inner_too, columns) = shapes
            assert inner == inner_too
            assert line.shape == (rows, columns)
        case "⊙" | "+" | "-":
            assert shapes == [line.shape, line.shape]
        case "/":
            assert np.broadcast_shapes(*shapes) == np.broadcast_shapes(shapes[0], line.shape)


# ── every line ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", SMALL_PRESETS)
def test_every_line_of_every_preset_agrees(name):
    graph = preset(name)
    lines = list(matrix_lines(graph))
    assert [line for line in lines if not line.agrees] == []
    assert [line.phase for line in lines] == sorted((line.phase for line in lines), reverse=True)
    for line in lines:
        assert_shapes_fit(line)
        assert line.shape == held(graph, line.result).shape


@given(cases(), st.booleans())
def test_every_line_of_random_networks_agrees(case: Case, single: bool):
    if single and not is_well_conditioned(case, margin=1e-3, least_slope=1e-2, least_spread=1e-1):
        single = False
    graph = (case.in_float32() if single else case).graph()
    for line in matrix_lines(graph):
        # Where a prediction has rounded to 0 or 1, its gradient is not finite and nothing can be compared.
        assert line.agrees or (line.undefined and not is_unsaturated(graph)), line
        assert_shapes_fit(line)


@given(cases(max_depth=3))
def test_every_matrix_that_is_computed_has_its_line(case: Case):
    graph = case.graph()
    lines = list(matrix_lines(graph))
    forward = [line.result for line in lines if line.phase == "forward"]
    assert forward == [op.output.symbol for op in graph.ops]
    backward = {line.result for line in lines if line.phase == "backward"}
    wanted = {
        Partial(Symbol("E"), node.symbol)
        for node in graph.nodes.values()
        if node.needs_gradient and not node.scalar
    }
    assert wanted == backward


@given(cases(max_depth=3))
def test_a_product_is_the_product_of_the_factors_that_it_names(case: Case):
    for line in matrix_lines(case.graph()):
        for factor in line.factors:
            assert factor.value.shape == factor.shape
        if line.operator == "·" and not line.remark:
            first, second = (factor.value for factor in line.factors)
            np.testing.assert_allclose(first @ second, held(case.graph(), line.result), rtol=1e-9, atol=1e-9)


@given(cases(max_depth=3, norms=(None,)))
def test_contributions_of_all_consumers_add_up_to_the_gradient(case: Case):
    graph = case.graph()
    for node in graph.nodes.values():
        ops = [(op, i) for op, i in node.consumers if not op.fused and op is not graph.ops[-1]]
        if not node.needs_gradient or not ops or len(ops) != len(node.consumers):
            continue
        try:
            total = sum(contribution(op, i) for op, i in ops)
        except TypeError:
            continue  # softmax below a squared error has no matrix form of its own
        np.testing.assert_allclose(total, node.grad, rtol=1e-9, atol=1e-12)


# ── the tutorial ────────────────────────────────────────────────────────────────────────────────────


def test_b4_the_shapes_of_the_hidden_layer():
    shapes = {
        line.result.plain(): (*(factor.shape for factor in line.factors), line.shape)
        for line in matrix_lines(preset("tutorial-b"))
        if line.operator == "·"
    }
    assert shapes == {
        "f[1]": ((2, 3), (3, 1), (2, 1)),
        "f[2]": ((1, 2), (2, 1), (1, 1)),
        Partial(Symbol("E"), Symbol("W", 2)).plain(): ((2, 1), (1, 1), (2, 1)),
        Partial(Symbol("E"), Symbol("a", 1)).plain(): ((2, 1), (1, 1), (2, 1)),
        Partial(Symbol("E"), Symbol("W", 1)).plain(): ((3, 1), (1, 2), (3, 2)),
        Partial(Symbol("E"), Symbol("X")).plain(): ((3, 2), (2, 1), (3, 1)),
    }


def test_the_prediction_error_is_told_with_its_weights():
    (line,) = [line for line in matrix_lines(preset("tutorial-a-weighted")) if line.operator == "-"]
    assert line.remark == "entry by entry, with α = 10 and β = 1"
    assert line.divisor == Symbol("n")


def test_every_difference_is_the_gradient_that_it_is_said_to_be():
    """With weights as well, where Ŷ - Y is not."""
    for name in ("tutorial-a", "tutorial-a-wine", "tutorial-a-weighted", "tutorial-a-loss-weighted"):
        graph = preset(name)
        (line,) = [line for line in matrix_lines(graph) if line.operator == "-"]
        left, right = line.factors
        difference = (left.value - right.value) / (graph.n if line.divisor else 1)
        np.testing.assert_allclose(difference, graph.nodes[Symbol("f", 1)].grad, rtol=1e-12)
        for factor in line.factors:
            for entry in ((0, 0), (0, graph.n - 1)):

                def value_of(symbol, graph=graph, entry=entry):
                    whole = symbol.name not in graph.constants
                    return graph.value_of(symbol.at(entry) if whole else symbol)

                assert factor.name.evaluate(value_of) == pytest.approx(factor.value[entry], rel=1e-12)


def test_a_single_sample_is_not_divided_by_n():
    (alone,) = [line for line in matrix_lines(preset("tutorial-a")) if line.operator == "-"]
    assert alone.divisor is None


def test_a_bias_is_added_in_a_remark_and_its_gradient_sums_over_the_samples():
    lines = {line.result: line for line in matrix_lines(preset("xor"))}
    assert "plus b[1]" in lines[Symbol("f", 1)].remark
    bias = lines[Partial(Symbol("E"), Symbol("b", 1))]
    assert [factor.name.plain() for factor in bias.factors][1] == "ones"


def test_where_several_feed_on_a_matrix_its_lines_are_contributions():
    lines = [
        line
        for line in matrix_lines(preset("residual-fork"))
        if line.result == Partial(Symbol("E"), Symbol("a", 1))
    ]
    assert len(lines) == 2
    assert all("one of several contributions, which add up" in line.remark for line in lines)


# ── a wrong number is noticed ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["tutorial-a", "tutorial-b", "xor", "residual-fork", "batch-norm"])
def test_a_corrupted_gradient_is_noticed(name):
    for symbol in preset(name).nodes:
        graph = preset(name)
        node = graph.nodes[symbol]
        if not node.needs_gradient or node is graph.loss:
            continue
        node.grad[0, 0] += 1e-3
        wrong = {line.result for line in matrix_lines(graph) if not line.agrees}
        assert Partial(Symbol("E"), symbol) in wrong, symbol


@pytest.mark.parametrize("name", ["tutorial-a", "tutorial-b", "xor", "residual-fork", "batch-norm"])
def test_a_corrupted_value_is_noticed(name):
    for op_number, op in enumerate(preset(name).ops):
        graph = preset(name)
        graph.nodes[op.output.symbol].value[0, 0] += 0.01
        wrong = {line.result for line in matrix_lines(graph) if line.phase == "forward" and not line.agrees}
        assert op.output.symbol in wrong, op_number


def test_a_line_says_what_it_is():
    line = next(iter(matrix_lines(preset("tutorial-a"))))
    assert replace(line, agrees=False).agrees is False
    assert line.result == Symbol("f", 1)
    assert [factor.transposed for factor in line.factors] == [True, False]


def test_products_with_nan_are_not_said_to_agree():
    layers = [LayerSpec(units=2, activation="linear"), LayerSpec(units=1, activation="linear")]
    parameters = {Symbol("W", 1): np.array([[1e200, 1e200]]), Symbol("W", 2): np.array([[1.0], [-1.0]])}
    graph = Network(layers, parameters, SquaredErrorLoss()).graph(np.array([[1e200]]), np.array([[0.0]]))
    graph.forward()
    graph.backward()
    for line in matrix_lines(graph):
        node = graph.nodes[line.result.by] if isinstance(line.result, Partial) else graph.nodes[line.result]
        matrix = node.grad if isinstance(line.result, Partial) else node.value
        assert line.undefined == bool(np.isnan(matrix).any()), line
        assert not (line.undefined and line.agrees)
    assert any(line.undefined for line in matrix_lines(graph))
