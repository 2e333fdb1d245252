"""The functions that a formula may name, on single numbers: IEEE 754 throughout, never an exception."""

from __future__ import annotations

import math
from collections.abc import Callable

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
}


def divide(numerator: float, denominator: float) -> float:
    """Divides as IEEE 754 says: x/0 is ±inf, 0/0 is NaN."""
    if denominator == 0.0:
        if numerator == 0.0 or math.isnan(numerator):
            return math.nan
        return math.copysign(math.inf, numerator) * math.copysign(1.0, denominator)
    return numerator / denominator


def power(base: float, exponent: float) -> float:
    """Raises to a real power: overflow and a negative power of 0 are ±inf, a root of a negative number is NaN."""
    if base < 0.0 and math.isfinite(base) and math.isfinite(exponent) and exponent % 1.0:
        return math.nan
    try:
        return float(base**exponent)
    except (OverflowError, ZeroDivisionError):
        return math.copysign(math.inf, base) if exponent % 2.0 == 1.0 else math.inf


def exp(x: float) -> float:
    """The exponential function eˣ; inf where it overflows."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def log(x: float) -> float:
    """The natural logarithm; -inf at 0, NaN below."""
    if x > 0.0:
        return math.log(x)
    return -math.inf if x == 0.0 else math.nan


def sigmoid(x: float) -> float:
    """The sigmoid σ(x) = 1/(1+e⁻ˣ)."""
    return 1.0 / (1.0 + exp(-x))


def _sqrt(x: float) -> float:
    return math.sqrt(x) if x >= 0.0 else math.nan


def _periodic(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda x: function(x) if math.isfinite(x) else math.nan


def _relu(x: float) -> float:
    return x if x > 0.0 or math.isnan(x) else 0.0


def _maximum(x: float, y: float) -> float:
    return math.nan if math.isnan(x) or math.isnan(y) else max(x, y)


def _minimum(x: float, y: float) -> float:
    return math.nan if math.isnan(x) or math.isnan(y) else min(x, y)


FUNCTIONS: dict[str, Callable[..., float]] = {
    "sigmoid": sigmoid,
    "tanh": math.tanh,
    "exp": exp,
    "log": log,
    "sqrt": _sqrt,
    "sin": _periodic(math.sin),
    "cos": _periodic(math.cos),
    "erf": math.erf,
    "abs": abs,
    "relu": _relu,
    "maximum": _maximum,
    "minimum": _minimum,
}
"""The functions of the plain form, each total: any float in, a float out, no exception."""

ARITY = {name: 2 if name in ("maximum", "minimum") else 1 for name in FUNCTIONS}
