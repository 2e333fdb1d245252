"""Formulas drawn in character cells: stacked fractions, tall brackets, real sub- and superscripts.

      αY₀₀   β(1 − Y₀₀)
    − ──── + ──────────        on one line: −αY₀₀/Ŷ₀₀ + β(1−Y₀₀)/(1−Ŷ₀₀)
      Ŷ₀₀     1 − Ŷ₀₀

An expression becomes a `Box`: lines of equal width with a baseline. Boxes are set side by side with their
baselines aligned, so every larger formula is a row or a stack of smaller ones. Every glyph is one cell wide.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import accumulate
from typing import TypeVar

from engine.expression import (
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

# ---------------------------------------------------------------------------------------------- style


@dataclass(frozen=True, slots=True)
class Style:
    """How formulas are drawn.

    `digits` is the number of significant digits of a number; `ascii` keeps to 7-bit characters; a sum or
    product of more than `max_terms` terms shows the first ones, how many are left out, and the last.
    """

    digits: int = 4
    ascii: bool = False
    max_terms: int | None = None

    def __post_init__(self) -> None:
        if self.digits < 1:
            raise ValueError(f"digits: expected at least 1, found {self.digits}")
        if self.max_terms is not None and self.max_terms < 2:
            raise ValueError(f"max_terms: expected at least 2, found {self.max_terms}")


@dataclass(frozen=True, slots=True)
class _Glyphs:
    """The characters that differ between the Unicode and the ASCII drawing."""

    minus: str
    times: str
    partial: str
    dots: str
    bar: str
    comparisons: dict[str, str]
    functions: dict[str, str]
    tall: dict[str, tuple[str, str, str, str]]  # delimiter: its top, middle, bottom and filling


_UNICODE = _Glyphs(
    minus="−",
    times="·",
    partial="∂",
    dots="⋯",
    bar="─",
    comparisons={">": ">", "<": "<", ">=": "≥", "<=": "≤"},
    functions={"sigmoid": "σ", "relu": "ReLU", "sqrt": "√", "maximum": "max", "minimum": "min"},
    tall={
        "(": ("⎛", "⎜", "⎝", "⎜"),
        ")": ("⎞", "⎟", "⎠", "⎟"),
        "[": ("⎡", "⎢", "⎣", "⎢"),
        "]": ("⎤", "⎥", "⎦", "⎥"),
        "{": ("⎧", "⎨", "⎩", "⎪"),
        "}": ("⎫", "⎬", "⎭", "⎪"),
        "|": ("│", "│", "│", "│"),
    },
)
_ASCII = _Glyphs(
    minus="-",
    times="*",
    partial="d",
    dots="...",
    bar="-",
    comparisons={">": ">", "<": "<", ">=": ">=", "<=": "<="},
    functions={"relu": "ReLU", "maximum": "max", "minimum": "min"},
    tall={
        "(": ("/", "|", "\\", "|"),
        ")": ("\\", "|", "/", "|"),
        "[": ("[", "[", "[", "["),
        "]": ("]", "]", "]", "]"),
        "{": ("{", "{", "{", "{"),
        "}": ("}", "}", "}", "}"),
        "|": ("|", "|", "|", "|"),
    },
)

_SUBSCRIPT_DIGITS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = dict(
    zip(
        "0123456789+−()abcdefghijklmnoprstuvwxyzαβγδθφχ",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵅᵝᵞᵟᶿᵠᵡ",
        strict=True,
    )
)

GREEK = {
    **{unicodedata.name(letter).split()[-1].lower(): letter for letter in "αβγδεζηθικμνξπρστυφχψω"},
    "lam": "λ",  # lambda is a reserved word of Python, and the plain form is Python
}
"""Plain name -> Greek letter."""

# ------------------------------------------------------------------------------------ numbers and names


def number_text(value: float, style: Style = Style()) -> str:
    """A number to `style.digits` significant digits: ``0.25``, ``1100``, ``1.23×10⁻⁹``, ``∞``.

    Trailing zeros are dropped, whole numbers below a billion are never rounded, and zero has no sign.
    """
    glyphs = _glyphs(style)
    if math.isnan(value):
        return "NaN"
    sign = glyphs.minus if value < 0 else ""
    if math.isinf(value):
        return sign + ("inf" if style.ascii else "∞")
    mantissa, exponent = number_parts(value, style.digits)
    if exponent is None:
        return sign + mantissa
    if style.ascii:
        return f"{sign}{mantissa}e{exponent}"
    return f"{sign}{mantissa}×10{_superscript(str(exponent).replace('-', '−'))}"


def number_parts(value: float, digits: int | None) -> tuple[str, int | None]:
    """|value| as (mantissa, power of ten), or (decimal text, None) where no power of ten is needed.

    Rounded to `digits` significant digits; None keeps every digit that tells this float from its
    neighbours. `value` must be finite.
    """
    if abs(value) < 1e9 and value == int(value):
        return str(abs(int(value))), None
    figures, exponent = _figures(abs(value), digits)
    if -5 < exponent < 6:
        text = f"{Decimal(f'{figures}e{exponent - len(figures) + 1}'):f}"
        # Rounding to a place left of the point would show zeros that are not in the number.
        return (text, None) if exponent < len(figures) else (f"{abs(value):.0f}", None)
    return figures[0] + ("." + figures[1:] if figures[1:] else ""), exponent


def _figures(magnitude: float, digits: int | None) -> tuple[str, int]:
    """The significant digits of a positive number, without trailing zeros, and its power of ten."""
    mantissa, exponent = f"{Decimal(repr(float(magnitude))):e}".split("e")
    if digits is not None and len(mantissa.replace(".", "").rstrip("0")) > digits:
        mantissa, exponent = f"{magnitude:.{digits - 1}e}".split("e")
    return mantissa.replace(".", "").rstrip("0"), int(exponent)


def is_exact(value: float, style: Style = Style()) -> bool:
    """Whether `number_text` shows all of `value`, so that a screen may write = instead of ≈."""
    if not math.isfinite(value):
        return True
    mantissa, exponent = number_parts(value, style.digits)
    return float(f"{mantissa}e{exponent or 0}") == abs(value)


def symbol_text(symbol: Symbol, style: Style = Style()) -> str:
    """``W⁽¹⁾₁₁``, ``Ŷ₀₀``, ``W⁽¹²⁾₁₀,₃``, ``α``; in ASCII ``W[1]_11``, ``Y_hat_00``."""
    indices = (
        "" if symbol.index is None else ("," if max(symbol.index) > 9 else "").join(map(str, symbol.index))
    )
    if style.ascii:
        layer = "" if symbol.layer is None else f"[{symbol.layer}]"
        return symbol.name + layer + (f"_{indices}" if indices else "")
    layer = "" if symbol.layer is None else _superscript(f"({symbol.layer})") or ""
    name = _name_glyphs(symbol.name, plain_end=bool(layer or indices))
    return name + layer + indices.translate(_SUBSCRIPT_DIGITS)


def _name_glyphs(name: str, plain_end: bool) -> str:
    """A name in the tutorials' letters: ``Ŷ``, ``ℰ``, ``α``; digits at its end become subscripts."""
    stem, digits = split_name(name)
    if digits and not plain_end:
        return _name_glyphs(stem, plain_end=True) + digits.translate(_SUBSCRIPT_DIGITS)
    if name.endswith("_hat"):
        # Only a letter that has its own accented character: a combining accent has no cell of its own.
        letter = name.removesuffix("_hat")
        accented = unicodedata.normalize("NFC", letter + "\N{COMBINING CIRCUMFLEX ACCENT}")
        return accented if letter and len(accented) == 1 else name
    return "ℰ" if name == "E" else GREEK.get(name, name)


