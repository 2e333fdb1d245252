"""Numbers in words: so many steps, so many bytes, a change with its sign; and a capital to begin with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.formula.notation import Style


def counted(number: float, noun: str) -> str:
    """A count with its noun: ``1 step``, ``1,200 steps``."""
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}"


def signed(value: float, decimals: int) -> str:
    """A change with its sign: ``+1.25``, ``−0.50``; what rounds to zero has a plus."""
    return f"{round(value, decimals) + 0.0:+.{decimals}f}".replace("-", "−")


def bytes_in_words(size: int) -> str:
    """A size in memory: ``12 bytes``, ``3.4 GB``."""
    if size < 1000:
        return f"{size} bytes"
    for unit in ("kB", "MB", "GB", "TB", "PB", "EB"):
        tenths = size * 10 // 1000  # integers all the way: a float would overflow
        size //= 1000
        if size < 1000:
            return f"{tenths // 10}.{tenths % 10} {unit}" if size < 100 else f"{size} {unit}"
    return "more than 1000 EB"


def count_in_words(count: int, style: Style) -> str:
    """A number of paths in words, however large: 9, or about 10⁸⁷."""
    if count < 10**9:
        return f"{count:,}"
    from engine.formula.expression import Number, Power
    from engine.formula.layout import one_line

    power = Power(Number(10.0), Number(float(round(math.log10(count)))))
    return f"about {one_line(power, style)}"
