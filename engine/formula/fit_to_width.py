"""Formulas made to fit a width: fewer terms, then broken rows, then one line that is wrapped at operators.

the full drawing  ->  fewer terms  ->  rows broken before a sign  ->  one-line text, wrapped
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate

from engine.formula.expression import Expr, Product, Sum
from engine.formula.layout import LayoutBox, LayoutPen, Pieces, joined
from engine.formula.notation import Style

# A formula of this many terms or fewer is never shortened to make it fit: it is broken instead.
_KEPT_WHOLE = 12


def fit(expr: Expr, width: int, style: Style = Style()) -> LayoutBox:
    """The best drawing of a formula that is at most `width` (at least 20) columns wide.

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


def fit_flat(expr: Expr, width: int, style: Style = Style(), *, spare: int = 0) -> LayoutBox:
    """A formula on one line, wrapped at operators where it is wider than `width`."""
    flat = LayoutPen(style, flat=True, spare=spare).draw(expr).lines[0]
    return _stacked([LayoutBox.of(line) for line in _wrapped(flat, width)])


def _pens(expr: Expr, width: int, style: Style) -> list[LayoutPen]:
    """The drawings worth trying: the one asked for, then with fewer and fewer terms of what is long."""
    longest = min(_longest(expr), style.max_terms or math.inf)
    if longest <= _KEPT_WHOLE:
        return [LayoutPen(style)]
    shorter = [LayoutPen(replace(style, max_terms=limit), spare=_KEPT_WHOLE) for limit in (12, 8, 6, 5, 4, 3)]
    # No sum or product has fewer columns than terms.
    return shorter if longest > width else [LayoutPen(style), *shorter]


def _longest(expr: Expr) -> int:
    """The number of terms of the longest sum or product in a formula."""
    inside = expr.children()
    return max([len(inside) if isinstance(expr, Sum | Product) else 0, *map(_longest, inside)])


def _broken(pieces: Pieces, width: int, times: str) -> LayoutBox | None:
    """Pieces set in as many rows as they need, each opening with its sign; None if a piece is too wide.

    Factors that stand together without a sign get `times` where a row comes between them.
    """
    rows: list[Pieces] = []
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
    return _stacked([joined(line) for line in rows])


def _stacked(rows: Sequence[LayoutBox]) -> LayoutBox:
    """Rows under each other, with an empty line between where one of them is tall."""
    width = max(box.width for box in rows)
    gap = [" " * width] if any(box.height > 1 for box in rows) else []
    lines = [line for box in rows for line in (*gap, *box.padded(width).lines)][len(gap) :]
    return LayoutBox(tuple(lines), rows[0].baseline)


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
