"""A description: what the term panel says about one position. A heading, equations that are values, and remarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.autodiff.graph import Graph
from engine.formula.expression import Expr, Symbol
from engine.formula.notation import Style, is_exact, number_text
from tui.stepper.equation import Equation

Note = tuple[Literal["remark", "plain", "faint"], str]


@dataclass(frozen=True, slots=True)
class Description:
    """What is said about one position.

    `backward` tells gradients from values; a sum of more than `max_terms` terms is shortened. `before` are the
    equations of the positions that lead here, the first one first and each made when it is asked for (of a hundred
    few have room), and `together` what they make with this one.
    """

    heading: str
    equations: tuple[Equation, ...]
    notes: tuple[Note, ...]
    backward: bool
    max_terms: int = 6
    before: Sequence[Callable[[], Equation]] = ()
    together: Equation | None = None


def equation_in(graph: Graph, name: Expr, formula: Expr) -> Equation:
    """A formula with the numbers of a graph's last pass in it; `name` says what it is."""
    value = graph.value_of(name) if isinstance(name, Symbol) else formula.evaluate(graph.value_of)
    return Equation(name, formula, formula.substitute(graph.value_of), value)


def equals(value: float, style: Style) -> str:
    """A number behind = where it is exact as shown, behind ≈ where it is rounded."""
    same = "=" if is_exact(value, style) else style.glyphs.about
    return f"{same} {number_text(value, style)}"
