"""Opening experiments: at once, or in a thread behind a line that says so where that takes longer than a moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import App

from engine.experiment.errors import ExperimentError
from engine.formula.untrusted_text import one_line

if TYPE_CHECKING:
    from tui.session.network_session import NetworkSession
    from tui.session.session_base import SessionBase
    from tui.shell.busy_screen import Answer


class ExperimentOpener:
    """Opens experiments for `app`, and says in one line why something cannot be opened."""

    def __init__(self, app: App[None], opened: Callable[[str], None]) -> None:
        """`opened` is told the name of everything that was opened."""
        self._app, self._opened = app, opened

    def open(self, name: str, then: Callable[[SessionBase], None]) -> None:
        """Opens a preset or a file, and hands its session on."""
        from tui.session.network_session import opened_ready
        from tui.session.opening import is_long_to_open, open_session

        def opened(session: SessionBase) -> None:
            self._opened(name)
            then(session)

        def ready() -> NetworkSession:
            session = opened_ready(name)
            if session.has_training:
                from tui.training.plotext_figure import load_plotext

                load_plotext()  # here it holds nobody up
            return session

        try:
            if is_long_to_open(name):
                self.compute(f"Opening {one_line(name)}", ready, opened)
                return
            session = open_session(name)
        except ExperimentError as error:
            self._refused(error)
            return
        opened(session)

    def compute(self, doing: str, work: Callable[[], Answer], finished: Callable[[Answer], None]) -> None:
        """Computes something new in a thread, behind a line that says so and Escape ends."""
        from tui.shell.busy_screen import BusyScreen

        self._app.push_screen(BusyScreen(doing, work, finished, failed=self._refused, detached=True))

    def _refused(self, error: Exception) -> None:
        if not isinstance(error, ExperimentError):
            raise error
        self._app.notify(str(error), severity="error", timeout=10, markup=False)
