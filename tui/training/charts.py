"""Charts drawn in characters: pure functions from data and a size to coloured text. The only importer of plotext.

    data ── made safe ──> figure ──> plotext ──ANSI──> rows of (text, role)

plotext aborts the process on a NaN and raises on an infinity or a zero on its logarithmic axis. So nothing but
finite numbers is handed to it: logarithms are taken here, and what has none is written as a mark (0, ∞, NaN).
Colours are roles (`FIRST`, `SECOND`, …), which the screen's theme turns into colours. A figure that was drawn a
moment ago is not drawn again: of a training that goes on, most look the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

AXIS, FIRST, SECOND, PREDICTED, THIRD, FOURTH, FIFTH, MARK = 8, 1, 2, 3, 4, 5, 6, 7
"""The roles of what is drawn; numbers of terminal colours only on their way through plotext."""

SERIES = (FIRST, SECOND, THIRD, FOURTH, FIFTH)
"""The roles of several lines, in order; their markers differ as well, so that colour is not needed."""

MARKERS = {
    False: {FIRST: "●", SECOND: "▲", THIRD: "■", FOURTH: "◆", FIFTH: "+", PREDICTED: "·"},
    True: {FIRST: "o", SECOND: "^", THIRD: "#", FOURTH: "x", FIFTH: "+", PREDICTED: "."},
}

SMALLEST_WIDTH, SMALLEST_HEIGHT = 24, 6
"""Below this there is no room for axes."""

SMALLEST_SPAN, LARGEST_VALUE = 1e-300, 1e300
"""On an axis that is not logarithmic: what is shorter is drawn as if it were one long, what is larger as this."""

FRAME_ROWS = 3
"""Rows of a chart that are not for data: the frame above, the frame below and the numbers under it."""

HALF_A_BAR = 0.4
"""In layers."""

RECENT = 8
"""So many figures are remembered with what they look like: a few sizes and views of two runs."""

Run = tuple[str, int]
"""Text in one role; 0 is plain."""

Row = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart: its rows, each as runs of text in one role."""

    rows: tuple[Row, ...]

    @property
    def plain(self) -> str:
        """The chart as text without colours."""
        return "\n".join("".join(text for text, _ in row) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Line:
    """One named line: y over x, drawn in a role."""

    name: str
    x: Floats
    y: Floats
    role: int = FIRST


HUGE = 1e30
"""No gradient of a network that trains is larger."""


@dataclass(frozen=True, slots=True)
class Points:
    """Points that are drawn with one marker, or bars up to them; all numbers finite, y from 0 up."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    marker: str
    role: int
    bars: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A character that stands for what cannot be drawn."""

    x: float
    y: float
    text: str


Ticks = tuple[tuple[float, ...], tuple[str, ...]]
"""Where, and what is written there."""


@dataclass(frozen=True, slots=True)
class Figure:
    """All that plotext is told: points and marks from the back to the front, and two axes.

    y begins at 0; x is whole numbers, and so are its ticks.
    """

    width: int
    height: int
    ascii_only: bool
    drawn: tuple[Points | Mark, ...]
    left: float
    right: float
    top: float
    y_ticks: Ticks


def profile_chart(
    layers: Sequence[Line],
    width: int,
    height: int,
    *,
    log: bool = True,
    ascii_only: bool = False,
    predicted: Line | None = None,
) -> Chart:
    """Magnitude against layer: the first line as bars, a second one as points over them.

    The axis is logarithmic, or from 0 up as the tutorial's figure has it. Zeros are marked 0 at the
    foot, infinities ∞ and NaN N at the top of their layer. `predicted` is drawn as dots.
    """
    lines = [*layers, *([predicted] if predicted is not None else [])]
    logs = [_log10(line.y) if log else _clipped(line.y) for line in lines]
    if not any(len(line.x) for line in lines):
        return _message("no gradient to draw", width, height)
    ceiling = _ceiling(layers, log)
    logs = [np.minimum(values, ceiling) for values in logs]
    # With nothing but zeros or NaN, their marks are the picture.
    low, high = (_decades(logs) or (-1.0, 0.0)) if log else (_span(logs) or (0.0, 1.0))

    row = (high - low) / max(height - FRAME_ROWS - 1, 1)
    drawn: list[Points | Mark] = []
    for place, (line, values) in enumerate(zip(lines, logs, strict=True)):
        finite = np.isfinite(values)
        # On the row that plotext rounds it to: a figure in which nothing moves by a row is the same figure.
        y = np.rint((values[finite] - low) / row) * row
        marker = MARKERS[ascii_only][line.role] if place else "#" if ascii_only else "█"
        drawn.append(_points(line.x[finite], y, marker, line.role, bars=place == 0))
        drawn += _marks(line, high - low, ascii_only)
        drawn += _beyond(line, high - low, ascii_only, log=log, ceiling=ceiling)
    everything = np.concatenate([line.x for line in lines])
    return draw_figure(
        Figure(
            width,
            height,
            ascii_only,
            tuple(drawn),
            float(everything.min()) - 0.5,
            float(everything.max()) + 0.5,
            high - low,
            _decade_ticks(low, high, height) if log else _even_ticks(low, high, height),
        )
    )


def lines_chart(
    lines: Sequence[Line],
    width: int,
    height: int,
    *,
    log: bool,
    ascii_only: bool = False,
    top: float | None = None,
) -> Chart:
    """Lines over steps, on a logarithmic axis or on one from 0 up (to `top`); thinned to about two points a column."""
    thinned = [_decimated(line, 2 * width) for line in lines]
    values = [_log10(line.y) if log else _clipped(line.y) for line in thinned]
    bounds = _decades(values) if log else _span(values)
    if bounds is None:
        return _message("nothing to draw yet", width, height)
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
    return draw_figure(
        Figure(
            width,
            height,
            ascii_only,
            tuple(drawn),
            first,
            max(float(everything.max()), first + 1.0),
            high - low,
            _decade_ticks(low, high, height) if log else _even_ticks(low, high, height),
        )
    )


def _points(x: Floats, y: Floats, marker: str, role: int, *, bars: bool = False) -> Points:
    return Points(tuple(x.tolist()), tuple(y.tolist()), marker, role, bars)


def _log10(values: Floats) -> Floats:
    """log₁₀ of the positive finite values, NaN for the others."""
    safe = np.where(np.isfinite(values) & (values > 0.0), values, np.nan)
    return np.asarray(np.log10(safe))


def _clipped(values: Floats) -> Floats:
    """What can be drawn on an axis whose length is still a finite number; NaN for what is not finite."""
    return np.where(np.isfinite(values), np.clip(values, -LARGEST_VALUE, LARGEST_VALUE), np.nan)


def _decades(values: Sequence[Floats]) -> tuple[float, float] | None:
    """Whole powers of ten around all finite logarithms, at least one apart; None without any."""
    finite = np.concatenate([one[np.isfinite(one)] for one in values]) if values else np.empty(0)
    if not len(finite):
        return None
    low, high = math.floor(float(finite.min()) - 0.05), math.ceil(float(finite.max()) + 0.05)
    return float(low), float(max(high, low + 1))


def _span(values: Sequence[Floats]) -> tuple[float, float] | None:
    """From 0 or the smallest finite value to the largest or 0; None without any."""
    finite = np.concatenate([one[np.isfinite(one)] for one in values]) if values else np.empty(0)
    if not len(finite):
        return None
    low, high = min(float(finite.min()), 0.0), max(float(finite.max()), 0.0)
    return low, high if high - low > SMALLEST_SPAN else low + 1.0


def _decade_ticks(low: float, high: float, height: int) -> Ticks:
    step = max(1, math.ceil((high - low) / max(height // 3, 1)))
    exponents = list(range(int(low), int(high) + 1, step))
    return tuple(float(one - low) for one in exponents), tuple(f"1e{one}" for one in exponents)


def _even_ticks(low: float, high: float, height: int) -> Ticks:
    """Round numbers, 0 among them where it lies between."""
    count = max(min(height // 3, 6), 2)
    step = _round_step((high - low) / count)
    values = [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return tuple(value - low for value in values), tuple(f"{value:.3g}" for value in values)


def _whole_ticks(first: float, last: float, width: int) -> Ticks:
    """Round numbers along x, no closer than their labels are wide."""
    low, high = math.ceil(first), math.floor(last)
    room = max(width // 12, 2)
    step = max(1, _round_up((high - low) / room))
    ticks = list(range(step * math.ceil(low / step), high + 1, step)) or [low]
    if low not in ticks and ticks[0] - low > step / 2:
        ticks.insert(0, low)
    return tuple(float(one) for one in ticks), tuple(_short(one) for one in ticks)


def _round_up(value: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50, …"""
    if value <= 1:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return int(next(power * factor for factor in (1, 2, 5, 10) if power * factor >= value))


def _round_step(value: float) -> float:
    """The next of …, 0.1, 0.2, 0.5, 1, 2, 5, …"""
    power: float = 10.0 ** math.floor(math.log10(value))
    return next((power * factor for factor in (1, 2, 5) if power * factor >= value), power * 10)


def _short(number: int) -> str:
    if abs(number) >= 1_000_000:
        return f"{number / 1_000_000:g}M"
    return f"{number / 1000:g}k" if abs(number) >= 10_000 else str(number)


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
            yield Mark(x, top, "^" if ascii_only else "↑")


def _marks(line: Line, top: float, ascii_only: bool) -> Iterator[Mark]:
    """What has no logarithm, where it would stand: zeros at the foot, the non-finite at the top."""
    for x, value in zip(line.x.tolist(), line.y.tolist(), strict=True):
        if value == 0.0:
            yield Mark(x, 0.0, "0")
        elif math.isnan(value):
            yield Mark(x, top, "N")
        elif math.isinf(value):
            yield Mark(x, top, "I" if ascii_only else "∞")


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


def load_plotext() -> None:
    """Imports it ahead of the first chart, which takes a fifth of a second."""
    import plotext  # noqa: F401 - for whoever draws next


@lru_cache(RECENT)
def draw_figure(asked: Figure) -> Chart:
    """Runs plotext once: clear, size, draw, build, all in one go, because its figure is one for the whole program."""
    if asked.width < SMALLEST_WIDTH or asked.height < SMALLEST_HEIGHT:
        return _message("too small for a chart", asked.width, asked.height)
    import plotext

    plotext.terminal.limit(False, False)
    plotext.add_theme("bptui", canvas="default", text=AXIS, sequence=list(SERIES))
    figure = plotext.figure
    figure.clear()
    figure.theme("bptui")
    figure.plot_size(asked.width, asked.height)
    figure.axes(style="default" if asked.ascii_only else "rounded")
    for one in asked.drawn:
        if isinstance(one, Mark):
            figure.draw(figure.text(one.x, one.y, plotext.colorize(one.text, MARK), alignment="center"))
        elif one.x:  # plotext aborts where a signal without points is filled
            figure.draw(_signal(figure, plotext, one))
    for axis, low, high, (places, labels) in (
        ("x", asked.left, asked.right, _whole_ticks(asked.left, asked.right, asked.width)),
        ("y", 0.0, asked.top, asked.y_ticks),
    ):
        figure.ruler(axis).lim(low, high)
        figure.ruler(axis).ticks(list(places), list(labels))
    return _parsed(figure.build().string(), asked.ascii_only)


def _signal(figure: Any, plotext: Any, points: Points) -> Any:
    """Points as plotext has them.

    A bar stands over each whole number in x, 0.8 wide. All of them are one signal, two points connected at the top of
    each and filled downwards: `figure.bar` builds a rectangle for every bar, which takes twice as long, five times a
    second.
    """
    marker = plotext.colorize(points.marker, points.role) if len(points.marker) == 1 else points.marker
    if not points.bars:
        return figure.signal(list(points.x), list(points.y), marker=marker)
    ends = [x + side for x in points.x for side in (-HALF_A_BAR, HALF_A_BAR)]
    tops = figure.signal(ends, [y for y in points.y for _ in range(2)], marker=marker)
    for end in range(1, len(ends), 2):
        tops.line(end)
    return tops.fillx()


_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_ASCII_LINES = str.maketrans("┌┐└┘╭╮╰╯─│┤├┬┴┼", "++++++++-|||+++"[:15])


def _parsed(text: str, ascii_only: bool) -> Chart:
    """plotext's ANSI text as runs in roles; only the foreground matters here."""
    rows = []
    for line in text.rstrip("\n").split("\n"):
        runs: list[Run] = []
        role, position = 0, 0
        for match in _SGR.finditer(line):
            _append(runs, line[position : match.start()], role)
            role = _role(match[1], role)
            position = match.end()
        _append(runs, line[position:], role)
        rows.append(
            tuple(
                (one.translate(_ASCII_LINES), colour) if ascii_only else (one, colour) for one, colour in runs
            )
        )
    return Chart(tuple(rows))


def _append(runs: list[Run], text: str, role: int) -> None:
    if text:
        runs.append((text, role))


def _role(codes: str, role: int) -> int:
    numbers = [int(code) for code in codes.split(";") if code]
    if not numbers or numbers == [0]:
        return 0
    if numbers[:2] == [38, 5] and len(numbers) >= 3:
        return numbers[2]
    return role


def _message(text: str, width: int, height: int) -> Chart:
    """A sentence in the middle where there is nothing to draw."""
    blank: Row = ((" " * width, 0),)
    middle: Row = ((text[:width].center(width), AXIS),)
    return Chart(tuple(middle if row == height // 2 else blank for row in range(max(height, 1))))
