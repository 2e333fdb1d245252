"""The table of terms: every factor of the path, and at the current step every term of its sum.

       #  factor            formula        value     × so far
    ✓  1  ∂ℰ/∂Ŷ₀₀           −αY₀₀/Ŷ₀₀ …   −1.925     −1.925
    ▸  2  ∂Ŷ₀₀/∂f⁽²⁾₀₀      σ(f⁽²⁾₀₀)(…)   0.2496    −0.4805

The rows that do not fit are scrolled to keep the current one in sight.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from engine.derivation.terms import Term
from engine.formula.layout import one_line
from engine.formula.notation import Style
from engine.formula.number_text import number_text
from tui.stepper.traversal import Phase, Position, Traversal

NUMBER = 11
"""Columns of a number."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the term table and the position that it leads to."""

    position: Position
    mark: str
    cells: tuple[str, str, str, str, str]
    style: str


class TermTable(Static):
    """The table of all terms; a click on a row goes there."""

    _shown: Sequence[Row] = ()

    class Chosen(Message):
        """A row was clicked."""

        def __init__(self, position: Position) -> None:
            super().__init__()
            self.position = position

    def show(
        self,
        traversal: Traversal,
        position: Position,
        style: Style,
        width: int,
        height: int,
        known: int | None = None,
    ) -> None:
        """Draws the rows around the position, in at most `width` columns and `height` lines.

        Only the first `known` factors are told where one predicts, and the others named.
        """
        size = max(height - 1, 1)
        if known is None:
            rows, current = self._window(traversal, position, style, size)
        else:
            rows, current = self._asked(traversal, position, style, size, known)
        start = min(max(current - size // 2, 0), max(len(rows) - size, 0))
        self._shown = rows[start : start + size]
        factor, formula = self._widths(rows, width)
        faint = "$faint"
        heading = f"    {'#':>4}  {'factor':<{factor}} {'formula':<{formula}} {'value':>{NUMBER}} {'so far':>{NUMBER}}"
        lines: list[Content] = [Content.styled(heading[:width], faint)]
        for one in self._shown:
            number, name, text, value, running = one.cells
            line = (
                f" {one.mark}  {number:>4}  {_cut(name, factor):<{factor}} {_cut(text, formula):<{formula}} "
                f"{value:>{NUMBER}} {running:>{NUMBER}}"
            )
            lines.append(Content.styled(line[:width], one.style))
        self.update(Content("\n").join(lines))

    def _window(
        self, traversal: Traversal, position: Position, style: Style, size: int
    ) -> tuple[list[Row], int]:
        """Rows around the current step (no more than could be seen), and which of them is current."""
        reached = (
            position.index
            if position.phase is Phase.BACKWARD
            else (-1 if position.phase < Phase.BACKWARD else 10**9)
        )
        centre = min(max(reached, 0), len(traversal.derivation) - 1)
        rows: list[Row] = []
        current = 0
        for index in range(max(centre - size, 0), min(centre + size + 1, len(traversal.derivation))):
            for row in self._rows(traversal, position, index, reached, style, size):
                if row.position == position:
                    current = len(rows)
                rows.append(row)
        if position.phase is Phase.UPDATE:
            current = len(rows) - 1
        return rows, current

    @staticmethod
    def _asked(
        traversal: Traversal, position: Position, style: Style, size: int, known: int
    ) -> tuple[list[Row], int]:
        """The path's factors alone, without what is still to be answered. The last product is the whole gradient."""
        derivation = traversal.derivation
        tick, later = style.glyphs.done, style.glyphs.ahead
        here = position.index if position.phase is Phase.BACKWARD else 0
        first = max(here - size, 0)
        rows = []
        for index in range(first, min(here + size + 1, len(derivation))):
            step, told = derivation[index], index < known
            cells = (
                str(index + 1),
                one_line(step.term.symbol, style),
                _formula(step.term, style) if told else "?",
                number_text(step.term.local, style) if told else "?" if index == known else "",
                number_text(step.running, style) if told and index < len(derivation) - 1 else "",
            )
            mark, paint = (
                (tick, "$done") if told else ("?", "bold $accent") if index == known else (later, "$faint")
            )
            rows.append(Row(Position(Phase.BACKWARD, index), mark, cells, paint))
        return rows, here - first

    def _rows(
        self, traversal: Traversal, position: Position, index: int, reached: int, style: Style, size: int
    ) -> Iterator[Row]:
        step = traversal.derivation[index]
        tick, now, later = style.glyphs.done, style.glyphs.here, style.glyphs.ahead
        here = index == reached and position.phase is Phase.BACKWARD
        state = tick if index < reached else later
        value_style = "$done" if index < reached else "$faint"
        if here and len(step.terms) > 1:
            around = position.turn
            turns = range(max(around - size, 0), min(around + size + 1, len(step.terms)))
            for turn in turns:
                term = step.terms[traversal.term(Position(Phase.BACKWARD, index, turn))]
                is_now = turn == position.turn
                label = f"{index + 1}{_letter(turn)}"
                running = number_text(step.running, style) if turn == 0 else ""
                yield Row(
                    Position(Phase.BACKWARD, index, turn),
                    now if is_now else later,
                    (
                        label,
                        one_line(term.symbol, style),
                        _formula(term, style),
                        number_text(term.local, style),
                        running,
                    ),
                    "bold $accent" if is_now else "",
                )
            return
        term = step.term
        shown = index <= reached
        yield Row(
            Position(Phase.BACKWARD, index),
            now if here else state,
            (
                str(index + 1),
                one_line(term.symbol, style),
                _formula(term, style),
                number_text(term.local, style) if shown else "",
                number_text(step.running, style) if shown else "",
            ),
            "bold $accent" if here else value_style,
        )

    @staticmethod
    def _widths(rows: list[Row], width: int) -> tuple[int, int]:
        """Columns of the factor and of the formula."""
        factor = max((len(row.cells[1]) for row in rows), default=10)
        factor = min(factor, max(width // 3, 12))
        formula = max(width - factor - 2 * NUMBER - 15, 4)
        return factor, formula

    def on_click(self, event: events.Click) -> None:
        """Goes to the row under the mouse."""
        line = event.y - self.gutter.top - 1
        if 0 <= line < len(self._shown):
            self.post_message(self.Chosen(self._shown[line].position))


def _formula(term: Term, style: Style) -> str:
    return one_line(term.formula, style)


def _letter(turn: int) -> str:
    return chr(ord("a") + turn) if turn < 26 else f".{turn + 1}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
