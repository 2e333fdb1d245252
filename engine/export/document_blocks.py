"""The blocks that a written derivation is made of, before it is known whether it becomes text, Markdown or LaTeX.

    Heading  Facts  Paragraph  Chain  Factors  Equations  Table

Formulas and numbers stand in them as `Expr`, never as strings, so that the three forms cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.formula.expression import Expr, Number, Partial

LONGEST_CHAIN = 12
SHOWN_AT_START, SHOWN_AT_END = 5, 1
"""A chain of more than LONGEST_CHAIN factors is shown by this many of them, and its factors as a table."""


@dataclass(frozen=True, slots=True)
class ValueBlock:
    """A number with the sign before it that says whether it is shown in full: ``= 0.5`` or ``≈ 0.1922``."""

    number: float
    digits: int | None = None  # significant digits where they differ from the rest of the text


Span = str | Expr | ValueBlock
Spans = tuple[Span, ...]
"""A line of writing: words with formulas between them."""


@dataclass(frozen=True, slots=True)
class HeadingBlock:
    """A heading; level 1 is the title."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class ParagraphBlock:
    """A paragraph of words and formulas."""

    spans: Spans


@dataclass(frozen=True, slots=True)
class FactsBlock:
    """Labelled lines: what is asked, the loss, the answer."""

    items: tuple[tuple[str, Spans], ...]


@dataclass(frozen=True, slots=True)
class FactorBlock:
    """One factor of the chain rule: its name in words and symbols, its formula, its number, the product so far.

    `product` is that product with numbers in; None for the first factor, and where the numbers have no product
    because one is infinite and the other 0. Then `running` comes from a simplified form.
    """

    number: int
    words: str
    symbol: Partial
    formula: Expr
    substituted: Expr
    value: float
    running: float
    product: Expr | None
    remark: str | None

    def equalities(self) -> list[Expr]:
        """The factor's equalities, ending in its value, without lines that would only repeat each other."""
        lines: list[Expr] = [self.formula]
        if not isinstance(self.substituted, Number) and self.substituted != self.formula:
            lines.append(self.substituted)
        value = Number(self.value)
        return lines if self.formula == value else [*lines, value]


@dataclass(frozen=True, slots=True)
class ChainBlock:
    """The product along a path. `left` is what it equals, where it is the whole of something."""

    left: Expr | None
    factors: tuple[FactorBlock, ...]
    value: float

    def lines(self) -> list[list[Expr]]:
        """The product in symbols, in formulas, in numbers and multiplied out, as the factors of each line."""
        formulas: list[Expr] = [factor.formula for factor in self.factors]
        value: list[Expr] = [Number(self.value)]
        if len(self.factors) == 1:
            return [formulas, value]
        symbols: list[Expr] = [factor.symbol for factor in self.factors]
        numbers: list[Expr] = [Number(factor.value) for factor in self.factors]
        return [symbols, formulas, *([numbers] if self.can_be_multiplied else []), value]

    @property
    def can_be_multiplied(self) -> bool:
        """Whether the factors' numbers have the product that is shown; ∞ · 0 has none."""
        return all(factor.product is not None for factor in self.factors[1:])


@dataclass(frozen=True, slots=True)
class FactorsBlock:
    """The factors of the chain rule one by one, as a document block."""

    factors: tuple[FactorBlock, ...]


@dataclass(frozen=True, slots=True)
class EquationsBlock:
    """`left` and what it equals line by line, each line with its own value; None where that cannot be computed."""

    left: Expr
    lines: tuple[tuple[Expr, float | None], ...]


@dataclass(frozen=True, slots=True)
class TableBlock:
    """A table: rows under a header; `numeric` columns are set flush right."""

    header: tuple[str, ...]
    rows: tuple[tuple[Spans, ...], ...]
    numeric: frozenset[int] = frozenset()


NO_VALUE = "(cannot be computed)"

Block = HeadingBlock | ParagraphBlock | FactsBlock | ChainBlock | FactorsBlock | EquationsBlock | TableBlock
