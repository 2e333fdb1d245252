"""A heat strip: how every layer's gradient magnitude went over the steps, as characters of growing density.

50 ████████████████        layers upwards, steps to the right
 … ▓▓▓▓▓▓▒▒▒▒▒▒▒▒▒▒        a denser character is a larger magnitude
 1 ····0000                · almost nothing, 0 exactly nothing, ! not finite
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.formula.notation import glyphs_of
from engine.runs.history import Series
from tui.training.drawn_chart import AXIS, FIRST, MARK, Chart, Row, Run

SHADES = {ascii: glyphs_of(ascii).shades for ascii in (False, True)}
"""From the smallest magnitude on the strip to the largest."""

LABEL = 7
"""Columns of the layer's number on the left."""

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class HeatStrip:
    """Magnitudes (layers, steps): the first row is layer 1; `steps` are the numbers of the columns."""

    steps: npt.NDArray[np.int64]
    magnitudes: Floats


def heat_strip(strip: HeatStrip, width: int, height: int, *, ascii_only: bool = False) -> Chart:
    """Draws a strip in `width` × `height` characters; neighbouring layers and steps share a character where need be."""
    layers, steps = strip.magnitudes.shape
    rows, columns = min(layers, max(height - 2, 1)), max(width - LABEL, 1)
    if not steps or width < LABEL + 4:
        return Chart((((" " * width, 0),),) * max(height, 1))
    finite = strip.magnitudes[np.isfinite(strip.magnitudes) & (strip.magnitudes > 0.0)]
    low, high = (np.log10(finite.min()), np.log10(finite.max())) if finite.size else (0.0, 1.0)
    row_edges = np.linspace(0, layers, rows + 1).astype(int)
    # Where there are fewer steps than columns, a step takes several of them.
    starts = np.arange(columns) * steps // columns
    ends = np.maximum(np.arange(1, columns + 1) * steps // columns, starts + 1)
    lines: list[Row] = []
    for row in reversed(range(rows)):
        block = strip.magnitudes[row_edges[row] : row_edges[row + 1]]
        cells = [
            _shade(block[:, start:end], low, high, ascii_only)
            for start, end in zip(starts, ends, strict=True)
        ]
        label = f"{row_edges[row] + 1:>{LABEL - 2}}  "
        lines.append(((label, AXIS), *_joined(cells)))
    foot = f"{'step':>{LABEL - 2}}  {int(strip.steps[0])}".ljust(width - 12)
    lines.append(((foot, AXIS), (f"{int(strip.steps[-1]):>11}", AXIS)))
    scale = f"{'':>{LABEL}}{SHADES[ascii_only][0]} 1e{round(low)}  {SHADES[ascii_only][-1]} 1e{round(high)}"
    lines.append(((scale[:width], AXIS),))
    return Chart(tuple(lines))


def _shade(block: Floats, low: float, high: float, ascii_only: bool) -> Run:
    """The character of a block: the largest of its magnitudes, or what is remarkable about it."""
    if not np.isfinite(block).all():
        return "!", MARK
    largest = float(block.max(initial=0.0))
    if largest == 0.0:
        return "0", MARK
    shades = SHADES[ascii_only]
    share = (np.log10(largest) - low) / (high - low) if high > low else 1.0
    return shades[min(int(share * len(shades)), len(shades) - 1)], FIRST


def _joined(cells: list[Run]) -> list[Run]:
    """Neighbours in one role as one run."""
    runs: list[Run] = []
    for text, role in cells:
        if runs and runs[-1][1] == role:
            runs[-1] = (runs[-1][0] + text, role)
        else:
            runs.append((text, role))
    return runs


def draw_strip(series: Series, width: int, height: int, ascii_only: bool) -> Chart:
    """Draws the heat strip of all layers over all steps."""
    strip = HeatStrip(series.step.astype(np.int64), series.high.T)
    return heat_strip(strip, width, height, ascii_only=ascii_only)
