"""Formulas as values: small immutable expression trees that can be shown, substituted and evaluated.

    -Y/Y_hat        Quotient ── Negative ── Symbol Y
                       └─────── Symbol Y_hat

Every formula on the screen is one of these. Its symbols, its substituted numbers and its result come from
the same object, so they cannot disagree. The plain form is a valid Python expression; `engine.formula.parser` reads
it back, `engine.formula.layout` draws it in two dimensions and `engine.formula.latex` writes LaTeX.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Union

from typing_extensions import override

from engine.formula.numeric_functions import COMPARISONS, FUNCTIONS, divide, power

Entry = tuple[int, int]
"""A zero-based (row, column) of a matrix."""

# How tightly each kind of expression binds, as in Python's grammar; a child that binds
# less tightly than its place needs gets parentheses.
SUM, PRODUCT, SIGN, POWER, ATOM = range(5)


class Expr:
    """A formula as a value: it renders, substitutes numbers and evaluates.

    Operators build larger ones: ``2 * x + 1``.
    """

    __slots__ = ()
    binding = ATOM

    def children(self) -> tuple[Expr, ...]:
        """The expressions directly inside this one, left to right."""
        return ()

    @abstractmethod
    def plain(self) -> str:
        """One line of text: a valid Python expression over the plain names: ``sigmoid(f[1][0,0])``."""

    @abstractmethod
    def evaluate(self, values: Values) -> float:
        """The number this formula stands for.

        `values` gives the number of each symbol. Arithmetic follows IEEE 754: a division by zero is an
        infinity or NaN, never an exception. Raises KeyError for a symbol that `values` does not know.
        """

    @abstractmethod
    def substitute(self, values: Values) -> Expr:
        """The same formula with every symbol replaced by its number."""

    def symbols(self) -> Iterator[Symbol]:
        """Every symbol in the formula, left to right, repeats included."""
        for child in self.children():
            yield from child.symbols()

    def __str__(self) -> str:
        return self.plain()

    def __add__(self, other: Operand) -> Expr:
        return Sum((*_terms(self), as_expr(other)))

    def __radd__(self, other: Operand) -> Expr:
        return Sum((as_expr(other), self))

    def __sub__(self, other: Operand) -> Expr:
        return Sum((*_terms(self), Negative(as_expr(other))))

    def __rsub__(self, other: Operand) -> Expr:
        return Sum((as_expr(other), Negative(self)))

    def __mul__(self, other: Operand) -> Expr:
        return Product((*_factors(self), as_expr(other)))

    def __rmul__(self, other: Operand) -> Expr:
        return Product((as_expr(other), self))

    def __truediv__(self, other: Operand) -> Expr:
        return Quotient(self, as_expr(other))

    def __rtruediv__(self, other: Operand) -> Expr:
        return Quotient(as_expr(other), self)

    def __pow__(self, other: Operand) -> Expr:
        return Power(self, as_expr(other))

    def __neg__(self) -> Expr:
        return Negative(self)


Operand = Expr | float | int
Name = Union["Symbol", "Partial"]
"""What has a number of its own: a quantity, or the derivative of one quantity by another."""

Values = Callable[[Name], float] | Mapping[Any, float]
"""Where the numbers come from: a function or a dictionary from name to number."""


def as_expr(operand: Operand) -> Expr:
    """An operand as an expression: a number as a `Number`, an expression as it is."""
    return operand if isinstance(operand, Expr) else Number(float(operand))


def _terms(left: Expr) -> tuple[Expr, ...]:
    return left.terms if isinstance(left, Sum) else (left,)


def _factors(left: Expr) -> tuple[Expr, ...]:
    return left.factors if isinstance(left, Product) else (left,)


def with_children(expr: Expr, children: Sequence[Expr]) -> Expr:
    """An expression of the same kind over other children."""
    waiting = list(children)
    changed: dict[str, object] = {}
    for field in fields(expr):  # type: ignore[arg-type]
        value = getattr(expr, field.name)
        if isinstance(value, Expr) and not _is_own(expr, field.name):
            changed[field.name] = waiting.pop(0)
        elif isinstance(value, tuple) and value and all(isinstance(one, Expr) for one in value):
            changed[field.name] = tuple(waiting[: len(value)])
            del waiting[: len(value)]
    return replace(expr, **changed)  # type: ignore[type-var]


def _is_own(expr: Expr, name: str) -> bool:
    """Whether a field is no child: the matrix that a slice is cut from."""
    return name == "symbol" and not expr.children()


def bare(expr: Expr) -> Expr:
    """An expression without sums of one term and products of one factor around it.

    The empty sum is 0 and the empty product 1.
    """
    while isinstance(expr, Sum | Product) and len(expr.children()) < 2:
        expr = expr.children()[0] if expr.children() else Number(float(isinstance(expr, Product)))
    return expr


def _value_of(values: Values, name: Name) -> float:
    return float(values(name) if callable(values) else values[name])


def _wrap(child: Expr, needed: int) -> str:
    text = child.plain()
    return f"({text})" if child.binding < needed else text


@dataclass(frozen=True, slots=True)
class Number(Expr):
    """A constant. Its plain form reads back to exactly the same float."""

    value: float

    @property
    @override
    def binding(self) -> int:  # type: ignore[override]
        """A negative number binds like a sign, so it gets parentheses inside a product or power."""
        return SIGN if self.plain().startswith("-") else ATOM

    @override
    def plain(self) -> str:
        """Whole numbers without a point, others with all the digits needed to read them back exactly."""
        text = repr(float(self.value))
        return text.removesuffix(".0") if text != "-0.0" else text

    @override
    def evaluate(self, values: Values) -> float:
        return float(self.value)

    @override
    def substitute(self, values: Values) -> Expr:
        return self


@dataclass(frozen=True, slots=True)
class Symbol(Expr):
    """A named quantity: ``n``, ``Y_hat``, the matrix ``W[1]`` or its entry ``W[1][1,1]``.

    `layer` is the tutorial's superscript [l]; `index` its zero-based (row, column) subscript.
    """

    name: str
    layer: int | None = None
    index: Entry | None = None

    def at(self, index: Entry) -> Symbol:
        """The entry of this matrix at `index`."""
        return Symbol(self.name, self.layer, index)

    @property
    def matrix(self) -> Symbol:
        """The matrix that this entry belongs to."""
        return Symbol(self.name, self.layer)

    @override
    def plain(self) -> str:
        """``name[layer][row,column]``, without the parts this symbol does not have."""
        layer = "" if self.layer is None else f"[{self.layer}]"
        index = "" if self.index is None else f"[{self.index[0]},{self.index[1]}]"
        return f"{self.name}{layer}{index}"

    @override
    def evaluate(self, values: Values) -> float:
        return _value_of(values, self)

    @override
    def substitute(self, values: Values) -> Expr:
        return Number(_value_of(values, self))

    @override
    def symbols(self) -> Iterator[Symbol]:
        yield self


WEIGHTS_OF_LOSS = (Symbol("alpha"), Symbol("beta"))
"""The factors of a loss's two terms. Where one is 1 there is nothing to be put in for it."""


