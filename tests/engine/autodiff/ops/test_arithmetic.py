"""Arithmetic at the points where a rule has to make up its mind."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.autodiff.graph import Graph
from engine.autodiff.ops.arithmetic import FUNCTIONS, OPERATIONS, PairwiseArithmetic
from engine.formula.expression import Symbol

X, Y = Symbol("x"), Symbol("y")
PAIRS = [(2.0, 2.0), (0.0, 0.0), (-3.0, 2.0), (2.0, -3.0), (0.0, 2.0), (1e200, 1e200), (2.0, 0.0)]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(("x", "y"), PAIRS)
def test_kernels_and_formulas_of_pairs_agree(name: str, x: float, y: float):
    rule = OPERATIONS[name]
    arrays = np.array([[x]]), np.array([[y]])
    for kernel, formula in zip(
        (rule.value, *rule.partials), (rule.formula, *rule.partial_formulas), strict=True
    ):
        out = np.full((1, 1), 99.0)
        with np.errstate(all="ignore"):
            kernel(*arrays, out)
        side = rule.partial_formulas.index(formula) if formula in rule.partial_formulas else None
        flat = side is not None and rule.flat[side](x, y)
        said = 0.0 if flat else formula(X, Y).evaluate({X: x, Y: y})
        assert said == pytest.approx(out[0, 0], rel=1e-14, nan_ok=True)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("x", [0.0, -1.0, 1.0, 0.3, 30.0, -30.0, 800.0, -800.0])
def test_kernels_and_formulas_of_functions_agree(name: str, x: float):
    rule = FUNCTIONS[name]
    array, value, slope = np.array([[x]]), np.full((1, 1), 99.0), np.full((1, 1), 99.0)
    with np.errstate(all="ignore"):
        rule.value(array, value)
        rule.derivative(array, value, slope)
    assert rule.formula(X).evaluate({X: x}) == pytest.approx(value[0, 0], rel=1e-14, nan_ok=True)
    said = rule.derivative_formula(X).evaluate({X: x})
    assert said == pytest.approx(slope[0, 0], rel=1e-13, abs=1e-15, nan_ok=True)


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_equal_arguments_send_the_gradient_to_one_of_them(name: str):
    partials = [formula(X, Y).evaluate({X: 2.0, Y: 2.0}) for formula in OPERATIONS[name].partial_formulas]
    assert partials == [0.0, 1.0]


def test_the_slope_of_abs_at_0_is_0():
    assert FUNCTIONS["abs"].derivative_formula(X).evaluate({X: 0.0}) == 0.0


def test_outside_their_domain_formulas_are_not_numbers_rather_than_errors():
    assert math.isnan(FUNCTIONS["log"].formula(X).evaluate({X: -1.0}))
    assert FUNCTIONS["log"].formula(X).evaluate({X: 0.0}) == -math.inf
    assert math.isnan(FUNCTIONS["sqrt"].formula(X).evaluate({X: -1.0}))
    assert math.isnan(OPERATIONS["power"].formula(X, Y).evaluate({X: -2.0, Y: 0.5}))


@pytest.mark.parametrize(
    ("x", "y", "by_base", "by_exponent"),
    [
        (0.0, 0.0, 0.0, -math.inf),  # x⁰ is 1 for every x
        (-2.0, 0.0, 0.0, math.nan),
        (0.0, 2.0, 0.0, 0.0),  # 0ʸ is 0 for every y > 0
        (0.0, 1.0, 1.0, 0.0),
        (0.0, 0.5, math.inf, 0.0),
        (0.0, -1.0, -math.inf, -math.inf),
    ],
)
def test_a_power_at_zero_has_the_slopes_of_its_limit(x, y, by_base, by_exponent):
    graph = Graph(1, np.dtype(np.float64))
    nodes = [graph.leaf(symbol, np.array([[value]]), scalar=True) for symbol, value in ((X, x), (Y, y))]
    output = graph.result(Symbol("o"), (1, 1), nodes, per_sample=False, scalar=True)
    op = graph.add(PairwiseArithmetic(OPERATIONS["power"], (nodes[0], nodes[1]), output)).op
    graph.finish()
    with np.errstate(all="ignore"):
        graph.forward()
        graph.backward()
    assert [float(node.grad[0, 0]) for node in nodes] == pytest.approx([by_base, by_exponent], nan_ok=True)
    said = [next(iter(op.local(i, (0, 0))))[1].evaluate({X: x, Y: y}) for i in range(2)]
    assert said == pytest.approx([by_base, by_exponent], nan_ok=True)


@given(
    base=st.one_of(st.just(0.0), st.floats(-3, 3)),
    exponent=st.one_of(st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, -1.0]), st.floats(-2, 4)),
)
def test_a_power_with_a_constant_exponent_has_torchs_slope(base, exponent):
    torch = pytest.importorskip("torch", reason="an independent oracle")
    ours = np.full((1, 1), 99.0)
    with np.errstate(all="ignore"):
        OPERATIONS["power"].partials[0](np.array([[base]]), np.array([[exponent]]), ours)
    theirs = torch.tensor(base, dtype=torch.float64, requires_grad=True)
    (theirs**exponent).backward()
    assert ours[0, 0] == pytest.approx(float(theirs.grad), rel=1e-12, nan_ok=True)
