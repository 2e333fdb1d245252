"""The simplification page: sigmoid and cross-entropy multiplied out, line by line, every line evaluated."""

from __future__ import annotations

from textual.content import Content

from engine.autodiff.ops.loss import loss_op
from engine.derivation.chain_rule import Derivation
from engine.formula.ascii_text import in_characters_of
from engine.formula.expression import Partial
from engine.formula.layout import LayoutBox, draw, row
from engine.formula.notation import Style
from engine.formula.number_text import is_exact, number_text
from engine.formula.text_width import wrapped
from tui.shell.coloured_boxes import paint
from tui.shell.csv_table import Cell, Rows
from tui.shell.stacked_content import stacked


def simplification_view(derivation: Derivation, style: Style, width: int) -> Content | None:
    """The page on which sigmoid and cross-entropy are multiplied out line by line (tutorial A1b); None without."""
    step = next((step for step in derivation if step.simplification), None)
    loss = loss_op(derivation.graph)
    if step is None or loss is None:
        return None
    values = derivation.graph.value_of
    reasons = loss.simplification_reasons(step.node.index or (0, 0))
    name = draw(Partial(derivation.of, step.node), style)
    room = max(width - name.width - 3, 20)
    parts: list[Content | str] = []
    for line, reason in zip(step.simplification, reasons, strict=True):
        value = line.evaluate(values)
        same = "=" if is_exact(value, style) else style.glyphs.about
        left = LayoutBox.of(" " * name.width) if parts else name
        parts += [
            paint(row([left, LayoutBox.of(" = "), draw(line, style)])),
            Content.assemble(" " * name.width, (f" {same} {number_text(value, style)}", "bold $gradient")),
        ]
        said = style.names.said(reason, ascii=style.ascii)
        said = in_characters_of(said, style)
        parts += [Content.styled(" " * (name.width + 3) + text, "$faint") for text in wrapped(said, room)]
        parts.append("")
    parts.append(Content.styled("Every line is a formula that was evaluated by itself.", "$faint"))
    return stacked(parts)


def simplification_rows(derivation: Derivation) -> Rows:
    """The simplification as csv rows: each line in the plain form, and its number."""
    step = next((step for step in derivation if step.simplification), None)
    lines = () if step is None else step.simplification
    values = derivation.graph.value_of
    rows: list[list[Cell]] = [["formula", "value"]]
    rows += [[line.plain(), float(line.evaluate(values))] for line in lines]
    return rows