@dataclass(frozen=True, slots=True)
class Partial(Expr):
    """The name of a partial derivative, ∂of/∂by: what a factor of the chain rule is called.

    Like a symbol it has the number that `values` gives it; its formula is carried by the term that bears it.
    """

    of: Symbol
    by: Symbol

    @override
    def plain(self) -> str:
        """``∂f[2][0,0]/∂a[1][1,0]``: a name, not an expression that can be evaluated."""
        return f"∂{self.of.plain()}/∂{self.by.plain()}"

    @override
    def evaluate(self, values: Values) -> float:
        return _value_of(values, self)

    @override
    def substitute(self, values: Values) -> Expr:
        return Number(_value_of(values, self))


@dataclass(frozen=True, slots=True)
class Negative(Expr):
    """The negative of an expression."""

    operand: Expr
    binding = SIGN

    @override
    def children(self) -> tuple[Expr, ...]:
        return (self.operand,)

    @override
    def plain(self) -> str:
        """``-x``; what begins with a minus itself gets parentheses."""
        text = _wrap(self.operand, PRODUCT)
        return f"-({text})" if text.startswith("-") else f"-{text}"

    @override
    def evaluate(self, values: Values) -> float:
        return -self.operand.evaluate(values)

    @override
    def substitute(self, values: Values) -> Expr:
        return Negative(self.operand.substitute(values))


