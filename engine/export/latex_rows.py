r"""The displayed formulas of a document as LaTeX rows, for `aligned` in Markdown and `align*` in LaTeX.

\frac{\partial \mathcal{E}}{\partial f} &= …    one row for each sign; long products take several rows
                                        &\approx -0.48
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.export.document_blocks import (
    LONGEST_CHAIN,
    NO_VALUE,
    SHOWN_AT_END,
    SHOWN_AT_START,
    ChainBlock,
    EquationsBlock,
    FactorBlock,
    ValueBlock,
)
from engine.formula.expression import Expr, Negative, Number, Partial, Product, Quotient, Sum, bare
from engine.formula.latex import number_latex, to_latex
from engine.formula.layout import begins_with_minus, one_line
from engine.formula.notation import Style
from engine.formula.number_text import is_shown_in_full

LONGEST_ROW = 60
"""A row of a product ends before its one-line text would be longer than this."""
WIDEST_MATRIX = 72
"""Letters of one row of a matrix."""
LONGEST_FORMULA = 1500
"""A formula whose LaTeX is longer than this (a sum over very many outputs) is not printed."""


def sign_latex(expr: Expr, digits: int) -> str:
    r"""The sign before a number in LaTeX: ``=`` where it is shown in full, otherwise ``\approx``."""
    return "=" if is_shown_in_full(expr, digits) else r"\approx"


def value_latex(value: ValueBlock, digits: int) -> str:
    r"""A number with its sign in LaTeX: ``\approx 0.1922``."""
    shown = value.digits or digits
    return f"{sign_latex(Number(value.number), shown)} {number_latex(value.number, shown)}"


def formula_latex(expr: Expr, style: Style) -> str:
    """A formula, or how long it would be."""
    text = to_latex(expr, style.digits, style.names)
    return text if len(text) <= LONGEST_FORMULA else r"\text{(a formula too long to print)}"


def latex_chain_rows(chain: ChainBlock, style: Style) -> list[str]:
    """The rows of a chain-rule product in LaTeX: in symbols, in formulas, in numbers, and its value."""
    rows = []
    for place, line in enumerate(chain.lines()):
        left = (
            to_latex(chain.left, style.digits, style.names) if chain.left is not None and place == 0 else ""
        )
        sign = sign_latex(Product(tuple(line)), style.digits)
        if chain.left is None and place == 0:
            sign = rf"\phantom{{{sign}}}"
        first, *others = _product_rows(line, style)
        rows += [f"{left} &{sign} {first}", *(rf"&\quad \cdot {row}" for row in others)]
    return rows


def _product_rows(factors: list[Expr], style: Style) -> list[str]:
    """A product with a dot between any two factors, in as many rows as it needs."""
    shown = [
        (_factor(factor, style, lead=place == 0), printed_width(factor))
        for place, factor in enumerate(factors)
    ]
    if len(shown) > LONGEST_CHAIN:
        left_out = len(shown) - SHOWN_AT_START - SHOWN_AT_END
        shown[SHOWN_AT_START:-SHOWN_AT_END] = [(rf"\cdots \text{{ ({left_out} more) }} \cdots", 15)]
    rows: list[list[str]] = [[]]
    used = 0
    for text, length in shown:
        if rows[-1] and used + length > LONGEST_ROW:
            rows.append([])
            used = 0
        rows[-1].append(text)
        used += length + 3
    return [r" \cdot ".join(row) for row in rows]


def printed_width(factor: Expr) -> int:
    """The width of a factor in print, in letters, where a fraction is as wide as its wider half."""
    length = len(one_line(factor))
    return length // 2 if isinstance(bare(factor), Partial | Quotient) else length


def _factor(factor: Expr, style: Style, lead: bool) -> str:
    text = formula_latex(factor, style)
    needs_group = isinstance(bare(factor), Sum) or (not lead and begins_with_minus(bare(factor)))
    return rf"\left({text}\right)" if needs_group else text


def latex_factor_rows(factor: FactorBlock, style: Style) -> list[str]:
    """The row of one factor in LaTeX: its symbol, its formula, the formula with numbers in, its value."""
    first, *others = factor.equalities()
    rows = [
        f"{to_latex(factor.symbol, names=style.names)} &{sign_latex(first, style.digits)} {formula_latex(first, style)}"
    ]
    return rows + [f"&{sign_latex(line, style.digits)} {formula_latex(line, style)}" for line in others]


def latex_equations_rows(equations: EquationsBlock, style: Style) -> list[str]:
    """The rows of a derivation in LaTeX, line by line, each with its value at the right."""
    rows = []
    for place, (line, value) in enumerate(equations.lines):
        left = "" if place else to_latex(equations.left, names=style.names)
        sign = sign_latex(line, style.digits)
        shown = rf"\text{{{NO_VALUE}}}" if value is None else value_latex(ValueBlock(value), style.digits)
        rows.append(f"{left} &{sign} {formula_latex(line, style)} &&{shown}")
    return rows


def in_rows(expr: Expr, style: Style) -> list[str]:
    r"""A formula in as many rows as it needs: a long sum after each few terms, -\frac{1}{n}\Bigl( … \Bigr) around it.

    What is short, or no sum, is one row.
    """
    if printed_width(expr) <= LONGEST_ROW:
        return [formula_latex(expr, style)]
    before, total = _around(bare(expr), style)
    if not isinstance(total, Sum) or len(total.terms) < 2:
        return [formula_latex(expr, style)]
    rows: list[list[str]] = [[]]
    used = 0
    for place, term in enumerate(total.terms):
        text, length = to_latex(term, style.digits, style.names), printed_width(term)
        plus = "" if place == 0 or begins_with_minus(bare(term)) else "+ "
        if rows[-1] and used + length > LONGEST_ROW:
            rows.append([])
            used = 0
        rows[-1].append(plus + text)
        used += length + 3
    written = [" ".join(row) for row in rows]
    if before:
        written[0], written[-1] = rf"{before} \Bigl( {written[0]}", rf"{written[-1]} \Bigr)"
    return [written[0], *(rf"\quad {row}" for row in written[1:])]


def _around(expr: Expr, style: Style) -> tuple[str, Expr]:
    r"""What stands around a sum, a minus sign and a divisor, as -\frac{1}{n}; and the sum."""
    if isinstance(expr, Negative):
        before, inside = _around(bare(expr.operand), style)
        return f"-{before}", inside
    if isinstance(expr, Quotient) and isinstance(bare(expr.numerator), Sum):
        below = to_latex(expr.denominator, style.digits, style.names)
        return rf"\frac{{1}}{{{below}}}", bare(expr.numerator)
    return "", expr


def matrix_body(rows: Sequence[Sequence[float]], digits: int) -> str:
    """A matrix's numbers for `bmatrix`, with so many digits, or as many as fit beside each other on a page."""
    texts: list[list[str]] = []
    for shown in range(digits, 0, -1):
        texts = [[number_latex(one, shown) for one in row] for row in rows]
        columns = zip(*texts, strict=True)
        if sum(max(map(len, column)) + 2 for column in columns) <= WIDEST_MATRIX:
            break
    return " \\\\ ".join(" & ".join(row) for row in texts)
