"""Short texts side by side, as many on a line as there is room for."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content


def flowed(parts: Sequence[Content], width: int) -> list[Content]:
    """Short texts side by side, as many a line as fit."""
    lines: list[Content] = []
    for part in parts:
        if lines and lines[-1].cell_length + 3 + part.cell_length <= width:
            lines[-1] = Content.assemble(lines[-1], "   ", part)
        else:
            lines.append(part)
    return lines
