"""Arithmetic at the points where a rule has to make up its mind."""

import math

import numpy as np
import pytest

from engine.autodiff.ops.arithmetic import FUNCTIONS, OPERATIONS
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
        said = formula(X, Y).evaluate({X: x, Y: y})
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
