"""Formulas of whole matrices as values: shown, evaluated and read with NumPy's meaning of the signs.

    X @ (W[2] @ ((Y_hat - Y)/n) * indicator(f[1] > 0)).T          X · (W⁽²⁾ · ((Ŷ − Y)/n) ⊙ 1{f⁽¹⁾ > 0})ᵀ

What is computed entry by entry is an ordinary `Expr` whose names stand for whole matrices; around it are matrix
products, transposes and sums over the samples. `@` and `*` bind alike and group to the left, as in Python.

These are what this program says of a gradient, in a mathematician's signs. What a learner has typed, in NumPy's, is an
`Expr` with the terms of `engine.formula.matrix_terms`, and is shown as it was typed.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.formula.course_notation import CANONICAL, CourseNames
from engine.formula.expression import (
    ATOM,
    POWER,
    PRODUCT,
    SUM,
    Expr,
    Function,
    Indicator,
    Name,
    Negative,
    Number,
    Partial,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
)
from engine.formula.latex import to_latex
from engine.formula.layout import one_line
from engine.formula.notation import Style
from engine.formula.numeric_functions import COMPARISONS, FUNCTIONS

Array = npt.NDArray[np.floating[Any]]
MatrixValues = Callable[[Name], Array]
"""Where the matrices come from: from the name of a matrix, or of a gradient by a matrix, to its numbers."""


class MatrixExpr(ABC):
    """A formula whose value is a matrix."""

    @property
    @abstractmethod
    def binding(self) -> int:
        """How tightly it binds, on the scale of `engine.formula.expression`."""

    @abstractmethod
    def plain(self) -> str:
        """One line that Python with NumPy reads with the same meaning."""

    @abstractmethod
    def drawn(self, style: Style = Style()) -> str:
        """One line as the screen shows it."""

    @abstractmethod
    def latex(self, names: CourseNames = CANONICAL) -> str:
        """LaTeX for amsmath."""

    @abstractmethod
    def evaluate(self, values: MatrixValues) -> Array:
        """The matrix that this formula stands for."""


@dataclass(frozen=True, slots=True)
class EntrywiseExpr(MatrixExpr):
    """An ordinary formula, applied to matrices entry by entry; its names have no index."""

    expr: Expr

    @property
    def binding(self) -> int:
        """The formula's own; a derivative's name is a quotient in the plain form."""
        return PRODUCT if isinstance(self.expr, Partial) else self.expr.binding

    def plain(self) -> str:
        """The formula's plain form; a gradient is ``dE/df[1]``."""
        if isinstance(self.expr, Partial):
            return f"d{self.expr.of.plain()}/d{self.expr.by.plain()}"
        return self.expr.plain()

    def drawn(self, style: Style = Style()) -> str:
        """The formula on one line."""
        return one_line(self.expr, style)

    def latex(self, names: CourseNames = CANONICAL) -> str:
        """The formula in LaTeX."""
        return to_latex(self.expr, names=names)

    def evaluate(self, values: MatrixValues) -> Array:
        """The formula with NumPy's broadcasting."""
        with np.errstate(all="ignore"):
            return np.asarray(_entrywise(self.expr, values))


@dataclass(frozen=True, slots=True)
class MatrixProductExpr(MatrixExpr):
    """The matrix product left @ right."""

    left: MatrixExpr
    right: MatrixExpr

    @property
    def binding(self) -> int:
        """As a product."""
        return PRODUCT

    def plain(self) -> str:
        """``X @ Y``."""
        return f"{_plain(self.left, PRODUCT)} @ {_plain(self.right, POWER)}"

    def drawn(self, style: Style = Style()) -> str:
        """``X · Y``, in ASCII ``X @ Y``."""
        sign = style.glyphs.matmul
        return f"{_drawn(self.left, PRODUCT, style)} {sign} {_drawn(self.right, POWER, style)}"

    def latex(self, names: CourseNames = CANONICAL) -> str:
        """Side by side."""
        return rf"{_latex(self.left, PRODUCT, names)} \, {_latex(self.right, POWER, names)}"

    def evaluate(self, values: MatrixValues) -> Array:
        """left @ right."""
        with np.errstate(all="ignore"):
            return np.asarray(self.left.evaluate(values) @ self.right.evaluate(values))


@dataclass(frozen=True, slots=True)
class EntryProductExpr(MatrixExpr):
    """The Hadamard product: two matrices multiplied entry by entry."""

    left: MatrixExpr
    right: MatrixExpr

    @property
    def binding(self) -> int:
        """As a product."""
        return PRODUCT

    def plain(self) -> str:
        """``X * Y``."""
        return f"{_plain(self.left, PRODUCT)} * {_plain(self.right, POWER)}"

    def drawn(self, style: Style = Style()) -> str:
        """``X ⊙ Y``."""
        sign = style.glyphs.hadamard
        return f"{_drawn(self.left, PRODUCT, style)} {sign} {_drawn(self.right, POWER, style)}"

    def latex(self, names: CourseNames = CANONICAL) -> str:
        r"""``X \odot Y``."""
        return rf"{_latex(self.left, PRODUCT, names)} \odot {_latex(self.right, POWER, names)}"

    def evaluate(self, values: MatrixValues) -> Array:
        """left * right."""
        with np.errstate(all="ignore"):
            return np.asarray(self.left.evaluate(values) * self.right.evaluate(values))


