"""The turned picture of hundreds of parameters: blocks that fold, a filter, horizontal bars that scroll."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.runs.layer_selection import matching
from tui.training.layer_bars import draw_rows
from tui.training.layer_rows import block_of, layer_rows, row_of, row_value

NAMES = [
    "embed.weight",
    *(
        f"layers.{block}.{part}"
        for block in range(12)
        for part in ("attn.q.weight", "attn.q.bias", "mlp.weight")
    ),
    "head.weight",
]
EVERY = list(range(len(NAMES)))


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("layers.0.attn.q.weight", "layers.0"),
        ("transformer.h.11.mlp.c_fc.weight", "transformer.h.11"),
        ("0.weight", "0"),
        ("embed.weight", "embed"),
        ("W[1]", "W[1]"),
    ],
)
def test_a_block_is_what_stands_before_and_with_the_first_number(name, block):
    assert block_of(name) == block


def test_the_parameters_of_a_block_are_one_row_until_unfolded():
    rows = layer_rows(NAMES, EVERY, ())
    assert [row.label for row in rows[:3]] == ["embed.weight", "layers.0", "layers.1"]
    assert len(rows) == 14
    unfolded = layer_rows(NAMES, EVERY, {"layers.1"})
    assert [row.label for row in unfolded[2:6]] == ["layers.1", "attn.q.weight", "attn.q.bias", "mlp.weight"]
    assert row_of(unfolded, NAMES.index("layers.1.attn.q.bias")) == 4
    assert row_of(rows, NAMES.index("layers.1.attn.q.bias")) == 2


def test_the_filter_takes_expressions_and_plain_text_that_is_none():
    assert matching(NAMES, "") == EVERY
    assert [NAMES[place] for place in matching(NAMES, r"layers\.1\..*weight$")] == [
        "layers.1.attn.q.weight",
        "layers.1.mlp.weight",
    ]
    assert [NAMES[place] for place in matching(NAMES, "HEAD")] == ["head.weight"]
    assert matching(["W[1]", "W[2]"], "W[2") == [1]


def test_a_block_has_the_norm_of_all_of_it_or_its_largest():
    (row,) = [row for row in layer_rows(NAMES, EVERY, ()) if row.label == "layers.0"]
    values = np.zeros(len(NAMES))
    values[1:4] = 3.0, 4.0, 12.0
    assert row_value(row, values, "grad_l2") == 13.0
    assert row_value(row, values, "grad_max") == 12.0


def test_the_cursor_is_always_in_sight_and_what_is_not_is_counted():
    rows = layer_rows(NAMES, EVERY, {f"layers.{block}" for block in range(12)})
    values = np.logspace(-8, -1, len(NAMES))
    for cursor in range(len(rows)):
        chart = draw_rows(rows, values, "grad_l2", cursor, 80, 12).plain
        assert rows[cursor].label in chart
        assert "rows above" in chart
    assert "0 of 50 rows above, 40 below" in draw_rows(rows, values, "grad_l2", 0, 80, 12).plain


def test_zeros_and_what_is_not_finite_are_words():
    values = np.array([0.0, np.nan, np.inf, 1e-3])
    chart = draw_rows(layer_rows(list("abcd"), range(4), ()), values, "grad_l2", 0, 60, 10, ascii_only=True)
    lines = chart.plain.splitlines()
    assert lines[1].split() == ["a", "0", "0"]
    assert "not finite" in lines[2]
    assert "#" in lines[4]
    assert chart.plain.isascii()


def test_a_filter_that_fits_nothing_says_so():
    assert "no layer fits" in draw_rows([], np.zeros(0), "grad_l2", 0, 40, 10).plain


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=30),
    st.integers(30, 150),
    st.integers(3, 40),
)
def test_every_row_has_the_width_it_was_given(values, width, height):
    names = [f"layers.{number}.w" for number in range(len(values))]
    rows = layer_rows(names, range(len(names)), ())
    magnitudes = np.abs(np.array(values))
    chart = draw_rows(rows, magnitudes, "grad_l2", 0, width, height)
    assert len(chart.rows) <= height
    assert {len(line) for line in chart.plain.splitlines()} == {width}
