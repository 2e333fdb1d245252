"""The whole chain rule as a product of stacked fractions: what is multiplied in already, what is current, what comes.

      ∂ℰ       ∂ℰ      ∂Ŷ₀₀     ∂f⁽²⁾₀₀   ∂a⁽¹⁾₁₀
    ────── =  ──── · ─────── · ─────── · ─────── · …  + rest
    ∂W⁽¹⁾₁₁   ∂Ŷ₀₀   ∂f⁽²⁾₀₀   ∂a⁽¹⁾₁₀   ∂f⁽¹⁾₁₀
    0.1922   ✓−1.925  ✓0.2496   ▲−0.8       ·              rest: 8 more paths 0.21 + 3 more samples −0.04

Where the product is one term of a sum, the rest is written as well, so that "=" is true. A long product is shown page
by page, so that nothing moves while one steps along a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from engine.derivation.chain_rule import Derivation
from engine.derivation.chain_sum import ChainSum, chain_sum
from engine.formula.expression import Partial
from engine.formula.layout import LayoutBox, draw, product_row, row
from engine.formula.notation import Style
from engine.formula.number_text import number_text
from engine.formula.numbers_in_words import count_in_words
from tui.shell.coloured_boxes import Span, paint

NARROWEST_FACTOR = 9
"""Columns of a factor, so that its number fits below."""

Places = Sequence[tuple[range, int]]
"""The columns of each factor that is shown, and which step it is."""


@dataclass(frozen=True, slots=True)
class ChainProgress:
    """How far along a derivation one is: the factors before `reached` are multiplied in.

    `current` is the factor that is looked at, if one is. Where one predicts, what is not `reached` is `hidden`, and
    of the others some were `given_up`.
    """

    reached: int
    current: int | None = None
    hidden: bool = False
    given_up: frozenset[int] = frozenset()


class ChainRulePanel(Static):
    """The product along the path; a click on a factor goes to its step."""

    _places: Places = ()

    class Chosen(Message):
        """A factor was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def show(self, derivation: Derivation, progress: ChainProgress, style: Style, width: int) -> None:
        """Draws the product for a place, at most `width` columns wide."""
        content, self._places = drawn_chain(derivation, progress, style, width)
        self.update(content)

    def on_click(self, event: events.Click) -> None:
        """Goes to the factor under the mouse."""
        column = event.x - self.gutter.left
        for columns, index in self._places:
            if column in columns:
                self.post_message(self.Chosen(index))


def drawn_chain(
    derivation: Derivation, progress: ChainProgress, style: Style, width: int
) -> tuple[Content, Places]:
    """The equation, the numbers below it, and where its factors are."""
    total = "?" if progress.hidden else number_text(derivation.value, style)
    name = draw(Partial(derivation.of, derivation.target), style)
    head = row([_centred(name, max(name.width, len(total))), LayoutBox.of(" = ")])
    rest = "" if chain_sum(derivation).is_whole else " + rest"
    shown = max(progress.reached if progress.current is None else progress.current, 0)
    first, boxes = _page(derivation, shown, width - head.width - 8 - len(rest), style)
    dots = style.glyphs.dots
    before = [LayoutBox.of(f"{dots} ")] if first else []
    after = [LayoutBox.of(f" {dots}")] if first + len(boxes) < len(derivation) else []
    product, columns = product_row(boxes, style)
    box = row([head, *before, product, *after, LayoutBox.of(rest)])
    offset = head.width + sum(one.width for one in before)
    places = [
        (range(offset + span.start, offset + span.stop), first + place) for place, span in enumerate(columns)
    ]
    spans: list[Span] = []
    all_known = progress.hidden and progress.reached == len(derivation)
    total_style = "bold $accent" if all_known else "$faint" if progress.hidden else "$gradient"
    states: list[Content | str] = [Content.styled(total.center(head.width - 3), total_style)]
    cursor = head.width - 3
    for span, index in places:
        text, paint_style = _state(derivation, progress, index, style)
        spans.append((span, paint_style))
        states.append(" " * (span.start - cursor))
        states.append(Content.styled(text.center(len(span)), paint_style))
        cursor = span.stop
    return Content("\n").join([paint(box, spans), Content.assemble(*states)]), places


def rest_in_words(whole: ChainSum, style: Style, *, hidden: bool = False) -> str:
    """The rest of the gradient in words: ``the only path``, or what other paths and samples add."""
    if whole.is_whole:
        return "the only path"
    parts = []
    for count, noun, value in (
        (whole.more_paths, "path", whole.paths_value),
        (whole.more_samples, "sample", whole.samples_value),
    ):
        if count:
            plural = "" if count == 1 else "s"
            number = "" if hidden else f" {number_text(value, style)}"
            parts.append(f"{count_in_words(count, style)} more {noun}{plural}{number}")
    return f"rest: {' + '.join(parts)}"


def _page(derivation: Derivation, current: int, room: int, style: Style) -> tuple[int, list[LayoutBox]]:
    """The factors of the page that holds the current one, and the index of the first."""
    first, boxes, used = 0, list[LayoutBox](), 0
    for index, (above, below) in enumerate(pairwise(derivation.path)):
        box = draw(Partial(above, below), style)
        box = _centred(box, max(box.width, NARROWEST_FACTOR))
        if boxes and used + 3 + box.width > room:
            if index > current:
                break
            first, boxes, used = index, [], 0
        used += box.width + (3 if boxes else 0)
        boxes.append(box)
    return first, boxes


def _state(derivation: Derivation, progress: ChainProgress, index: int, style: Style) -> tuple[str, str]:
    glyphs = style.glyphs
    tick, now, later, given_up = glyphs.multiplied, glyphs.current, glyphs.later, glyphs.off
    if progress.hidden and index >= progress.reached:
        return ("?", "bold $accent") if index == progress.reached else (later, "$faint")
    if index >= progress.reached and index != progress.current:
        return later, "$faint"
    number = number_text(derivation[index].term.local, style)
    if index == progress.current and not (progress.hidden and progress.reached == len(derivation)):
        return f"{now}{number}", "bold $accent"
    return (f"{given_up}{number}", "$remark") if index in progress.given_up else (f"{tick}{number}", "$done")


def _centred(box: LayoutBox, width: int) -> LayoutBox:
    left = (width - box.width) // 2
    return LayoutBox(tuple((" " * left + line).ljust(width) for line in box.lines), box.baseline)
