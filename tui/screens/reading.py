"""A page to read over the current screen: scrolls, and closes with escape."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.keys import READING_COMMANDS, bindings


class ReadingScreen(ModalScreen[None]):
    """Shows text with a title."""

    CSS_PATH = "reading.tcss"
    COMMANDS_SHOWN = READING_COMMANDS
    BINDINGS = bindings(READING_COMMANDS)

    def __init__(self, title: str, text: Content) -> None:
        super().__init__()
        self._title, self._content = title, text

    def compose(self) -> ComposeResult:
        """A bordered page that scrolls both ways."""
        with Vertical(id="page") as page:
            page.border_title = self._title
            page.border_subtitle = (
                "↑↓ scroll · esc closes" if not self.app.has_class("-ascii") else "esc closes"
            )
            with VerticalScroll(id="scroll"):
                yield Static(self._content, id="text")

    def action_scroll(self, lines: int) -> None:
        """Scrolls by lines."""
        self.query_one("#scroll").scroll_relative(y=lines, animate=False)

    def action_close(self) -> None:
        """Closes the page."""
        self.dismiss()
