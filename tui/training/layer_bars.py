"""The turned picture: a row a layer, names on the left, horizontal bars, scrolled; for hundreds of parameters.

                        1e-8        1e-5        1e-2
    embed.weight        ████████████████▌           3.1e-05
    ▸ layers.0 (12)     ██████████████████████▎     2.0e-03      a block, its parameters folded together
    ▾ layers.1          █████████████████████       1.1e-03
        attn.q.weight   ███████████████             9.0e-06
                                                    4 of 130 rows above, 98 below

Parameters of one block (up to the first number in the name) are one row until they are unfolded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.formula.notation import glyphs_of
from engine.formula.text_width import cells
from tui.training.drawn_chart import AXIS, FIRST, MARK, Chart, Row
from tui.training.layer_rows import Floats, LayerRow, row_value
from tui.training.unit_map import CURSOR

PLAIN = 0
NUMBER_WIDTH = 9
"""Columns of a number, with the space before it."""

LARGEST_NAME = 0.45
"""The names take at most this share of the width."""

EIGHTHS = " ▏▎▍▌▋▊▉"


def draw_rows(
    rows: Sequence[LayerRow],
    values: Floats,
    column: str,
    cursor: int,
    width: int,
    height: int,
    ascii_only: bool = False,
) -> Chart:
    """Draws the list of layers with bars, around the cursor, on one logarithmic scale."""
    if not rows or height < 3:
        return Chart((((" no layer fits the filter".ljust(width)[:width], AXIS),),))
    numbers = [row_value(row, values, column) for row in rows]
    labels = [_label(row, ascii_only) for row in rows]
    name_width = min(max(map(cells, labels)), int(LARGEST_NAME * width)) + 1
    bar_width = max(width - name_width - NUMBER_WIDTH, 4)
    low, high = _decades(numbers)
    room = height - 2
    first = min(max(cursor - room // 2, 0), max(len(rows) - room, 0))
    drawn: list[Row] = [_scale(name_width, bar_width, low, high, width)]
    for place in range(first, min(first + room, len(rows))):
        name = _fitted(labels[place], name_width)
        bar, number = _bar(numbers[place], low, high, bar_width, ascii_only)
        role = CURSOR if place == cursor else PLAIN
        sound = math.isfinite(numbers[place]) and numbers[place] > 0
        drawn.append(((name, role), (bar, FIRST if sound else MARK), (number.rjust(NUMBER_WIDTH), PLAIN)))
    below = len(rows) - min(first + room, len(rows))
    if first or below:
        drawn.append(((f"{first} of {len(rows)} rows above, {below} below".rjust(width)[:width], AXIS),))
    return Chart(tuple(drawn))


def _label(row: LayerRow, ascii_only: bool) -> str:
    if row.folded is None:
        return f"    {row.label}" if row.inside else row.label
    glyphs = glyphs_of(ascii_only)
    return (
        f"{glyphs.folded} {row.label} ({len(row.members)})"
        if row.folded
        else f"{glyphs.unfolded} {row.label}"
    )


def _fitted(label: str, width: int) -> str:
    """In so many columns; of a name that is too long the end stays, which tells it from its neighbours."""
    if cells(label) < width:
        return label + " " * (width - cells(label))
    return "…" + label[-(width - 2) :] + " "


def _decades(numbers: Sequence[float]) -> tuple[float, float]:
    logs = [math.log10(one) for one in numbers if math.isfinite(one) and one > 0]
    if not logs:
        return -1.0, 0.0
    low, high = math.floor(min(logs) - 0.05), math.ceil(max(logs) + 0.05)
    return float(low), float(max(high, low + 1))


def _scale(name_width: int, bar_width: int, low: float, high: float, width: int) -> Row:
    """The decades above the bars, as many as have room."""
    line = [" "] * width
    step = max(1, math.ceil((high - low) / max(bar_width // 10, 1)))
    for exponent in range(int(low), int(high), step):
        at = name_width + round((exponent - low) / (high - low) * bar_width)
        for offset, letter in enumerate(f"1e{exponent}"):
            if at + offset < width:
                line[at + offset] = letter
    return (("".join(line), AXIS),)


def _bar(value: float, low: float, high: float, width: int, ascii_only: bool) -> tuple[str, str]:
    """A bar of so many columns and the number beside it."""
    if value == 0:
        return "0".ljust(width), "0"
    if not math.isfinite(value):
        word = "not finite, or no gradient"
        return word[:width].ljust(width), "NaN" if math.isnan(value) else "inf"
    length = (math.log10(value) - low) / (high - low) * width
    number, full = f"{value:.1e}", glyphs_of(ascii_only).full
    if ascii_only:
        return (full * round(length)).ljust(width)[:width], number
    whole = int(length)
    part = EIGHTHS[int(8 * (length - whole))].strip()
    return (full * whole + part).ljust(width)[:width], number
