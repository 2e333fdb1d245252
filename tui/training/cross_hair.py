"""A cross-hair over a chart of steps: a line down the picture at one step, whose values are read beside it.

1e0┤⠠⢄⣀      │
   │    ⠉⠑⠐⠒⠒│⠤⠤⢄⡀
1e-4┤         │       ⠉⠉
   ╰─────────┴────────
"""

from __future__ import annotations

from engine.formula.notation import glyphs_of
from tui.training.drawn_chart import MARK, Chart, Row

FRAMES = tuple(glyphs_of(ascii).corners for ascii in (False, True))
"""How the corners of a chart's frame are drawn."""

STRIP_NAMES = 7
"""Columns of a heat strip before its first step."""


def with_cross_hair(chart: Chart, fraction: float, ascii_only: bool = False) -> Chart:
    """The chart with a line at a fraction of its steps, 0 the first and 1 the last."""
    if not chart.rows:
        return chart
    texts = chart.plain.split("\n")
    line = glyphs_of(ascii_only).vertical
    left, right, rows = _inside(texts)
    if right <= left:
        return chart
    column = left + round(min(max(fraction, 0.0), 1.0) * (right - left - 1))
    return Chart(
        tuple(_marked(row, column, line) if place in rows else row for place, row in enumerate(chart.rows))
    )


def _inside(texts: list[str]) -> tuple[int, int, range]:
    """The first column of the steps, the one after the last, and the rows of data."""
    for opening, closing, foot_corner, _ in FRAMES:
        if opening in texts[0] and closing in texts[0]:
            foot = next(
                (place for place, text in enumerate(texts) if place and text.lstrip()[:1] == foot_corner),
                len(texts),
            )
            return texts[0].index(opening) + 1, texts[0].rindex(closing), range(1, foot)
    foot = next((place for place, text in enumerate(texts) if text.lstrip().startswith("step")), len(texts))
    return STRIP_NAMES, len(texts[0]), range(foot)


def _marked(row: Row, column: int, line: str) -> Row:
    """The row with its character in one column replaced."""
    runs: list[tuple[str, int]] = []
    at = 0
    for text, role in row:
        place = column - at
        if 0 <= place < len(text):
            parts = ((text[:place], role), (line, MARK), (text[place + 1 :], role))
            runs += [part for part in parts if part[0]]
        else:
            runs.append((text, role))
        at += len(text)
    return tuple(runs)
