"""The activation functions: one entry a function, each known as kernels and as formulas, with its traits.

What is known of each besides stands in `engine.experiment.activation_traits`. For one that says its formulas there
nothing needs to be written here: its kernels are made of them. Validation, training, stepping, LaTeX, gradient
checks and charts have it either way.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from engine.autodiff.array_memory import workspace
from engine.autodiff.formula_kernels import kernel
from engine.autodiff.graph import Array, Node, Op
from engine.autodiff.ops.elementwise import Elementwise, ScalarFunction
from engine.autodiff.ops.erf import erf
from engine.autodiff.ops.softmax import Softmax
from engine.experiment.activation_traits import (
    ACTIVATION_TRAITS,
    DEFAULT_SLOPE,
    SATURATED,
    SELU_ALPHA,
    SELU_SCALE,
    ActivationTraits,
)
from engine.formula.expression import Expr, Number, Symbol, call, not_positive, positive

_ROOT = math.sqrt(1.0 - SATURATED)
SATURATED_BEYOND = {"sigmoid": 2.0 * math.atanh(_ROOT), "tanh": math.atanh(_ROOT)}
"""The |f| at which the derivative is the share SATURATED of its largest value: 5.99 and 2.99."""


@dataclass(frozen=True)
class ActivationFunction(ScalarFunction):
    """An activation function with its kernels, derivative and formulas; what else is known stands in its `traits`."""

    @property
    def traits(self) -> ActivationTraits:
        """The activation's label, values and habits, as specifications know them."""
        return ACTIVATION_TRAITS[self.name]

    @override
    def in_words(self, slope: float) -> str:
        return self.traits.in_words(slope)


def _zero(x: Expr) -> Expr:
    return Number(0.0)


# ── linear ──────────────────────────────────────────────────────────────────────────────────────────


def _linear_derivative(x: Array, y: Array, out: Array) -> None:
    out.fill(1.0)


LINEAR = ActivationFunction(
    "linear",
    value=lambda x, out: np.copyto(out, x),
    derivative=_linear_derivative,
    formula=lambda x: x,
    derivative_formula=lambda x: Number(1.0),
    in_place=True,
)

# ── sigmoid ─────────────────────────────────────────────────────────────────────────────────────────


def _sigmoid_value(x: Array, out: Array) -> None:
    np.negative(x, out=out)
    np.exp(out, out=out)
    np.add(out, 1.0, out=out)
    np.reciprocal(out, out=out)


def _sigmoid_derivative(x: Array, y: Array, out: Array) -> None:
    np.subtract(1.0, y, out=out)
    np.multiply(out, y, out=out)


def _sigmoid_remark(x: float) -> str | None:
    if abs(x) > SATURATED_BEYOND["sigmoid"]:
        return "saturated: σ′ is below one hundredth of its largest value, 1/4"
    return None


def _sigmoid_slope(x: Expr) -> Expr:
    return call("sigmoid", x) * (1 - call("sigmoid", x))


SIGMOID = ActivationFunction(
    "sigmoid",
    value=_sigmoid_value,
    derivative=_sigmoid_derivative,
    formula=lambda x: call("sigmoid", x),
    derivative_formula=_sigmoid_slope,
    remark=_sigmoid_remark,
    in_place=True,
)

# ── tanh ────────────────────────────────────────────────────────────────────────────────────────────


def _tanh_derivative(x: Array, y: Array, out: Array) -> None:
    np.multiply(y, y, out=out)
    np.subtract(1.0, out, out=out)


def _tanh_remark(x: float) -> str | None:
    if abs(x) > SATURATED_BEYOND["tanh"]:
        return "saturated: the derivative of tanh is below one hundredth of its largest value, 1"
    return None


TANH = ActivationFunction(
    "tanh",
    value=lambda x, out: np.tanh(x, out=out),
    derivative=_tanh_derivative,
    formula=lambda x: call("tanh", x),
    derivative_formula=lambda x: 1 - call("tanh", x) ** 2,
    remark=_tanh_remark,
    in_place=True,
)

# ── relu and its family ─────────────────────────────────────────────────────────────────────────────


def _relu_remark(x: float) -> str | None:
    if x == 0:
        return "f is exactly 0: the derivative of ReLU there is taken as 0"
    return "the ReLU is off (f < 0): nothing passes back" if x < 0 else None


RELU = ActivationFunction(
    "relu",
    value=lambda x, out: np.maximum(x, 0.0, out=out),
    derivative=lambda x, y, out: np.greater(y, 0.0, out=out),  # y, as it was read last
    formula=lambda x: call("relu", x),
    derivative_formula=positive,
    remark=_relu_remark,
    kinks=(0.0,),
    in_place=True,
)


