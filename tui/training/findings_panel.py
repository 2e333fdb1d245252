"""What is wrong, in a frame: the headline first, the rest by scrolling; the frame says when there is more.

╭──────────────────────────────────────────────────────────────────────╮
│ Plateau   Over the last 20,000 of 40,000 steps the loss over all …   │
╰────────────────────────────────────────────────── ↓ 3 more lines ────╯
"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static
from typing_extensions import override

from engine.formula.numbers_in_words import counted


class FindingsPanel(VerticalScroll, can_focus=False):
    """The panel of findings: text that may be longer than its frame, and scrolls."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._said = Content()

    @override
    def compose(self) -> ComposeResult:
        yield Static(id="verdict")

    def show_text(self, text: Content) -> None:
        """Shows a text from its beginning, without markup; one that is shown already stays where it is."""
        if text.is_same(self._said):
            return
        self._said = text
        self.query_one("#verdict", Static).update(text)
        self.scroll_to(y=0, animate=False)
        self.call_after_refresh(self.count_lines)

    def move(self, lines: int) -> None:
        """Scrolls by so many lines."""
        self.scroll_to(y=self.scroll_y + lines, animate=False)
        self.call_after_refresh(self.count_lines)

    def on_resize(self) -> None:
        """Another size hides other lines."""
        self.call_after_refresh(self.count_lines)

    def count_lines(self) -> None:
        """Says below how many lines there are further down, and above how many further up."""
        below = round(self.max_scroll_y - self.scroll_y)
        above = round(self.scroll_y)
        said = [
            *([f"↑ {counted(above, 'line')}"] if above > 0 else []),
            *([f"↓ {counted(below, 'more line')}"] if below > 0 else []),
        ]
        subtitle = Content("  ".join(said))
        if str(self.border_subtitle or "") != subtitle.plain:
            self.border_subtitle = subtitle
