"""Charts drawn in characters: pure functions from data and a size to coloured text. The only importer of plotext.

    data ── made safe ──> plotext ──ANSI──> rows of (text, role)

plotext aborts the process on a NaN and raises on an infinity or a zero on its logarithmic axis. So nothing but
finite numbers is handed to it: logarithms are taken here, and what has none is written as a mark (0, ∞, NaN).
Colours are roles (`FIRST`, `SECOND`, …), which the screen's theme turns into colours.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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

Run = tuple[str, int]
"""Text in one role; 0 is plain."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart: its rows, each as runs of text in one role."""

    rows: tuple[tuple[Run, ...], ...]

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


def profile_chart(
    layers: Sequence[Line],
    width: int,
    height: int,
    *,
    ascii_only: bool = False,
    predicted: Line | None = None,
) -> Chart:
    """Magnitude against layer on a logarithmic axis: the first line as bars, a second one as points over them.

    Zeros are marked 0 at the foot, infinities ∞ and NaN N at the top of their layer. `predicted` is drawn as dots.
    """
    lines = [*layers, *([predicted] if predicted is not None else [])]
    logs = [_log10(line.y) for line in lines]
    if not any(len(line.x) for line in lines):
        return _message("no gradient to draw", width, height)
    low, high = _decades(list(logs)) or (
        -1.0,
        0.0,
    )  # with nothing but zeros or NaN, their marks are the picture

    def draw(figure: Any, plotext: Any) -> None:
        for place, (line, values) in enumerate(zip(lines, logs, strict=True)):
            finite = np.isfinite(values)
            x, y = line.x[finite], values[finite]
            if not len(x):
                pass  # only marks
            elif place == 0:
                block = plotext.colorize("#" if ascii_only else "█", line.role)
                _draw_bars(figure, x, y - low, block, width / float(np.ptp(line.x) + 1.0))
            else:
                marker = plotext.colorize(MARKERS[ascii_only][line.role], line.role)
                figure.draw(figure.signal(x.tolist(), (y - low).tolist(), marker=marker))
            _mark_special(figure, plotext, line, high - low, ascii_only)
        everything = np.concatenate([line.x for line in lines])
        _limits(figure, float(everything.min()) - 0.5, float(everything.max()) + 0.5, 0.0, high - low)
        figure.ruler("y").ticks(*_decade_ticks(low, high, height))
        figure.ruler("x").ticks(*_whole_ticks(float(everything.min()), float(everything.max()), width))

    return _drawn(draw, width, height, ascii_only)


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

    def draw(figure: Any, plotext: Any) -> None:
        for line, y in zip(thinned, values, strict=True):
            finite = np.isfinite(y)
            if finite.any():
                # Sub-cell dots for a lone line; letters of their own where several must be told apart.
                marker = MARKERS[ascii_only][line.role] if ascii_only or len(lines) > 1 else "braille"
                painted = plotext.colorize(marker, line.role) if len(marker) == 1 else marker
                figure.draw(
                    figure.signal(line.x[finite].tolist(), (y[finite] - low).tolist(), marker=painted)
                )
        everything = np.concatenate([line.x for line in thinned])
        first, last = float(everything.min()), float(everything.max())
        _limits(figure, first, max(last, first + 1.0), 0.0, high - low)
        ticks = _decade_ticks(low, high, height) if log else _even_ticks(low, high, height)
        figure.ruler("y").ticks(*ticks)
        figure.ruler("x").ticks(*_whole_ticks(first, max(last, first + 1.0), width))

    return _drawn(draw, width, height, ascii_only)


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


def _decade_ticks(low: float, high: float, height: int) -> tuple[list[float], list[str]]:
    step = max(1, math.ceil((high - low) / max(height // 3, 1)))
    exponents = list(range(int(low), int(high) + 1, step))
    return [float(one - low) for one in exponents], [f"1e{one}" for one in exponents]


def _even_ticks(low: float, high: float, height: int) -> tuple[list[float], list[str]]:
    """Round numbers, 0 among them where it lies between."""
    count = max(min(height // 3, 6), 2)
    step = _round_step((high - low) / count)
    values = [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return [value - low for value in values], [f"{value:.3g}" for value in values]


def _whole_ticks(first: float, last: float, width: int) -> tuple[list[float], list[str]]:
    """Round numbers along x, no closer than their labels are wide."""
    low, high = math.ceil(first), math.floor(last)
    room = max(width // 12, 2)
    step = max(1, _round_up((high - low) / room))
    ticks = list(range(step * math.ceil(low / step), high + 1, step)) or [low]
    if low not in ticks and ticks[0] - low > step / 2:
        ticks.insert(0, low)
    return [float(one) for one in ticks], [_short(one) for one in ticks]


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


def _limits(figure: Any, left: float, right: float, low: float, high: float) -> None:
    figure.ruler("x").lim(left, right)
    figure.ruler("y").lim(low, high)


def _draw_bars(figure: Any, x: Floats, heights: Floats, block: Any, columns: float) -> None:
    """A bar over each whole number in x, 0.8 wide, where one unit of x takes at most `columns` columns.

    All of them are stems of one signal, one or more for every column: `figure.bar` builds a rectangle for each
    bar, which takes twice as long, five times a second.
    """
    x, heights = x[heights > 0.0], heights[heights > 0.0]
    if not len(x):
        return  # plotext aborts where a signal without points is filled
    across = np.linspace(-0.4, 0.4, max(math.ceil(0.8 * columns) + 1, 2))
    stems = figure.signal(
        (x[:, np.newaxis] + across).ravel().tolist(), np.repeat(heights, len(across)).tolist(), marker=block
    )
    figure.draw(stems.fillx())


def _mark_special(figure: Any, plotext: Any, line: Line, top: float, ascii_only: bool) -> None:
    """Writes what has no logarithm where it would stand: zeros at the foot, the non-finite at the top."""
    for x, value in zip(line.x.tolist(), line.y.tolist(), strict=True):
        if value == 0.0:
            figure.draw(figure.text(x, 0.0, plotext.colorize("0", MARK), alignment="center"))
        elif math.isnan(value):
            figure.draw(figure.text(x, top, plotext.colorize("N", MARK), alignment="center"))
        elif math.isinf(value):
            sign = "I" if ascii_only else "∞"
            figure.draw(figure.text(x, top, plotext.colorize(sign, MARK), alignment="center"))


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


def _drawn(draw: Callable[[Any, Any], None], width: int, height: int, ascii_only: bool) -> Chart:
    """Runs plotext once: clear, size, draw, build, all in one go, because its figure is one for the whole program."""
    if width < SMALLEST_WIDTH or height < SMALLEST_HEIGHT:
        return _message("too small for a chart", width, height)
    import plotext

    plotext.terminal.limit(False, False)
    plotext.add_theme("bptui", canvas="default", text=AXIS, sequence=list(SERIES))
    figure = plotext.figure
    figure.clear()
    figure.theme("bptui")
    figure.plot_size(width, height)
    figure.axes(style="default" if ascii_only else "rounded")
    draw(figure, plotext)
    return _parsed(figure.build().string(), ascii_only)


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
    blank: tuple[Run, ...] = ((" " * width, 0),)
    middle: tuple[Run, ...] = ((text[:width].center(width), AXIS),)
    return Chart(tuple(middle if row == height // 2 else blank for row in range(max(height, 1))))
