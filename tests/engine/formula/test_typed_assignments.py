"""Numbers that are typed for entries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formula.expression import Symbol
from engine.formula.parser import ParseError
from engine.formula.typed_assignments import read_assigned_number, read_assignments

W = Symbol("W", 1, (0, 1))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_as_itself(number):
    assert read_assigned_number(repr(number)) == number


def test_a_number_by_itself_is_for_the_entry_that_was_asked_about():
    assert read_assignments("1/3", W) == [(W, 1 / 3)]
    assert read_assignments("-sqrt(2)", W) == [(W, -(2**0.5))]


def test_several_entries_are_named_one_after_the_other():
    expected = [(Symbol("Y", None, (0, 0)), 0.0), (W, 1.0)]
    assert read_assignments("Y[0,0] = 0; W[1][0,1] = 1") == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "found nothing; expected a number"),
        ("x", "found the name x; expected a number"),
        ("1/0", "no finite number"),
        ("2 +", "column"),
        ("Y[0,0] = ", "found nothing"),
        ("W = = 1", "column"),
    ],
)
def test_what_is_no_number_is_told_in_one_line(text, problem):
    with pytest.raises(ParseError) as caught:
        read_assignments(text, W)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_column_is_that_of_the_whole_line():
    with pytest.raises(ParseError, match="column 13: "):
        read_assignments("Y[0,0] = 1; q", W)
