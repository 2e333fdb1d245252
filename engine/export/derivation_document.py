"""Written derivations: one document, as text, as Markdown or as LaTeX.

    derivation ── compose.compose ──> blocks ─┬─ text ────────────> stacked fractions, for a terminal or a printer
                                              ├─ markdown ────────> headings, tables, $$math$$
                                              └─ latex_document ──> a file that compiles as it is

`check` is the gradient check of the target, whose result closes the document where it is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.formula.notation import Style

if TYPE_CHECKING:
    from engine.derivation.chain_rule import Derivation
    from engine.derivation.gradcheck import EntryCheck

STYLE = Style()
"""How formulas are drawn unless a caller asks for something else."""


def written_text(
    derivation: Derivation,
    title: str = "",
    check: EntryCheck | None = None,
    *,
    width: int = 80,
    style: Style = STYLE,
) -> str:
    """The derivation as text in lines of at most `width` columns (at least 60); pure ASCII where the style is."""
    from engine.export.compose_derivation import compose
    from engine.export.text_document import render_text

    return render_text(compose(derivation, title, check), width, style)


def written_markdown(
    derivation: Derivation, title: str = "", check: EntryCheck | None = None, *, style: Style = STYLE
) -> str:
    """The derivation as Markdown with LaTeX formulas; pure ASCII where the style is."""
    from engine.export.compose_derivation import compose
    from engine.export.markdown_document import render_markdown

    return render_markdown(compose(derivation, title, check), style)


def written_latex(
    derivation: Derivation, title: str = "", check: EntryCheck | None = None, *, style: Style = STYLE
) -> str:
    """The derivation as a complete LaTeX document, always in pure ASCII."""
    from engine.export.compose_derivation import compose
    from engine.export.latex_document import render_latex

    return render_latex(compose(derivation, title, check), style)
