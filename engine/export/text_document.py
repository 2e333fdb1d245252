"""A derivation as text for a terminal or a printer: stacked fractions, tables, lines of a given width.

 ∂ℰ      ∂ℰ     ∂Ŷ₀₀
───── = ───── · ─────       every block of the document becomes some lines
∂f₀₀    ∂Ŷ₀₀    ∂f₀₀
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engine.export.document_blocks import (
    LONGEST_CHAIN,
    NO_VALUE,
    SHOWN_AT_END,
    SHOWN_AT_START,
    Block,
    ChainBlock,
    EquationsBlock,
    FactorBlock,
    FactorsBlock,
    FactsBlock,
    HeadingBlock,
    ParagraphBlock,
    Spans,
    TableBlock,
    ValueBlock,
)
from engine.formula.ascii_text import in_characters_of
from engine.formula.expression import Expr, Number, Product
from engine.formula.fit_to_width import fit
from engine.formula.layout import LayoutBox, draw, one_line, product_row, row
from engine.formula.notation import Style
from engine.formula.number_text import is_shown_in_full, number_text
from engine.formula.text_width import cells, wrapped

NARROWEST = 60
"""Tables of numbers, and formulas with their subscripts, need at least this many columns."""

MOST_IN_A_ROW = 3
"""Of equalities: more read better under each other."""

INDENT = 2
GAP = 2
UNBROKEN = "\N{NO-BREAK SPACE}"
"""Holds a short formula together while lines are wrapped; it becomes a space in the end."""
LONGEST_UNBROKEN = 40


def render_text(blocks: list[Block], width: int, style: Style) -> str:
    """Renders document blocks as text in lines of at most `width` columns (at least NARROWEST)."""
    if width < NARROWEST:
        raise ValueError(f"width: expected at least {NARROWEST}, found {width}")
    writer = _TextWriter(width, style)
    parts = ["\n".join(line.rstrip() for line in writer.block(block)) for block in blocks]
    return "\n\n".join(part for part in parts if part).replace(UNBROKEN, " ") + "\n"


class _TextWriter:
    """Turns blocks into lines, at one width and in one style."""

    def __init__(self, width: int, style: Style) -> None:
        self.width = width
        self.style = style

    def block(self, block: Block) -> Iterator[str]:
        """The lines of one block."""
        match block:
            case HeadingBlock(text, level):
                yield from self._heading(text, level)
            case ParagraphBlock(spans):
                yield from wrapped(self.line(spans), self.width)
            case FactsBlock(items):
                yield from self._facts(items)
            case ChainBlock():
                yield from self._chain(block)
            case FactorsBlock(factors):
                yield from self._factors(factors)
            case EquationsBlock():
                yield from self._equations(block)
            case TableBlock():
                yield from self._table(block)

    # ── words ───────────────────────────────────────────────────────────────────────────────────────

    def words(self, text: str) -> str:
        """Words with the names that this style has, in the characters that it allows."""
        return self.characters(self.style.names.said(text, ascii=self.style.ascii))

    def characters(self, text: str) -> str:
        """Text in the characters that this style allows."""
        return in_characters_of(text, self.style)

    def line(self, spans: Spans) -> str:
        """Words and formulas on one line."""
        return "".join(self._span(span) for span in spans)

    def _span(self, span: str | Expr | ValueBlock) -> str:
        match span:
            case str():
                return self.words(span)
            case ValueBlock(number, digits):
                style = replace(self.style, digits=digits or self.style.digits)
                return f"{self.sign(Number(number), style)}{UNBROKEN}{number_text(number, style)}"
        text = one_line(span, self.style)
        return text if len(text) > LONGEST_UNBROKEN else text.replace(" ", UNBROKEN)

    def sign(self, expr: Expr, style: Style | None = None) -> str:
        """``=`` where the formula's numbers are shown in full, otherwise ``≈``."""
        if is_shown_in_full(expr, (style or self.style).digits):
            return "="
        return self.style.glyphs.almost_equal

    def _heading(self, text: str, level: int) -> Iterator[str]:
        words = self.words(text) if level > 1 else self.characters(text)  # the title is the experiment's own
        lines = wrapped(words, self.width)
        yield from lines
        rules = self.style.glyphs.double_bar + self.style.glyphs.bar
        yield rules[level > 1] * max(map(cells, lines), default=0)

    def _facts(self, items: tuple[tuple[str, Spans], ...]) -> Iterator[str]:
        margin = max(cells(label) for label, _ in items) + GAP
        for label, spans in items:
            for place, line in enumerate(wrapped(self.line(spans), self.width - margin)):
                yield ("" if place else self.words(label)).ljust(margin) + line

    # ── formulas ────────────────────────────────────────────────────────────────────────────────────

    def _chain(self, chain: ChainBlock) -> Iterator[str]:
        """The product in symbols, in formulas, in numbers, and its value."""
        head = self._head(chain.left)
        boxes = []
        for place, line in enumerate(chain.lines()):
            sign = self.sign(Product(tuple(line)))
            room = self.width - head.width - len(sign) - 1
            boxes.append(self._beside(head, sign, self._product(line, room), place, chain.left is not None))
        yield from self._under_each_other(boxes)

    def _product(self, factors: list[Expr], room: int) -> LayoutBox:
        """Factors with a sign between any two, in as many rows as they need; of very many the first and the last."""
        times = f" {self.style.glyphs.times} "
        items: list[Expr | LayoutBox] = [*factors]
        if len(factors) > LONGEST_CHAIN:
            dots = self.style.glyphs.dots
            left_out = len(factors) - SHOWN_AT_START - SHOWN_AT_END
            items[SHOWN_AT_START:-SHOWN_AT_END] = [LayoutBox.of(f"{dots} ({left_out} more) {dots}")]
        rows: list[LayoutBox] = []
        group: list[Expr | LayoutBox] = []
        for item in items:
            longer = self._product_row([*group, item], times, first=not rows)
            if group and longer.width > room:
                rows.append(self._product_row(group, times, first=not rows))
                group = []
            group.append(item)
        rows.append(self._product_row(group, times, first=not rows))
        if any(box.width > room for box in rows):
            return fit(Product(tuple(factors)), room, self.style)
        return _stacked(rows)

    def _product_row(self, items: list[Expr | LayoutBox], times: str, first: bool) -> LayoutBox:
        # Something empty at the start makes a row that continues open with the sign.
        return product_row(items if first else [LayoutBox.of(""), *items], self.style, times)[0]

    def _factors(self, factors: tuple[FactorBlock, ...]) -> Iterator[str]:
        if len(factors) > LONGEST_CHAIN:
            yield from self._factor_table(factors)
            return
        for place, factor in enumerate(factors):
            if place:
                yield ""
            yield f"{factor.number}. {self.words(factor.words)}"
            yield from self._equal(factor.symbol, factor.equalities())
            yield from self._remark(factor)
            if place:
                running = self.line((ValueBlock(factor.running),))
                yield from self._indented(f"so far: {self._so_far(factor)} {running}")

    def _so_far(self, factor: FactorBlock) -> str:
        return "simplified" if factor.product is None else one_line(factor.product, self.style)

    def _remark(self, factor: FactorBlock) -> Iterator[str]:
        if factor.remark is not None:
            yield from self._indented(self.words(f"! {factor.remark}"))

    def _indented(self, text: str) -> Iterator[str]:
        margin = INDENT + 1
        for line in wrapped(text, self.width - margin):
            yield " " * margin + line

    def _factor_table(self, factors: tuple[FactorBlock, ...]) -> Iterator[str]:
        rows = tuple(
            (
                (str(factor.number),),
                (factor.symbol,),
                (factor.words,),
                (Number(factor.value),),
                (Number(factor.running),),
            )
            for factor in factors
        )
        header = ("#", "factor", "", "value", "so far")
        yield from self._table(TableBlock(header, rows, frozenset({0, 3, 4})))
        remarked = [factor for factor in factors if factor.remark is not None]
        if remarked:
            yield ""
        for factor in remarked:
            yield from wrapped(self.words(f"{factor.number}: {factor.remark}"), self.width)

    def _equations(self, equations: EquationsBlock) -> Iterator[str]:
        lines = [line for line, _ in equations.lines]
        values = [
            NO_VALUE if value is None else self.line((ValueBlock(value),)) for _, value in equations.lines
        ]
        yield from self._equal_in_rows(equations.left, lines, values)

    def _equal(self, left: Expr, lines: list[Expr]) -> Iterator[str]:
        """``left = a = b ≈ c`` on one row where that fits, otherwise in one row for each sign."""
        parts = [self._head(left)]
        for line in lines:
            parts += [LayoutBox.of(f"{self.sign(line)} "), draw(line, self.style), LayoutBox.of(" ")]
        together = row(parts)
        if together.width <= self.width and len(lines) <= MOST_IN_A_ROW:
            yield from together.lines
        else:
            yield from self._equal_in_rows(left, lines, [""] * len(lines))

    def _equal_in_rows(self, left: Expr, lines: list[Expr], values: list[str]) -> Iterator[str]:
        """The left side and its first line, every other line under it at its sign; each with its value, if any."""
        head = self._head(left)
        boxes = []
        for place, line in enumerate(lines):
            sign = self.sign(line)
            formula = fit(line, self.width - head.width - len(sign) - 1, self.style)
            boxes.append(self._beside(head, sign, formula, place, has_left=True))
        column = max(box.width for box in boxes) + GAP
        valued = []
        for box, value in zip(boxes, values, strict=True):
            if column + cells(value) <= self.width:
                valued.append(row([box.padded(column), LayoutBox.of(value)]))
            else:
                valued.append(_stacked([box, LayoutBox.of(" " * head.width + value)]))
        yield from self._under_each_other(valued)

    def _head(self, left: Expr | None) -> LayoutBox:
        """The left side of an equation, or the margin in its place."""
        margin = LayoutBox.of(" " * (INDENT + 1))
        return margin if left is None else row([margin, draw(left, self.style), LayoutBox.of(" ")])

    def _beside(
        self, head: LayoutBox, sign: str, formula: LayoutBox, place: int, has_left: bool
    ) -> LayoutBox:
        """One line of an equation: the first beside its left side, the others under the sign."""
        lead = head if place == 0 else LayoutBox.of(" " * head.width)
        shown = sign if place or has_left else ""
        return row([lead, LayoutBox.of(shown.ljust(len(sign) + 1)), formula])

    def _under_each_other(self, boxes: list[LayoutBox]) -> Iterator[str]:
        """Boxes with an empty line between two of which one is tall."""
        for place, box in enumerate(boxes):
            if place and max(box.height, boxes[place - 1].height) > 1:
                yield ""
            yield from box.lines

    # ── tables ──────────────────────────────────────────────────────────────────────────────────────

    def _table(self, table: TableBlock) -> Iterator[str]:
        grid = [[self.line(cell) for cell in line] for line in table.rows]
        header = [self.words(title) for title in table.header]
        widths = self._column_widths([header, *grid], table.numeric)
        for line in [header, *grid]:
            columns = [wrapped(text, width) for text, width in zip(line, widths, strict=True)]
            for place in range(max(map(len, columns))):
                pieces = [column[place] if place < len(column) else "" for column in columns]
                yield self._row(pieces, widths, table.numeric)

    def _column_widths(self, grid: list[list[str]], numeric: frozenset[int]) -> list[int]:
        """As wide as the widest cell; where that is too much for the page, words give way to numbers."""
        widths = [max(1, *(cells(line[column]) for line in grid)) for column in range(len(grid[0]))]
        room = self.width - INDENT - GAP * (len(widths) - 1)
        while sum(widths) > room:
            widest = max((c for c in range(len(widths)) if c not in numeric), key=widths.__getitem__)
            if widths[widest] == 1:
                break
            widths[widest] -= 1
        return widths

    def _row(self, line: list[str], widths: list[int], numeric: frozenset[int]) -> str:
        padded = []
        for column, (text, width) in enumerate(zip(line, widths, strict=True)):
            space = " " * (width - cells(text))
            padded.append(space + text if column in numeric else text + space)
        return " " * INDENT + (" " * GAP).join(padded)


def _stacked(rows: list[LayoutBox]) -> LayoutBox:
    """Rows under each other on the first one's baseline, with an empty line between where one is tall."""
    width = max(box.width for box in rows)
    gap = [" " * width] if any(box.height > 1 for box in rows) else []
    lines = [line for box in rows for line in (*gap, *box.padded(width).lines)][len(gap) :]
    return LayoutBox(tuple(lines), rows[0].baseline)
