"""The canvas: what is put stays where it was put, and nothing is ever wider or taller than asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.shell.character_canvas import Canvas


def test_text_is_put_from_a_point_to_the_right():
    canvas = Canvas(8, 2)
    canvas.put(2, 1, "abc", "bold")
    assert canvas.content().plain == "        \n  abc   "
    assert canvas.at(3, 1) == "b"
    assert canvas.at(0, 0) == " "


def test_styles_cover_what_was_put_and_no_more():
    canvas = Canvas(8, 1)
    canvas.put(1, 0, "ab", "bold")
    canvas.put(3, 0, "cd", "italic")
    spans = {(span.start, span.end): str(span.style) for span in canvas.content().spans}
    assert spans == {(1, 3): "bold", (3, 5): "italic"}


@given(st.integers(1, 9), st.integers(1, 9), st.lists(st.tuples(st.integers(-12, 12), st.integers(-12, 12))))
def test_whatever_is_put_outside_is_cut_off(width, height, points):
    canvas = Canvas(width, height)
    for x, y in points:
        canvas.put(x, y, "abcdef", "bold")
        assert canvas.at(x, y) == ("a" if 0 <= x < width and 0 <= y < height else " ")
    lines = canvas.content().plain.split("\n")
    assert len(lines) == height
    assert all(len(line) == width for line in lines)
