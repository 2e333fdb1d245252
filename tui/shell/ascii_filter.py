"""The last guard of the ASCII mode: whatever a widget draws leaves as 7-bit characters of the same width.

Formulas and sentences are written in ASCII to begin with; borders, scroll bars and Textual's own widgets are not.

    ╭─ Network ─╮          +- Network -+
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_GLYPHS = {
    **dict.fromkeys("─━═╌┄▔▁", "-"),
    **dict.fromkeys("│┃║▏▎▍▌▋▊▉▐▕", "|"),
    **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+"),
    **dict.fromkeys("▂▃▄▅▆▇▀", " "),  # the ends of a scroll bar
    "█": "#",
    "…": ".",
    "⋯": ".",
    "·": "-",  # between two hints
    "−": "-",
    "×": "x",
    "→": ">",
    "←": "<",
    "•": "*",
    "∂": "d",
    "ℰ": "E",
    "η": "n",
    "δ": "d",
    "Δ": "D",
    "‖": "|",
    "▸": ">",
    "▶": ">",
    "✓": "+",
    "ᵀ": "T",
    "●": "*",
    "🔎": "  ",
}


class AsciiFilter(LineFilter):
    """Replaces every character that is not ASCII, the unknown ones by question marks."""

    def apply(self, segments: Sequence[Segment], background: Color) -> list[Segment]:
        """The segments of a line in ASCII."""
        return [
            segment if segment.text.isascii() else Segment(in_cells(segment.text), segment.style)
            for segment in segments
        ]


def in_cells(text: str) -> str:
    """A text in ASCII, as wide as before."""
    return "".join(
        character if character.isascii() else _GLYPHS.get(character, "?" * cell_len(character))
        for character in text
    )
