"""What all parts of the stepper work on: the derivation, the position in it, and how both are changed and shown anew.

The parts are given this screen, and the screen with the panels and the keys (`stepper_screen.py`) is made of them:

    target_choice.py  sample_choice.py    another gradient, another sample
    entry_editing.py  update_and_undo.py  other numbers
    gradient_check_line.py                c: backward against a central difference
    page_opener.py    autoplay.py         pages to read; steps by itself
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.screen import Screen

from engine.autodiff.interruption import uninterruptible
from engine.derivation.chain_rule import Derivation
from engine.derivation.targets import TargetError
from engine.experiment.errors import ExperimentError
from engine.formula.ascii_text import in_characters_of
from engine.formula.expression import Symbol
from engine.formula.notation import Style
from tui.session.network_session import NetworkSession
from tui.session.session_base import SessionBase
from tui.shell.busy_screen import Answer, BusyScreen, at_length
from tui.shell.learner_deeds import Done
from tui.shell.messages import Did
from tui.stepper.chain_rule_panel import ChainProgress
from tui.stepper.describe_update import update_size
from tui.stepper.traversal import Detail, Phase, Position, Traversal

if TYPE_CHECKING:
    from engine.training.steps_by_hand import Update

SHOWN_DIGITS = (4, 6, 10)
"""Significant digits to choose from."""


@dataclass(frozen=True, slots=True)
class StepperPosition:
    """What a stepper shows: the derivative of a number by an entry, at a sample, and where on the way."""

    of: Symbol
    target: Symbol
    sample: int | None
    position: Position


class DerivationScreen(Screen[None]):
    """A screen on one derivation of one session, at one position of it."""

    def __init__(self, session: SessionBase, derivation: Derivation | None = None) -> None:
        """On a derivation, or else on what the experiment begins with."""
        super().__init__()
        self.session = session
        self.network_session = session if isinstance(session, NetworkSession) else None
        """The session again where it is a network's, which can learn."""
        self.traversal = self.traversal_of(derivation or session.first_derivation())
        self.position = self._first_position()
        self.detail = Detail.TERM
        self.digits: int = self.session.view.digits or SHOWN_DIGITS[0]
        self.shown_update: Update | None = None
        """The update that was applied last, while it is looked at."""
        self.branch: tuple[Position, Derivation] | None = None
        """The derivation through a term off the path, and the position where it is looked at."""
        self.count = ""
        """The digits typed so far, for the next move."""
        self.warned_of_leaving = False
        self._redraw_is_due = False

    def _first_position(self) -> Position:
        """Where the view begins: at the first term, unless it says more."""
        view = self.session.view
        phase = Phase.BACKWARD if view.phase is None else Phase[view.phase.upper()]
        beginning = self.traversal.last() if phase is Phase.UPDATE and view.step is None else Position(phase)
        place = beginning.index if view.step is None else view.step - 1
        return self.traversal.clamped(Position(phase, place, (view.term or 1) - 1))

    def traversal_of(self, derivation: Derivation) -> Traversal:
        """The traversal of a derivation: all its positions; the update's too, where the network learns."""
        updates = 0 if self.network_session is None else update_size(self.network_session, derivation.target)
        return Traversal(derivation, updates)

    @property
    def derivation(self) -> Derivation:
        """The derivation that is being walked."""
        return self.traversal.derivation

    @property
    def glyphs(self) -> Style:
        """How formulas are drawn: four digits, ASCII where the terminal wants it, in the experiment's letters."""
        ascii = self.app.has_class("-ascii")
        return Style(digits=self.digits, ascii=ascii, names=self.session.names)

    @property
    def known(self) -> int | None:
        """How many factors may be told; None for all of them."""
        return None

    @property
    def stepper_position(self) -> StepperPosition:
        """The derivation and position that are looked at, to go back to."""
        derivation = self.derivation
        sample = None if derivation.n == 1 else derivation.sample
        return StepperPosition(derivation.of, derivation.target, sample, self.position)

    def looked_at(self) -> tuple[Derivation, ChainProgress]:
        """The derivation through the term that is looked at, and how far along it one is.

        Its part from the target up to that term is the derivation's own; from there on it may be longer or shorter.
        """
        if self.position.phase is not Phase.BACKWARD:
            return self.derivation, ChainProgress(
                0 if self.position.phase < Phase.BACKWARD else len(self.derivation)
            )
        index, shown = self.position.index, self.derivation
        if self.position.turn:
            if self.branch is None or self.branch[0] != self.position:
                self.branch = (self.position, shown.follow(index, self.traversal.term(self.position)))
            shown = self.branch[1]
            index += len(shown) - len(self.derivation)
        return shown, ChainProgress(index, index)

    # ── words ───────────────────────────────────────────────────────────────────────────────────────

    def shown_text(self, text: str) -> str:
        """The text as this terminal can show it."""
        return in_characters_of(text, self.glyphs)

    def typed_text(self, text: str) -> str:
        """Canonical names as they are typed: with the experiment's own letters spelled out."""
        return self.session.names.said(text, ascii=True)

    def warn(self, error: Exception) -> None:
        """A notice of what the engine refuses, with names as they are typed."""
        said = self.typed_text(str(error)) if isinstance(error, TargetError) else str(error)
        self.notify(said, severity="warning", markup=False)

    def tell(self, *done: Done) -> None:
        """Tells the lesson that is followed what was done."""
        self.post_message(Did(self.session.name, *done))

    # ── another derivation, another position ────────────────────────────────────────────────────────

    def go(self, position: Position) -> None:
        """Goes to a position."""
        self.forget_what_was_pressed()
        self.position = position
        self.count = ""
        self.redraw()

    def show(self, derivation: Derivation, position: Position) -> None:
        """Another derivation, at a position or the nearest one that it has."""
        self.traversal = self.traversal_of(derivation)
        self.shown_update = self.branch = None
        self.go(self.traversal.clamped(position))

    def forget_what_was_pressed(self) -> None:
        """Escape is asked about again; a redraw that is due comes with what is done now."""
        self.warned_of_leaving = False
        self._redraw_is_due = False

    def explained_again(self) -> Derivation:
        """The derivation by the same entry, after the parameters have changed."""
        sample = None if self.derivation.n == 1 else self.derivation.sample
        with uninterruptible():
            return self.session.explain(self.derivation.target, sample)

    def compute(
        self,
        doing: str,
        work: Callable[[], Answer],
        finished: Callable[[Answer], None],
        ended: Callable[[], None] | None = None,
    ) -> None:
        """Has it computed: at once, or where that takes long behind a line that says so. Raises TargetError at once."""
        at_length(
            self,
            self.session.is_large,
            self.shown_text(doing),
            work,
            finished,
            ended or self.redraw,
            self._refused,
        )

    def _refused(self, error: Exception) -> None:
        if not isinstance(error, TargetError | ExperimentError):
            raise error
        self.warn(error)
        self.redraw()

    # ── drawing ─────────────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def draw(self, style: Style) -> None:
        """Draws every panel for the current position."""

    def redraw(self) -> None:
        """Draws, unless there is nothing to draw on or the numbers are just being computed."""
        if not self.is_mounted or not self.query("#title") or not self.size.width:
            return  # not there yet, or left again by a key that came sooner than this call
        if any(isinstance(screen, BusyScreen) for screen in self.app.screen_stack):
            return  # the numbers are others from one moment to the next
        self.draw(self.glyphs)

    def redraw_soon(self) -> None:
        """Draws after the next refresh, once, however many ask for it until then."""
        if not self._redraw_is_due:
            self._redraw_is_due = True
            self.call_after_refresh(self._redraw_due)

    def _redraw_due(self) -> None:
        self._redraw_is_due = False
        self.redraw()
