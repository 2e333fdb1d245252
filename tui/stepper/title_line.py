"""The stepper's first line: which gradient of which experiment is shown, at which sample, and the value it is of.

∂ℰ/∂W⁽¹⁾₁₁   One hidden layer  edited                         sample 0 (Y=1), n = 3   ℰ = 0.6931
"""

from __future__ import annotations

from textual.content import Content

from engine.derivation.chain_rule import Derivation
from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import number_text
from engine.model.network import Y
from tui.stepper.derivation_screen import DerivationScreen


def title_line(screen: DerivationScreen, derivation: Derivation, style: Style, width: int) -> Content:
    """The stepper's title line for the derivation that is looked at, `width` cells wide."""
    session = screen.session
    name, partial = symbol_text(derivation.of, style), style.glyphs.partial
    left = Content.assemble(
        Content.styled(
            f" {partial}{name}/{partial}{symbol_text(derivation.target, style)} ", "bold reverse $primary"
        ),
        Content.styled(f"  {session.title}", "bold"),
        Content.styled("  edited" if session.edited else "", "$remark"),
        Content.styled("  changed on disk: ^L" if session.told_of_change else "", "$remark"),
    )
    sample = f"sample {derivation.sample}{_label(screen, derivation.sample, style)}, n = {derivation.n}"
    if derivation.n == 1:
        sample = "n = 1"
    right = f"  {sample}   {name} = {number_text(session.value_of(derivation.of), style)} "
    gap = max(width - left.cell_length - len(right), 0)
    return Content.assemble(
        left.truncate(max(width - len(right), 10), ellipsis=True), " " * gap, (right, "$faint")
    )


def _label(screen: DerivationScreen, sample: int, style: Style) -> str:
    """What the shown sample really is, where that is one number."""
    if screen.network_session is None:
        return ""
    labels = screen.network_session.data.Y[:, sample]
    name = symbol_text(Y, style)
    return f" ({name}={number_text(float(labels[0]), style)})" if len(labels) == 1 else ""
