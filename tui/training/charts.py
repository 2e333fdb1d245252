"""Charts drawn in characters: a profile over the layers, lines over the steps; pure functions from data and a size.

    data ── made safe ──> figure ──> plotext ──ANSI──> rows of (text, role)

Logarithms are taken here, and what has none is written as a mark (0, ∞, NaN).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.formula.notation import glyphs_of
from tui.training.chart_axes import HUGE, clipped, decade_ticks, decades, even_ticks, log10, span
from tui.training.drawn_chart import FIRST, MARKERS, Chart, Floats
from tui.training.plotext_figure import FRAME_ROWS, Figure, Mark, Points, draw_figure, message_chart


@dataclass(frozen=True, slots=True)
class Line:
    """One named line: y over x, drawn in a role."""

    name: str
    x: Floats
    y: Floats
    role: int = FIRST


def profile_chart(
    layers: Sequence[Line],
    width: int,
    height: int,
    *,
    log: bool = True,
    ascii_only: bool = False,
    predicted: Line | None = None,
) -> Chart:
    """The chart of a profile, magnitude against layer: the first line as bars, a second one as points over them.

    The axis is logarithmic, or from 0 up as the tutorial's figure has it. Zeros are marked 0 at the
    foot, infinities ∞ and NaN N at the top of their layer. `predicted` is drawn as dots.
    """
    lines = [*layers, *([predicted] if predicted is not None else [])]
    logs = [log10(line.y) if log else clipped(line.y) for line in lines]
    if not any(len(line.x) for line in lines):
        return message_chart("no gradient to draw", width, height)
    ceiling = _ceiling(layers, log)
    logs = [np.minimum(values, ceiling) for values in logs]
    # With nothing but zeros or NaN, their marks are the picture.
    low, high = (decades(logs) or (-1.0, 0.0)) if log else (span(logs) or (0.0, 1.0))

    row = (high - low) / max(height - FRAME_ROWS - 1, 1)
    drawn: list[Points | Mark] = []
    for place, (line, values) in enumerate(zip(lines, logs, strict=True)):
        finite = np.isfinite(values)
        # On the row that plotext rounds it to: a figure in which nothing moves by a row is the same figure.
        y = np.rint((values[finite] - low) / row) * row
        marker = MARKERS[ascii_only][line.role] if place else glyphs_of(ascii_only).full
        drawn.append(_points(line.x[finite], y, marker, line.role, bars=place == 0))
        drawn += _marks(line, high - low, ascii_only)
        drawn += _beyond(line, high - low, ascii_only, log=log, ceiling=ceiling)
    everything = np.concatenate([line.x for line in lines])
    left, right = float(everything.min()) - 0.5, float(everything.max()) + 0.5
    ticks = decade_ticks(low, high, height) if log else even_ticks(low, high, height)
    return draw_figure(Figure(width, height, ascii_only, tuple(drawn), left, right, high - low, ticks))


def lines_chart(
    lines: Sequence[Line],
    width: int,
    height: int,
    *,
    log: bool,
    ascii_only: bool = False,
    top: float | None = None,
) -> Chart:
    """The chart of lines over the steps, on a logarithmic or a linear axis; thinned to about two points a column."""
    thinned = [_decimated(line, 2 * width) for line in lines]
    values = [log10(line.y) if log else clipped(line.y) for line in thinned]
    bounds = decades(values) if log else span(values)
    if bounds is None:
        return message_chart("nothing to draw yet", width, height)
    low, high = bounds
    if top is not None:
        high = max(high, top)

    drawn = []
    for line, y in zip(thinned, values, strict=True):
        finite = np.isfinite(y)
        # Sub-cell dots for a lone line; letters of their own where several must be told apart.
        marker = MARKERS[ascii_only][line.role] if ascii_only or len(lines) > 1 else "braille"
        drawn.append(_points(line.x[finite], y[finite] - low, marker, line.role))
    everything = np.concatenate([line.x for line in thinned])
    first = float(everything.min())
    last = max(float(everything.max()), first + 1.0)
    ticks = decade_ticks(low, high, height) if log else even_ticks(low, high, height)
    return draw_figure(Figure(width, height, ascii_only, tuple(drawn), first, last, high - low, ticks))


def _points(x: Floats, y: Floats, marker: str, role: int, *, bars: bool = False) -> Points:
    return Points(tuple(x.tolist()), tuple(y.tolist()), marker, role, bars)


def _ceiling(lines: Sequence[Line], log: bool) -> float:
    """Where the axis ends: numbers of a run that was about to break would flatten those of one beside it.

    That is the largest number up to HUGE, where there are lines without a larger one; infinite otherwise.
    """
    tops = [float(line.y[np.isfinite(line.y)].max(initial=0.0)) for line in lines]
    fit = [top for top in tops if 0.0 < top <= HUGE]
    if len(fit) == len(tops) or not fit:
        return math.inf
    return math.log10(max(fit)) if log else max(fit)


def _beyond(line: Line, top: float, ascii_only: bool, *, log: bool, ceiling: float) -> Iterator[Mark]:
    """An arrow at the top for what goes on above the axis."""
    for x, value in zip(line.x.tolist(), line.y.tolist(), strict=True):
        if math.isfinite(value) and value > 0 and (math.log10(value) if log else value) > ceiling:
            yield Mark(x, top, glyphs_of(ascii_only).beyond)


def _marks(line: Line, top: float, ascii_only: bool) -> Iterator[Mark]:
    """What has no logarithm, where it would stand: zeros at the foot, the non-finite at the top."""
    for x, value in zip(line.x.tolist(), line.y.tolist(), strict=True):
        if value == 0.0:
            yield Mark(x, 0.0, "0")
        elif math.isnan(value):
            yield Mark(x, top, "N")
        elif math.isinf(value):
            yield Mark(x, top, glyphs_of(ascii_only).at_infinity)


def _decimated(line: Line, points: int) -> Line:
    """At most about `points` points: the smallest and the largest of each bucket, so that no spike is lost."""
    count = len(line.x)
    if count <= points:
        return line
    buckets = np.array_split(np.arange(count), max(points // 2, 1))
    keep = []
    for bucket in buckets:
        y = line.y[bucket]
        finite = np.isfinite(y)
        if finite.any():
            keep += sorted(
                {
                    int(bucket[np.where(finite, y, np.inf).argmin()]),
                    int(bucket[np.where(finite, y, -np.inf).argmax()]),
                }
            )
        else:
            keep.append(int(bucket[0]))
    return Line(line.name, line.x[keep], line.y[keep], line.role)
