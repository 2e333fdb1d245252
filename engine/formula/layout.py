"""Formulas drawn in character cells: stacked fractions, tall brackets, real sub- and superscripts.

      αY₀₀   β(1 − Y₀₀)
    − ──── + ──────────        on one line: −αY₀₀/Ŷ₀₀ + β(1−Y₀₀)/(1−Ŷ₀₀)
      Ŷ₀₀     1 − Ŷ₀₀

An expression becomes a `LayoutBox`: lines of equal width with a baseline. Boxes are set side by side with their
baselines aligned, so every larger formula is a row or a stack of smaller ones. Every glyph is one cell wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar

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
from engine.formula.matrix_terms import (
    HadamardTerm,
    MatrixProductTerm,
    SliceTerm,
    SumOverTerm,
    TotalTerm,
    TransposedTerm,
)
from engine.formula.name_glyphs import name_glyphs, superscript
from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import number_text

# ---------------------------------------------------------------------------------------------- boxes


@dataclass(frozen=True, slots=True)
class LayoutBox:
    """A rectangle of character cells; `baseline` is the line that the writing stands on."""

    lines: tuple[str, ...]
    baseline: int

    @classmethod
    def of(cls, text: str) -> LayoutBox:
        """A box of one line of text."""
        return cls((text,), 0)

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.lines[0])

    @property
    def height(self) -> int:
        """The number of lines."""
        return len(self.lines)

    def padded(self, width: int) -> LayoutBox:
        """This box with spaces on the right up to `width` columns."""
        return LayoutBox(tuple(line.ljust(width) for line in self.lines), self.baseline)

    def __str__(self) -> str:
        return "\n".join(self.lines)


def row(boxes: Sequence[LayoutBox], gap: int = 0) -> LayoutBox:
    """Sets boxes side by side on one baseline, with `gap` spaces between them."""
    above = max((box.baseline for box in boxes), default=0)
    below = max((box.height - box.baseline for box in boxes), default=1)
    columns = [
        [
            *[" " * box.width] * (above - box.baseline),
            *box.lines,
            *[" " * box.width] * (below - box.height + box.baseline),
        ]
        for box in boxes
    ]
    return LayoutBox(
        tuple((" " * gap).join(column[y] for column in columns) for y in range(above + below)), above
    )


def fraction(numerator: LayoutBox, denominator: LayoutBox, bar: str = "─") -> LayoutBox:
    """Sets one box over another with a bar between; the bar is the baseline."""
    widest = max(numerator.width, denominator.width)
    # Over a single letter the bar would look like a minus; around a fraction it must be the longer one.
    stacked = numerator.height > 1 or denominator.height > 1
    width = widest + 2 if stacked or widest < 3 else widest
    lines = (*_centred(numerator, width), bar * width, *_centred(denominator, width))
    return LayoutBox(lines, numerator.height)


def _centred(box: LayoutBox, width: int) -> list[str]:
    left = (width - box.width) // 2
    return [(" " * left + line).ljust(width) for line in box.lines]


def _raised(base: LayoutBox, exponent: LayoutBox) -> LayoutBox:
    """The exponent to the right of the base, above its highest line."""
    lifted = LayoutBox(
        exponent.lines + (" " * exponent.width,) * base.height, exponent.height + base.baseline
    )
    return row([base, lifted])


# -------------------------------------------------------------------------------------------- drawing


def draw(expr: Expr, style: Style = Style()) -> LayoutBox:
    """Draws a formula in two dimensions, at its natural size."""
    return LayoutPen(style).draw(expr)


def one_line(expr: Expr, style: Style = Style()) -> str:
    """Draws a formula on one line, for table cells: ``σ(f)(1−σ(f))``."""
    return LayoutPen(style, flat=True).draw(expr).lines[0]


def product_row(
    factors: Sequence[Expr | LayoutBox], style: Style = Style(), separator: str | None = None
) -> tuple[LayoutBox, list[range]]:
    """Draws a product in which every factor can be told apart, with the columns of each factor.

    The separator is `` · `` unless another is given.
    """
    pen = LayoutPen(style)
    between = LayoutBox.of(f" {pen.glyphs.times} " if separator is None else separator)
    boxes = [
        factor if isinstance(factor, LayoutBox) else pen.factor(factor, lead=not place)
        for place, factor in enumerate(factors)
    ]
    ends = list(accumulate(box.width + between.width for box in boxes))
    spans = [
        range(end - between.width - box.width, end - between.width)
        for box, end in zip(boxes, ends, strict=True)
    ]
    spaced = [part for box in boxes for part in (between, box)]
    return row(spaced[1:]), spans


def reads_together(left: Expr, right: Expr, names: CourseNames = CANONICAL) -> bool:
    """Whether two factors are written without a sign between them: ``αY``, ``2x``, ``σ(f)(1 − σ(f))``."""
    if isinstance(left, Negative):
        left = left.operand
    if isinstance(right, Symbol):
        if len(_written(right, names)) > 1:  # n and std would read as one name
            return False
        whole = isinstance(left, Number) and left.value.is_integer() and 0 <= left.value < 1e9
        return whole or (
            isinstance(left, Symbol) and left == Symbol(left.name) and len(_written(left, names)) == 1
        )
    # f(1 − f) would look like a function's value.
    is_named_function = isinstance(left, Symbol) and _written(left, names) in ("f", "g", "h")
    return isinstance(right, Sum) and isinstance(left, Symbol | Function | Sum) and not is_named_function


def begins_with_minus(expr: Expr) -> bool:
    """Whether a formula's drawing begins with a minus, so that it cannot follow another operator as it is."""
    return isinstance(expr, Negative) or (isinstance(expr, Number) and expr.value < 0)


