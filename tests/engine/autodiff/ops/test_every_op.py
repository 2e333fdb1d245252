"""What every op promises, shown on random numbers: value, formula, local derivatives and backward agree.

The one independent witness is the forward pass, from which the full Jacobian is measured
by central differences. Everything else that an op says about itself is held against it.
"""

import importlib
import inspect
import math
import pkgutil

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import engine.autodiff.ops
from engine.autodiff.graph import EVERY_COLUMN, Graph, Node, Op
from engine.autodiff.ops.activation_functions import ACTIVATIONS
from engine.autodiff.ops.arithmetic import FUNCTIONS, OPERATIONS, PairRule
from engine.autodiff.ops.elementwise import ScalarFunction
from engine.autodiff.ops.loss import Loss
from engine.autodiff.ops.normalization import NormalizationStd
from engine.autodiff.ops.regression_losses import Distance
from engine.formula.expression import Entry
from tests.engine.autodiff.ops.op_cases import (
    CASES,
    OpCase,
    compute,
    compute_after,
    empty_graph,
    log_magnitude,
)

every_case = pytest.mark.parametrize("case", CASES, ids=str)
few = settings(max_examples=12)
seeds, sizes = st.integers(0, 2**32 - 1), st.integers(1, 4)


# ── nothing is left out ─────────────────────────────────────────────────────────────────────────────

OP_MODULES = [
    importlib.import_module(f"engine.autodiff.ops.{module.name}")
    for module in pkgutil.iter_modules(engine.autodiff.ops.__path__)
]


def test_every_op_has_a_case():
    kinds = {
        kind
        for module in OP_MODULES
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Op) and not inspect.isabstract(kind) and not kind.__name__.startswith("_")
    }
    # A FormulaLoss is whatever a specification says: tests/engine/test_added_things.py describes one.
    assert {kind for kind in kinds if kind.__name__ != "FormulaLoss"} == {case.kind for case in CASES}


def test_every_rule_is_in_a_table_and_has_a_case():
    defined = {
        id(rule): rule.name
        for module in OP_MODULES
        for _, rule in inspect.getmembers(
            module, lambda member: isinstance(member, ScalarFunction | PairRule)
        )
    }
    tables = [*ACTIVATIONS.values(), *FUNCTIONS.values(), *OPERATIONS.values()]
    assert set(defined) <= {id(rule) for rule in tables}
    assert {id(rule) for rule in tables} <= {id(case.rule) for case in CASES}
    for table in (ACTIVATIONS, FUNCTIONS, OPERATIONS):
        assert all(name == rule.name for name, rule in table.items())


# ── what is measured ────────────────────────────────────────────────────────────────────────────────


def entries_of(node: Node) -> list[Entry]:
    return list(np.ndindex(node.shape))


def measured_jacobian(graph: Graph, op: Op, node: Node) -> dict[Entry, np.ndarray]:
    """For each entry of `node`, ∂output/∂entry for all of the output: central differences, extrapolated."""

    def output_at(entry: Entry, value: float) -> np.ndarray:
        node.value[entry] = value
        compute_after(graph, node)
        return op.output.value.copy()

    def slope(entry: Entry, value: float, step: float) -> np.ndarray:
        return (output_at(entry, value + step) - output_at(entry, value - step)) / (2 * step)

    jacobian = {}
    for entry in entries_of(node):
        value = float(node.value[entry])
        step = 1e-3
        if isinstance(op, Loss) and node is op.inputs[0]:
            step *= abs(value)  # a probability moves in proportion to itself
        elif isinstance(op, NormalizationStd):
            step = 1e-4  # without spread it is curved within √EPSILON = 0.003
        jacobian[entry] = (4 * slope(entry, value, step / 2) - slope(entry, value, step)) / 3
        output_at(entry, value)
    return jacobian


def near_kink(case: OpCase, op: Op) -> bool:
    """Whether a piecewise function is so near a kink that a difference would cross it."""
    if isinstance(case.rule, ScalarFunction):
        kinks = (0.0,) if case.rule.name == "elu" else case.rule.kinks  # elu's curvature jumps
        return any(np.abs(op.inputs[0].value - kink).min() < 0.002 for kink in kinks)
    if isinstance(case.rule, PairRule):
        return bool(np.abs(op.inputs[0].value - op.inputs[1].value).min() < 0.004)
    if isinstance(op, Distance):  # Huber's curvature jumps at ±0.7
        distance = np.abs(op.inputs[0].value - op.inputs[1].value)
        return bool(min(distance.min(), np.abs(distance - 0.7).min()) < 0.002)
    return False


