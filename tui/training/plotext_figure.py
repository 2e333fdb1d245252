"""A figure as plotext draws it: the one place that imports plotext.

plotext aborts the process on a NaN and raises on an infinity or a zero on its logarithmic axis. So a `Figure` has
nothing but finite numbers. Colours are roles (`FIRST`, `SECOND`, …), which the screen's theme turns into colours. A
figure that was drawn a moment ago is not drawn again: of a training that goes on, most look the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tui.training.chart_axes import Ticks, whole_ticks
from tui.training.drawn_chart import AXIS, MARK, SERIES, Chart, Row, Run

SMALLEST_WIDTH, SMALLEST_HEIGHT = 24, 6
"""Below this there is no room for axes."""

HALF_A_BAR = 0.4
"""In layers."""

FRAME_ROWS = 3
"""Rows of a chart that are not for data: the frame above, the frame below and the numbers under it."""

RECENT = 8
"""So many figures are remembered with what they look like: a few sizes and views of two runs."""


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


@dataclass(frozen=True, slots=True)
class Figure:
    """All that plotext is told of a chart: points and marks from the back to the front, and two axes.

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


def load_plotext() -> None:
    """Imports plotext ahead of the first chart, which takes a fifth of a second."""
    import plotext  # noqa: F401 - for whoever draws next


@lru_cache(RECENT)
def draw_figure(asked: Figure) -> Chart:
    """Draws a figure with plotext."""
    if asked.width < SMALLEST_WIDTH or asked.height < SMALLEST_HEIGHT:
        return message_chart("too small for a chart", asked.width, asked.height)
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
        ("x", asked.left, asked.right, whole_ticks(asked.left, asked.right, asked.width)),
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


def message_chart(text: str, width: int, height: int) -> Chart:
    """A chart with a sentence in the middle where there is nothing to draw."""
    blank: Row = ((" " * width, 0),)
    middle: Row = ((text[:width].center(width), AXIS),)
    return Chart(tuple(middle if row == height // 2 else blank for row in range(max(height, 1))))
