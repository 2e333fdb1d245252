"""One update by the experiment's optimiser, and taking the last update or edit back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.derivation.chain_rule import Derivation
from engine.model.network import LOSS
from tui.session.network_session import NetworkSession
from tui.session.session_base import EDIT
from tui.shell.learner_deeds import Deed, Done
from tui.shell.messages import ExperimentEdited
from tui.stepper.derivation_screen import DerivationScreen
from tui.stepper.gradient_check_line import GradientCheckLine
from tui.stepper.traversal import Position

if TYPE_CHECKING:
    from engine.training.steps_by_hand import Update


class UpdateAndUndo:
    """Changes the parameters by steps of the optimiser, and back."""

    def __init__(self, screen: DerivationScreen, check: GradientCheckLine) -> None:
        """The checks made so far are forgotten with every change."""
        self._screen = screen
        self._check = check

    def update(self, session: NetworkSession) -> None:
        """Applies one step of the experiment's optimiser, and goes to the position that shows it."""
        screen = self._screen
        screen.forget_what_was_pressed()
        watched = tuple(symbol for symbol in reversed(screen.derivation.path) if symbol != LOSS)
        screen.compute(
            "One update of all parameters",
            lambda: (session.update(watched), screen.explained_again()),
            self._updated,
        )

    def _updated(self, made: tuple[Update, Derivation]) -> None:
        update, derivation = made
        self._check.forget()
        self._screen.show(derivation, self._screen.traversal.last())
        self._screen.shown_update = update
        self._screen.redraw()

    def undo(self) -> None:
        """Takes the last edit or update back."""
        screen = self._screen
        undone = screen.session.undoes
        if undone is None:
            screen.notify("There is nothing to undo.")
            return
        position = screen.position
        screen.compute(
            f"Taking the last {undone} back",
            lambda: (screen.session.undo(), screen.explained_again()),
            lambda made: self._undone(undone, made[1], position),
        )

    def _undone(self, what: str, derivation: Derivation, position: Position) -> None:
        self._check.forget()
        self._screen.show(derivation, position)
        if what == EDIT:
            self._screen.post_message(ExperimentEdited())
        else:
            self._screen.tell(Done(Deed.UNDO))
        self._screen.notify(f"{what.capitalize()} undone")