def differentiable_inputs(op: Op) -> list[tuple[int, Node]]:
    return [(i, node) for i, node in enumerate(op.inputs) if node.needs_gradient]


@every_case
@few
@given(seed=seeds, rows=sizes, n=sizes)
def test_local_is_the_measured_derivative(case: OpCase, seed: int, rows: int, n: int):
    graph, op = case.build(np.random.default_rng(seed), rows, n)
    assume(not near_kink(case, op))
    for i, node in differentiable_inputs(op):
        for entry, measured in measured_jacobian(graph, op, node).items():
            said = np.zeros(op.output.shape)
            for output_entry, formula in op.local(i, entry):
                assert said[output_entry] == 0.0, "each output entry is listed once"
                said[output_entry] = formula.evaluate(graph.value_of)
            # All of the Jacobian: what `local` does not list must be 0.
            np.testing.assert_allclose(said, measured, rtol=1e-6, atol=1e-7)


@every_case
@few
@given(seed=seeds, rows=sizes, n=sizes)
def test_formula_evaluates_to_the_forward_value(case: OpCase, seed: int, rows: int, n: int):
    graph, op = case.build(np.random.default_rng(seed), rows, n)
    for entry in entries_of(op.output):
        value = op.formula(entry).evaluate(graph.value_of)
        assert value == pytest.approx(op.output.value[entry], rel=1e-12, abs=1e-12)


@every_case
@few
@given(seed=seeds, rows=sizes, n=sizes)
def test_backward_is_the_sum_over_local(case: OpCase, seed: int, rows: int, n: int):
    rng = np.random.default_rng(seed)
    graph, op = case.build(rng, rows, n)
    upstream = np.ones((1, 1)) if case.is_loss else rng.standard_normal(op.output.shape)
    op.output.grad[...] = upstream
    for _, node in differentiable_inputs(op):
        node.grad[...] = np.nan  # backward must write, whatever was there
    op.backward()
    for i, node in differentiable_inputs(op):
        for entry in entries_of(node):
            total = sum(f.evaluate(graph.value_of) * upstream[o] for o, f in op.local(i, entry))
            assert node.grad[entry] == pytest.approx(total, rel=1e-12, abs=1e-12)


@every_case
@few
@given(seed=seeds, rows=sizes, n=sizes)
def test_local_values_single_formulas_and_reach_agree_with_local(case: OpCase, seed: int, rows: int, n: int):
    graph, op = case.build(np.random.default_rng(seed), rows, n)
    for i, node in differentiable_inputs(op):
        for entry in entries_of(node):
            listed = list(op.local(i, entry))
            (row, column), values = op.local_values(i, entry, graph.value_of)
            assert list(zip(row.tolist(), column.tolist(), strict=True)) == [o for o, _ in listed]
            assert values == pytest.approx([f.evaluate(graph.value_of) for _, f in listed], rel=1e-15)
            assert op.fan_out(i) == len(listed)
            for reached, formula in listed:
                assert op.local_at(i, entry, reached) == formula


@every_case
@few
@given(seed=seeds, rows=sizes, n=sizes)
def test_strongest_is_the_best_over_local(case: OpCase, seed: int, rows: int, n: int):
    rng = np.random.default_rng(seed)
    graph, op = case.build(rng, rows, n)
    beyond = np.where(rng.random(op.output.shape) < 0.2, -np.inf, rng.standard_normal(op.output.shape))
    sample = int(rng.integers(n))
    for columns in (EVERY_COLUMN, slice(sample, sample + 1)):
        if columns != EVERY_COLUMN and case.couples_samples:
            continue  # then all samples are looked at
        own = beyond[:, columns] if op.output.per_sample else beyond
        for i, node in differentiable_inputs(op):
            with np.errstate(divide="ignore"):
                found = op.strongest(i, own, columns)
            expected = np.full(node.shape, -np.inf)
            for entry in entries_of(node):
                for o, formula in op.local(i, entry):
                    if not op.output.per_sample or o[1] in range(n)[columns]:
                        total = log_magnitude(formula.evaluate(graph.value_of)) + beyond[o]
                        expected[entry] = max(expected[entry], total)
            if node.per_sample:
                expected = expected[:, columns]
            assert_same_strength(found, expected)


