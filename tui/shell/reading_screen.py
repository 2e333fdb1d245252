"""A page to read over the current screen: scrolls, and closes with escape."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.shell.csv_table import CsvTable, Rows
from tui.shell.equivalent_command import HasCommand
from tui.shell.idle_keys import bindings_of_the_app, idle_bindings
from tui.shell.key_command import KeyCommand, bindings
from tui.shell.keys import READING_COMMANDS
from tui.shell.modal import Modal


class ReadingScreen(Modal[None]):
    """A page of text with a title, to read and scroll."""

    CSS_PATH = "reading_screen.tcss"
    COMMANDS_SHOWN: tuple[KeyCommand, ...] = READING_COMMANDS
    BINDINGS = [  # noqa: RUF012 - as Screen wants it
        *bindings(READING_COMMANDS),
        *bindings_of_the_app("command-line"),
        *idle_bindings(READING_COMMANDS),
    ]

    def __init__(
        self,
        title: str,
        page: Callable[[int], Content],
        rows: Callable[[], Rows] | None = None,
        command: Sequence[str] = (),
    ) -> None:
        """`page` makes the text for a number of columns; `rows` are its numbers, `command` prints the same."""
        super().__init__()
        self._title, self._page = title, page
        self._rows, self._command = rows, command

    def data_tables(self) -> Sequence[CsvTable]:
        """The csv table of the page, where it has numbers."""
        return [] if self._rows is None else [CsvTable(self._rows)]

    def command(self) -> Sequence[str]:
        """The command that prints the same, or else the one that leads to what lies below."""
        below = self._below
        return self._command or (below.command() if below is not None else ())

    def not_in_command(self) -> str | None:
        """A sentence on what the command does not say, as the screen below has it."""
        below = self._below
        return None if below is None else below.not_in_command()

    @property
    def _below(self) -> HasCommand | None:
        stack = self.app.screen_stack
        below = next(
            (one for one in reversed(stack[: stack.index(self)]) if isinstance(one, HasCommand)), None
        )
        return below if isinstance(below, HasCommand) else None

    def compose(self) -> ComposeResult:
        """A bordered page that scrolls."""
        with Vertical(id="page") as page:
            page.border_title = self._title
            page.border_subtitle = "esc closes" if self.app.has_class("-ascii") else "↑↓ scroll · esc closes"
            with VerticalScroll(id="scroll"):
                yield Static(id="text")

    def on_mount(self) -> None:
        """Writes the page once its width is known."""
        self.call_after_refresh(self._write)

    def on_resize(self) -> None:
        """Writes it anew for another width."""
        self.call_after_refresh(self._write)

    def _write(self) -> None:
        for text in self.query("#text").results(Static):  # none, where it has been closed since
            if text.size.width:
                text.update(self._page(text.size.width))

    def action_scroll(self, lines: int) -> None:
        """Scrolls by lines."""
        for page in self.query("#scroll"):  # none, where it has been closed since
            page.scroll_relative(y=lines, animate=False)

    def action_close(self) -> None:
        """Closes the page."""
        self.dismiss()
