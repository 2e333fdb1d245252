"""The small form over the stepper: learning rate, optimiser, loss and activations, each changed by typing.

train.learning_rate            0.1
loss.kind                      bce                 Enter asks for another; Tab completes its words
network.layers[0].activation   relu
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option, OptionDoesNotExist

from engine.experiment.changeable_settings import Setting
from engine.experiment.errors import ExperimentError
from tui.session.network_session import NetworkSession
from tui.shell.busy_screen import at_length
from tui.shell.choice_list import EnterlessList
from tui.shell.csv_table import CsvTable
from tui.shell.idle_keys import idle_bindings
from tui.shell.key_command import bindings
from tui.shell.keys import SETTINGS_COMMANDS
from tui.shell.modal import Modal
from tui.shell.prompt import Prompt

GAP = 3
"""Columns between the longest key and the values."""


class SettingsScreen(Modal[None]):
    """The form of an experiment's settings: lists them, and changes them."""

    CSS_PATH = "settings_screen.tcss"
    COMMANDS_SHOWN = SETTINGS_COMMANDS
    BINDINGS = [*bindings(SETTINGS_COMMANDS), *idle_bindings(SETTINGS_COMMANDS)]  # noqa: RUF012 - as Screen wants it

    def __init__(self, session: NetworkSession, changed: Callable[[], None]) -> None:
        """`changed` is called after each change."""
        super().__init__()
        self._session, self._changed = session, changed

    def compose(self) -> ComposeResult:
        """A list of keys and values."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "Settings, by their names in the file"
            dialog.border_subtitle = "enter changes one · esc leaves"
            yield EnterlessList(*self._options(), markup=False)

    def data_tables(self) -> Sequence[CsvTable]:
        """The settings as they are."""
        return [
            CsvTable(
                lambda: [["key", "value"], *([one.key, str(one.value)] for one in self._session.settings())],
                "The settings as csv",
            )
        ]

    def _options(self) -> list[Option]:
        settings = self._session.settings()
        width = max(len(one.key) for one in settings) + GAP
        return [Option(f"{one.key:<{width}}{one.value}", id=one.key) for one in settings]

    def _setting(self, key: str) -> Setting:
        return next(one for one in self._session.settings() if one.key == key)

    def action_choose(self) -> None:
        """Changes the marked setting."""
        for options in self.query(OptionList):  # none, where it has been closed since
            options.action_select()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Asks for what it is to be."""
        if event.option.id is None:
            return
        setting = self._setting(event.option.id)
        hint = f"{setting.value} now"
        if setting.choices:
            hint += f"; {', '.join(setting.choices)}"
        prompt = Prompt(
            setting.key, hint, lambda typed: self._problem(setting.key, typed), list(setting.choices)
        )
        self.app.push_screen(prompt, lambda typed: self._typed(setting.key, typed) if typed else None)

    def _problem(self, key: str, typed: str) -> str | None:
        """Changes it, unless that takes long; says in one line why it cannot be changed."""
        if not typed:
            return "a value, please; none takes an optional one away"
        try:
            if self._session.is_large:
                self._session.changed(key, typed)
            else:
                self._session.change(key, typed)
        except ExperimentError as error:
            return str(error)
        return None

    def _typed(self, key: str, typed: str) -> None:
        """A value that may be had; it was only read where the passes with it take long."""
        if not self._session.is_large:
            self._show_again(key)
            return
        work = partial(self._session.change, key, typed)
        at_length(self, True, f"One pass with another {key}", work, lambda _: self._show_again(key))

    def _show_again(self, key: str) -> None:
        """The settings as they are now: another optimiser has others."""
        self._changed()
        for options in self.query(OptionList):
            options.clear_options()
            options.add_options(self._options())
            with suppress(OptionDoesNotExist):  # an optional one that was taken away
                options.highlighted = options.get_option_index(key)

    def action_close(self) -> None:
        """Back to the stepper."""
        self.dismiss()