def assert_same_strength(found: np.ndarray, expected: np.ndarray) -> None:
    """The logarithms agree, except near a derivative's root (gelu, silu), where only the values can."""
    same = np.isclose(found, expected, rtol=1e-12, atol=1e-12)
    near_a_root = np.isclose(np.exp(found), np.exp(expected), rtol=0, atol=1e-14)
    assert np.all(same | near_a_root), f"{found} is not {expected}"


# ── gradients that meet ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("case", [case for case in CASES if not case.is_loss], ids=str)
@few
@given(seed=seeds, rows=sizes, n=sizes)
def test_gradients_of_two_consumers_add_up(case: OpCase, seed: int, rows: int, n: int):
    rng = np.random.default_rng(seed)
    graph = empty_graph(n)
    inputs = case.inputs(graph, rng, rows, n)
    ops = [case.make(graph, inputs, "o"), case.make(graph, inputs, "p")]
    graph.finish()
    compute(graph)
    for op in ops:
        op.output.grad[...] = rng.standard_normal(op.output.shape)
    for node in inputs:
        node.grad[...] = np.nan
    for op in reversed(ops):
        op.backward()
    for i, node in enumerate(inputs):
        for entry in entries_of(node):
            total = sum(
                f.evaluate(graph.value_of) * op.output.grad[o] for op in ops for o, f in op.local(i, entry)
            )
            assert node.grad[entry] == pytest.approx(total, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    "case", [case for case in CASES if str(case) == "add" or isinstance(case.rule, PairRule)], ids=str
)
@few
@given(seed=seeds, rows=sizes, n=sizes)
def test_the_same_node_on_both_sides(case: OpCase, seed: int, rows: int, n: int):
    rng = np.random.default_rng(seed)
    graph = empty_graph(n)
    x = case.inputs(graph, rng, rows, n)[0]
    op = case.make(graph, [x, x], "o")
    graph.finish()
    compute(graph)
    op.output.grad[...] = upstream = rng.standard_normal(op.output.shape)
    op.backward()
    for entry in entries_of(x):
        partials = [f.evaluate(graph.value_of) for i in (0, 1) for _, f in op.local(i, entry)]
        assert x.grad[entry] == pytest.approx(sum(partials) * upstream[entry], rel=1e-12, abs=1e-12)
    for entry, measured in measured_jacobian(graph, op, x).items():
        total = sum(f.evaluate(graph.value_of) for i in (0, 1) for _, f in op.local(i, entry))
        assert total == pytest.approx(measured[entry], rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("case", [case for case in CASES if "of logits" in str(case)], ids=str)
@few
@given(seed=seeds, rows=sizes, n=sizes)
def test_a_fused_loss_sends_the_product_of_both_factors(case: OpCase, seed: int, rows: int, n: int):
    graph, loss = case.build(np.random.default_rng(seed), rows, n)
    assert isinstance(loss, Loss)
    graph.backward()
    logits, prediction = graph.ops[0].inputs[0], loss.inputs[0]
    measured = measured_jacobian(graph, loss, logits)
    for entry in entries_of(logits):
        products = [
            (above, loss.by_prediction(above).evaluate(graph.value_of) * f.evaluate(graph.value_of))
            for above, f in graph.ops[0].local(0, entry)
        ]
        gradient = logits.grad[entry]
        assert gradient == pytest.approx(math.fsum(p for _, p in products), rel=1e-11, abs=1e-13)
        assert gradient == pytest.approx(measured[entry][0, 0], rel=1e-6, abs=1e-7)
        for above, product in products:
            assert loss.fused_product(above, entry) == pytest.approx(product, rel=1e-11, abs=1e-13)
        lines = loss.simplification(entry)
        assert len(lines) >= 2
        for line in lines:
            assert line.evaluate(graph.value_of) == pytest.approx(gradient, rel=1e-11, abs=1e-13)
        assert prediction.grad[entry] == pytest.approx(
            loss.by_prediction(entry).evaluate(graph.value_of), rel=1e-13
        )
