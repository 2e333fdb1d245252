"""How a text is kept: what of it is chosen, a name that is free is offered, it is saved, and that is said.

SaveFlow ──Enter──> Prompt ──Enter──> a new file; nothing is ever overwritten
         └────────> the clipboard, for what is copied
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
from tui.shell.modal import Modal
from tui.shell.save_prompt import save_prompt


@dataclass(frozen=True, slots=True)
class Savable:
    """One way to keep something: what it is called, how its file's name ends, and its text, made when it is chosen.

    What has no `suffix` is copied to the clipboard.
    """

    label: str
    suffix: str | None
    text: Callable[[], str]


class SaveFlow(Modal[bool]):
    """Asks what is to be kept and where, and keeps it; its result is whether it was copied or saved."""

    CSS_PATH = "save_flow.tcss"

    def __init__(self, title: str, stem: str, savables: Sequence[Savable | None], subtitle: str = "") -> None:
        """`stem` is what the offered names begin with; None among the savables draws a line."""
        super().__init__()
        self._title, self._subtitle, self._stem = title, subtitle, stem
        self._shown = savables
        self._savables = [one for one in savables if one is not None]

    def compose(self) -> ComposeResult:
        """A list of what can be kept."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title, dialog.border_subtitle = self._title, self._subtitle
            yield ChoiceList(
                *(None if one is None else Option(one.label) for one in self._shown), markup=False
            )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Copies at once, or asks for a file's name first."""
        if not self.on_top:
            return
        chosen = self._savables[event.option_index]
        try:
            text = chosen.text()
        except ExperimentError as error:
            self.notify(str(error), severity="error", timeout=10, markup=False)
            return
        if chosen.suffix is None:
            self.app.copy_to_clipboard(text)
            self.notify("Sent to the terminal's clipboard. If nothing arrives there, save it instead.")
            self.dismiss(True)
            return
        self.app.push_screen(save_prompt(text, self._stem, chosen.suffix), self._saved)

    def _saved(self, name: str | None) -> None:
        if name is not None:
            self.notify(f"Saved {one_line(name)}", markup=False)
            self.dismiss(True)

    def action_close(self) -> None:
        """Leaves it."""
        self.dismiss(False)
