"""The unit map: every unit one character, and the cursor always in sight."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formula.text_width import cells
from tui.training.drawn_chart import Chart
from tui.training.unit_map import CURSOR, LABEL, LEVELS, Cursor, UnitState, unit_map


def layer(number: int, firing: list[float], dead: list[bool] | None = None) -> UnitState:
    rates = np.array(firing)
    return UnitState(f"layer {number}", rates, np.array(dead) if dead else np.zeros(len(rates), bool))


def deep(layers: int = 50, units: int = 64) -> list[UnitState]:
    rng = np.random.default_rng(0)
    return [layer(number, list(rng.random(units))) for number in range(1, layers + 1)]


def under_cursor(chart: Chart) -> list[tuple[str, int]]:
    """The characters in the cursor's role, and the rows they are in."""
    return [(text, row) for row, runs in enumerate(chart.rows) for text, role in runs if role == CURSOR]


@given(
    st.lists(st.integers(1, 70), min_size=1, max_size=60),
    st.data(),
    st.integers(20, 100),
    st.integers(3, 60),
    st.booleans(),
)
def test_the_cursor_is_always_in_sight_and_all_fits(widths, data, width, height, ascii_only):
    layers = [layer(number, [0.5] * units) for number, units in enumerate(widths, start=1)]
    place = data.draw(st.integers(0, len(widths) - 1))
    cursor = Cursor(place, data.draw(st.integers(0, widths[place] - 1)))
    chart = unit_map(layers, cursor, width, height, ascii_only=ascii_only)
    assert len(under_cursor(chart)) == 1
    row = under_cursor(chart)[0][1]
    assert "".join(text for text, _ in chart.rows[row]).split()[1] == str(place + 1)
    lines = chart.plain.split("\n")
    assert len(lines) <= height
    assert all(cells(line) <= width for line in lines)
    assert not ascii_only or chart.plain.isascii()


def test_fifty_layers_of_sixty_four_units_all_in_one_picture():
    lines = unit_map(deep(), Cursor(0, 0), 80, 52).plain.split("\n")
    assert len(lines) == 52
    assert all(cells(line) == LABEL + 64 for line in lines[1:51])


@pytest.mark.parametrize("ascii_only", [False, True])
def test_dead_quiet_and_firing_units_look_different(ascii_only):
    rates = [0.0, 0.0, 0.01, 0.5, 1.0]
    state = layer(1, rates, [True, False, False, False, False])
    line = unit_map([state, layer(2, [0.5])], Cursor(1, 0), 40, 8, ascii_only=ascii_only).plain.split("\n")[1]
    dead, quiet, *firing = line[LABEL:].rstrip()
    assert dead == "x"
    assert quiet == ("." if ascii_only else "·")
    levels = [LEVELS[ascii_only].index(character) for character in firing]
    assert levels == sorted(levels)
    assert (levels[0], levels[-1]) == (0, 7)


def test_rates_that_are_no_rates_do_not_stop_it():
    assert "layer 1" in unit_map([layer(1, [1.0000001, 2.0])], Cursor(0, 0), 40, 8).plain


def test_the_ruler_numbers_every_tenth_unit_where_it_is():
    chart = unit_map(deep(3), Cursor(0, 45), 50, 8).plain.split("\n")
    ruler, first = chart[0][LABEL:], unit_map(deep(3), Cursor(0, 45), 50, 8).rows[1]
    before = "".join(text for text, role in first[: [role for _, role in first].index(CURSOR)])
    column = len(before) - LABEL
    assert ruler[column - 5 : column - 3] == "40"


def test_what_is_hidden_is_said():
    assert "of 50" in unit_map(deep(), Cursor(20, 0), 80, 12).plain
    assert "of 3" not in unit_map(deep(3), Cursor(0, 0), 80, 12).plain
