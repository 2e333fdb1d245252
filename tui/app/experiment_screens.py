"""The screens of the experiment that is open: made when they are first shown, put in front, taken away.

list ──enter──> stepper <──show──> gradients, units ──show_home──> list, from which a preset can be come back to
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.screen import Screen

from engine.experiment.presets import is_preset
from engine.formula.untrusted_text import one_line
from tui.app.experiment_opener import ExperimentOpener
from tui.shell.home_screen import HomeScreen

if TYPE_CHECKING:
    from tui.session.network_session import NetworkSession
    from tui.session.session_base import SessionBase
    from tui.session.training_run import TrainingRun
    from tui.session.watched_training import WatchedTraining

TRAINING_SCREENS = ("gradients", "relu")
SCREENS = ("stepper", *TRAINING_SCREENS)
"""The screens of an open experiment; a key leads from each to the others."""


class ExperimentScreens:
    """The experiment that is open in `app`, and its screens."""

    def __init__(
        self,
        app: App[None],
        watched: WatchedTraining | None,
        opener: ExperimentOpener,
        shown: Callable[[], Awaitable[None]],
    ) -> None:
        """`watched` is a training of another program; `shown` is called when a screen has come to the front."""
        self._app, self._opener, self._shown = app, opener, shown
        self.session: SessionBase | None = None
        self.watched = watched
        self._left: SessionBase | None = None
        """The preset that was left last, as it was left."""
        self._left_on: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether an experiment or another program's training is open."""
        return self.session is not None or self.watched is not None

    def close(self) -> None:
        """Closes what is open: ends everything that trains."""
        for opened in (self.session, self._left, self.watched):
            if opened is not None:
                opened.close()

    def open(self, name: str, screen: str | None = None) -> None:
        """Opens a preset or a file, on the screen that fits it where none is given; says in one line why it cannot.

        The preset that was left last is as it was left.
        """
        if self.is_open:  # Enter, pressed twice
            return
        left, self._left = self._left, None
        if left is not None and left.name == name:
            self.enter(left, screen or self._left_on)
            return
        if left is not None:
            left.close()
        self._opener.open(name, lambda session: self.enter(session, screen))

    def enter(self, session: SessionBase, shown: str | None = None) -> None:
        """Opens the screens of an experiment's session, the fitting one in front."""
        from tui.session.network_session import first_screen

        self.session = session
        self.show_over_home(shown or first_screen(session))

    def show_over_home(self, name: str) -> None:
        """Puts a screen of what is open over the list of experiments."""
        self._install(name)
        self._app.push_screen(name)
        self._app.call_next(self._shown)

    def _install(self, name: str) -> None:
        """Makes a screen of what is open when it is first shown, and only then imports what it needs."""
        if self._app.is_screen_installed(name):
            return
        session = self.session
        if name == "stepper" and session is not None:
            from tui.stepper.stepper_screen import StepperScreen

            self._app.install_screen(StepperScreen(session), name)
            return
        from tui.session.network_session import NetworkSession

        network_session = session if isinstance(session, NetworkSession) else None
        training = self.watched if network_session is None else network_session.training
        assert training is not None
        if name == "gradients":
            from tui.training.gradients_screen import GradientsScreen

            self._app.install_screen(GradientsScreen(training, network_session), name)
        else:
            from tui.training.units_screen import UnitsScreen

            self._app.install_screen(UnitsScreen(training, network_session), name)

    def show(self, name: str, then: Callable[[], None] | None = None) -> None:
        """Puts another screen of what is open in front, and does `then`; nothing once it was left."""
        from tui.session.network_session import NetworkSession

        session = self.session
        if session is None and (self.watched is None or name == "stepper"):
            return
        self.close_pages()
        if isinstance(session, NetworkSession) and session.is_large and self._prepares(session, name, then):
            return
        self._install(name)
        self._app.switch_screen(name)
        self._app.call_next(self._shown)
        if then is not None:
            then()

    def _prepares(self, session: NetworkSession, name: str, then: Callable[[], None] | None) -> bool:
        """Whether what a screen needs is still to be made; then it is, and the screen shown."""

        def made(keep: Callable[[Any], None], thing: object) -> None:
            if session is self.session:  # and not left meanwhile
                keep(thing)
                self.show(name, then)

        if name != "stepper" and not session.has_training:
            from tui.training.plotext_figure import load_plotext

            def ready() -> TrainingRun:
                load_plotext()  # here it holds nobody up
                return session.ready_training()

            self._opener.compute("Preparing the training", ready, partial(made, session.take_training))
            return True
        if name == "stepper" and not self._app.is_screen_installed(name) and not session.is_prepared:
            doing = "Explaining the first gradient"
            self._opener.compute(doing, session.first_derivation, partial(made, session.take_first))
            return True
        return False

    def close_pages(self) -> None:
        """Closes what lies over the experiment's screen, or over the list: a lesson, a page, a question."""
        while len(self._app.screen_stack) > 1 and not isinstance(self._app.screen, HomeScreen):
            if self.name_of(self._app.screen) is not None:
                return
            self._app.pop_screen()

    def show_home(self) -> None:
        """Goes back to the list of experiments; the open one pauses, and a preset can be come back to."""
        shown = self.name_of(self._app.screen)
        while len(self._app.screen_stack) > 1 and not isinstance(self._app.screen, HomeScreen):
            self._app.pop_screen()
        for name in SCREENS:
            self._forget_screen(name)
        if self.watched is not None:
            self.watched.close()
            self.watched = None
        session, self.session = self.session, None
        if session is not None and is_preset(session.name):
            session.rest()
            self._left, self._left_on = session, shown
            if isinstance(self._app.screen, HomeScreen):
                self._app.screen.mark(session.name)
        elif session is not None:  # a file may be another the next time
            session.close()

    def forget_charts(self) -> None:
        """Forgets the charts of an experiment that was edited: they begin anew when they are next looked at."""
        for name in TRAINING_SCREENS:
            self._forget_screen(name)

    def _forget_screen(self, name: str) -> None:
        if not self._app.is_screen_installed(name):
            return
        screen = self._app.get_screen(name)
        self._app.uninstall_screen(name)
        if screen.is_running:
            screen.remove()  # an installed screen outlives its place on the stack

    def step_into(self, layer: int | None, unit: int | None, matrix: str) -> None:
        """Puts the stepper in front, on a layer's largest gradient or one of its units; Escape leads back."""
        if self.session is None:  # left by a key that came sooner
            return
        from tui.stepper.stepper_screen import StepperScreen

        self.close_pages()
        came_from = self.name_of(self._app.screen)

        def look() -> None:
            stepper = self._app.get_screen("stepper", StepperScreen)
            stepper.came_from = came_from
            self._app.call_after_refresh(stepper.look_at, layer, unit, matrix)

        self.show("stepper", look)

    def name_of(self, screen: Screen[object]) -> str | None:
        """The name under which a screen of what is open is installed."""
        return next(
            (
                name
                for name in SCREENS
                if self._app.is_screen_installed(name) and self._app.get_screen(name) is screen
            ),
            None,
        )

    def replace(self, session: SessionBase, name: str) -> None:
        """Replaces the open session by another, at the position where one was."""
        self._app.clear_notifications()  # such as that it has changed
        shown, position = self.name_of(self._app.screen), None
        if self._app.is_screen_installed("stepper"):
            from tui.stepper.stepper_screen import StepperScreen

            position = self._app.get_screen("stepper", StepperScreen).stepper_position
        self.show_home()
        self.enter(session, None if shown == "stepper" else shown)
        if position is not None and self._app.is_screen_installed("stepper"):
            self._app.get_screen("stepper", StepperScreen).begin_at(position)
        self._app.notify(f"{one_line(Path(name).name)}: read again", markup=False)
