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
    equals = Box.of(" = ")
    name = [] if equation.name is None else [draw(equation.name, style)]
    value = _value_box(equation.value, style)
    if isinstance(equation.formula, Number):  # a constant is not said twice
        return _painted([*name, value], style, number_style)
    sides = [equation.formula]
    if not isinstance(equation.substituted, Number):
        sides.append(equation.substituted)
    boxes = [*name, *(draw(side, style) for side in sides)]
    joined = [part for box in boxes for part in (equals, box)][1:]
    if sum(part.width for part in [*joined, value]) <= width:
        return _painted([*joined, value], style, number_style)
    margin = Box.of(" " * sum(box.width for box in name))
    room = max(width - margin.width - equals.width, 20)
    rows: list[Content] = []
    for place, side in enumerate(sides):
        left = [*name, equals] if place == 0 and name else [margin, equals if place else Box.of("   ")]
        rows.append(paint(row([*left, fit(side, room, style)])))
    rows.append(_painted([margin, value], style, number_style))
    return stacked(rows)


def _value_box(value: float, style: Style) -> Box:
    same = "=" if is_exact(value, style) else ("~" if style.ascii else "≈")
    return Box.of(f" {same} {number_text(value, style)}")


def _painted(parts: list[Box], style: Style, number_style: str) -> Content:
    box = row(parts)
    value = parts[-1]
    span: Span = (range(box.width - value.width + 3, box.width), f"bold {number_style}")
    return paint(box, [span])