def leaky_relu(slope: float = DEFAULT_SLOPE) -> ActivationFunction:
    """The leaky ReLU: f where f > 0, slope·f elsewhere. With slope 1 it is linear; with slope 0 it is ReLU."""

    # x and slope·x differ in size where they differ, and it is the larger that counts unless the slope is above 1.
    larger = np.maximum if slope <= 1.0 else np.minimum

    def value(x: Array, out: Array) -> None:
        np.multiply(x, slope, out=out)
        larger(x, out, out=out)

    def derivative(x: Array, y: Array, out: Array) -> None:
        np.greater(x, 0.0, out=out)
        np.multiply(out, 1.0 - slope, out=out)
        np.add(out, slope, out=out)

    return ActivationFunction(
        "leaky_relu",
        value=value,
        derivative=derivative,
        formula=lambda x: call("relu", x) + slope * call("minimum", x, 0),
        derivative_formula=lambda x: positive(x) + slope * not_positive(x),
        remark=lambda x: f"on the leak (f ≤ 0): only {slope:g} of it passes back" if x <= 0 else None,
        kinks=() if slope == 1.0 else (0.0,),
    )


def _elu_value(x: Array, out: Array) -> None:
    np.minimum(x, 0.0, out=out)
    np.expm1(out, out=out)
    np.maximum(out, x, out=out)  # eˣ - 1 ≥ x, with 0 on the left where x > 0


def _elu_derivative(x: Array, y: Array, out: Array) -> None:
    np.minimum(x, 0.0, out=out)
    np.exp(out, out=out)


ELU = ActivationFunction(
    "elu",  # Clevert et al. 2016 with α = 1
    value=_elu_value,
    derivative=_elu_derivative,
    formula=lambda x: call("relu", x) + call("exp", call("minimum", x, 0)) - 1,
    derivative_formula=lambda x: call("exp", call("minimum", x, 0)),
)


def _selu_value(x: Array, out: Array) -> None:
    np.minimum(x, 0.0, out=out)
    np.expm1(out, out=out)
    np.multiply(out, SELU_ALPHA, out=out)
    above = workspace.like(x)
    np.maximum(x, 0.0, out=above)
    np.add(out, above, out=out)
    np.multiply(out, SELU_SCALE, out=out)


def _selu_derivative(x: Array, y: Array, out: Array) -> None:
    np.minimum(x, 0.0, out=out)
    np.exp(out, out=out)
    np.multiply(out, SELU_ALPHA, out=out)
    above = workspace.like(x)
    np.greater(x, 0.0, out=above)
    np.multiply(above, SELU_ALPHA - 1.0, out=above)
    np.subtract(out, above, out=out)  # α e⁰ - (α - 1) = 1 where x > 0
    np.multiply(out, SELU_SCALE, out=out)


SELU = ActivationFunction(
    "selu",
    value=_selu_value,
    derivative=_selu_derivative,
    formula=lambda x: SELU_SCALE * (call("relu", x) + SELU_ALPHA * (call("exp", call("minimum", x, 0)) - 1)),
    derivative_formula=lambda x: (
        SELU_SCALE * (positive(x) + SELU_ALPHA * not_positive(x) * call("exp", call("minimum", x, 0)))
    ),
    kinks=(0.0,),
)

# ── the smooth relatives of relu ────────────────────────────────────────────────────────────────────


def _normal_cdf(x: Array, out: Array) -> None:
    """Φ(x) = ½(1 + erf(x/√2))."""
    np.divide(x, math.sqrt(2.0), out=out)
    erf(out, out)
    np.add(out, 1.0, out=out)
    np.multiply(out, 0.5, out=out)


def _gelu_value(x: Array, out: Array) -> None:
    _normal_cdf(x, out)
    np.multiply(out, x, out=out)


def _gelu_derivative(x: Array, y: Array, out: Array) -> None:
    _normal_cdf(x, out)
    density = workspace.like(x)
    np.multiply(x, x, out=density)
    np.multiply(density, -0.5, out=density)
    np.exp(density, out=density)
    np.multiply(density, x, out=density)
    np.multiply(density, 1.0 / math.sqrt(2.0 * math.pi), out=density)
    np.add(out, density, out=out)


def _normal_cdf_formula(x: Expr) -> Expr:
    return Number(0.5) * (1 + call("erf", x / call("sqrt", 2)))


GELU = ActivationFunction(
    "gelu",  # Hendrycks & Gimpel 2016, the exact form xΦ(x)
    value=_gelu_value,
    derivative=_gelu_derivative,
    formula=lambda x: x * _normal_cdf_formula(x),
    derivative_formula=lambda x: (
        _normal_cdf_formula(x) + x * call("exp", -(x**2) / 2) / call("sqrt", Number(2.0 * math.pi))
    ),
)


