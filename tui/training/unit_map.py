"""The unit map: one character for each unit of each layer, dead, quiet or how often it fires.

        unit 0        10        20
layer 3  ▇▇x▅▂··▇▆▁▃x▇▇▅▂▇▇▆▁▃▅       x dead    · quiet in this batch    ▁…█ firing rate
layer 2  …
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.formula.notation import glyphs_of
from tui.training.drawn_chart import AXIS, FIRST, MARK, SECOND, Chart, Row, Run

LEVELS = {ascii: glyphs_of(ascii).levels for ascii in (False, True)}
"""How often a unit fires, from seldom to always."""

DEAD, SATURATED, QUIET = "x", "s", {ascii: glyphs_of(ascii).ahead for ascii in (False, True)}
LABEL = 10
"""Columns of the layer's name on the left."""


@dataclass(frozen=True, slots=True)
class UnitState:
    """The units of one layer: the share of samples for which each fires, which are dead, and whether it has tails."""

    name: str
    firing: npt.NDArray[np.floating[Any]]
    dead: npt.NDArray[np.bool_]
    saturates: bool = False
    """Whether a unit that fires for no sample is saturated for all of them, and not quiet."""

    def idle(self, ascii_only: bool) -> str:
        """The mark of a unit that is not dead and fires for no sample."""
        return SATURATED if self.saturates else QUIET[ascii_only]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A layer (place in the list) and one of its units."""

    layer: int
    unit: int


def unit_map(
    layers: Sequence[UnitState], cursor: Cursor, width: int, height: int, *, ascii_only: bool = False
) -> Chart:
    """Draws the layers around the cursor, each on its own row, and of each the units around the cursor."""
    room = max(width - LABEL - 1, 8)
    rows = max(height - 2, 1)
    first_row = min(max(cursor.layer - rows // 2, 0), max(len(layers) - rows, 0))
    widest = max((len(layer.firing) for layer in layers), default=0)
    first_unit = min(max(cursor.unit - room // 2, 0), max(widest - room, 0))
    lines: list[Row] = [_ruler(first_unit, min(room, widest))]
    for place in range(first_row, min(first_row + rows, len(layers))):
        layer = layers[place]
        runs: list[Run] = [(f"{layer.name:>{LABEL - 1}} ", SECOND if place == cursor.layer else AXIS)]
        for unit in range(first_unit, min(first_unit + room, len(layer.firing))):
            text, role = _unit(layer, unit, ascii_only)
            here = place == cursor.layer and unit == cursor.unit
            runs.append((text, CURSOR if here else role))
        lines.append(tuple(runs))
    hidden = len(layers) - rows
    note = f"{'':>{LABEL}}layers {first_row + 1} to {first_row + min(rows, len(layers))} of {len(layers)}"
    lines.append((((note if hidden > 0 else "")[:width], AXIS),))
    return Chart(tuple(lines))


CURSOR = 9
"""The role of the character under the cursor."""


def _unit(layer: UnitState, unit: int, ascii_only: bool) -> Run:
    firing = float(layer.firing[unit])
    if layer.dead[unit]:
        return DEAD, MARK
    if firing == 0.0:
        return layer.idle(ascii_only), AXIS
    levels = LEVELS[ascii_only]
    return levels[min(int(firing * len(levels)), len(levels) - 1)], FIRST


def _ruler(first: int, count: int) -> Row:
    """Unit numbers above the columns, every ten."""
    cells = [" "] * count
    for unit in range(first, first + count):
        if unit % 10 == 0:
            for offset, digit in enumerate(str(unit)):
                if unit - first + offset < count:
                    cells[unit - first + offset] = digit
    return ((f"{'unit':>{LABEL - 1}} ", AXIS), ("".join(cells), AXIS))
