"""The heat strip: every layer over every step, in any size, with what is remarkable never averaged away."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formula.text_width import cells
from tui.training.heat_strip import LABEL, SHADES, HeatStrip, heat_strip

ODD = st.sampled_from([np.nan, np.inf, 0.0, 5e-324, 1e308, 1e-20, 1.0])


def strip(magnitudes: object, width: int = 60, height: int = 20, *, ascii_only: bool = False) -> list[str]:
    """The rows of a strip of (layers, steps)."""
    values = np.array(magnitudes, float)
    chart = heat_strip(HeatStrip(np.arange(values.shape[1]), values), width, height, ascii_only=ascii_only)
    return chart.plain.split("\n")


def pictures(rows: list[str]) -> list[str]:
    """What stands right of the labels, layer 1 first."""
    return [row[LABEL:] for row in rows[:-2]][::-1]


@given(
    st.integers(1, 60).flatmap(
        lambda layers: st.integers(1, 12).flatmap(
            lambda steps: st.lists(
                st.lists(ODD, min_size=steps, max_size=steps), min_size=layers, max_size=layers
            )
        )
    ),
    st.integers(1, 90),
    st.integers(1, 40),
    st.booleans(),
)
def test_whatever_the_numbers_it_fits(magnitudes, width, height, ascii_only):
    rows = strip(magnitudes, width, height, ascii_only=ascii_only)
    assert len(rows) <= max(height, 3)
    assert all(cells(row) <= width for row in rows) or width < LABEL + 12
    if ascii_only:
        assert "\n".join(rows).isascii()


def test_denser_is_larger():
    layers = 10.0 ** np.arange(-9, 1)[:, None] * np.ones((1, 30))
    densities = [SHADES[False].index(row[0]) for row in pictures(strip(layers))]
    assert densities == sorted(densities)
    assert densities[0] == 0
    assert densities[-1] == len(SHADES[False]) - 1


def test_few_steps_fill_the_width_and_many_share_it():
    for steps in (1, 3, 53, 500):
        rows = strip(np.ones((4, steps)))
        assert all(cells(row) == 60 - LABEL for row in pictures(rows))
        assert rows[-2].rstrip().endswith(str(steps - 1))


def test_zeros_and_what_is_not_finite_are_marked_where_they_are():
    values = np.ones((3, 53))
    values[0, 20:] = 0.0
    values[1, 52] = np.nan
    values[2, 0] = np.inf
    first, second, third = pictures(strip(values))
    assert first == "█" * 20 + "0" * 33
    assert second == "█" * 52 + "!"
    assert third == "!" + "█" * 52


def test_one_bad_step_among_thousands_is_not_lost():
    values = np.ones((50, 5000))
    values[31, 4321] = np.nan
    assert "".join(pictures(strip(values))).count("!") == 1


def test_fifty_layers_share_rows_from_bottom_to_top():
    rows = strip(np.ones((50, 10)), height=12)
    labels = [int(row[: LABEL - 1]) for row in rows[:-2]]
    assert labels == sorted(labels, reverse=True)
    assert labels[-1] == 1


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_strip_of_nothing_but_zeros_or_nan(value):
    assert set("".join(pictures(strip(np.full((3, 5), value))))) == {"0" if value == 0 else "!"}