def _written(symbol: Symbol, names: CourseNames) -> str:
    """A symbol's name as it is drawn, without layer and index."""
    own = names.letter_of(symbol.name)
    return name_glyphs(symbol.name, True) if own is None else own.drawn


@dataclass(frozen=True, slots=True)
class _LeftOut:
    """Stands for the middle terms of a long sum or product."""

    count: int


_Item = TypeVar("_Item")
Pieces = list[tuple[str, LayoutBox]]
"""The terms or factors of a formula, each with the sign before it."""


class LayoutPen:
    """Draws expressions in one style, in two dimensions or flat on one line.

    Two things are handed down: `lead`, whether the formula may begin with a minus where it stands (nobody
    writes ``a · −b``), and `loose`, whether a product has spaces around its dot: the operator that binds
    least gets the most air. `spare` is a number of terms that are shown whatever `style.max_terms` says.
    """

    def __init__(self, style: Style, flat: bool = False, spare: int = 0) -> None:
        self.style = style
        self.glyphs = style.glyphs
        self.flat = flat
        self.spare = spare

    def draw(self, expr: Expr, lead: bool = True, loose: bool = True) -> LayoutBox:
        """The drawing of any expression."""
        expr = bare(expr)
        if not lead and begins_with_minus(expr):
            return self._group(expr)
        match expr:
            case Number(value):
                return LayoutBox.of(number_text(value, self.style))
            case Symbol():
                return LayoutBox.of(symbol_text(expr, self.style))
            case Partial(of, by):
                parts = (
                    LayoutBox.of(self.glyphs.partial + symbol_text(symbol, self.style)) for symbol in (of, by)
                )
                return self._fraction(*parts)
            case Negative(operand):
                return self._negative(operand, loose)
            case Sum():
                return joined(self._sum_pieces(expr, lead, loose))
            case Product():
                return joined(self._product_pieces(expr, lead, loose))
            case Quotient(numerator, denominator):
                return self._quotient(numerator, denominator, lead)
            case Power(base, exponent):
                return self._power(base, exponent)
            case Function(name, arguments):
                return self._function(name, arguments)
            case Indicator(left, comparison, right):
                return self._indicator(left, comparison, right)
            case TransposedTerm() | MatrixProductTerm() | SliceTerm() | TotalTerm() | SumOverTerm():
                return self._matrix(expr)
        raise TypeError(f"no drawing for {type(expr).__name__}")

    def pieces(self, expr: Expr) -> Pieces:
        """The terms or factors of a formula, where a line may be broken; any other formula is one piece."""
        expr = bare(expr)
        if isinstance(expr, Sum):
            return self._sum_pieces(expr, lead=True, loose=True)
        if isinstance(expr, Product):
            return self._product_pieces(expr, lead=True, loose=True)
        return [("", self.draw(expr))]

    def factor(self, expr: Expr, lead: bool, loose: bool = True) -> LayoutBox:
        """An expression as a factor of a product."""
        expr = bare(expr)
        slashed = self.flat and not loose and isinstance(expr, Quotient | Partial)
        return self._group(expr) if isinstance(expr, Sum) or slashed else self.draw(expr, lead, loose=False)

    def _negative(self, operand: Expr, loose: bool) -> LayoutBox:
        operand = bare(operand)
        box = (
            self._group(operand) if isinstance(operand, Sum) else self.draw(operand, lead=False, loose=loose)
        )
        # Against a bar or a tall bracket the minus needs a space to be seen.
        return row([LayoutBox.of(self.glyphs.minus), box], gap=int(box.height > 1))

    def _sum_pieces(self, expr: Sum, lead: bool, loose: bool) -> Pieces:
        items = self._shortened(list(expr.signed_terms()))
        space = " " if loose or not self.flat or len(items) < len(expr.terms) else ""
        pieces: Pieces = []
        for place, item in enumerate(items):
            if isinstance(item, _LeftOut):
                sign, box = "+", self._left_out(item)
            else:
                subtracted, term = item
                sign = self.glyphs.minus if subtracted else "+"
                first = lead and not place
                box = self._group(term) if isinstance(term, Sum) else self.draw(term, first, loose=False)
            pieces.append((f"{space}{sign}{space}" if place else "", box))
        return pieces

    def _product_pieces(self, expr: Product, lead: bool, loose: bool) -> Pieces:
        items = self._shortened([bare(factor) for factor in expr.factors])
        boxes = [
            self._left_out(item)
            if isinstance(item, _LeftOut)
            else self.factor(item, lead and not place, loose)
            for place, item in enumerate(items)
        ]
        if isinstance(expr, HadamardTerm):
            between = f" {self.glyphs.hadamard} "
            return [(between if place else "", box) for place, box in enumerate(boxes)]
        signs = [""]
        for place in range(1, len(items)):
            tall = max(boxes[place - 1].height, boxes[place].height) > 1
            signs.append(self._times(items[place - 1], items[place], loose or tall, tall))
        return list(zip(signs, boxes, strict=True))

    def _times(self, left: Expr | _LeftOut, right: Expr | _LeftOut, loose: bool, tall: bool) -> str:
        if isinstance(left, _LeftOut) or isinstance(right, _LeftOut):
            return f" {self.glyphs.times} "
        if not tall and not self.style.ascii and reads_together(left, right, self.style.names):
            return ""
        return f" {self.glyphs.times} " if loose else self.glyphs.times

    def _shortened(self, items: list[_Item]) -> list[_Item | _LeftOut]:
        limit = self.style.max_terms
        if limit is None or len(items) <= max(limit, self.spare):
            return list(items)
        return [*items[: limit - 1], _LeftOut(len(items) - limit), items[-1]]

    def _left_out(self, item: _LeftOut) -> LayoutBox:
        return LayoutBox.of(f"{self.glyphs.dots} ({item.count} more) {self.glyphs.dots}")

    def _quotient(self, numerator: Expr, denominator: Expr, lead: bool) -> LayoutBox:
        if not self.flat:
            return self._fraction(self.draw(numerator), self.draw(denominator))
        needs_group = isinstance(bare(numerator), Sum | Quotient | Partial)
        over = self._group(numerator) if needs_group else self.draw(numerator, lead, loose=False)
        whole = self._is_closed(denominator) or isinstance(bare(denominator), Power)
        return self._fraction(over, self.draw(denominator) if whole else self._group(denominator))

    def _fraction(self, numerator: LayoutBox, denominator: LayoutBox) -> LayoutBox:
        if self.flat:
            return row([numerator, LayoutBox.of("/"), denominator])
        return fraction(numerator, denominator, self.glyphs.bar)

    def _power(self, base: Expr, exponent: Expr) -> LayoutBox:
        base = bare(base)
        has_superscript = isinstance(base, Symbol) and base.layer is not None
        whole = self._is_closed(base) and not has_superscript and not _is_exponential(base)
        foot = self.draw(base) if whole else self._group(base)
        text = self._flat_text(exponent)
        raised = None if self.style.ascii else superscript(text)
        if raised is not None:
            return row([foot, LayoutBox((raised, *[" " * len(raised)] * (foot.height - 1)), foot.baseline)])
        if self.flat:
            return row([foot, LayoutBox.of(f"^{text}" if self._is_closed(exponent) else f"^({text})")])
        return _raised(foot, self.draw(exponent))

    def _function(self, name: str, arguments: tuple[Expr, ...]) -> LayoutBox:
        label = self.glyphs.functions.get(name, name)
        if name == "exp" and not self.style.ascii:
            text = self._flat_text(arguments[0])
            raised = superscript(text)
            if raised is not None:
                return LayoutBox.of(f"e{raised}")
            inside = LayoutBox.of(text) if self.flat else self.draw(arguments[0])
        else:
            drawn = [self.draw(argument, loose=not self.flat) for argument in arguments]
            inside = row([part for box in drawn for part in (LayoutBox.of(", "), box)][1:])
        return (
            self._fence(inside, "|", "|")
            if name == "abs"
            else row([LayoutBox.of(label), self._fence(inside)])
        )

    def _indicator(self, left: Expr, comparison: str, right: Expr) -> LayoutBox:
        sign = LayoutBox.of(f" {self.glyphs.comparisons[comparison]} ")
        sides = [self.draw(side, loose=False) for side in (left, right)]
        return row([LayoutBox.of("1"), self._fence(row([sides[0], sign, sides[1]]), "{", "}")])

    def _matrix(
        self, expr: TransposedTerm | MatrixProductTerm | SliceTerm | TotalTerm | SumOverTerm
    ) -> LayoutBox:
        match expr:
            case TransposedTerm(operand):
                mark = self.glyphs.transposed
                foot = self.draw(operand) if isinstance(operand, Symbol | SliceTerm) else self._group(operand)
                return row([foot, LayoutBox((mark, *[" " * len(mark)] * (foot.height - 1)), foot.baseline)])
            case MatrixProductTerm(factors):
                between = LayoutBox.of(" @ ")
                boxes = [self.factor(factor, lead=not place) for place, factor in enumerate(factors)]
                return row([part for box in boxes for part in (between, box)][1:])
            case SliceTerm(symbol, down, across):
                places = ",".join(":" if place is None else str(place) for place in (down, across))
                return LayoutBox.of(f"{symbol_text(symbol, self.style)}[{places}]")
            case TotalTerm(operand, axis):
                along = "" if axis is None else f", axis={axis}"
                return row([LayoutBox.of("sum"), self._fence(row([self.draw(operand), LayoutBox.of(along)]))])
            case SumOverTerm(letter, _, operand):
                sign = f"sum over {letter} " if self.style.ascii else f"Σ_{letter} "
                return row([LayoutBox.of(sign), self._group(operand)])

    def _flat_text(self, expr: Expr) -> str:
        pen = self if self.flat else LayoutPen(self.style, flat=True, spare=self.spare)
        return pen.draw(expr, loose=False).lines[0]

    def _group(self, expr: Expr) -> LayoutBox:
        """In parentheses; in tall brackets where it is more than one line high."""
        box = self.draw(expr, loose=False)
        return self._fence(box, "[", "]") if box.height > 1 else self._fence(box)

    def _fence(self, box: LayoutBox, left: str = "(", right: str = ")") -> LayoutBox:
        return row([self._delimiter(left, box), box, self._delimiter(right, box)])

    def _delimiter(self, mark: str, box: LayoutBox) -> LayoutBox:
        if box.height == 1:
            return LayoutBox.of(mark)
        top, middle, bottom, filling = self.glyphs.tall[mark]
        lines = [top, *[filling] * (box.height - 2), bottom]
        if box.height > 2:
            lines[min(max(box.baseline, 1), box.height - 2)] = middle
        return LayoutBox(tuple(lines), box.baseline)

    def _is_closed(self, expr: Expr) -> bool:
        """Whether the drawing is one unit to the eye, whatever stands beside it."""
        expr = bare(expr)
        if isinstance(expr, Number):
            return not begins_with_minus(expr) and "×" not in number_text(expr.value, self.style)
        return isinstance(expr, Symbol | Function | Indicator)


def _is_exponential(expr: Expr) -> bool:
    return isinstance(expr, Function) and expr.name == "exp"


def joined(pieces: Pieces) -> LayoutBox:
    """Sets terms or factors on one row, each after its sign."""
    return row([part for sign, box in pieces for part in (LayoutBox.of(sign), box)])
