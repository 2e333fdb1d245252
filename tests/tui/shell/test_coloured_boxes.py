"""Boxes become text: every line where it was, and a style on exactly the columns that were asked for."""

from __future__ import annotations

from textual.content import Content

from engine.formula.expression import Partial, Symbol
from engine.formula.layout import LayoutBox, draw, fraction
from tui.shell.coloured_boxes import paint
from tui.shell.stacked_content import stacked

BOX = draw(Partial(Symbol("E"), Symbol("W", 1, (1, 1))))


def styled(content: Content, style: str) -> list[str]:
    """The pieces of a text that carry a style."""
    return [content.plain[span.start : span.end] for span in content.spans if str(span.style) == style]


def test_a_painted_box_is_the_box():
    assert paint(BOX).plain == "\n".join(BOX.lines)
    assert not paint(BOX).spans


def test_a_span_styles_its_columns_on_every_line():
    box = fraction(LayoutBox.of("abc"), LayoutBox.of("xyz"))
    first = range(box.lines[0].index("a"), box.lines[0].index("a") + 1)
    assert styled(paint(box, [(first, "bold")]), "bold") == ["a", "─", "x"]


def test_a_style_of_the_whole_lies_under_the_spans():
    content = paint(BOX, [(range(2), "bold")], style="italic")
    assert "".join(styled(content, "italic")) == content.plain
    assert all(len(piece) == 2 for piece in styled(content, "bold"))


def test_parts_are_set_below_each_other():
    assert stacked(["a", Content("b\nc"), ""]).plain == "a\nb\nc\n"
    assert stacked([]).plain == ""
