"""A typed expression's numbers: every name's value beside its gradient, and the same as a record.

(x + y)*z = −12

name   value   ∂q₂/∂…
x         −2       −4
q₁         3       −4     = x + y
"""

from __future__ import annotations

from typing import Any

from engine.derivation.evaluated_expression import EvaluatedExpression
from engine.export.document_blocks import Block, HeadingBlock, ParagraphBlock, TableBlock, ValueBlock
from engine.formula.expression import Number
from engine.formula.layout import one_line
from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import is_exact, number_text
from engine.formula.text_width import cells
from engine.model.expression_graph import is_constant

STYLE = Style()


def expression_record(evaluated: EvaluatedExpression) -> dict[str, Any]:
    """A typed expression as plain numbers: its value, its gradients, and the value of every name."""
    return {"value": evaluated.value, "gradients": evaluated.gradients(), "values": evaluated.values()}


def expression_blocks(evaluated: EvaluatedExpression, heading: str) -> list[Block]:
    """A typed expression as a document: a heading, the result, and the table of names."""
    graph = evaluated.graph
    rows = tuple(
        (
            (node.symbol,),
            (Number(float(node.value[0, 0])),),
            (Number(1.0 if node is graph.loss else float(node.grad[0, 0])),),
            () if node.op is None else (node.op.formula((0, 0)),),
        )
        for node in graph.nodes.values()
        if not is_constant(node)
    )
    gradient = f"derivative of {graph.differentiated.plain()} by it"
    header = ("name", "value", gradient, "computed as")
    return [
        HeadingBlock(heading, 1),
        ParagraphBlock((graph.differentiated, " ", ValueBlock(evaluated.value))),
        TableBlock(header, rows, frozenset({1, 2})),
    ]


def written_expression(evaluated: EvaluatedExpression, *, style: Style = STYLE) -> str:
    """Every name with its value, its gradient, and how it is computed, in the order of computing."""
    graph = evaluated.graph
    result = symbol_text(graph.differentiated, style)
    same = "=" if is_exact(evaluated.value, style) else style.glyphs.about
    partial, dots = style.glyphs.partial, style.glyphs.ellipsis
    rows = [["name", "value", f"{partial}{result}/{partial}{dots}", ""]]
    for node in graph.nodes.values():
        if is_constant(node):
            continue
        formula = "" if node.op is None else f"= {one_line(node.op.formula((0, 0)), style)}"
        gradient = 1.0 if node is graph.loss else float(node.grad[0, 0])
        rows.append(
            [
                symbol_text(node.symbol, style),
                number_text(float(node.value[0, 0]), style),
                number_text(gradient, style),
                formula,
            ]
        )
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, value, slope, formula in rows:
        left = name + " " * (widths[0] - cells(name))
        numbers = [
            " " * (width - cells(text)) + text
            for text, width in zip((value, slope), widths[1:3], strict=True)
        ]
        lines.append("   ".join([left, *numbers, formula]).rstrip())
    return f"{result} {same} {number_text(evaluated.value, style)}\n\n" + "\n".join(lines) + "\n"
