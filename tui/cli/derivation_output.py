"""A derivation on stdout, as text, Markdown or LaTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.cli.output import output_width, write

if TYPE_CHECKING:
    from engine.derivation.chain_rule import Derivation
    from engine.derivation.gradcheck import EntryCheck
    from engine.formula.notation import Style


def write_derivation(derivation: Derivation, title: str, check: EntryCheck, form: str, style: Style) -> None:
    """Writes a derivation in a form, "text", "markdown" or "latex"."""
    from engine.export.derivation_document import written_latex, written_markdown, written_text

    if form == "latex":
        write(written_latex(derivation, title, check, style=style))
    elif form == "markdown":
        write(written_markdown(derivation, title, check, style=style))
    else:
        write(written_text(derivation, title, check, width=output_width(), style=style))
