"""A matrix in brackets, line by line: of a large one the first rows and columns, and the last.

⎡  0.1  −0.4 ⎤
⎢  0.3   0.2 ⎥
⎣ −0.5   0.7 ⎦
"""

from __future__ import annotations

from collections.abc import Callable

from engine.autodiff.graph import Array
from engine.formula.matrix_brackets import bracketed
from engine.formula.notation import Style
from engine.formula.number_text import number_text

MOST_ROWS, MOST_COLUMNS = 6, 4
"""Of a larger matrix the first rows and columns and the last are shown."""


def matrix_lines(shape: tuple[int, int], entry: Callable[[int, int], str], style: Style) -> list[str]:
    """A matrix in brackets, its columns one below the other."""
    dots = style.glyphs.dots
    rows, columns = (_shown(size, most) for size, most in zip(shape, (MOST_ROWS, MOST_COLUMNS), strict=True))
    cells = [
        [dots if row is None or column is None else entry(row, column) for column in columns] for row in rows
    ]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    lines = ["  ".join(cell.rjust(size) for cell, size in zip(row, widths, strict=True)) for row in cells]
    return bracketed(lines, style)


def array_lines(array: Array, style: Style) -> list[str]:
    """An array of numbers as a matrix in brackets."""
    return matrix_lines(
        (array.shape[0], array.shape[1]),
        lambda row, column: number_text(float(array[row, column]), style),
        style,
    )


def _shown(size: int, most: int) -> list[int | None]:
    return list(range(size)) if size <= most else [*range(most - 2), None, size - 1]
