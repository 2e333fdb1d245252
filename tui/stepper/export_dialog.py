"""Copies the derivation to the clipboard or saves it to a file: as text, Markdown or LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from engine.derivation.chain_rule import Derivation
from engine.derivation.gradcheck import EntryCheck
from engine.export.derivation_document import written_latex, written_markdown, written_text
from engine.formula.expression import Partial
from engine.formula.layout import one_line
from engine.formula.notation import Style
from tui.shell.key_command import bindings
from tui.shell.keys import EXPORT_COMMANDS
from tui.shell.save_flow import Savable, SaveFlow


class ExportDialog(SaveFlow):
    """Asks in which format a derivation is to be kept, and keeps it."""

    CSS_PATH = "../shell/save_flow.tcss"
    COMMANDS_SHOWN = EXPORT_COMMANDS
    BINDINGS = bindings(EXPORT_COMMANDS)

    def __init__(
        self, derivation: Derivation, title: str, check: EntryCheck, style: Style, experiment: str = ""
    ) -> None:
        """`experiment` is what the experiment is called, for the names of files."""
        formats: list[tuple[str, str, Callable[[], str]]] = [
            ("Text", ".txt", lambda: written_text(derivation, title, check, style=style)),
            ("Markdown", ".md", lambda: written_markdown(derivation, title, check)),
            ("LaTeX", ".tex", lambda: written_latex(derivation, title, check)),
        ]
        copies = [Savable(f"Copy as {name}", None, written) for name, _, written in formats]
        saves = [Savable(f"Save as {name}…", suffix, written) for name, suffix, written in formats]
        target = (
            derivation.target.plain().translate(str.maketrans("[],", "___")).replace("__", "_").strip("_")
        )
        words = ("derivation", re.sub(r"[^\w-]+", "_", Path(experiment).stem), target)
        super().__init__(
            f"The derivation of {one_line(Partial(derivation.of, derivation.target), style)}",
            "_".join(filter(None, words)),
            [*copies, None, *saves],
        )
