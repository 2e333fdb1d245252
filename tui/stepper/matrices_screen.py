"""The matrices page: every product with its shapes, to read, and the given matrices to edit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content

from tui.shell.csv_table import Rows
from tui.shell.idle_keys import bindings_of_the_app, idle_bindings
from tui.shell.key_command import bindings
from tui.shell.keys import MATRICES_COMMANDS
from tui.shell.reading_screen import ReadingScreen


class MatricesScreen(ReadingScreen):
    """The matrices page, on which an entry can be edited."""

    CSS_PATH = "../shell/reading_screen.tcss"
    COMMANDS_SHOWN = MATRICES_COMMANDS
    BINDINGS = [  # noqa: RUF012 - as Screen wants it
        *bindings(MATRICES_COMMANDS),
        *bindings_of_the_app("command-line"),
        *idle_bindings(MATRICES_COMMANDS),
    ]

    def __init__(
        self,
        title: str,
        page: Callable[[int], Content],
        edit: Callable[[Callable[[], None]], None],
        rows: Callable[[], Rows],
        command: Sequence[str] = (),
    ) -> None:
        """`edit` asks which entry is to be what, and calls back when it is; `rows` are the numbers of the page."""
        super().__init__(title, page, rows, command)
        self._edit = edit

    def action_edit(self) -> None:
        """Asks for an entry and its number; then the page is written anew."""
        self._edit(self._write)
