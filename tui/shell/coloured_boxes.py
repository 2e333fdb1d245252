"""From formula boxes to coloured text: lays a style over columns of a `LayoutBox`.

    ┌ columns 0-6, style of what is done
∂ℰ      ∂Ŷ₀₀
──── · ───────
∂Ŷ₀₀   ∂f⁽²⁾₀₀
       └ columns 9-16, style of what is current
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content

from engine.formula.ascii_text import ascii_text
from engine.formula.layout import LayoutBox
from engine.formula.notation import Style

Span = tuple[range, str]
"""Which columns, and the style that Textual gives them (theme variables such as `$done` may be used)."""


def paint(box: LayoutBox, spans: Iterable[Span] = (), style: str = "") -> Content:
    """A layout box's lines as text, in one style, with some of its columns in others."""
    content = Content("\n".join(box.lines))
    if style:
        content = content.stylize(style)
    stride = box.width + 1
    for columns, one in spans:
        for line in range(box.height):
            start = line * stride + columns.start
            content = content.stylize(one, start, start + len(columns))
    return content


def stacked(parts: Sequence[Content | str]) -> Content:
    """Lines, or groups of lines, stacked below each other."""
    return Content("\n").join([part if isinstance(part, Content) else Content(part) for part in parts])


def stacked_in(style: Style, parts: Sequence[Content | str]) -> Content:
    """Lines stacked below each other, in the characters that `style` draws with; in ASCII without colours."""
    page = stacked(parts)
    return Content(ascii_text(page.plain)) if style.ascii else page
