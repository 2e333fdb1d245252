"""Copies the derivation to the clipboard or saves it to a file: as text, Markdown or LaTeX."""

from __future__ import annotations

import re
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine.derivation.chain_rule import Derivation
from engine.derivation.gradcheck import EntryCheck
from engine.export import written_latex, written_markdown, written_text
from engine.formula import untrusted_text
from engine.formula.expression import Partial
from engine.formula.layout import one_line
from engine.formula.notation import Style
from tui.shell.choice_list import ChoiceList
from tui.shell.keys import EXPORT_COMMANDS, bindings
from tui.shell.modal import Modal
from tui.shell.prompt import Prompt
from tui.shell.saving import save_problem

FORMATS = {"text": ("Text", ".txt"), "markdown": ("Markdown", ".md"), "latex": ("LaTeX", ".tex")}


class ExportDialog(Modal[bool]):
    """Asks what to do with a derivation, and does it; its result is whether it was copied or saved."""

    CSS_PATH = "export_dialog.tcss"
    COMMANDS_SHOWN = EXPORT_COMMANDS
    BINDINGS = bindings(EXPORT_COMMANDS)

    def __init__(
        self, derivation: Derivation, title: str, check: EntryCheck, style: Style, experiment: str = ""
    ) -> None:
        """`experiment` is what the experiment is called, for the names of files."""
        super().__init__()
        self._stem = "_".join(filter(None, ("derivation", re.sub(r"[^\w-]+", "_", Path(experiment).stem))))
        self._derivation, self._title, self._check, self._style = derivation, title, check, style

    def compose(self) -> ComposeResult:
        """A list of what can be done."""
        with Vertical(id="dialog") as dialog:
            derivative = Partial(self._derivation.of, self._derivation.target)
            dialog.border_title = f"The derivation of {one_line(derivative, self._style)}"
            copies = [Option(f"Copy as {name}", id=f"copy {key}") for key, (name, _) in FORMATS.items()]
            saves = [Option(f"Save as {name}…", id=f"save {key}") for key, (name, _) in FORMATS.items()]
            yield ChoiceList(*copies, None, *saves)

    def written(self, kind: str) -> str:
        """The derivation in a format."""
        if kind == "markdown":
            return written_markdown(self._derivation, self._title, self._check)
        if kind == "latex":
            return written_latex(self._derivation, self._title, self._check)
        return written_text(self._derivation, self._title, self._check, style=self._style)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Copies at once, or asks for a file name first."""
        if not self.on_top:
            return
        what, kind = (event.option.id or "").split()
        if what == "copy":
            self.app.copy_to_clipboard(self.written(kind))
            self.notify("Sent to the terminal's clipboard. If nothing arrives there, save it instead.")
            self.dismiss(True)
            return
        target = (
            self._derivation.target.plain()
            .translate(str.maketrans("[],", "___"))
            .replace("__", "_")
            .strip("_")
        )
        name = f"{self._stem}_{target}{FORMATS[kind][1]}"
        prompt = Prompt("Save as", "a file name", lambda text: self._saved(text, kind), answer=name)
        self.app.push_screen(prompt, self._close)

    def _saved(self, name: str, kind: str) -> str | None:
        """Writes the file; says what went wrong, if anything did. Never overwrites."""
        return save_problem(name, self.written(kind))

    def _close(self, name: str | None) -> None:
        if name is not None:
            self.notify(f"Saved {untrusted_text.one_line(name)}", markup=False)
            self.dismiss(True)

    def action_close(self) -> None:
        """Leaves it."""
        self.dismiss(False)
