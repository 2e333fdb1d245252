"""The gradient check below the term: what backward says of the scalar that one is at, against a central difference.

Check ✓   central difference −0.1234, relative error 2e-10: agrees
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.export.factor_words import VERDICTS
from engine.formula.expression import Symbol
from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import number_text
from tui.stepper.derivation_screen import DerivationScreen
from tui.stepper.traversal import Phase

if TYPE_CHECKING:
    from engine.derivation.gradcheck import EntryCheck


class GradientCheckLine:
    """The gradient check of the stepper: makes each check once, until the parameters change."""

    def __init__(self, screen: DerivationScreen) -> None:
        self._screen = screen
        self.shown = False
        self.checks: dict[Symbol, EntryCheck] = {}

    def toggle(self) -> None:
        """Shows or hides the central difference."""
        self.shown = not self.shown
        self._screen.redraw()

    def forget(self) -> None:
        """Forgets every check: the parameters are others."""
        self.checks.clear()

    @property
    def symbol(self) -> Symbol:
        """The scalar that is checked: the one that the position is at."""
        if self._screen.position.phase is Phase.BACKWARD:
            return self._screen.derivation[self._screen.position.index].node
        return self._screen.derivation.target

    @property
    def takes_long(self) -> bool:
        """Whether there is a check to be made that takes longer than drawing may."""
        return self.shown and self.symbol not in self.checks and self._screen.session.is_large

    def check_at_length(self) -> None:
        """Checks behind a line that says so, and draws again; ended by Escape, the check is hidden."""
        symbol = self.symbol

        def made(check: EntryCheck) -> None:
            self.checks[symbol] = check
            self._screen.redraw()

        def ended() -> None:
            self.shown = False
            self._screen.redraw()

        self._screen.compute(
            f"Checking {symbol_text(symbol, self._screen.glyphs)}",
            lambda: self._screen.session.check(symbol),
            made,
            ended,
        )

    def line(self, style: Style) -> Content:
        """The verdict with the numbers it rests on; at a kink, the slopes on both sides."""
        symbol = self.symbol
        if symbol not in self.checks:
            self.checks[symbol] = self._screen.session.check(symbol)
        check = self.checks[symbol]
        tick, cross = style.glyphs.tick, style.glyphs.cross
        mark, colour = (tick, "$done") if check.agrees else (cross, "bold $error")
        if check.passed and not check.agrees:  # a difference that can show nothing
            mark, colour = "?", "$remark"
        text = (
            f"Check {mark}   central difference {number_text(check.numeric, style)}, "
            f"relative error {check.relative_error:.0e}: {VERDICTS[check.verdict]}"
        )
        if check.left is not None and check.right is not None:
            left, right = (number_text(slope, style) for slope in (check.left, check.right))
            text = f"Check {mark}   slope {left} on the left, {right} on the right, central difference "
            text += f"{number_text(check.numeric, style)}: {VERDICTS[check.verdict]}"
        return Content.styled(self._screen.shown_text(text), colour)
