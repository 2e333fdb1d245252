"""Arithmetic on matrices, entry by entry: enough for any expression in the plain form.

    o_ik = x_ik ∘ y_ik        ∂o_ik/∂x_ik and ∂o_ik/∂y_ik, and 0 between different entries

Operations of two arguments are `PairwiseArithmetic` with a rule from `OPERATIONS`; functions of one argument are
`Elementwise` with a rule from `FUNCTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from engine.autodiff.array_memory import ScratchMemory
from engine.autodiff.graph import Array, Columns, Node, Op
from engine.autodiff.ops.activation_functions import RELU, SIGMOID, TANH
from engine.autodiff.ops.elementwise import ScalarFunction
from engine.autodiff.ops.erf import erf
from engine.formula.expression import Entry, Expr, Indicator, Number, call, positive

Kernel = Callable[[Array, Array, Array], object]
FormulaOfTwo = Callable[[Expr, Expr], Expr]
FlatPlace = Callable[[float, float], bool]


def _nowhere(x: float, y: float) -> bool:
    return False


@dataclass(frozen=True)
class PairRule:
    """A differentiable function of two numbers: kernels (x, y, out) beside formulas; `partials` by x and by y.

    `flat`: where a partial is 0 although its formula has no value there, as 0 · 0⁻¹ has none.
    """

    name: str
    value: Kernel
    partials: tuple[Kernel, Kernel]
    formula: FormulaOfTwo
    partial_formulas: tuple[FormulaOfTwo, FormulaOfTwo]
    flat: tuple[FlatPlace, FlatPlace] = (_nowhere, _nowhere)


class PairwiseArithmetic(Op):
    """A function of two matrices of one shape, entry by entry: output = rule(x, y).

    The same node may stand on both sides.
    """

    def __init__(self, rule: PairRule, inputs: tuple[Node, Node], output: Node) -> None:
        super().__init__(inputs, output)
        self.rule = rule

    @override
    def prepare(self, scratch: ScratchMemory) -> None:
        self._scratch = scratch.like(self.output.value)

    @override
    def forward(self) -> None:
        """x ∘ y."""
        x, y = self.inputs
        self.rule.value(x.value, y.value, self.output.value)

    @override
    def backward(self) -> None:
        """Each side gets its partial derivative times the output's gradient."""
        x, y = self.inputs
        for i, node in enumerate(self.inputs):
            if not self.needs_grad[i]:
                continue
            self.rule.partials[i](x.value, y.value, self._scratch)
            np.multiply(self._scratch, self.output.grad, out=self._scratch)
            if self.accumulates[i]:
                np.add(node.grad, self._scratch, out=node.grad)
            else:
                np.copyto(node.grad, self._scratch)

    @override
    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        """The partial derivative by this side, in a few words."""
        return _PARTIALS[self.rule.name][i]

    @override
    def formula(self, entry: Entry) -> Expr:
        """x ∘ y."""
        x, y = self.inputs
        return self.rule.formula(x.entry(entry), y.entry(entry))

    @override
    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        """The partial by this side, to its own entry."""
        x, y = self.inputs
        if self.rule.flat[i](float(x.value[entry]), float(y.value[entry])):
            return ((entry, Number(0.0)),)
        return ((entry, self.rule.partial_formulas[i](x.entry(entry), y.entry(entry))),)

    @override
    def fan_out(self, i: int) -> int:
        return 1

    @override
    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        """log|partial| + beyond."""
        x, y = (node.value[:, columns] for node in self.inputs)
        magnitude = np.empty_like(x)
        self.rule.partials[i](x, y, magnitude)
        result: Array = np.log(np.abs(magnitude)) + beyond
        return result


_PARTIALS = {
    "subtract": ("it enters as it is", "it is subtracted"),
    "multiply": ("the other factor", "the other factor"),
    "divide": ("one over the denominator", "how the quotient falls with its denominator"),
    "power": ("slope of the power", "how the power grows with its exponent"),
    "maximum": ("1 where it is the larger", "1 where it is the larger"),
    "minimum": ("1 where it is the smaller", "1 where it is the smaller"),
    "greater": ("a comparison is flat", "a comparison is flat"),
}


def _fill(number: float) -> Kernel:
    return lambda x, y, out: out.fill(number)


def _constant(number: float) -> FormulaOfTwo:
    return lambda x, y: Number(number)


def _divide_by_denominator(x: Array, y: Array, out: Array) -> None:
    np.multiply(y, y, out=out)
    np.divide(x, out, out=out)
    np.negative(out, out=out)


def _power_by_base(x: Array, y: Array, out: Array) -> None:
    """y xʸ⁻¹, and 0 for y = 0: x⁰ is 1 for every x, 0 included."""
    np.subtract(y, 1.0, out=out)
    np.copyto(out, 0.0, where=y == 0.0)
    np.power(x, out, out=out)
    np.multiply(out, y, out=out)


def _power_by_exponent(x: Array, y: Array, out: Array) -> None:
    """xʸ log x, and 0 for x = 0 and y > 0: 0ʸ is 0 there for every y."""
    np.power(x, y, out=out)
    np.multiply(out, np.log(x), out=out)
    np.copyto(out, 0.0, where=(x == 0.0) & (y > 0.0))