def _silu_value(x: Array, out: Array) -> None:
    _sigmoid_value(x, out)
    np.multiply(out, x, out=out)


def _silu_derivative(x: Array, y: Array, out: Array) -> None:
    # σ(x)(1 + x(1 - σ(x))) = σ(x) + y(1 - σ(x)), with y = xσ(x)
    _sigmoid_value(x, out)
    rest = workspace.like(x)
    np.subtract(1.0, out, out=rest)
    np.multiply(rest, y, out=rest)
    np.add(out, rest, out=out)


SILU = ActivationFunction(
    "silu",  # Elfwing et al. 2018
    value=_silu_value,
    derivative=_silu_derivative,
    formula=lambda x: x * call("sigmoid", x),
    derivative_formula=lambda x: call("sigmoid", x) * (1 + x * (1 - call("sigmoid", x))),
)


def softplus(x: Array, out: Array) -> None:
    """The softplus log(1 + eˣ) = max(x, 0) + log(1 + e⁻ˡˣˡ), which does not overflow; `out` may not be x."""
    np.abs(x, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)
    np.log1p(out, out=out)
    above = workspace.like(x)
    np.maximum(x, 0.0, out=above)
    np.add(out, above, out=out)


SOFTPLUS = ActivationFunction(
    "softplus",
    value=softplus,
    derivative=lambda x, y, out: _sigmoid_value(x, out),
    formula=lambda x: call("relu", x) + call("log", 1 + call("exp", -call("abs", x))),
    derivative_formula=lambda x: call("sigmoid", x),
)

# ── step ────────────────────────────────────────────────────────────────────────────────────────────


def _step_derivative(x: Array, y: Array, out: Array) -> None:
    out.fill(0.0)


STEP = ActivationFunction(
    "step",
    value=lambda x, out: np.greater(x, 0.0, out=out),
    derivative=_step_derivative,
    formula=positive,
    derivative_formula=_zero,
    remark=lambda x: "the step function is flat wherever it has a derivative: nothing below it can learn",
    kinks=(0.0,),
)


def of_formulas(traits: ActivationTraits) -> ActivationFunction:
    """An activation whose kernels are made of its formulas. Raises ValueError for traits without."""
    formula, slope, x = traits.formula, traits.slope, Symbol("x")
    if formula is None or slope is None:
        raise ValueError(f"{traits.name} has neither kernels nor formulas")
    values, slopes = kernel(formula(x), x), kernel(slope(x), x)
    return ActivationFunction(
        traits.name,
        value=lambda x, out: np.copyto(out, values(x)),
        derivative=lambda x, y, out: np.copyto(out, slopes(x)),
        formula=formula,
        derivative_formula=slope,
        kinks=traits.kinks,
    )


_WITH_KERNELS = (LINEAR, SIGMOID, TANH, RELU, leaky_relu(), ELU, SELU, GELU, SILU, SOFTPLUS, STEP)

ACTIVATIONS: dict[str, ActivationFunction] = {
    **{traits.name: of_formulas(traits) for traits in ACTIVATION_TRAITS.values() if traits.formula},
    **{function.name: function for function in _WITH_KERNELS},
}
"""Every activation that is applied entry by entry, by its name in the experiment file."""

WITH_SLOPE: dict[str, Callable[[float], ActivationFunction]] = {"leaky_relu": leaky_relu}
"""Those that have a slope to choose, made from it."""

BY_COLUMN: dict[str, type[Softmax]] = {"softmax": Softmax}
"""Those that are an op of their own, because they take a sample's units together."""


def activation_function(name: str, slope: float | None = None) -> ActivationFunction:
    """An activation by name; `slope` is for those that have one to choose. Raises KeyError for an unknown name."""
    return ACTIVATIONS[name] if slope is None or name not in WITH_SLOPE else WITH_SLOPE[name](slope)


def activation_op(name: str, slope: float | None, node: Node, output: Node) -> Op:
    """The op that fills `output` with an activation of `node`. Raises KeyError for an unknown name."""
    if name in BY_COLUMN:
        return BY_COLUMN[name]((node,), output)
    return Elementwise(activation_function(name, slope), node, output)


def register_activation(traits: ActivationTraits, function: ActivationFunction | None = None) -> None:
    """Adds an activation for this process: experiment files may name it from now on.

    Without a `function` the traits say the formulas. Raises ValueError where they do not.
    """
    ACTIVATIONS[traits.name] = of_formulas(traits) if function is None else function
    ACTIVATION_TRAITS[traits.name] = traits