@dataclass(frozen=True, slots=True)
class Sum(Expr):
    """A sum of terms, left to right; a `Negative` term is shown as a subtraction."""

    terms: tuple[Expr, ...]

    @property
    @override
    def binding(self) -> int:  # type: ignore[override]
        """A sum of one term binds like that term."""
        return SUM if len(self.terms) > 1 else bare(self).binding

    @override
    def children(self) -> tuple[Expr, ...]:
        return self.terms

    def signed_terms(self) -> Iterator[tuple[bool, Expr]]:
        """Each term as (is subtracted, magnitude), for the renderers; the first keeps its sign."""
        for place, term in enumerate(map(bare, self.terms)):
            if place and isinstance(term, Negative):
                yield True, bare(term.operand)
            else:
                yield False, term

    @override
    def plain(self) -> str:
        """``x + y - z``."""
        if len(self.terms) < 2:
            return bare(self).plain()
        parts: list[str] = []
        for place, (subtracted, term) in enumerate(self.signed_terms()):
            text = _wrap(term, PRODUCT)
            if place:
                parts.append(" - " if subtracted else " + ")
                text = f"({text})" if text.startswith("-") else text
            parts.append(text)
        return "".join(parts)

    @override
    def evaluate(self, values: Values) -> float:
        if not self.terms:
            return 0.0
        # Starting from the first term, not from 0.0, keeps the sign of a sum of negative zeros.
        first, *rest = self.terms
        total = first.evaluate(values)
        for term in rest:
            total += term.evaluate(values)
        return total

    @override
    def substitute(self, values: Values) -> Expr:
        return Sum(tuple(term.substitute(values) for term in self.terms))


@dataclass(frozen=True, slots=True)
class Product(Expr):
    """A product of factors, left to right."""

    factors: tuple[Expr, ...]

    @property
    @override
    def binding(self) -> int:  # type: ignore[override]
        """A product of one factor binds like that factor."""
        return PRODUCT if len(self.factors) > 1 else bare(self).binding

    @override
    def children(self) -> tuple[Expr, ...]:
        return self.factors

    @override
    def plain(self) -> str:
        """``x*y*z``."""
        if len(self.factors) < 2:
            return bare(self).plain()
        # A quotient to the right of a * would be read as (x*y)/z: same value in exact arithmetic, but not
        # the same tree, so it gets parentheses.
        first, *rest = self.factors
        return "*".join([_wrap(first, PRODUCT), *(_wrap(factor, POWER) for factor in rest)])

    @override
    def evaluate(self, values: Values) -> float:
        total = 1.0
        for factor in self.factors:
            total *= factor.evaluate(values)
        return total

    @override
    def substitute(self, values: Values) -> Expr:
        """A loss's weight that is 1 is left out: ``α · Y / Ŷ`` with numbers is ``0 / 0.5195``."""
        told = [one for one in self.factors if one not in WEIGHTS_OF_LOSS or one.evaluate(values) != 1.0]
        factors = tuple(factor.substitute(values) for factor in told or self.factors)
        return factors[0] if len(factors) == 1 else Product(factors)


