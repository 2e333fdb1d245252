"""Matrices as terms of a formula: products, transposes, slices and sums, beside the expressions of single numbers.

    X @ (Y_hat - Y).T / n       Quotient ── MatrixProductTerm ─┬─ Symbol X
                                                               └─ TransposedTerm ── Sum …

They are what a learner has typed; what this program itself says of a gradient stands in `matrix_expression.py`. Their
plain form is NumPy's. A matrix has no single number, so `evaluate` raises; whoever has arrays (see
`engine.practice.reading.batched_evaluation`) computes with these trees themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.formula.expression import ATOM, POWER, PRODUCT, Expr, Product, Symbol, Values

Place = int | str | None
"""An index in a slice: a number, the letter of a running index, or None for all of them (``:``)."""


class MatrixTerm(Expr):
    """An expression whose value may be a matrix."""

    __slots__ = ()

    def evaluate(self, values: Values) -> float:
        """Raises TypeError: this is not a single number."""
        raise TypeError(f"{self.plain()} has no single number")


def _wrapped(child: Expr, needed: int) -> str:
    return f"({child.plain()})" if child.binding < needed else child.plain()


@dataclass(frozen=True, slots=True)
class TransposedTerm(MatrixTerm):
    """The transpose of a matrix."""

    operand: Expr

    def children(self) -> tuple[Expr, ...]:
        """The operand."""
        return (self.operand,)

    def plain(self) -> str:
        """``X.T``."""
        return f"{_wrapped(self.operand, ATOM)}.T"

    def substitute(self, values: Values) -> Expr:
        """Replaces the symbols of the operand."""
        return TransposedTerm(self.operand.substitute(values))


@dataclass(frozen=True, slots=True)
class MatrixProductTerm(MatrixTerm):
    """The matrix product, left to right."""

    factors: tuple[Expr, ...]
    binding = PRODUCT

    def children(self) -> tuple[Expr, ...]:
        """The factors."""
        return self.factors

    def plain(self) -> str:
        """``W[2] @ X``."""
        first, *rest = self.factors
        return " @ ".join([_wrapped(first, PRODUCT), *(_wrapped(factor, POWER) for factor in rest)])

    def substitute(self, values: Values) -> Expr:
        """Replaces the symbols of every factor."""
        return MatrixProductTerm(tuple(factor.substitute(values) for factor in self.factors))


class HadamardTerm(Product):
    """A product of matrices entry by entry; in the plain form a product like any other, drawn with ⊙."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SliceTerm(MatrixTerm):
    """A row, a column, or an entry whose index runs: ``X[:,0]``, ``W[1][0,:]``, ``Y[0,k]``."""

    symbol: Symbol
    row: Place
    column: Place

    def plain(self) -> str:
        """``name[layer][row,column]``."""
        row, column = (":" if place is None else str(place) for place in (self.row, self.column))
        return f"{self.symbol.plain()}[{row},{column}]"

    def substitute(self, values: Values) -> Expr:
        """A slice stays: it has no single number."""
        return self

    def symbols(self) -> Iterator[Symbol]:
        """The matrix that it is cut from."""
        yield self.symbol


@dataclass(frozen=True, slots=True)
class TotalTerm(MatrixTerm):
    """The sum of a matrix's entries: of all, or along an axis (0: down the rows, 1: along the columns)."""

    operand: Expr
    axis: int | None = None

    def children(self) -> tuple[Expr, ...]:
        """The operand."""
        return (self.operand,)

    def plain(self) -> str:
        """``sum(x, axis=1)``."""
        along = "" if self.axis is None else f", axis={self.axis}"
        return f"sum({self.operand.plain()}{along})"

    def substitute(self, values: Values) -> Expr:
        """Replaces the symbols of the operand."""
        return TotalTerm(self.operand.substitute(values), self.axis)


@dataclass(frozen=True, slots=True)
class SumOverTerm(MatrixTerm):
    """A sum over a running index, Σₖ; `count` is how many values it takes, from 0 on."""

    letter: str
    count: int
    operand: Expr
    binding = PRODUCT

    def children(self) -> tuple[Expr, ...]:
        """The operand."""
        return (self.operand,)

    def plain(self) -> str:
        """``sum over k (x)``."""
        return f"sum over {self.letter} ({self.operand.plain()})"

    def substitute(self, values: Values) -> Expr:
        """Replaces the symbols of the operand."""
        return SumOverTerm(self.letter, self.count, self.operand.substitute(values))
