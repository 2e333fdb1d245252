"""Computes a formula at many networks at once: every name is an array whose first axis is the network.

    names[W[1]]  (networks, fan_in, fan_out)       a single number  (networks, 1, 1)

Arithmetic follows IEEE 754: what has no value is NaN or infinite, never an exception.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.autodiff.formula_kernels import ARRAY_COMPARISONS, ARRAY_FUNCTIONS
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
from engine.formula.matrix_terms import MatrixProductTerm, SliceTerm, SumOverTerm, TotalTerm, TransposedTerm
from engine.practice.reading.unreadable import UnreadableError

Stack = npt.NDArray[np.float64]
"""(networks, rows, columns)."""

PATIENCE = 5.0
"""Seconds that one evaluation may take."""


def evaluate(expr: Expr, names: Mapping[Symbol, Stack], largest: int | None = None) -> Stack:
    """Evaluates a formula at every network at once, (networks, rows, columns).

    Raises KeyError for a name without values, and UnreadableError for a formula that takes too long, or in which a row
    and a column spread to a matrix of more than the `largest` number of entries.
    """
    evaluator = _BatchedEvaluator(names, largest)
    with np.errstate(all="ignore"):
        return np.asarray(evaluator.of(expr), np.float64)


class _BatchedEvaluator:
    """One evaluation: the names' arrays, the running indices, and the time it has."""

    def __init__(self, names: Mapping[Symbol, Stack], largest: int | None = None) -> None:
        self.names, self.largest = names, largest
        self.running: dict[str, int] = {}
        self.deadline = time.monotonic() + PATIENCE

    def of(self, expr: Expr) -> Any:
        """The value of an expression."""
        match expr:
            case Number(value):
                return np.full((1, 1, 1), value)
            case Symbol(index=None):
                return self.names[expr]
            case Symbol(index=(row, column)):
                return self.names[expr.matrix][:, row : row + 1, column : column + 1]
            case SliceTerm():
                return self.slice(expr)
            case Negative(operand):
                return -self.of(operand)
            case Sum(terms):
                total = self.of(terms[0])
                for term in terms[1:]:
                    total = np.add(*self.spread(total, self.of(term)))
                return total
            case MatrixProductTerm(factors):
                total = self.of(factors[0])
                for factor in factors[1:]:
                    other = self.of(factor)
                    self.refuse_larger(total.shape[1] * other.shape[2])
                    total = total @ other
                return total
            case Product(factors):
                total = self.of(factors[0])
                for factor in factors[1:]:
                    total = np.multiply(*self.spread(total, self.of(factor)))
                return total
            case Quotient(numerator, denominator):
                return np.divide(*self.spread(self.of(numerator), self.of(denominator)))
            case Power(base, exponent):
                return np.power(self.of(base), self.of(exponent))
            case Function(name, arguments):
                return ARRAY_FUNCTIONS[name](*(self.of(argument) for argument in arguments))
            case Indicator(left, comparison, right):
                return ARRAY_COMPARISONS[comparison](self.of(left), self.of(right)).astype(np.float64)
            case TransposedTerm(operand):
                return np.swapaxes(self.of(operand), 1, 2)
            case TotalTerm(operand, axis):
                axes = (1, 2) if axis is None else axis + 1
                return np.sum(self.of(operand), axis=axes, keepdims=True)
            case SumOverTerm(letter, count, operand):
                return self.sum_over(letter, count, operand)
        raise TypeError(f"no value for {type(expr).__name__}")

    def spread(self, one: Stack, other: Stack) -> tuple[Stack, Stack]:
        """Two arrays that go entry by entry, as they are."""
        self.refuse_larger(max(one.shape[1], other.shape[1]) * max(one.shape[2], other.shape[2]))
        return one, other

    def refuse_larger(self, entries: int) -> None:
        """Raises UnreadableError for a matrix that is not to be made."""
        if self.largest is not None and entries > self.largest:
            raise UnreadableError("this formula takes too long to compute")

    def slice(self, expr: SliceTerm) -> Stack:
        """A row, a column, or the entry that the running indices point at."""
        places = []
        for place in (expr.row, expr.column):
            number = self.running[place] if isinstance(place, str) else place
            places.append(slice(None) if number is None else slice(number, number + 1))
        return self.names[expr.symbol][:, places[0], places[1]]

    def sum_over(self, letter: str, count: int, operand: Expr) -> Any:
        """The operand at every value of the running index, added up."""
        total: Any = 0.0
        for value in range(count):
            self.running[letter] = value
            total = total + self.of(operand)
            if time.monotonic() > self.deadline:
                raise UnreadableError(
                    "this formula takes too long to compute; use sum(…) or @ over whole matrices"
                )
        del self.running[letter]
        return total
