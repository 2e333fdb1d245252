"""What is happening at the current place: in words, as a formula, with the numbers in, and the value.

    ∂f⁽²⁾₀₀
    ─────── = W⁽²⁾₁₀ = −0.8          the weight on the way
    ∂a⁽¹⁾₁₀

Each screen of it is built from one `Equation`: a formula that is a value, its name and its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.widgets import Static

from engine.expression import Expr, Number
from engine.layout import Box, Style, draw, fit, is_exact, number_text, row
from engine.written.document import is_shown_in_full
from tui.typeset import Span, paint, stacked


@dataclass(frozen=True, slots=True)
class Equation:
    """name = formula = the formula with numbers in = value; without a name it begins with the formula."""

    name: Expr | None
    formula: Expr
    substituted: Expr
    value: float


class TermPanel(Static):
    """Draws equations with a heading and remarks."""

    def show(
        self,
        heading: str,
        equations: Sequence[Equation],
        notes: Sequence[Content],
        style: Style,
        width: int,
        number_style: str,
    ) -> None:
        """`notes` come below the equations; `number_style` tells forward values from gradients."""
        parts: list[Content | str] = [Content.styled(heading, "bold")]
        parts += [typeset(equation, style, width, number_style) for equation in equations]
        self.update(stacked([*parts, *notes]))


def typeset(equation: Equation, style: Style, width: int, number_style: str) -> Content:
    """An equation on one row where it fits, otherwise its right-hand sides below each other."""
    name = [] if equation.name is None else [draw(equation.name, style)]
    value = _sign(is_exact(equation.value, style), style), Box.of(number_text(equation.value, style))
    if isinstance(equation.formula, Number):  # a constant is not said twice
        return _painted([*name, *value], number_style)
    sides = [(Box.of(" = "), equation.formula)]
    if not isinstance(equation.substituted, Number):
        sides.append(
            (_sign(is_shown_in_full(equation.substituted, style.digits), style), equation.substituted)
        )
    joined = [part for sign, side in sides for part in (sign, draw(side, style))]
    parts = [*name, *joined] if name else joined[1:]
    if sum(part.width for part in [*parts, *value]) <= width:
        return _painted([*parts, *value], number_style)
    margin = Box.of(" " * sum(box.width for box in name))
    room = max(width - margin.width - 3, 20)
    rows: list[Content] = []
    for place, (sign, side) in enumerate(sides):
        left = [*name, sign] if place == 0 and name else [margin, sign if place else Box.of("   ")]
        rows.append(paint(row([*left, fit(side, room, style)])))
    rows.append(_painted([margin, *value], number_style))
    return stacked(rows)


def _sign(exact: bool, style: Style) -> Box:
    """= where what follows is exact as it is shown, ≈ where it is rounded."""
    return Box.of(" = " if exact else (" ~ " if style.ascii else " ≈ "))


def _painted(parts: list[Box], number_style: str) -> Content:
    """The parts on one row, the last one (the value) in a style of its own."""
    box = row(parts)
    span: Span = (range(box.width - parts[-1].width, box.width), f"bold {number_style}")
    return paint(box, [span])
