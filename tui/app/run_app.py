"""Running the app until it is left, and with which status that ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.experiment.presets import is_preset
from engine.formula.untrusted_text import one_line
from tui.app.bptui_app import BptuiApp
from tui.shell.garbage_collection import resting_while_starting
from tui.shell.unicode_support import shows_unicode
from tui.shell.user_settings import remember_file

if TYPE_CHECKING:
    from tui.session.opening import Trained
    from tui.session.watched_training import WatchedTraining


def run(
    name: str | None = None,
    *,
    ascii_only: bool = False,
    view: Mapping[str, Any] | None = None,
    trained: Trained | None = None,
) -> int:
    """Runs the app until it is left, and returns the exit status. Raises ExperimentError before it starts.

    `view` says what to show of the experiment, in place of what its own view says; `trained` what is done before.
    """
    session = None
    if name is not None:
        from tui.session.opening import open_session

        session = open_session(name, view, trained)
        if not is_preset(name):
            remember_file(name)
    return _run(BptuiApp(session, ascii_only=ascii_only or _wants_ascii()))


def watch(training: WatchedTraining) -> int:
    """Runs the app on a training of another program, and returns the exit status."""
    return _run(BptuiApp(watched=training, ascii_only=_wants_ascii()))


def _wants_ascii() -> bool:
    return bool(os.environ.get("BPTUI_ASCII")) or not shows_unicode()


def _run(app: BptuiApp) -> int:
    for name in ("COLUMNS", "LINES"):  # the terminal itself says how large it is
        os.environ.pop(name, None)
    with resting_while_starting():
        app.run()
    if app.crash is not None:
        from tui.shell.crash_report import describe_crash

        print(f"bptui: {one_line(describe_crash(app.crash))}", file=sys.stderr)
        return 1
    return (app.return_code or 0) if app.status is None else app.status
