"""The whole chain rule as a product of stacked fractions: what is multiplied in already, what is current, what comes.

     ∂ℰ      ∂ℰ      ∂Ŷ₀₀     ∂f⁽²⁾₀₀   ∂a⁽¹⁾₁₀
    ────── = ──── · ─────── · ─────── · ─────── · …
    ∂W⁽¹⁾₁₁  ∂Ŷ₀₀   ∂f⁽²⁾₀₀   ∂a⁽¹⁾₁₀   ∂f⁽¹⁾₁₀
            −1.925   0.2496   ▲ −0.8       ·

A long product is shown page by page, so that nothing moves while one steps along a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from engine.formula.expression import Partial, Symbol
from engine.formula.layout import Box, draw, product_row, row
from engine.formula.notation import Style, number_text
from tui.shell.paint import Span, paint
from tui.stepper.cursor import Phase, Place, Walk

LOSS = Symbol("E")


class ProductPanel(Static):
    """The product along the path; a click on a factor goes to its step."""

    _places: Sequence[tuple[range, int]] = ()

    class Chosen(Message):
        """A factor was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def show(self, walk: Walk, place: Place, style: Style, width: int) -> None:
        """Draws the product for a place, at most `width` columns wide."""
        derivation = walk.derivation
        reached = place.index if place.phase is Phase.BACKWARD else len(derivation)
        if place.phase < Phase.BACKWARD:
            reached = -1
        head = row([draw(Partial(LOSS, derivation.target), style), Box.of(" = ")])
        first, boxes = self._page(walk, max(reached, 0), width - head.width - 8, style)
        dots = Box.of("... " if style.ascii else "⋯ ")
        before = [dots] if first else []
        after = [Box.of(" " + dots.lines[0].strip())] if first + len(boxes) < len(derivation) else []
        product, columns = product_row(boxes, style)
        box = row([head, *before, product, *after])
        offset = head.width + sum(one.width for one in before)
        self._places = [
            (range(offset + span.start, offset + span.stop), first + place)
            for place, span in enumerate(columns)
        ]
        spans: list[Span] = []
        states: list[Content | str] = [" " * offset]
        cursor = offset
        for span, index in self._places:
            text, paint_style = self._state(walk, place, index, reached, style)
            spans.append((span, paint_style))
            states.append(" " * (span.start - cursor))
            states.append(Content.styled(text.center(len(span)), paint_style))
            cursor = span.stop
        self.update(Content("\n").join([paint(box, spans), Content.assemble(*states)]))

    def _page(self, walk: Walk, current: int, room: int, style: Style) -> tuple[int, list[Box]]:
        """The factors of the page that holds the current one, and the index of the first."""
        first, boxes, used = 0, list[Box](), 0
        for index, partial in enumerate(self._factors(walk)):
            box = draw(partial, style)
            box = _centred(box, max(box.width, 9))
            if boxes and used + 3 + box.width > room:
                if index > current:
                    break
                first, boxes, used = index, [], 0
            used += box.width + (3 if boxes else 0)
            boxes.append(box)
        return first, boxes

    @staticmethod
    def _factors(walk: Walk) -> list[Partial]:
        path = walk.derivation.path
        return [Partial(above, below) for above, below in pairwise(path)]

    @staticmethod
    def _state(walk: Walk, place: Place, index: int, reached: int, style: Style) -> tuple[str, str]:
        tick, now, later = ("=", ">", ".") if style.ascii else ("✓", "▲", "·")
        if index > reached:
            return later, "$faint"
        number = number_text(walk.derivation[index].term.local, style)
        if index == reached and place.phase is Phase.BACKWARD:
            # A term off the path is looked at: the path's own factor waits.
            return (f"{now}{number}", "bold $accent") if place.turn == 0 else (f"({number})", "$accent")
        return f"{tick}{number}", "$done"

    def on_click(self, event: events.Click) -> None:
        """Goes to the factor under the mouse."""
        column = event.x - self.gutter.left
        for columns, index in self._places:
            if column in columns:
                self.post_message(self.Chosen(index))


def _centred(box: Box, width: int) -> Box:
    left = (width - box.width) // 2
    return Box(tuple((" " * left + line).ljust(width) for line in box.lines), box.baseline)
