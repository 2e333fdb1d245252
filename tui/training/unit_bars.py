"""The unit map where there is room for more than a character a unit: a bar for each, and its share in per cent.

   unit    0     1     2     3
          ▂▂▂▂              ████
          ████              ████
          ████              ████
layer 1    56     x     ·   100       x dead    · quiet    a number: fires for so many per cent of the samples
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.formula.notation import glyphs_of
from tui.training.drawn_chart import AXIS, FIRST, MARK, SECOND, Chart, Row, Run
from tui.training.unit_map import CURSOR, DEAD, LABEL, LEVELS, Cursor, UnitState

NARROWEST, WIDEST = 5, 9
"""Columns of a bar and the gap after it."""

LOWEST, HIGHEST = 2, 10
"""Rows of a bar, without the number below it."""


def bar_size(layers: Sequence[UnitState], width: int, height: int) -> tuple[int, int] | None:
    """The largest size of a unit's bar with which every unit has one, in columns (with the gap) and rows."""
    widest = max((len(layer.firing) for layer in layers), default=0)
    if not widest:
        return None
    columns = min((width - LABEL - 1) // widest, WIDEST)
    # Above them are the units' numbers, below each layer its percentages and a free row.
    rows = min((height - 1) // len(layers) - 2, HIGHEST)
    return (columns, rows) if columns >= NARROWEST and rows >= LOWEST else None


def unit_bars(
    layers: Sequence[UnitState], cursor: Cursor, size: tuple[int, int], *, ascii_only: bool = False
) -> Chart:
    """Draws all units of all layers with bars of the `size` that `bar_size` found."""
    columns, rows = size
    most = max(len(layer.firing) for layer in layers)
    numbers = "".join(f"{unit:>{columns // 2 + 1}}".ljust(columns) for unit in range(most))
    lines: list[Row] = [((f"{'unit':>{LABEL - 1}} ", AXIS), (numbers, AXIS))]
    for place, layer in enumerate(layers):
        for row in range(rows - 1, -1, -1):
            bars = "".join(
                _slice(float(rate), row, rows, ascii_only) * (columns - 1) + " " for rate in layer.firing
            )
            lines.append(((" " * LABEL, AXIS), (bars, FIRST)))
        runs: list[Run] = [(f"{layer.name:>{LABEL - 1}} ", SECOND if place == cursor.layer else AXIS)]
        for unit, rate in enumerate(layer.firing.tolist()):
            text, role = _share(layer, unit, rate, ascii_only)
            here = place == cursor.layer and unit == cursor.unit
            before = max(columns // 2 + 1 - len(text), 0)
            runs += [
                (" " * before, AXIS),
                (text, CURSOR if here else role),
                (" " * max(columns - before - len(text), 0), AXIS),
            ]
        lines += [tuple(runs), ()]
    return Chart(tuple(lines[:-1]))


def _slice(rate: float, row: int, rows: int, ascii_only: bool) -> str:
    """What of a unit's bar is in a row, counted from below: nothing, a part of it, or all."""
    filled = min(max(rate * rows - row, 0.0), 1.0)
    if ascii_only:
        return glyphs_of(True).full if filled >= 0.5 else " "
    levels = LEVELS[False]
    eighths = round(filled * len(levels))
    return levels[eighths - 1] if eighths else " "


def _share(layer: UnitState, unit: int, rate: float, ascii_only: bool) -> Run:
    if layer.dead[unit]:
        return DEAD, MARK
    if rate == 0.0:
        return layer.idle(ascii_only), AXIS
    percent = min(100.0 * rate, 100.0)
    if 99.5 <= percent < 100.0:
        return ">99", FIRST  # not all
    return ("<1" if percent <= 0.5 else f"{percent:.0f}"), FIRST
