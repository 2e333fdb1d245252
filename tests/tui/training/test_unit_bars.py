"""The unit map with bars: every unit has its bar and its number, in the room that there is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formula.text_width import cells
from tests.tui.driver import app_on, at_rest, press, screen_text, until
from tui.training.unit_bars import bar_size, unit_bars
from tui.training.unit_map import CURSOR, LABEL, Cursor, UnitState


def layer(number: int, firing: list[float], dead: list[bool] | None = None) -> UnitState:
    rates = np.array(firing)
    return UnitState(f"layer {number}", rates, np.array(dead) if dead else np.zeros(len(rates), bool))


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=12),
    st.data(),
    st.integers(20, 200),
    st.integers(3, 60),
    st.booleans(),
)
def test_all_units_fit_or_there_are_no_bars(widths, data, width, height, ascii_only):
    rates = st.floats(0.0, 1.0)
    layers = [
        layer(number, data.draw(st.lists(rates, min_size=units, max_size=units)))
        for number, units in enumerate(widths, start=1)
    ]
    size = bar_size(layers, width, height)
    if size is None:
        assert (width - LABEL - 1) // max(widths) < 5 or (height - 1) // len(widths) - 2 < 2
        return
    place = data.draw(st.integers(0, len(widths) - 1))
    cursor = Cursor(place, data.draw(st.integers(0, widths[place] - 1)))
    chart = unit_bars(layers, cursor, size, ascii_only=ascii_only)
    lines = chart.plain.split("\n")
    assert len(lines) <= height
    assert all(cells(line) <= width for line in lines)
    assert not ascii_only or chart.plain.isascii()
    marked = [row for row, runs in enumerate(chart.rows) for _, role in runs if role == CURSOR]
    assert len(marked) == 1
    assert lines[marked[0]].split()[:2] == ["layer", str(place + 1)]


@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_bar_is_as_high_as_its_number_says(ascii_only):
    state = layer(1, [0.0, 0.0, 0.005, 0.25, 0.5, 0.998, 1.0], [True, *[False] * 6])
    lines = unit_bars([state], Cursor(0, 0), (6, 4), ascii_only=ascii_only).plain.split("\n")
    assert lines[0].split() == ["unit", *"0123456"]
    assert lines[5].split() == ["layer", "1", "x", "." if ascii_only else "·", "<1", "25", "50", ">99", "100"]
    full = "#" if ascii_only else "█"
    heights = [
        sum(
            line[LABEL + 6 * unit : LABEL + 6 * unit + 5] == full * 5
            for line in lines[1:5]
            if len(line) > LABEL + 6 * unit
        )
        for unit in range(7)
    ]
    assert heights == [0, 0, 0, 1, 2, 4, 4]


def test_fifty_layers_have_no_room_for_bars():
    assert bar_size([layer(one, [0.5] * 32) for one in range(50)], 200, 60) is None
    assert bar_size([layer(one, [0.5] * 16) for one in range(4)], 36, 6) is None
    assert bar_size([], 100, 100) is None


async def test_a_large_terminal_shows_every_unit_of_dying_relu_with_its_share():
    app = app_on("dying-relu")
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        await press(pilot, "full_stop")
        await at_rest(pilot)
        await until(pilot, lambda: "a number: fires for so many % of the samples" in screen_text(app))
        row = next(line for line in screen_text(app).splitlines() if line.startswith("│   layer 1 "))
        assert row.split()[3:6] == ["80", "x", "26"]
        assert "fires for 80 % of all data" in screen_text(app)