def split_name(name: str) -> tuple[str, str]:
    """``beta0`` as (``beta``, ``0``); the second part is empty where no digits end the name."""
    stem = name.rstrip("0123456789")
    return (stem, name[len(stem) :]) if stem.isalpha() else (name, "")


def _superscript(text: str) -> str | None:
    """`text` in raised characters, or None where Unicode lacks one of them."""
    if not all(character in _SUPERSCRIPTS for character in text):
        return None
    return "".join(_SUPERSCRIPTS[character] for character in text)


def _glyphs(style: Style) -> _Glyphs:
    return _ASCII if style.ascii else _UNICODE


# ---------------------------------------------------------------------------------------------- boxes


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of character cells; `baseline` is the line that the writing stands on."""

    lines: tuple[str, ...]
    baseline: int

    @classmethod
    def of(cls, text: str) -> Box:
        """One line of text."""
        return cls((text,), 0)

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.lines[0])

    @property
    def height(self) -> int:
        """The number of lines."""
        return len(self.lines)

    def padded(self, width: int) -> Box:
        """This box with spaces on the right up to `width` columns."""
        return Box(tuple(line.ljust(width) for line in self.lines), self.baseline)

    def __str__(self) -> str:
        return "\n".join(self.lines)


def row(boxes: Sequence[Box], gap: int = 0) -> Box:
    """Boxes side by side on one baseline, with `gap` spaces between them."""
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
    return Box(tuple((" " * gap).join(column[y] for column in columns) for y in range(above + below)), above)


def fraction(numerator: Box, denominator: Box, bar: str = "─") -> Box:
    """One box over another with a bar between; the bar is the baseline."""
    widest = max(numerator.width, denominator.width)
    # Over a single letter the bar would look like a minus; around a fraction it must be the longer one.
    stacked = numerator.height > 1 or denominator.height > 1
    width = widest + 2 if stacked or widest < 3 else widest
    lines = (*_centred(numerator, width), bar * width, *_centred(denominator, width))
    return Box(lines, numerator.height)


def _centred(box: Box, width: int) -> list[str]:
    left = (width - box.width) // 2
    return [(" " * left + line).ljust(width) for line in box.lines]


def _raised(base: Box, exponent: Box) -> Box:
    """The exponent to the right of the base, above its highest line."""
    lifted = Box(exponent.lines + (" " * exponent.width,) * base.height, exponent.height + base.baseline)
    return row([base, lifted])


# -------------------------------------------------------------------------------------------- drawing


def draw(expr: Expr, style: Style = Style()) -> Box:
    """The formula in two dimensions, at its natural size."""
    return _Pen(style).draw(expr)


def one_line(expr: Expr, style: Style = Style()) -> str:
    """The formula on one line, for table cells: ``σ(f)(1−σ(f))``."""
    return _Pen(style, flat=True).draw(expr).lines[0]


def product_row(
    factors: Sequence[Expr | Box], style: Style = Style(), separator: str | None = None
) -> tuple[Box, list[range]]:
    """A product in which every factor can be told apart: its drawing and the columns of each factor.

    The separator is `` · `` unless another is given.
    """
    pen = _Pen(style)
    between = Box.of(f" {pen.glyphs.times} " if separator is None else separator)
    boxes = [
        factor if isinstance(factor, Box) else pen.factor(factor, lead=not place)
        for place, factor in enumerate(factors)
    ]
    ends = list(accumulate(box.width + between.width for box in boxes))
    spans = [
        range(end - between.width - box.width, end - between.width)
        for box, end in zip(boxes, ends, strict=True)
    ]
    spaced = [part for box in boxes for part in (between, box)]
    return row(spaced[1:]), spans


def reads_together(left: Expr, right: Expr) -> bool:
    """Whether two factors are written without a sign between them: ``αY``, ``2x``, ``σ(f)(1 − σ(f))``."""
    if isinstance(left, Negative):
        left = left.operand
    if isinstance(right, Symbol):
        if len(_name_glyphs(right.name, True)) > 1:  # n and std would read as one name
            return False
        whole = isinstance(left, Number) and left.value.is_integer() and 0 <= left.value < 1e9
        return whole or _is_letter(left)
    # f(1 − f) would look like a function's value.
    is_named_function = isinstance(left, Symbol) and left.name in ("f", "g", "h")
    return isinstance(right, Sum) and isinstance(left, Symbol | Function | Sum) and not is_named_function


def begins_with_minus(expr: Expr) -> bool:
    """Whether a minus is the first thing written, so that it cannot follow another operator as it is."""
    return isinstance(expr, Negative) or (isinstance(expr, Number) and expr.value < 0)


def _is_letter(expr: Expr) -> bool:
    """A symbol of one letter without layer and index, such as α."""
    return isinstance(expr, Symbol) and expr == Symbol(expr.name) and len(_name_glyphs(expr.name, True)) == 1


@dataclass(frozen=True, slots=True)
class _LeftOut:
    """Stands for the middle terms of a long sum or product."""

    count: int


_Item = TypeVar("_Item")
_Pieces = list[tuple[str, Box]]
"""The terms or factors of a formula, each with the sign before it."""


class _Pen:
    """Draws expressions in one style, in two dimensions or flat on one line.

    Two things are handed down: `lead`, whether the formula may begin with a minus where it stands (nobody
    writes ``a · −b``), and `loose`, whether a product has spaces around its dot: the operator that binds
    least gets the most air. `spare` is a number of terms that are shown whatever `style.max_terms` says.
    """

    def __init__(self, style: Style, flat: bool = False, spare: int = 0) -> None:
        self.style = style
        self.glyphs = _glyphs(style)
        self.flat = flat
        self.spare = spare

    def draw(self, expr: Expr, lead: bool = True, loose: bool = True) -> Box:
        """The drawing of any expression."""
        expr = bare(expr)
        if not lead and begins_with_minus(expr):
            return self._group(expr)
        match expr:
            case Number(value):
                return Box.of(number_text(value, self.style))
            case Symbol():
                return Box.of(symbol_text(expr, self.style))
            case Partial(of, by):
                parts = (Box.of(self.glyphs.partial + symbol_text(symbol, self.style)) for symbol in (of, by))
                return self._fraction(*parts)
            case Negative(operand):
                return self._negative(operand, loose)
            case Sum():
                return _joined(self._sum_pieces(expr, lead, loose))
            case Product():
                return _joined(self._product_pieces(expr, lead, loose))
            case Quotient(numerator, denominator):
                return self._quotient(numerator, denominator, lead)
            case Power(base, exponent):
                return self._power(base, exponent)
            case Function(name, arguments):
                return self._function(name, arguments)
            case Indicator(left, comparison, right):
                return self._indicator(left, comparison, right)
        raise TypeError(f"no drawing for {type(expr).__name__}")

    def pieces(self, expr: Expr) -> _Pieces:
        """The terms or factors of a formula, where a line may be broken; any other formula is one piece."""
        expr = bare(expr)
        if isinstance(expr, Sum):
            return self._sum_pieces(expr, lead=True, loose=True)
        if isinstance(expr, Product):
            return self._product_pieces(expr, lead=True, loose=True)
        return [("", self.draw(expr))]

    def factor(self, expr: Expr, lead: bool, loose: bool = True) -> Box:
        """An expression as a factor of a product."""
        expr = bare(expr)
        slashed = self.flat and not loose and isinstance(expr, Quotient | Partial)
        return self._group(expr) if isinstance(expr, Sum) or slashed else self.draw(expr, lead, loose=False)

    def _negative(self, operand: Expr, loose: bool) -> Box:
        operand = bare(operand)
        box = (
            self._group(operand) if isinstance(operand, Sum) else self.draw(operand, lead=False, loose=loose)
        )
        # Against a bar or a tall bracket the minus needs a space to be seen.
        return row([Box.of(self.glyphs.minus), box], gap=int(box.height > 1))

    def _sum_pieces(self, expr: Sum, lead: bool, loose: bool) -> _Pieces:
        items = self._shortened(list(expr.signed_terms()))
        space = " " if loose or not self.flat or len(items) < len(expr.terms) else ""
        pieces: _Pieces = []
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

    def _product_pieces(self, expr: Product, lead: bool, loose: bool) -> _Pieces:
        items = self._shortened([bare(factor) for factor in expr.factors])
        boxes = [
            self._left_out(item)
            if isinstance(item, _LeftOut)
            else self.factor(item, lead and not place, loose)
            for place, item in enumerate(items)
        ]
        signs = [""]
        for place in range(1, len(items)):
            tall = max(boxes[place - 1].height, boxes[place].height) > 1
            signs.append(self._times(items[place - 1], items[place], loose or tall, tall))
        return list(zip(signs, boxes, strict=True))

    def _times(self, left: Expr | _LeftOut, right: Expr | _LeftOut, loose: bool, tall: bool) -> str:
        if isinstance(left, _LeftOut) or isinstance(right, _LeftOut):
            return f" {self.glyphs.times} "
        if not tall and not self.style.ascii and reads_together(left, right):
            return ""
        return f" {self.glyphs.times} " if loose else self.glyphs.times

    def _shortened(self, items: list[_Item]) -> list[_Item | _LeftOut]:
        limit = self.style.max_terms
        if limit is None or len(items) <= max(limit, self.spare):
            return list(items)
        return [*items[: limit - 1], _LeftOut(len(items) - limit), items[-1]]

    def _left_out(self, item: _LeftOut) -> Box:
        return Box.of(f"{self.glyphs.dots} ({item.count} more) {self.glyphs.dots}")

    def _quotient(self, numerator: Expr, denominator: Expr, lead: bool) -> Box:
        if not self.flat:
            return self._fraction(self.draw(numerator), self.draw(denominator))
        needs_group = isinstance(bare(numerator), Sum | Quotient | Partial)
        over = self._group(numerator) if needs_group else self.draw(numerator, lead, loose=False)
        whole = self._is_closed(denominator) or isinstance(bare(denominator), Power)
        return self._fraction(over, self.draw(denominator) if whole else self._group(denominator))

    def _fraction(self, numerator: Box, denominator: Box) -> Box:
        if self.flat:
            return row([numerator, Box.of("/"), denominator])
        return fraction(numerator, denominator, self.glyphs.bar)

    def _power(self, base: Expr, exponent: Expr) -> Box:
        base = bare(base)
        has_superscript = isinstance(base, Symbol) and base.layer is not None
        whole = self._is_closed(base) and not has_superscript and not _is_exponential(base)
        foot = self.draw(base) if whole else self._group(base)
        text = self._flat_text(exponent)
        raised = None if self.style.ascii else _superscript(text)
        if raised is not None:
            return row([foot, Box((raised, *[" " * len(raised)] * (foot.height - 1)), foot.baseline)])
        if self.flat:
            return row([foot, Box.of(f"^{text}" if self._is_closed(exponent) else f"^({text})")])
        return _raised(foot, self.draw(exponent))

    def _function(self, name: str, arguments: tuple[Expr, ...]) -> Box:
        label = self.glyphs.functions.get(name, name)
        if name == "exp" and not self.style.ascii:
            text = self._flat_text(arguments[0])
            raised = _superscript(text)
            if raised is not None:
                return Box.of(f"e{raised}")
            inside = Box.of(text) if self.flat else self.draw(arguments[0])
        else:
            drawn = [self.draw(argument, loose=not self.flat) for argument in arguments]
            inside = row([part for box in drawn for part in (Box.of(", "), box)][1:])
        return self._fence(inside, "|", "|") if name == "abs" else row([Box.of(label), self._fence(inside)])

    def _indicator(self, left: Expr, comparison: str, right: Expr) -> Box:
        sign = Box.of(f" {self.glyphs.comparisons[comparison]} ")
        sides = [self.draw(side, loose=False) for side in (left, right)]
        return row([Box.of("1"), self._fence(row([sides[0], sign, sides[1]]), "{", "}")])

    def _flat_text(self, expr: Expr) -> str:
        pen = self if self.flat else _Pen(self.style, flat=True, spare=self.spare)
        return pen.draw(expr, loose=False).lines[0]

    def _group(self, expr: Expr) -> Box:
        """In parentheses; in tall brackets where it is more than one line high."""
        box = self.draw(expr, loose=False)
        return self._fence(box, "[", "]") if box.height > 1 else self._fence(box)

    def _fence(self, box: Box, left: str = "(", right: str = ")") -> Box:
        return row([self._delimiter(left, box), box, self._delimiter(right, box)])

    def _delimiter(self, mark: str, box: Box) -> Box:
        if box.height == 1:
            return Box.of(mark)
        top, middle, bottom, filling = self.glyphs.tall[mark]
        lines = [top, *[filling] * (box.height - 2), bottom]
        if box.height > 2:
            lines[min(max(box.baseline, 1), box.height - 2)] = middle
        return Box(tuple(lines), box.baseline)

    def _is_closed(self, expr: Expr) -> bool:
        """Whether the drawing is one unit to the eye, whatever stands beside it."""
        expr = bare(expr)
        if isinstance(expr, Number):
            return not begins_with_minus(expr) and "×" not in number_text(expr.value, self.style)
        return isinstance(expr, Symbol | Function | Indicator)


def _is_exponential(expr: Expr) -> bool:
    return isinstance(expr, Function) and expr.name == "exp"


def _joined(pieces: _Pieces) -> Box:
    return row([part for sign, box in pieces for part in (Box.of(sign), box)])


# -------------------------------------------------------------------------------------------- fitting

# A formula of this many terms or fewer is never shortened to make it fit: it is broken instead.
_KEPT_WHOLE = 12


def fit(expr: Expr, width: int, style: Style = Style()) -> Box:
    """The best drawing of the formula that is at most `width` (at least 20) columns wide.

    Tries, in this order: the full drawing; fewer terms of long sums and products; the drawing broken into
    rows before a term or factor; one-line text wrapped at operators.
    """
    if width < 20:
        raise ValueError(f"width: expected at least 20, found {width}")
    pens = _pens(expr, width, style)
    for pen in pens:
        box = pen.draw(expr)
        if box.width <= width:
            return box
    shortest = pens[-1]
    rows = _broken(shortest.pieces(expr), width, shortest.glyphs.times)
    if rows is not None:
        return rows
    return fit_flat(expr, width, shortest.style, spare=shortest.spare)


def fit_flat(expr: Expr, width: int, style: Style = Style(), *, spare: int = 0) -> Box:
    """The formula on one line, wrapped at operators where it is wider than `width`."""
    flat = _Pen(style, flat=True, spare=spare).draw(expr).lines[0]
    return _stacked([Box.of(line) for line in _wrapped(flat, width)])


def _pens(expr: Expr, width: int, style: Style) -> list[_Pen]:
    """The drawings worth trying: the one asked for, then with fewer and fewer terms of what is long."""
    longest = min(_longest(expr), style.max_terms or math.inf)
    if longest <= _KEPT_WHOLE:
        return [_Pen(style)]
    shorter = [_Pen(replace(style, max_terms=limit), spare=_KEPT_WHOLE) for limit in (12, 8, 6, 5, 4, 3)]
    # No sum or product has fewer columns than terms.
    return shorter if longest > width else [_Pen(style), *shorter]


def _longest(expr: Expr) -> int:
    """The number of terms of the longest sum or product in a formula."""
    inside = expr.children()
    return max([len(inside) if isinstance(expr, Sum | Product) else 0, *map(_longest, inside)])


def _broken(pieces: _Pieces, width: int, times: str) -> Box | None:
    """Pieces set in as many rows as they need, each opening with its sign; None if a piece is too wide.

    Factors that stand together without a sign get `times` where a row comes between them.
    """
    rows: list[_Pieces] = []
    room = 0
    for sign, box in pieces:
        if rows and len(sign) + box.width <= room:
            rows[-1].append((sign, box))
            room -= len(sign) + box.width
            continue
        opening = "  " + (sign.lstrip() or f"{times} ") if rows else sign
        room = width - len(opening) - box.width
        if room < 0:
            return None
        rows.append([(opening, box)])
    return _stacked([_joined(line) for line in rows])


def _stacked(rows: Sequence[Box]) -> Box:
    """Rows under each other, with an empty line between where one of them is tall."""
    width = max(box.width for box in rows)
    gap = [" " * width] if any(box.height > 1 for box in rows) else []
    lines = [line for box in rows for line in (*gap, *box.padded(width).lines)][len(gap) :]
    return Box(tuple(lines), rows[0].baseline)


# Where a line of text may be broken: before an operator that is not a sign (of a number, an exponent, an
# argument), with the space that may precede it.
_BREAK = re.compile(r"(?<=[^ (e^{|,]) ?(?=([-+−·*/]))")
_BREAK_ORDER = "+-−·*/"


def _wrapped(text: str, width: int, indent: str = "  ") -> Iterable[str]:
    """`text` in lines of at most `width` characters, broken at operators where there are any."""
    opening = ""
    while len(opening) + len(text) > width:
        room = width - len(opening)
        end = _best_break(text, room)
        yield opening + text[:end].rstrip()
        text = text[end:].lstrip()
        opening = indent
    yield opening + text


def _best_break(text: str, room: int) -> int:
    """Where to end a line of at most `room`: outside parentheses and at + rather than · if possible."""
    depths = list(accumulate((character in "({") - (character in ")}") for character in text))
    candidates = [
        (depths[place], _BREAK_ORDER.index(match[1]), -place)
        for match in _BREAK.finditer(text)
        if room // 3 < (place := match.start()) <= room
    ]
    return -min(candidates)[2] if candidates else room
