"""What is said of an answer: whether it is right, which mistake it is, and what was understood.

✗ wrong
  the factor 1{f⁽¹⁾₁₀ > 0} is missing
understood
(Ŷ₀₀ − Y₀₀)·W⁽²⁾₁₀·X₁₀
"""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from engine.autodiff.graph import Graph
from engine.formula.ascii_text import ascii_text
from engine.formula.layout import draw
from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import number_text
from engine.model.expression_graph import is_constant
from engine.practice.reading.unreadable import UnreadableError
from engine.practice.verdict import Verdict

TALLEST_ECHO = 5
"""Lines of what was understood; a taller formula is not drawn again."""

LARGEST_SHOWN = 12
"""Matrices of more entries than this are said by their shape."""


def in_letters(text: str, style: Style) -> str:
    """Words in the characters that the terminal has: ASCII where it wants that."""
    return ascii_text(text.replace("✓", "+").replace("✗", "x")) if style.ascii else text


def echo(verdict: Verdict, style: Style, width: int) -> Iterator[Content]:
    """The formula that was understood, in two dimensions, where that fits."""
    if verdict.expr is not None:
        box = draw(verdict.expr, style)
        if box.width <= width and box.height <= TALLEST_ECHO:
            yield Content.styled("understood", "$faint")
            yield Content("\n".join(box.lines))


def judgement(verdict: Verdict, text: str, style: Style) -> Iterator[Content]:
    """The verdict on what was typed in lines: its mistakes and remarks."""
    match verdict.verdict:
        case "right":
            yield Content.styled(in_letters("✓ right", style), "bold $done")
        case "wrong":
            yield Content.styled(in_letters("✗ wrong", style), "bold $error")
        case "unclear":
            yield Content.styled("? this cannot be told", "bold $remark")
        case "unreadable":
            typed, caret = UnreadableError(verdict.problem or "", text, verdict.column or 1).lines()
            yield Content(in_letters(typed, style))
            yield Content.styled(caret, "$remark")
            yield Content.styled(in_letters(f"? {verdict.problem}", style), "$remark")
    for mistake in verdict.mistakes:
        yield Content(in_letters(f"  {mistake.text}", style))
    for remark in verdict.remarks:
        yield Content.styled(in_letters(f"  {remark}", style), "$faint")


def numbers_of(graph: Graph, forward: bool, style: Style) -> Iterator[Content]:
    """The network's numbers in lines: what is given, and with `forward` what is computed from it. Never a gradient."""
    for node in graph.nodes.values():
        if (node.op is not None and not forward) or is_constant(node):
            continue
        name = symbol_text(node.symbol, style)
        rows, columns = node.shape
        if node.value.size > LARGEST_SHOWN:
            yield Content.styled(f"{name}  {rows}x{columns}", "$faint")
            continue
        numbers = ", ".join(
            "[" + ", ".join(number_text(float(one), style) for one in row) + "]" for row in node.value
        )
        text = numbers if rows == 1 else f"[{numbers}]"
        if node.scalar:
            text = number_text(float(node.value[0, 0]), style)
        yield Content.assemble((f"{name} = ", "$faint"), (text, "$value"))
