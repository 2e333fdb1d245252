"""Lines of text between the tall brackets of a matrix.

⎡  0.1  −0.4 ⎤
⎢  0.3   0.2 ⎥
⎣ −0.5   0.7 ⎦
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.formula.notation import Style


def bracketed(lines: Sequence[str], style: Style) -> list[str]:
    """Lines of equal width between the brackets of a matrix."""
    if len(lines) == 1:
        return [f"[ {lines[0]} ]"]
    left, right = (_tall(style, sign, len(lines)) for sign in "[]")
    return [f"{opening} {line} {closing}" for opening, line, closing in zip(left, lines, right, strict=True)]


def _tall(style: Style, sign: str, height: int) -> list[str]:
    top, _, bottom, filling = style.glyphs.tall[sign]
    return [top, *filling * (height - 2), bottom]
