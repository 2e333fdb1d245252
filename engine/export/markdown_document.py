"""A derivation as Markdown: headings, a table of the factors, and LaTeX between dollar signs.

Written so that GitHub, Jupyter and Pandoc all read it: no ``|`` inside a table's formulas, no ``\\{`` anywhere.
"""

from __future__ import annotations

import re

from engine.export.document_blocks import (
    Block,
    ChainBlock,
    EquationsBlock,
    FactorBlock,
    FactorsBlock,
    FactsBlock,
    HeadingBlock,
    ParagraphBlock,
    Span,
    Spans,
    TableBlock,
    ValueBlock,
)
from engine.export.latex_rows import formula_latex, latex_chain_rows, latex_equations_rows, value_latex
from engine.formula.ascii_text import in_characters_of
from engine.formula.expression import Expr, Number
from engine.formula.latex import to_latex
from engine.formula.notation import Style

SPECIAL = re.compile(r"([\\`*_\[\]<>|#$!~&])")
"""What Markdown, or HTML or mathematics in it, would act upon: ``![a](b)`` is an image that is fetched."""


def render_markdown(blocks: list[Block], style: Style) -> str:
    """Renders document blocks as Markdown; pure ASCII on request."""
    text = "\n\n".join(_block(block, style) for block in blocks) + "\n"
    return in_characters_of(text, style)


def _block(block: Block, style: Style) -> str:
    match block:
        case HeadingBlock(text, level):
            return f"{'#' * level} {words(text if level == 1 else style.names.said(text))}"
        case ParagraphBlock(spans):
            return _line(spans, style)
        case FactsBlock(items):
            return "\n".join(
                f"- **{words(style.names.said(label))}:** {_line(spans, style)}" for label, spans in items
            )
        case ChainBlock():
            return _display(latex_chain_rows(block, style))
        case EquationsBlock():
            return _display(latex_equations_rows(block, style))
        case FactorsBlock(factors):
            return _factors(factors, style)
        case TableBlock():
            return _table(block, style)


def words(text: str) -> str:
    """Escapes words for Markdown, so that they are shown letter by letter."""
    return SPECIAL.sub(r"\\\1", text)


def _math(latex: str) -> str:
    """LaTeX that survives Markdown, which would take ``\\{`` for an escaped brace and ``|`` for a cell's end."""
    safe = latex.replace(r"\{", r"\lbrace ").replace(r"\}", r"\rbrace ").replace("|", r"\vert ")
    return f"${safe.strip()}$"


def _display(rows: list[str]) -> str:
    inner = " \\\\\n".join(_math(row).strip("$") for row in rows)
    return f"$$\n\\begin{{aligned}}\n{inner}\n\\end{{aligned}}\n$$"


def _line(spans: Spans, style: Style) -> str:
    return "".join(_span(span, style) for span in spans)


def _span(span: Span, style: Style) -> str:
    match span:
        case str():
            return words(style.names.said(span))
        case ValueBlock():
            return _math(value_latex(span, style.digits))
    return _math(to_latex(span, style.digits, style.names))


def _factors(factors: tuple[FactorBlock, ...], style: Style) -> str:
    rows = []
    for factor in factors:
        substituted: Expr | None = factor.substituted
        if isinstance(substituted, Number) or substituted == factor.formula:
            substituted = None
        rows.append(
            [
                str(factor.number),
                _math(to_latex(factor.symbol, names=style.names)),
                words(style.names.said(factor.words)),
                _math(formula_latex(factor.formula, style)),
                "" if substituted is None else _math(formula_latex(substituted, style)),
                _math(to_latex(Number(factor.value), style.digits)),
                _math(to_latex(Number(factor.running), style.digits)),
            ]
        )
    header = ["#", "factor", "what it is", "formula", "with numbers", "value", "so far"]
    table = _pipes(header, rows, frozenset({0, 5, 6}))
    remarks = [
        f"- {factor.number}: {words(style.names.said(factor.remark))}" for factor in factors if factor.remark
    ]
    return "\n\n".join([table, "\n".join(remarks)]) if remarks else table


def _table(table: TableBlock, style: Style) -> str:
    rows = [[_line(cell, style) for cell in row] for row in table.rows]
    return _pipes([words(style.names.said(title)) for title in table.header], rows, table.numeric)


def _pipes(header: list[str], rows: list[list[str]], numeric: frozenset[int]) -> str:
    rule = ["--:" if column in numeric else "---" for column in range(len(header))]
    return "\n".join(f"| {' | '.join(line)} |" for line in [header, rule, *rows])
