"""An equation: a formula that is a value, its name and its number, set in the room that there is.

∂f⁽²⁾₀₀
─────── = W⁽²⁾₁₀ = −0.8
∂a⁽¹⁾₁₀
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from engine.autodiff.graph import Graph
from engine.formula.expression import Expr, Number, Symbol
from engine.formula.fit_to_width import fit, fit_flat
from engine.formula.layout import LayoutBox, draw, one_line, row
from engine.formula.notation import Style
from engine.formula.number_text import is_exact, is_shown_in_full, number_text
from tui.shell.coloured_boxes import Span, paint
from tui.shell.stacked_content import stacked


@dataclass(frozen=True, slots=True)
class Equation:
    """name = formula = the formula with numbers in = value; without a name it begins with the formula."""

    name: Expr | None
    formula: Expr
    substituted: Expr
    value: float


def typeset(equation: Equation, style: Style, width: int, number_style: str) -> Content:
    """An equation on one row where it fits, otherwise its right-hand sides below each other."""
    name = [] if equation.name is None else [draw(equation.name, style)]
    value = _sign(is_exact(equation.value, style), style), LayoutBox.of(number_text(equation.value, style))
    if isinstance(equation.formula, Number):  # a constant is not said twice
        return _painted([*name, *value], number_style)
    sides = [(LayoutBox.of(" = "), equation.formula)]
    if not isinstance(equation.substituted, Number):
        sides.append(
            (_sign(is_shown_in_full(equation.substituted, style.digits), style), equation.substituted)
        )
    joined = [part for sign, side in sides for part in (sign, draw(side, style))]
    parts = [*name, *joined] if name else joined[1:]
    if sum(part.width for part in [*parts, *value]) <= width:
        return _painted([*parts, *value], number_style)
    margin = LayoutBox.of(" " * sum(box.width for box in name))
    room = max(width - margin.width - 3, 20)
    rows: list[Content] = []
    for place, (sign, side) in enumerate(sides):
        left = [*name, sign] if place == 0 and name else [margin, sign if place else LayoutBox.of("   ")]
        rows.append(paint(row([*left, fit(side, room, style)])))
    rows.append(_painted([margin, *value], number_style))
    return stacked(rows)


def typeset_flat(equation: Equation, style: Style, width: int, number_style: str) -> Content:
    """An equation in as few lines as it takes: each side on one line, wrapped only where it must be."""
    name = "" if equation.name is None else one_line(equation.name, style)
    value = number_text(equation.value, style)
    ending = _sign(is_exact(equation.value, style), style).lines[0]
    if isinstance(equation.formula, Number):
        return Content.assemble(name, ending, (value, f"bold {number_style}"))
    sides = [(" = " if name else "", equation.formula)]
    if not isinstance(equation.substituted, Number):
        sides.append(
            (
                _sign(is_shown_in_full(equation.substituted, style.digits), style).lines[0],
                equation.substituted,
            )
        )
    margin = " " * len(name)
    lines: list[str] = []
    for sign, side in sides:
        box = fit_flat(side, max(width - len(margin) - 3, 20), style, spare=3)
        lines.append(margin + sign + box.lines[0].rstrip())
        lines += [margin + " " * len(sign) + line.rstrip() for line in box.lines[1:]]
    lines[0] = name + lines[0][len(margin) :]
    if len(lines[-1]) + len(ending) + len(value) > width:
        lines.append(margin)
    lines[-1] += ending
    return Content("\n".join(lines)) + Content.styled(value, f"bold {number_style}")


def _sign(exact: bool, style: Style) -> LayoutBox:
    """= where what follows is exact as it is shown, ≈ where it is rounded."""
    return LayoutBox.of(" = " if exact else f" {style.glyphs.about} ")


def _painted(parts: list[LayoutBox], number_style: str) -> Content:
    """The parts on one row, the last one (the value) in a style of its own."""
    box = row(parts)
    span: Span = (range(box.width - parts[-1].width, box.width), f"bold {number_style}")
    return paint(box, [span])


def equation_in(graph: Graph, name: Expr, formula: Expr) -> Equation:
    """A formula with the numbers of a graph's last pass in it; `name` says what it is."""
    value = graph.value_of(name) if isinstance(name, Symbol) else formula.evaluate(graph.value_of)
    return Equation(name, formula, formula.substitute(graph.value_of), value)


def equals(value: float, style: Style) -> str:
    """A number behind = where it is exact as shown, behind ≈ where it is rounded."""
    same = "=" if is_exact(value, style) else style.glyphs.about
    return f"{same} {number_text(value, style)}"
