"""Numbers in characters: to so many digits, with a power of ten where one is needed; and whether that is all of one.

1.23e-9  ->  1.23×10⁻⁹          0.25  ->  0.25          1100  ->  1100
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal

from engine.formula.expression import Expr, Number
from engine.formula.name_glyphs import superscript
from engine.formula.notation import Style


def number_text(value: float, style: Style = Style()) -> str:
    """A number drawn to `style.digits` significant digits: ``0.25``, ``1100``, ``1.23×10⁻⁹``, ``∞``.

    Trailing zeros are dropped, whole numbers below a billion are never rounded, and zero has no sign.
    """
    glyphs = style.glyphs
    if math.isnan(value):
        return "NaN"
    sign = glyphs.minus if value < 0 else ""
    if math.isinf(value):
        return sign + glyphs.infinity
    mantissa, exponent = number_parts(value, style.digits)
    if exponent is None:
        return sign + mantissa
    if style.ascii:
        return f"{sign}{mantissa}e{exponent}"
    return f"{sign}{mantissa}×10{superscript(str(exponent).replace('-', '−'))}"


def number_parts(value: float, digits: int | None) -> tuple[str, int | None]:
    """A number's magnitude as (mantissa, power of ten), or (decimal text, None) where no power of ten is needed.

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


def is_shown_in_full(expr: Expr, digits: int) -> bool:
    """Whether every number in a formula is shown in full, so that = may stand before it and not ≈."""
    style = Style(digits=digits)
    return all(is_exact(number.value, style) for number in _numbers(expr))


def _numbers(expr: Expr) -> Iterator[Number]:
    if isinstance(expr, Number):
        yield expr
    for child in expr.children():
        yield from _numbers(child)


def short_number(value: float, width: int, style: Style) -> str:
    """A number in at most `width` (at least 7) columns: three significant digits, or fewer where they do not fit."""
    for digits in (3, 2):
        text = number_text(value, Style(digits=digits, ascii=style.ascii))
        if len(text) <= width:
            return text
    for decimals in (1, 0):
        mantissa, exponent = f"{value:.{decimals}e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
        if len(text) <= width:
            break
    return text.replace("-", style.glyphs.minus)