def _power_slope(x: Expr, y: Expr) -> Expr:
    """y xʸ⁻¹; with a number for exponent, y - 1 is that number."""
    if not isinstance(y, Number):
        return y * x ** (y - 1)
    return y * x if y.value == 2.0 else y * x ** Number(y.value - 1.0)


OPERATIONS: dict[str, PairRule] = {
    rule.name: rule
    for rule in (
        PairRule(
            "subtract",
            lambda x, y, out: np.subtract(x, y, out=out),
            (_fill(1.0), _fill(-1.0)),
            lambda x, y: x - y,
            (_constant(1.0), _constant(-1.0)),
        ),
        PairRule(
            "multiply",
            lambda x, y, out: np.multiply(x, y, out=out),
            (lambda x, y, out: np.copyto(out, y), lambda x, y, out: np.copyto(out, x)),
            lambda x, y: x * y,
            (lambda x, y: y, lambda x, y: x),
        ),
        PairRule(
            "divide",
            lambda x, y, out: np.divide(x, y, out=out),
            (lambda x, y, out: np.reciprocal(y, out=out), _divide_by_denominator),
            lambda x, y: x / y,
            (lambda x, y: 1 / y, lambda x, y: -(x / y**2)),
        ),
        PairRule(
            "power",
            lambda x, y, out: np.power(x, y, out=out),
            (_power_by_base, _power_by_exponent),
            lambda x, y: x**y,
            (_power_slope, lambda x, y: x**y * call("log", x)),
            (lambda x, y: y == 0.0, lambda x, y: x == 0.0 and y > 0.0),
        ),
        PairRule(
            "maximum",  # where both are equal the gradient goes to the second
            lambda x, y, out: np.maximum(x, y, out=out),
            (lambda x, y, out: np.greater(x, y, out=out), lambda x, y, out: np.less_equal(x, y, out=out)),
            lambda x, y: call("maximum", x, y),
            (lambda x, y: Indicator(x, ">", y), lambda x, y: Indicator(x, "<=", y)),
        ),
        PairRule(
            "minimum",
            lambda x, y, out: np.minimum(x, y, out=out),
            (lambda x, y, out: np.less(x, y, out=out), lambda x, y, out: np.greater_equal(x, y, out=out)),
            lambda x, y: call("minimum", x, y),
            (lambda x, y: Indicator(x, "<", y), lambda x, y: Indicator(x, ">=", y)),
        ),
        PairRule(
            "greater",  # the indicator 1{x > y}: flat wherever it has a derivative
            lambda x, y, out: np.greater(x, y, out=out),
            (_fill(0.0), _fill(0.0)),
            lambda x, y: Indicator(x, ">", y),
            (_constant(0.0), _constant(0.0)),
        ),
    )
}
"""Operations of two arguments by name; addition is `engine.autodiff.ops.residual.Add`."""


def _negative_derivative(x: Array, y: Array, out: Array) -> None:
    out.fill(-1.0)


def _sqrt_derivative(x: Array, y: Array, out: Array) -> None:
    np.multiply(y, 2.0, out=out)
    np.reciprocal(out, out=out)


def _cos_derivative(x: Array, y: Array, out: Array) -> None:
    np.sin(x, out=out)
    np.negative(out, out=out)


def _erf_derivative(x: Array, y: Array, out: Array) -> None:
    np.multiply(x, x, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)
    np.multiply(out, 2.0 / np.sqrt(np.pi), out=out)


def _sign_formula(x: Expr) -> Expr:
    return positive(x) - Indicator(x, "<", Number(0.0))


FUNCTIONS: dict[str, ScalarFunction] = {
    rule.name: rule
    for rule in (
        SIGMOID,
        TANH,
        RELU,
        ScalarFunction(
            "negative",
            lambda x, out: np.negative(x, out=out),
            _negative_derivative,
            lambda x: -x,
            lambda x: Number(-1.0),
        ),
        ScalarFunction(
            "exp",
            lambda x, out: np.exp(x, out=out),
            lambda x, y, out: np.copyto(out, y),
            lambda x: call("exp", x),
            lambda x: call("exp", x),
        ),
        ScalarFunction(
            "log",
            lambda x, out: np.log(x, out=out),
            lambda x, y, out: np.reciprocal(x, out=out),
            lambda x: call("log", x),
            lambda x: 1 / x,
        ),
        ScalarFunction(
            "sqrt",
            lambda x, out: np.sqrt(x, out=out),
            _sqrt_derivative,
            lambda x: call("sqrt", x),
            lambda x: 1 / (2 * call("sqrt", x)),
        ),
        ScalarFunction(
            "sin",
            lambda x, out: np.sin(x, out=out),
            lambda x, y, out: np.cos(x, out=out),
            lambda x: call("sin", x),
            lambda x: call("cos", x),
        ),
        ScalarFunction(
            "cos",
            lambda x, out: np.cos(x, out=out),
            _cos_derivative,
            lambda x: call("cos", x),
            lambda x: -call("sin", x),
        ),
        ScalarFunction(
            "erf",
            erf,
            _erf_derivative,
            lambda x: call("erf", x),
            lambda x: 2 * call("exp", -(x**2)) / call("sqrt", Number(float(np.pi))),
        ),
        ScalarFunction(
            "abs",
            lambda x, out: np.abs(x, out=out),
            lambda x, y, out: np.sign(x, out=out),
            lambda x: call("abs", x),
            _sign_formula,
            kinks=(0.0,),
        ),
    )
}
"""Functions of one argument by name."""
