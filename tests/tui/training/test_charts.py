"""The chart adapter: whatever the numbers are, a chart of the asked size, nothing lost silently, and no crash.

plotext ends the whole process on a NaN, so what could bring it about is tried in processes of their own.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests.tui.cli.test_commands import ROOT
from tui.training.charts import Line, lines_chart, profile_chart
from tui.training.drawn_chart import FIRST, MARK, SECOND, SERIES, Chart
from tui.training.plotext_figure import FRAME_ROWS, Figure, Points, draw_figure

ODDITIES = """
import math, random, sys
import numpy as np
from engine.formula.text_width import cells
from tui.training.drawn_chart import MARKERS, SERIES
from tui.training.drawn_chart import FIRST, PREDICTED, SECOND
from tui.training.charts import Line, lines_chart, profile_chart
from tui.training.heat_strip import HeatStrip, heat_strip

ODD = [math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1e-310, 1e-300, 1e308, 1.7e308, -1.0, -1e300, 1.0, 0.1]

def numbers(random, count):
    kind = random.randrange(6)
    if kind == 0:
        return [random.choice(ODD) for _ in range(count)]
    if kind == 1:
        return [random.choice(ODD[:5])] * count
    if kind == 2:
        return [10.0 ** random.uniform(-320, 308) for _ in range(count)]
    if kind == 3:
        return [random.gauss(0, 1) for _ in range(count)]
    if kind == 4:
        return [random.choice([*ODD, *[10.0 ** random.uniform(-20, 3)] * 20]) for _ in range(count)]
    return [math.nan] * count

def x_axis(random, count):
    first, step = random.choice([(1, 1), (0, 1), (0, 7), (10**6, 1000), (0, 1), (10**12, 1)])
    return np.array([first + step * place for place in range(count)], float)

def check(chart, width, height, ascii_only, what):
    rows = ["".join(text for text, _ in row) for row in chart.rows]
    assert len(rows) == max(height, 1), (what, len(rows), height)
    for row in rows:
        assert cells(row) == width, (what, cells(row), width, row)
        assert not ascii_only or row.isascii(), (what, row)

random = random.Random(int(sys.argv[1]))
for case in range(int(sys.argv[2])):
    width, height = random.choice([(1, 1), (3, 2), (24, 6), (23, 5), (25, 7), (40, 9), (80, 24), (111, 33)])
    ascii_only = random.random() < 0.5
    count = random.choice([0, 1, 1, 2, 3, 17, 51, 300])
    lines = [
        Line(f"line {place}", x_axis(random, count), np.array(numbers(random, count), float), role)
        for place, role in zip(range(random.choice([0, 1, 1, 2, 3])), SERIES)
    ]
    print(case, width, height, ascii_only, lines, file=sys.stderr)
    predicted = Line("p", np.arange(1.0, 6), np.array(numbers(random, 5)), PREDICTED) if random.random() < 0.3 else None
    with np.errstate(all="raise"):
        check(
            profile_chart(lines[:2], width, height, ascii_only=ascii_only, predicted=predicted),
            width, height, ascii_only, "profile",
        )
        for log in (False, True):
            check(lines_chart(lines, width, height, log=log, ascii_only=ascii_only), width, height, ascii_only, "lines")