@dataclass(frozen=True, slots=True)
class MatrixSumExpr(MatrixExpr):
    """The sum of matrices of one shape."""

    terms: tuple[MatrixExpr, ...]

    @property
    def binding(self) -> int:
        """As a sum."""
        return SUM

    def plain(self) -> str:
        """``X + Y``."""
        return " + ".join(_plain(term, PRODUCT) for term in self.terms)

    def drawn(self, style: Style = Style()) -> str:
        """``X + Y``."""
        return " + ".join(_drawn(term, PRODUCT, style) for term in self.terms)

    def latex(self, names: CourseNames = CANONICAL) -> str:
        """``X + Y``."""
        return " + ".join(_latex(term, PRODUCT, names) for term in self.terms)

    def evaluate(self, values: MatrixValues) -> Array:
        """The sum."""
        return reduce(operator.add, [term.evaluate(values) for term in self.terms])


@dataclass(frozen=True, slots=True)
class TransposedExpr(MatrixExpr):
    """The transpose of a matrix."""

    operand: MatrixExpr

    @property
    def binding(self) -> int:
        """As a name."""
        return ATOM

    def plain(self) -> str:
        """``X.T``."""
        return f"{_plain(self.operand, ATOM)}.T"

    def drawn(self, style: Style = Style()) -> str:
        """``Xᵀ``."""
        return f"{_drawn(self.operand, ATOM, style)}{style.glyphs.transposed}"

    def latex(self, names: CourseNames = CANONICAL) -> str:
        r"""``X^{\top}``; a name that has a superscript already is put in parentheses."""
        bare = isinstance(self.operand, EntrywiseExpr) and isinstance(self.operand.expr, Symbol)
        text = _latex(self.operand, ATOM, names)
        raised = bare and "^" in text
        return (rf"\left({text}\right)" if raised else text) + r"^{\top}"

    def evaluate(self, values: MatrixValues) -> Array:
        """The transpose."""
        return self.operand.evaluate(values).T


@dataclass(frozen=True, slots=True)
class SummedOverSamplesExpr(MatrixExpr):
    """The sum of a matrix over its columns, the samples, as one column."""

    operand: MatrixExpr

    @property
    def binding(self) -> int:
        """As a function."""
        return ATOM

    def plain(self) -> str:
        """``sum(X, axis=1)``."""
        return f"sum({self.operand.plain()}, axis=1)"

    def drawn(self, style: Style = Style()) -> str:
        """``Σₖ(X)``, k being the samples."""
        return f"{style.glyphs.sum_over}{'_k' if style.ascii else 'ₖ'}({self.operand.drawn(style)})"

    def latex(self, names: CourseNames = CANONICAL) -> str:
        r"""``\sum_k X``."""
        return rf"\sum_{{k}} \left({self.operand.latex(names)}\right)"

    def evaluate(self, values: MatrixValues) -> Array:
        """The sum over the columns, which are kept as one."""
        return np.asarray(self.operand.evaluate(values).sum(axis=1, keepdims=True))


def _plain(operand: MatrixExpr, needed: int) -> str:
    return f"({operand.plain()})" if operand.binding < needed else operand.plain()


def _drawn(operand: MatrixExpr, needed: int, style: Style) -> str:
    text = operand.drawn(style)
    return f"({text})" if operand.binding < needed else text


def _latex(operand: MatrixExpr, needed: int, names: CourseNames) -> str:
    text = operand.latex(names)
    fraction = isinstance(operand, EntrywiseExpr) and isinstance(operand.expr, Quotient | Partial)
    if operand.binding >= needed or (fraction and needed < ATOM):  # a fraction's line encloses what it holds
        return text
    return rf"\left({text}\right)"


def without_indices(expr: Expr) -> Expr:
    """The formula of all entries from that of one: f[1][0,2] becomes f[1].

    It means the same only where every name of the formula has the entry's own index; the caller makes sure of that.
    """
    match expr:
        case Symbol():
            return expr.matrix
        case Partial(of, by):
            return Partial(of, by.matrix)
        case Number():
            return expr
        case Negative(operand):
            return Negative(without_indices(operand))
        case Sum(terms):
            return Sum(tuple(map(without_indices, terms)))
        case Product(factors):
            return Product(tuple(map(without_indices, factors)))
        case Quotient(numerator, denominator):
            return Quotient(without_indices(numerator), without_indices(denominator))
        case Power(base, exponent):
            return Power(without_indices(base), without_indices(exponent))
        case Function(name, arguments):
            return Function(name, tuple(map(without_indices, arguments)))
        case Indicator(left, comparison, right):
            return Indicator(without_indices(left), comparison, without_indices(right))
    raise TypeError(f"no entries in a {type(expr).__name__}")


def _entrywise(expr: Expr, values: MatrixValues) -> Any:
    match expr:
        case Symbol() | Partial():
            return values(expr)
        case Number(value):
            return value
        case Negative(operand):
            return -_entrywise(operand, values)
        case Sum(terms):
            return reduce(operator.add, (_entrywise(term, values) for term in terms), 0.0)
        case Product(factors):
            return reduce(operator.mul, (_entrywise(factor, values) for factor in factors), 1.0)
        case Quotient(numerator, denominator):
            return np.divide(_entrywise(numerator, values), _entrywise(denominator, values))
        case Power(base, exponent):
            return np.power(_entrywise(base, values), _entrywise(exponent, values))
        case Function(name, arguments):
            # One by one, by the same functions that a single entry's formula is evaluated with.
            each = np.vectorize(FUNCTIONS[name], otypes=[np.float64])
            return each(*(_entrywise(argument, values) for argument in arguments))
        case Indicator(left, comparison, right):
            holds = np.vectorize(COMPARISONS[comparison], otypes=[np.float64])
            return holds(_entrywise(left, values), _entrywise(right, values))
    raise TypeError(f"{type(expr).__name__} cannot be evaluated entry by entry")
