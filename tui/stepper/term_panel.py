"""What is happening at the current place: in words, as a formula, with the numbers in, and the value."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content
from textual.widgets import Static

from engine.formula.notation import Style
from tui.stepper.equation import Equation, page


class TermPanel(Static):
    """Draws equations with a heading and remarks."""

    def show(
        self,
        heading: str,
        equations: Sequence[Equation],
        notes: Sequence[Content],
        style: Style,
        width: int,
        height: int,
        number_style: str,
        before: Sequence[Callable[[], Equation]] = (),
        together: Equation | None = None,
    ) -> None:
        """`notes` come below the equations; `number_style` tells forward values from gradients.

        `before` leads to the equations and `together` is what all of them make, where there is room for them.
        """
        self.update(page(heading, equations, notes, style, width, height, number_style, before, together))
