r"""Formulas as LaTeX, for amsmath: ``-alpha*Y/Y_hat`` becomes ``\frac{-\alpha Y}{\hat{Y}}``.

    \frac{\partial \mathcal{E}}{\partial W^{[1]}_{11}}

Parentheses follow from how tightly each part binds: a fraction encloses what it holds, a sum inside a
product does not, and a superscript is never put on something that already has one.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise

from engine.formula.course_notation import CANONICAL, CourseNames
from engine.formula.expression import (
    Expr,
    Function,
    Indicator,
    Negative,
    Number,
    Partial,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    bare,
)
from engine.formula.layout import begins_with_minus, reads_together
from engine.formula.letters import GREEK, latex_letter
from engine.formula.matrix_terms import (
    HadamardTerm,
    MatrixProductTerm,
    SliceTerm,
    SumOverTerm,
    TotalTerm,
    TransposedTerm,
)
from engine.formula.name_glyphs import AFFINE, split_name
from engine.formula.number_text import number_parts

_COMPARISONS = {">": ">", "<": "<", ">=": r"\ge", "<=": r"\le"}
_FUNCTIONS = {
    "sigmoid": r"\sigma",
    "tanh": r"\tanh",
    "exp": r"\exp",
    "log": r"\log",
    "sin": r"\sin",
    "cos": r"\cos",
    "maximum": r"\max",
    "minimum": r"\min",
    "relu": r"\operatorname{ReLU}",
    "erf": r"\operatorname{erf}",
}
_GREEK = {name: latex_letter(name) for name in GREEK}


def to_latex(expr: Expr, digits: int | None = None, names: CourseNames = CANONICAL) -> str:
    """A formula in LaTeX; numbers to `digits` significant digits, or exactly where that is None."""
    return _LatexWriter(digits, names).write(expr)


def symbol_latex(symbol: Symbol, names: CourseNames = CANONICAL) -> str:
    r"""A symbol in LaTeX: ``W^{[1]}_{11}``, ``\hat{Y}_{00}``, ``\alpha``."""
    layer = "" if symbol.layer is None else f"^{{[{symbol.layer}]}}"
    if symbol.index is None:
        return _name(symbol.name, names, plain_end=bool(layer)) + layer
    comma = "," if max(symbol.index) > 9 else ""
    return f"{_name(symbol.name, names, plain_end=True)}{layer}_{{{comma.join(map(str, symbol.index))}}}"


def number_latex(value: float, digits: int | None = None) -> str:
    r"""A number in LaTeX: ``0.25``, ``1.23 \times 10^{-9}``, ``-\infty``, ``\mathrm{NaN}``."""
    if math.isnan(value):
        return r"\mathrm{NaN}"
    sign = "-" if value < 0 else ""
    if math.isinf(value):
        return sign + r"\infty"
    mantissa, exponent = number_parts(value, digits)
    return sign + (mantissa if exponent is None else rf"{mantissa} \times 10^{{{exponent}}}")


def _name(name: str, names: CourseNames, plain_end: bool) -> str:
    own = names.letter_of(name)
    return _canonical_name(name, plain_end) if own is None else own.latex


def _canonical_name(name: str, plain_end: bool) -> str:
    stem, digits = split_name(name)
    if digits and not plain_end:
        return f"{_canonical_name(stem, plain_end=True)}_{{{digits}}}"
    if name.endswith("_hat") and name != "_hat":
        return rf"\hat{{{_canonical_name(name.removesuffix('_hat'), plain_end=True)}}}"
    if name == "E":
        return r"\mathcal{E}"
    escaped = name.replace("_", r"\_")
    return _GREEK.get(
        AFFINE.get(name, name), name if len(name) == 1 and name.isalpha() else rf"\mathrm{{{escaped}}}"
    )


class _LatexWriter:
    """Writes expressions with one number format.

    `lead` says whether the formula may begin with a minus where it stands.
    """

    def __init__(self, digits: int | None, names: CourseNames) -> None:
        self.digits = digits
        self.names = names

    def write(self, expr: Expr, lead: bool = True) -> str:
        """The LaTeX of any expression."""
        expr = bare(expr)
        if not lead and begins_with_minus(expr):
            return self._group(expr)
        match expr:
            case Number(value):
                return number_latex(value, self.digits)
            case Symbol():
                return symbol_latex(expr, self.names)
            case Partial(of, by):
                over, under = (symbol_latex(symbol, self.names) for symbol in (of, by))
                return rf"\frac{{\partial {over}}}{{\partial {under}}}"
            case Negative(operand):
                return f"-{self._operand(operand, lead=False)}"
            case Sum():
                return self._sum(expr, lead)
            case Product():
                return self._product(expr, lead)
            case Quotient(numerator, denominator):
                return rf"\frac{{{self.write(numerator)}}}{{{self.write(denominator)}}}"
            case Power(base, exponent):
                return f"{self._base(base)}^{{{self.write(exponent)}}}"
            case Function(name, arguments):
                return self._function(name, arguments)
            case Indicator(left, comparison, right):
                sign = _COMPARISONS[comparison]
                return rf"\mathbf{{1}}\{{{self.write(left)} {sign} {self.write(right)}\}}"
            case TransposedTerm() | MatrixProductTerm() | SliceTerm() | TotalTerm() | SumOverTerm():
                return self._matrix(expr)
        raise TypeError(f"no LaTeX for {type(expr).__name__}")

    def _matrix(self, expr: TransposedTerm | MatrixProductTerm | SliceTerm | TotalTerm | SumOverTerm) -> str:
        match expr:
            case TransposedTerm(operand):
                plain = isinstance(operand, Symbol) and operand.layer is None
                return f"{self.write(operand) if plain else self._group(operand)}^{{\\top}}"
            case MatrixProductTerm(factors):
                return " ".join(self._operand(factor, lead=not place) for place, factor in enumerate(factors))
            case SliceTerm(symbol, down, across):
                places = ",".join(":" if place is None else str(place) for place in (down, across))
                layer = "" if symbol.layer is None else f"^{{[{symbol.layer}]}}"
                return f"{_name(symbol.name, self.names, plain_end=True)}{layer}_{{{places}}}"
            case TotalTerm(operand, axis):
                along = "" if axis is None else rf", \mathrm{{axis}}={axis}"
                return rf"\operatorname{{sum}}\left({self.write(operand)}{along}\right)"
            case SumOverTerm(letter, _, operand):
                return rf"\sum_{{{letter}}} {self._group(operand)}"

    def _sum(self, expr: Sum, lead: bool) -> str:
        parts: list[str] = []
        for place, (subtracted, term) in enumerate(expr.signed_terms()):
            if place:
                parts.append("-" if subtracted else "+")
            parts.append(self._operand(term, lead and not place))
        return " ".join(parts)

    def _product(self, expr: Product, lead: bool) -> str:
        factors = [bare(factor) for factor in expr.factors]
        text = self._operand(factors[0], lead)
        for previous, factor in pairwise(factors):
            if isinstance(expr, HadamardTerm):
                text += rf" \odot {self._operand(factor, lead=False)}"
                continue
            sign = " " if reads_together(previous, factor, self.names) else r" \cdot "
            text += sign + self._operand(factor, lead=False)
        return text

    def _operand(self, expr: Expr, lead: bool) -> str:
        """A term, a factor or what follows a minus: a sum in parentheses, everything else as it is."""
        return self._group(expr) if isinstance(bare(expr), Sum) else self.write(expr, lead)

    def _base(self, base: Expr) -> str:
        """What an exponent may be put on."""
        base = bare(base)
        plain_symbol = isinstance(base, Symbol) and base.layer is None
        digits_only = isinstance(base, Number) and re.fullmatch(r"[0-9.]+", self.write(base)) is not None
        call = isinstance(base, Function) and base.name != "exp"
        return self.write(base) if plain_symbol or digits_only or call else self._group(base)

    def _function(self, name: str, arguments: tuple[Expr, ...]) -> str:
        if name == "exp":
            return f"e^{{{self.write(arguments[0])}}}"
        if name == "sqrt":
            return rf"\sqrt{{{self.write(arguments[0])}}}"
        inside = ", ".join(self.write(argument) for argument in arguments)
        if name == "abs":
            return rf"\left|{inside}\right|"
        return rf"{_FUNCTIONS.get(name, name)}\left({inside}\right)"

    def _group(self, expr: Expr) -> str:
        return rf"\left({self.write(expr)}\right)"
