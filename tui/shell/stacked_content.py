"""Lines, or groups of lines, below each other."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from engine.formula.ascii_text import ascii_text
from engine.formula.notation import Style


def stacked(parts: Sequence[Content | str]) -> Content:
    """Lines, or groups of lines, stacked below each other."""
    return Content("\n").join([part if isinstance(part, Content) else Content(part) for part in parts])


def stacked_in(style: Style, parts: Sequence[Content | str]) -> Content:
    """Lines stacked below each other, in the characters that `style` draws with; in ASCII without colours."""
    page = stacked(parts)
    return Content(ascii_text(page.plain)) if style.ascii else page
