"""One key saves what is on the screen: as a picture, as text, its numbers as csv, the experiment as its file.

SaveDialog ──Enter──> Prompt with a name that is free ──> tutorial-b-stepper.svg
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine.experiment.errors import ExperimentError
from engine.formula.untrusted_text import one_line
from tui.shell.choice_list import ChoiceList
from tui.shell.keys import SAVE_COMMANDS, bindings
from tui.shell.modal import Modal
from tui.shell.prompt import Prompt
from tui.shell.saving import free_name, save_problem


@dataclass(frozen=True, slots=True)
class Savable:
    """One way to save: what it is called, how its file's name ends, and its text, made when it is chosen."""

    label: str
    suffix: str
    text: Callable[[], str]


class SaveDialog(Modal[None]):
    """Asks what of the screen is to be saved and where, and saves it."""

    CSS_PATH = "save_dialog.tcss"
    COMMANDS_SHOWN = SAVE_COMMANDS
    BINDINGS = bindings(SAVE_COMMANDS)

    def __init__(self, stem: str, savables: Sequence[Savable]) -> None:
        """`stem` is what the offered names begin with."""
        super().__init__()
        self._stem, self._savables = stem, savables

    def compose(self) -> ComposeResult:
        """A list of what can be saved."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "Save"
            dialog.border_subtitle = "enter saves · esc leaves"
            yield ChoiceList(*(Option(one.label) for one in self._savables), markup=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Asks for a name, once."""
        if not self.on_top:
            return
        chosen = self._savables[event.option_index]
        try:
            text = chosen.text()
        except ExperimentError as error:
            self.notify(str(error), severity="error", timeout=10, markup=False)
            return
        prompt = Prompt(
            "Save as",
            "a file name",
            lambda name: save_problem(name, text),
            answer=free_name(self._stem, chosen.suffix),
        )
        self.app.push_screen(prompt, self._close)

    def _close(self, name: str | None) -> None:
        if name is not None:
            self.notify(f"Saved {one_line(name)}", markup=False)
            self.dismiss()

    def action_close(self) -> None:
        """Leaves it."""
        self.dismiss()
