"""What is opened with the weights that a training has now: stepper, confusion matrix, one matrix."""

from __future__ import annotations

from collections.abc import Callable

from tui.session.network_session import NetworkSession
from tui.session.training_run import TrainingRun
from tui.shell.busy_screen import at_length
from tui.shell.learner_deeds import Deed, Done
from tui.shell.messages import StepInto
from tui.shell.reading_screen import ReadingScreen
from tui.training.confusion_page import confusion_rows, confusion_view
from tui.training.linear_collapse_page import collapse_rows, collapse_view
from tui.training.watching_screen import WatchingScreen


class PresentWeights:
    """Hands the present weights to the session, and opens what shows them."""

    def __init__(self, screen: WatchingScreen) -> None:
        self._screen = screen

    def open_stepper(self, layer: int | None, unit: int | None = None, matrix: str = "W") -> None:
        """Opens the stepper at the present weights: on the largest gradient of a layer's W (or f), or on one unit."""
        self._screen.app.clear_notifications()  # it would hide what one goes there to see
        if isinstance(self._screen.training, TrainingRun):
            self._screen.training.pause()  # or another step might come between what is seen and what is opened
        self._load(lambda _: self._screen.post_message(StepInto(layer, unit, matrix)))

    def open_confusion(self) -> None:
        """Opens the confusion matrix of the present weights over the whole data set."""
        self._load(self._show_confusion)

    def _show_confusion(self, session: NetworkSession) -> None:
        view = confusion_view(session.graph, session.class_names, self._screen.glyphs)
        names = session.class_names
        self._screen.app.push_screen(
            ReadingScreen(
                "Outcomes with the present weights",
                lambda _: view,
                lambda: confusion_rows(session.graph, names),
            )
        )
        self._screen.tell(Done(Deed.OUTCOMES))

    def open_collapse(self) -> None:
        """Opens the page of the product of all matrices, where the network is linear."""
        self._load(self._show_collapse)

    def _show_collapse(self, session: NetworkSession) -> None:
        view = collapse_view(session.network, session.graph, self._screen.glyphs)
        self._screen.app.push_screen(
            ReadingScreen("One matrix", lambda _: view, lambda: collapse_rows(session.network))
        )
        self._screen.tell(Done(Deed.ONE_MATRIX, session.steps))

    def _load(self, then: Callable[[NetworkSession], object]) -> None:
        """Hands on the session with the present weights, or says why they are not to be had."""
        training, session = self._screen.controls(), self._screen.session
        if training is None or session is None:
            return
        if session.updates:
            self._screen.notify(
                "Updates made in the stepper are not part of this training; its own weights are shown now."
            )

        def loaded(_: None) -> None:
            then(session)

        at_length(
            self._screen,
            session.is_large,
            "One pass with the present weights",
            lambda: training.hand_parameters(session.load_parameters),
            loaded,
            self._screen.redraw,
        )
