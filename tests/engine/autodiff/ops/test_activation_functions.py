"""The activation functions at their special points: kinks, saturation, numbers far out."""

import math

import numpy as np
import pytest
import sympy

from engine.autodiff.ops.activation_functions import (
    ACTIVATIONS,
    RELU,
    SIGMOID,
    STEP,
    TANH,
    activation_function,
    leaky_relu,
)
from engine.autodiff.ops.elementwise import ScalarFunction
from engine.formula.expression import Symbol

RULES = {
    **ACTIVATIONS,
    **{f"leaky_relu {slope:g}": leaky_relu(slope) for slope in (0.0, 0.2, 1.0, 1.5, -0.5)},
}
POINTS = [
    0.0,
    -0.0,
    1e-300,
    -1e-300,
    1e-8,
    -1e-8,
    0.7,
    -0.7,
    1.0,
    -1.0,
    6.0,
    -6.0,
    40.0,
    -40.0,
    800.0,
    -800.0,
]
X = Symbol("x")

every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())


def kernel_value(rule: ScalarFunction, x: float, dtype: str = "float64") -> float:
    out = np.full((1, 1), np.nan, dtype)
    with np.errstate(all="ignore"):
        rule.value(np.array([[x]], dtype), out)
    return float(out[0, 0])


def kernel_slope(rule: ScalarFunction, x: float, dtype: str = "float64") -> float:
    array, y, out = np.array([[x]], dtype), np.empty((1, 1), dtype), np.full((1, 1), np.nan, dtype)
    with np.errstate(all="ignore"):
        rule.value(array, y)
        rule.derivative(array, y, out)
    return float(out[0, 0])


@every_rule
@pytest.mark.parametrize("x", POINTS)
def test_kernels_and_formulas_agree_everywhere(rule: ScalarFunction, x: float):
    # Kinks, rounding and overflow included: the formula on the screen must be the number beside it.
    assert rule.formula(X).evaluate({X: x}) == pytest.approx(kernel_value(rule, x), rel=1e-13, abs=1e-15)
    assert rule.derivative_formula(X).evaluate({X: x}) == pytest.approx(
        kernel_slope(rule, x), rel=1e-13, abs=1e-15
    )


@every_rule
@pytest.mark.parametrize("x", POINTS)
def test_float32_kernels_are_those_of_float64_rounded(rule: ScalarFunction, x: float):
    x = float(np.float32(x))
    assert kernel_value(rule, x, "float32") == pytest.approx(kernel_value(rule, x), rel=1e-6, abs=1e-6)
    assert kernel_slope(rule, x, "float32") == pytest.approx(kernel_slope(rule, x), rel=1e-6, abs=1e-6)


# Written from the papers; the derivative is SymPy's own.
x = sympy.Symbol("x", real=True)
DEFINITIONS = {
    "linear": x,
    "sigmoid": 1 / (1 + sympy.exp(-x)),
    "tanh": sympy.tanh(x),
    "relu": sympy.Piecewise((x, x > 0), (0, True)),
    "leaky_relu": sympy.Piecewise((x, x > 0), (x / 100, True)),
    "elu": sympy.Piecewise((x, x > 0), (sympy.exp(x) - 1, True)),
    "selu": sympy.Float("1.0507009873554805", 20)
    * sympy.Piecewise((x, x > 0), (sympy.Float("1.6732632423543772", 20) * (sympy.exp(x) - 1), True)),
    "gelu": x * (1 + sympy.erf(x / sympy.sqrt(2))) / 2,
    "silu": x / (1 + sympy.exp(-x)),
    "softplus": sympy.log(1 + sympy.exp(x)),
    "step": sympy.Piecewise((1, x > 0), (0, True)),
}


def test_every_activation_has_a_definition_here():
    assert set(DEFINITIONS) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("point", [-6.0, -1.3, -0.2, 0.2, 1.3, 6.0])
def test_activations_are_what_their_papers_say(name: str, point: float):
    definition = DEFINITIONS[name]
    assert kernel_value(ACTIVATIONS[name], point) == pytest.approx(
        float(definition.evalf(30, subs={x: point})), rel=1e-12, abs=1e-15
    )
    assert kernel_slope(ACTIVATIONS[name], point) == pytest.approx(
        float(sympy.diff(definition, x).evalf(30, subs={x: point})), rel=1e-12, abs=1e-15
    )


def test_the_kinks_are_where_the_slope_jumps():
    for name, rule in RULES.items():
        jumps = abs(kernel_slope(rule, 1e-9) - kernel_slope(rule, -1e-9)) > 1e-6
        jumps |= abs(kernel_value(rule, 1e-9) - kernel_value(rule, -1e-9)) > 1e-6
        assert rule.kinks == ((0.0,) if jumps else ()), name


def test_the_slope_at_0_is_that_of_the_negative_side():
    assert kernel_slope(RELU, 0.0) == 0.0
    assert kernel_slope(STEP, 0.0) == 0.0
    assert kernel_slope(leaky_relu(0.2), 0.0) == 0.2


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_saturation_is_remarked_below_one_hundredth_of_the_largest_slope(name: str):
    rule = ACTIVATIONS[name]
    largest = kernel_slope(rule, 0.0)
    for point in np.linspace(-10, 10, 2001):
        ratio = kernel_slope(rule, point) / largest
        if abs(ratio - 0.01) > 2e-4:  # at the limit itself either may be said
            assert (rule.remark(float(point)) is not None) == (ratio < 0.01), point


def test_remarks_of_the_relu_family():
    assert RELU.remark(1.0) is None
    assert "off" in str(RELU.remark(-1.0))
    assert "exactly 0" in str(RELU.remark(0.0))
    assert leaky_relu(0.2).remark(1.0) is None
    assert "0.2" in str(leaky_relu(0.2).remark(-1.0))
    assert "nothing below it can learn" in str(STEP.remark(3.0))
    assert SIGMOID.remark(0.0) is None
    assert TANH.remark(0.0) is None


def test_activation_function_takes_a_slope():
    assert activation_function("relu") is RELU
    assert kernel_value(activation_function("leaky_relu"), -1.0) == -0.01
    assert kernel_value(activation_function("leaky_relu", 0.3), -1.0) == -0.3
    assert kernel_slope(activation_function("leaky_relu", 0.0), -1.0) == 0.0
    with pytest.raises(KeyError):
        activation_function("swish")


def test_sigmoid_never_leaves_0_to_1():
    for point in (-math.inf, -800.0, 800.0, math.inf):
        assert kernel_value(SIGMOID, point) in (0.0, 1.0)
