r"""A derivation as a complete LaTeX document that compiles as it is: article, amsmath, 7-bit characters.

\documentclass{article} … \begin{align*} … \end{align*} … \end{document}
"""

from __future__ import annotations

import unicodedata

from engine.export.document_blocks import (
    LONGEST_CHAIN,
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
from engine.export.latex_rows import (
    latex_chain_rows,
    latex_equations_rows,
    latex_factor_rows,
    printed_width,
    value_latex,
)
from engine.formula.expression import Number
from engine.formula.latex import to_latex
from engine.formula.letters import LETTERS, SCRIPT, latex_letter
from engine.formula.notation import Style

PREAMBLE = r"""\documentclass{article}
\usepackage{amsmath}
\setlength{\parindent}{0pt}
\setlength{\parskip}{6pt}
\setlength{\oddsidemargin}{0pt}
\setlength{\textwidth}{460pt}
\setlength{\topmargin}{-20pt}
\setlength{\textheight}{620pt}
\allowdisplaybreaks
"""

ROWS_A_PAGE = 20
"""A longer table is cut, since a tabular does not break across pages."""
ROW_GAP = "3pt"
WIDE_COLUMN = r"p{0.45\textwidth}"
LONGEST_CELL = 40
"""A column of words that are longer than this is broken into lines."""

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    **{character: "\\" + character for character in "#$%&_{}"},
}
_SYMBOLS = {
    **{shown: f"${latex_letter(name)}$" for name, shown in LETTERS.items()},
    **{shown: rf"$\mathcal{{{name}}}$" for name, shown in SCRIPT.items()},
    "Ŷ": r"$\hat{Y}$",
    "∂": r"$\partial$",
    "Σ": r"$\sum$",
    "′": "$'$",
    "−": "$-$",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "√": r"$\sqrt{\,}$",
    "½": r"$\tfrac12$",
    "…": r"\dots{}",
    "→": r"$\to$",
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "ß": r"{\ss}",
    "ø": r"{\o}",
    "Ø": r"{\O}",
    "æ": r"{\ae}",
    "Æ": r"{\AE}",
    "ł": r"{\l}",
    "Ł": r"{\L}",
}
_ACCENTS = {
    "\N{COMBINING GRAVE ACCENT}": "`",
    "\N{COMBINING ACUTE ACCENT}": "'",
    "\N{COMBINING CIRCUMFLEX ACCENT}": "^",
    "\N{COMBINING TILDE}": "~",
    "\N{COMBINING MACRON}": "=",
    "\N{COMBINING DIAERESIS}": '"',
    "\N{COMBINING RING ABOVE}": "r",
    "\N{COMBINING CARON}": "v",
    "\N{COMBINING CEDILLA}": "c",
}


def render_latex(blocks: list[Block], style: Style) -> str:
    """Renders document blocks as LaTeX source, in pure ASCII."""
    body = "\n\n".join(_block(block, style) for block in blocks)
    return f"{PREAMBLE}\\begin{{document}}\n\n{body}\n\n\\end{{document}}\n"


def escape(text: str) -> str:
    """Escapes words for LaTeX, in 7 bits: special characters, accents and symbols as commands."""
    return "".join(_escaped(character) for character in unicodedata.normalize("NFC", text))


def _escaped(character: str) -> str:
    if character in _SYMBOLS:
        return _SYMBOLS[character]
    if character.isascii():
        return _SPECIAL.get(character, character)
    decomposed = unicodedata.normalize("NFD", character)
    base, mark = decomposed[0], decomposed[1:]
    return rf"\{_ACCENTS[mark]}{{{base}}}" if base.isascii() and mark in _ACCENTS else "?"


def _block(block: Block, style: Style) -> str:
    match block:
        case HeadingBlock(text, level):
            if level == 1:
                return rf"\section*{{{escape(text)}}}"
            return rf"\subsection*{{{escape(style.names.said(text))}}}"
        case ParagraphBlock(spans):
            return _line(spans, style)
        case FactsBlock(items):
            rows = [
                rf"\item[{escape(style.names.said(label))}] {_line(spans, style)}" for label, spans in items
            ]
            return "\n".join([r"\begin{description}", *rows, r"\end{description}"])
        case ChainBlock():
            return _display(latex_chain_rows(block, style))
        case EquationsBlock():
            return _display(latex_equations_rows(block, style))
        case FactorsBlock(factors):
            listed = _factor_table(factors) if len(factors) > LONGEST_CHAIN else None
            return _table(listed, style) if listed else _factor_list(factors, style)
        case TableBlock():
            return _table(block, style)


def _display(rows: list[str]) -> str:
    inner = f" \\\\[{ROW_GAP}]\n".join(rows)
    return f"\\begin{{align*}}\n{inner}\n\\end{{align*}}"


def _line(spans: Spans, style: Style) -> str:
    return "".join(_span(span, style) for span in spans)


def _span(span: Span, style: Style) -> str:
    match span:
        case str():
            return escape(style.names.said(span))
        case ValueBlock():
            return f"${value_latex(span, style.digits)}$"
    return f"${to_latex(span, style.digits, style.names)}$"


def _factor_list(factors: tuple[FactorBlock, ...], style: Style) -> str:
    items = []
    for place, factor in enumerate(factors):
        lines = [
            rf"\item {escape(style.names.said(factor.words))}",
            _display(latex_factor_rows(factor, style)),
        ]
        if factor.remark is not None:
            lines.append(rf"\emph{{{escape(style.names.said(factor.remark))}}}\par")
        if place:
            product = "simplified " if factor.product is None else _span(factor.product, style)
            lines.append(f"So far: {product} {_span(ValueBlock(factor.running), style)}")
        items.append("\n".join(lines))
    return "\n".join([r"\begin{enumerate}", *items, r"\end{enumerate}"])


def _factor_table(factors: tuple[FactorBlock, ...]) -> TableBlock:
    rows = tuple(
        (
            (str(factor.number),),
            (factor.symbol,),
            (factor.words + (f" ({factor.remark})" if factor.remark else ""),),
            (Number(factor.value),),
            (Number(factor.running),),
        )
        for factor in factors
    )
    return TableBlock(("#", "factor", "what it is", "value", "so far"), rows, frozenset({0, 3, 4}))


def _printed_length(span: Span) -> int:
    """About how many letters wide a part of a line is in print."""
    return len(span) if isinstance(span, str) else 8 if isinstance(span, ValueBlock) else printed_width(span)


def _table(table: TableBlock, style: Style) -> str:
    columns = ["r" if column in table.numeric else "l" for column in range(len(table.header))]
    longest, cells = max(
        (max((sum(map(_printed_length, row[column])) for row in table.rows), default=0), column)
        for column in range(len(table.header))
    )[::-1]
    if cells > LONGEST_CELL:
        columns[longest] = WIDE_COLUMN
    header = " & ".join(escape(style.names.said(title)) for title in table.header)
    rows = [" & ".join(_line(cell, style) for cell in row) for row in table.rows]
    parts = []
    for start in range(0, len(rows), ROWS_A_PAGE):
        lines = " \\\\\n".join(rows[start : start + ROWS_A_PAGE])
        parts.append(
            f"\\begin{{center}}\n\\renewcommand{{\\arraystretch}}{{1.4}}\n"
            f"\\begin{{tabular}}{{{''.join(columns)}}}\n{header} \\\\ \\hline\n{lines}\n"
            f"\\end{{tabular}}\n\\end{{center}}"
        )
    return "\n\n".join(parts)
