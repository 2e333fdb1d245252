r"""The last guard of the screens: what a widget draws may not hold a command for the terminal.

Foreign text is made harmless where it enters (see `engine.formula.untrusted_text`). What was forgotten there, or comes
from Textual itself (what is pasted into a line of input, the answer to a question of the terminal), is stopped here.

    "a\x1b]52;c;…"   ──>   "a]52;c;…"        as wide as Textual took it for, so that nothing moves
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from engine.formula.untrusted_text import is_plain

REPLACEMENT = "?"


class TerminalFilter(LineFilter):
    """Replaces every character that a terminal would obey as a command."""

    def apply(self, segments: Sequence[Segment], background: Color) -> list[Segment]:
        """The segments of a line, to be seen and not obeyed."""
        return [
            segment
            if segment.control or segment.text.isprintable() or is_plain(segment.text)
            else Segment(seen(segment.text), segment.style)
            for segment in segments
        ]


def seen(text: str) -> str:
    """A text with a question mark for each column that an unsafe character was given."""
    return "".join(
        character if is_plain(character) else REPLACEMENT * cell_len(character) for character in text
    )
