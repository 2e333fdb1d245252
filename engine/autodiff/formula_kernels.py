"""Formulas over arrays: what a formula is worth at every entry at once, and the functions for it in NumPy.

    kernel(sigmoid(x) · x, x)  ──>  a function from X to σ(X) ⊙ X

Arithmetic follows IEEE 754: what has no value is NaN or infinite, never an exception. Hand-made kernels are some times
faster, because they write in place; this is what an activation or a loss has that is described by its formula alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from engine.autodiff.graph import Array
from engine.autodiff.ops.erf import erf
from engine.formula.expression import (
    Expr,
    Function,
    Indicator,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
)


def _erf(x: Any) -> Array:
    given: Array = np.asarray(x, getattr(x, "dtype", np.float64))
    out = np.empty_like(given)
    erf(given, out)
    return out


ARRAY_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda x: 1.0 / (1.0 + np.exp(-x)),
    "tanh": np.tanh,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "erf": _erf,
    "abs": np.abs,
    "relu": lambda x: np.maximum(x, 0.0),
    "maximum": np.maximum,
    "minimum": np.minimum,
}
"""The functions of the plain form."""

ARRAY_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}

_Part = Callable[[Sequence[Array]], Any]


def kernel(formula: Expr, *names: Symbol) -> Callable[..., Any]:
    """A NumPy function made of a formula: of as many arrays as there are names, entry by entry.

    Raises TypeError for what is no formula of numbers, and KeyError for a name that is not among them.
    """
    part = _part(formula, {name: place for place, name in enumerate(names)})
    return lambda *arrays: part(arrays)


def _part(expr: Expr, places: dict[Symbol, int]) -> _Part:
    def parts(several: Sequence[Expr]) -> list[_Part]:
        return [_part(one, places) for one in several]

    match expr:
        case Number(value):
            return lambda arrays: value
        case Symbol():
            place = places[expr]
            return lambda arrays: arrays[place]
        case Negative(operand):
            (one,) = parts([operand])
            return lambda arrays: np.negative(one(arrays))
        case Sum(terms):
            return _folded(np.add, parts(terms))
        case Product(factors):
            return _folded(np.multiply, parts(factors))
        case Quotient(numerator, denominator):
            return _folded(np.divide, parts([numerator, denominator]))
        case Power(base, exponent):
            return _folded(np.power, parts([base, exponent]))
        case Function(name, arguments):
            function, given = ARRAY_FUNCTIONS[name], parts(arguments)
            return lambda arrays: function(*(one(arrays) for one in given))
        case Indicator(left, comparison, right):
            compare, (one, other) = ARRAY_COMPARISONS[comparison], parts([left, right])
            return lambda arrays: np.asarray(compare(one(arrays), other(arrays)), arrays[0].dtype)
    raise TypeError(f"no value at every entry for {type(expr).__name__}")


def _folded(ufunc: Callable[[Any, Any], Any], parts: Sequence[_Part]) -> _Part:
    return lambda arrays: reduce(ufunc, [one(arrays) for one in parts])