@dataclass(frozen=True, slots=True)
class Quotient(Expr):
    """A quotient of two expressions, drawn as a fraction."""

    numerator: Expr
    denominator: Expr
    binding = PRODUCT

    @override
    def children(self) -> tuple[Expr, ...]:
        return (self.numerator, self.denominator)

    @override
    def plain(self) -> str:
        """``x/y``."""
        return f"{_wrap(self.numerator, PRODUCT)}/{_wrap(self.denominator, POWER)}"

    @override
    def evaluate(self, values: Values) -> float:
        """The quotient; a division by zero gives ±inf or NaN as IEEE 754 says."""
        return divide(self.numerator.evaluate(values), self.denominator.evaluate(values))

    @override
    def substitute(self, values: Values) -> Expr:
        return Quotient(self.numerator.substitute(values), self.denominator.substitute(values))


@dataclass(frozen=True, slots=True)
class Power(Expr):
    """A base raised to an exponent."""

    base: Expr
    exponent: Expr
    binding = POWER

    @override
    def children(self) -> tuple[Expr, ...]:
        return (self.base, self.exponent)

    @override
    def plain(self) -> str:
        """``x**y``."""
        return f"{_wrap(self.base, ATOM)}**{_wrap(self.exponent, ATOM)}"

    @override
    def evaluate(self, values: Values) -> float:
        """The power; overflow gives ±inf and a root of a negative number gives NaN."""
        return power(self.base.evaluate(values), self.exponent.evaluate(values))

    @override
    def substitute(self, values: Values) -> Expr:
        return Power(self.base.substitute(values), self.exponent.substitute(values))


@dataclass(frozen=True, slots=True)
class Function(Expr):
    """A function of the plain form applied to its arguments: ``sigmoid(x)``, ``maximum(x, y)``."""

    name: str
    arguments: tuple[Expr, ...]

    @override
    def children(self) -> tuple[Expr, ...]:
        return self.arguments

    @override
    def plain(self) -> str:
        """``name(x, y)``."""
        return f"{self.name}({', '.join(argument.plain() for argument in self.arguments)})"

    @override
    def evaluate(self, values: Values) -> float:
        """The function's value; outside its domain NaN or ±inf, never an exception."""
        return FUNCTIONS[self.name](*(argument.evaluate(values) for argument in self.arguments))

    @override
    def substitute(self, values: Values) -> Expr:
        return Function(self.name, tuple(argument.substitute(values) for argument in self.arguments))


@dataclass(frozen=True, slots=True)
class Indicator(Expr):
    """An indicator 1{f > 0}: 1 where a comparison holds, otherwise 0. `comparison` is one of > < >= <= ."""

    left: Expr
    comparison: str
    right: Expr

    @override
    def children(self) -> tuple[Expr, ...]:
        return (self.left, self.right)

    @override
    def plain(self) -> str:
        """``indicator(x > y)``."""
        return f"indicator({self.left.plain()} {self.comparison} {self.right.plain()})"

    @override
    def evaluate(self, values: Values) -> float:
        """1.0 or 0.0; a comparison with NaN does not hold."""
        return float(COMPARISONS[self.comparison](self.left.evaluate(values), self.right.evaluate(values)))

    @override
    def substitute(self, values: Values) -> Expr:
        return Indicator(self.left.substitute(values), self.comparison, self.right.substitute(values))


def call(name: str, *arguments: Operand) -> Function:
    """A named function applied to expressions or numbers: ``call("sigmoid", x)``."""
    return Function(name, tuple(as_expr(argument) for argument in arguments))


def positive(x: Expr) -> Indicator:
    """The indicator 1{x > 0}."""
    return Indicator(x, ">", Number(0.0))


def not_positive(x: Expr) -> Indicator:
    """The indicator 1{x ≤ 0}."""
    return Indicator(x, "<=", Number(0.0))
