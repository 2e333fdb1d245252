"""What is happening at the current position: in words, as a formula, with the numbers in, and the value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from textual.content import Content
from textual.widgets import Static

from engine.formula.ascii_text import in_characters_of
from engine.formula.notation import Style
from tui.shell.stacked_content import stacked
from tui.stepper.description import Description
from tui.stepper.equation import Equation, typeset, typeset_flat

MARKS = {"remark": "! ", "plain": "", "faint": ""}
"""What a note begins with, so that a remark is not told by its colour alone."""

COLOURS = {"remark": "$remark", "plain": "", "faint": "$faint"}


class TermPanel(Static):
    """The panel of the current term: draws a description."""

    def show(self, description: Description, style: Style, width: int, height: int) -> None:
        """Draws a description in `width` × `height` cells."""
        self.update(term_page(description, style, width, height))


def term_page(description: Description, style: Style, width: int, height: int) -> Content:
    """Sets a description, its heading, equations and notes, in `width` × `height` cells.

    Formulas are stacked where there is room for that; where there is not, they stand on one line, and at last
    with fewer of their terms. In what room is left stand `together` and the last of `before`.
    """

    def shown(text: str) -> str:
        return in_characters_of(text, style)

    notes = [Content.styled(shown(MARKS[kind] + text), COLOURS[kind]) for kind, text in description.notes]
    colour = "$gradient" if description.backward else "$value"
    style = replace(style, max_terms=description.max_terms)
    shorter = replace(style, max_terms=min(description.max_terms, 3))
    content = Content()
    for typesetter, tried in ((typeset, style), (typeset_flat, style), (typeset_flat, shorter)):
        drawn = [typesetter(equation, tried, width, colour) for equation in description.equations]
        content = stacked([Content.styled(shown(description.heading), "bold"), *drawn, *notes])
        if content.get_height({}, width) <= height:
            break
    together = description.together
    if together is not None:
        heading = "All together, without a partial derivative"
        content = _with_room_for(content, heading, [lambda: together], style, width, height, colour)
    return _with_room_for(content, "What came before", description.before, style, width, height, colour)


def _with_room_for(
    content: Content,
    heading: str,
    equations: Sequence[Callable[[], Equation]],
    style: Style,
    width: int,
    height: int,
    number_style: str,
) -> Content:
    """The content and below it, under a heading, as many of the last equations as fit; where none does, itself."""
    room = height - content.get_height({}, width) - 2
    shown: list[Content] = []
    for equation in reversed(equations):
        if room <= 0:
            break
        drawn = typeset(equation(), style, width, number_style)
        room -= drawn.get_height({}, width)
        if room >= 0:
            shown.insert(0, drawn)
    if not shown:
        return content
    left_out = "" if len(shown) == len(equations) else f" (the last {len(shown)} of {len(equations)})"
    if room >= len(shown) - 1:
        shown = [Content("\n\n").join(shown)]
    return stacked([content, "", Content.styled(heading + left_out, "$faint"), *shown])