print("survived")
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_no_numbers_end_the_process_and_every_chart_has_the_asked_size(seed):
    process = subprocess.run(
        [sys.executable, "-c", ODDITIES, str(seed), "150"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    assert process.stdout == "survived\n"


def profile(*values: float, width: int = 60, height: int = 16, **options: bool) -> Chart:
    y = np.array(values, float)
    return profile_chart([Line("max", np.arange(1.0, len(y) + 1), y)], width, height, **options)


def drawn(chart: Chart, *, frame: str = "│┤|") -> list[str]:
    """What stands inside the axes, row by row."""
    rows = [row for row in chart.plain.splitlines() if any(edge in row[:12] for edge in frame)]
    inside = []
    for row in rows:
        left = min(row.index(edge) for edge in frame if edge in row[:12])
        inside.append(row[left + 1 :].rstrip().removesuffix("│").removesuffix("|"))
    return inside


def bar_heights(chart: Chart) -> list[int]:
    """How high the columns of the picture are filled, the margins left out."""
    rows = drawn(chart)
    width = max(map(len, rows))
    heights = [sum(row.ljust(width)[column] == "█" for row in rows) for column in range(width)]
    return [height for height in heights if height]


def test_longer_bars_are_larger_numbers():
    heights = bar_heights(profile(*(10.0**-power for power in range(9))))
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) >= 8


def test_equal_numbers_have_equal_bars():
    assert len(set(bar_heights(profile(*[0.02] * 7)))) == 1


def test_what_has_no_logarithm_is_marked_in_its_place():
    chart = profile(1e-3, 0.0, np.nan, np.inf, 1e-2)
    rows = drawn(chart)
    assert "0" in rows[-1]
    assert "N" in rows[0]
    assert "∞" in rows[0]
    assert rows[-1].index("0") < rows[0].index("N") < rows[0].index("∞")
    marks = "".join(text for row in chart.rows for text, role in row if role == MARK)
    assert sorted(marks) == sorted("0N∞")


@pytest.mark.parametrize(("value", "mark"), [(0.0, "0"), (np.nan, "N"), (np.inf, "∞")])
def test_where_nothing_has_a_logarithm_the_marks_are_the_picture(value, mark):
    assert "".join(drawn(profile(*[value] * 4))).count(mark) == 4


def test_nothing_to_draw_is_said_so():
    nothing = np.empty(0)
    assert "no gradient to draw" in profile_chart([], 40, 9).plain
    assert "no gradient to draw" in profile_chart([Line("max", nothing, nothing)], 40, 9).plain
    assert "nothing to draw yet" in lines_chart([Line("loss", nothing, nothing)], 40, 9, log=False).plain
    assert "too small" in profile(1.0, 2.0, width=20, height=5).plain


def test_the_second_line_and_the_prediction_stand_over_the_bars_with_marks_of_their_own():
    x = np.arange(1.0, 11)
    lines = [Line("sigmoid", x, 10.0**-x, SERIES[0]), Line("relu", x, x * 0 + 0.1, SERIES[1])]
    predicted = Line("predicted", x, 10.0 ** (-1 - x / 2), 3)
    plain = profile_chart(lines, 70, 20, predicted=predicted).plain
    assert plain.count("▲") == 10
    assert 5 <= plain.count("·") <= 10
    ascii_plain = profile_chart(lines, 70, 20, predicted=predicted, ascii_only=True).plain
    assert ascii_plain.isascii()
    assert ascii_plain.count("^") == 10


def test_a_spike_of_one_step_in_a_hundred_thousand_is_drawn():
    x = np.arange(100_000.0)
    for place in (0, 31_415, 99_999):
        y = np.full(100_000, 1e-3)
        y[place] = 1e3
        rows = drawn(lines_chart([Line("g", x, y)], 80, 20, log=True))
        assert any(cell not in " ─" for row in rows[:5] for cell in row), place


def test_the_axis_tells_powers_of_ten_or_round_numbers():
    assert {"1e-9", "1e0"} <= set(profile(1e-9, 1.0, height=40).plain.replace("┤", " ").split())
    x = np.arange(10.0)
    text = lines_chart([Line("g", x, x / 10 - 0.35)], 60, 18, log=False).plain.replace("┤", " ").split()
    assert {"-0.2", "0", "0.2", "0.4"} <= set(text)


@pytest.mark.parametrize("bars", [False, True])
@pytest.mark.parametrize(("height", "top"), [(6, 1.0), (14, 3.0), (15, 26.0), (28, 7.0), (41, 11.0)])
def test_plotext_rounds_to_as_many_rows_as_a_profile_does(bars, height, top):
    """Where it did not, bars would be drawn up to half a row too long or too short."""

    def drawn(y: list[float]) -> Chart:
        series = Points((1.0, 2.0, 3.0, 4.0), tuple(y), "█" if bars else "●", FIRST, bars)
        return draw_figure(Figure(50, height, False, (series,), 0.5, 4.5, top, ((0.0,), ("1e-26",))))

    rows = height - FRAME_ROWS - 1
    heights = np.random.default_rng(height).uniform(0.0, top, 4)
    assert drawn(heights.tolist()) == drawn((np.rint(heights / top * rows) / rows * top).tolist())
    assert drawn(heights.tolist()) != drawn((heights - top / rows).clip(0.0).tolist())


def test_a_profile_in_which_nothing_moves_by_a_row_is_not_drawn_again():
    x = np.arange(1.0, 4.0)
    once = profile_chart([Line("", x, np.array([1e-3, 1e-2, 1e-1]))], 60, 20)
    assert profile_chart([Line("", x, np.array([1.0001e-3, 1e-2, 1e-1]))], 60, 20) is once
    assert profile_chart([Line("", x, np.array([4e-3, 1e-2, 1e-1]))], 60, 20) != once


def test_the_same_chart_twice_is_the_same_picture():
    first = profile(1e-3, 1e-1, 0.0)
    lines_chart([Line("g", np.arange(9.0), np.arange(9.0))], 90, 30, log=False)
    assert profile(1e-3, 1e-1, 0.0) == first


def test_a_run_that_was_about_to_break_does_not_flatten_the_one_beside_it():
    """Its bars end at the top, under arrows; alone it is drawn whole."""
    x = np.arange(1.0, 11.0)
    wild, tame = (
        Line("wild", x, 10.0 ** np.linspace(300, 0, 10), FIRST),
        Line("tame", x, np.full(10, 1e-3), SECOND),
    )
    both = profile_chart([wild, tame], 80, 12).plain
    assert both.count("↑") >= 9
    assert "1e-3" in both or "1e-4" in both
    assert "1e300" not in both
    alone = profile_chart([wild], 80, 12).plain
    assert "↑" not in alone
    assert "^" in profile_chart([wild, tame], 80, 12, ascii_only=True).plain
    assert "↑" not in profile_chart([tame, tame], 80, 12).plain
