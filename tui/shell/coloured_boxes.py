"""From formula boxes to coloured text: lays a style over columns of a `LayoutBox`.

    ┌ columns 0-6, style of what is done
∂ℰ      ∂Ŷ₀₀
──── · ───────
∂Ŷ₀₀   ∂f⁽²⁾₀₀
       └ columns 9-16, style of what is current
"""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from engine.formula.layout import LayoutBox

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
