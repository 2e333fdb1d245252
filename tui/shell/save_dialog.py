"""One key saves what is on the screen: as a picture, as text, its numbers as csv, the experiment as its file."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import App

from tui.shell.csv_table import HasCsvTable
from tui.shell.key_command import bindings
from tui.shell.keys import SAVE_COMMANDS
from tui.shell.save_flow import Savable, SaveFlow
from tui.shell.screen_text import screen_text


class SaveDialog(SaveFlow):
    """Asks what of the screen in front is to be saved and where, and saves it."""

    COMMANDS_SHOWN = SAVE_COMMANDS
    BINDINGS = bindings(SAVE_COMMANDS)

    def __init__(self, app: App[None], stem: str, experiment: Callable[[], str] | None) -> None:
        """Of the screen that is in front now; `experiment` gives the text of the one that is open."""
        screen = app.screen
        picture, text = app.export_screenshot(title=app.title), screen_text(app)
        savables = [
            Savable("This screen as a picture (SVG)", ".svg", lambda: picture),
            Savable("This screen as text", ".txt", lambda: text),
        ]
        if isinstance(screen, HasCsvTable):
            savables += [Savable(table.label, ".csv", table.csv) for table in screen.data_tables()]
        if experiment is not None:
            savables.append(Savable("The experiment as it is now (TOML)", ".toml", experiment))
        super().__init__("Save", stem, savables, "enter saves · esc leaves")
