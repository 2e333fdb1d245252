"""The file of the open experiment: edited in the person's own editor, read again, and looked at once in a while."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App, SuspendNotSupported

from engine.experiment.errors import ExperimentError
from engine.formula.untrusted_text import one_line
from tui.shell.typed_path import typed_path

if TYPE_CHECKING:
    from tui.session.session_base import SessionBase


class ExperimentFiles:
    """Edits, reloads and watches the file of whatever is open in `app`."""

    def __init__(
        self, app: App[None], opened: Callable[[], SessionBase | None], reopen: Callable[[str], None]
    ) -> None:
        """`opened` is what is open; `reopen` opens a file in its place, or says why it cannot."""
        self._app, self._opened, self._reopen = app, opened, reopen
        self._asked = False
        """Whether it was said that reading the file again loses edits."""

    def edit(self) -> None:
        """Opens the experiment's text in the person's own editor; a preset's becomes a file first."""
        from engine.experiment.presets import preset_text
        from tui.shell.save_prompt import save_prompt

        session = self._opened()
        if session is None:
            self._app.notify("No experiment is open: Enter opens one.")
            return
        if session.files() and not session.edited:
            self._edit_file(session.files()[0])
            return
        try:
            text = session.written() if session.edited else preset_text(session.name)
        except ExperimentError as error:
            self._app.notify(str(error), severity="error", timeout=10, markup=False)
            return
        stem, hint = Path(session.name).stem, "the name of a new file"
        self._app.push_screen(
            save_prompt(text, stem, ".toml", "Save the experiment as", hint),
            lambda typed: self._edit_file(typed_path(typed)) if typed else None,
        )

    def _edit_file(self, path: Path) -> None:
        from tui.shell.external_editor import run_editor

        try:
            with self._app.suspend():
                problem = run_editor(path)
        except SuspendNotSupported:
            problem = "an editor needs a terminal of its own, which this one is not"
        if problem is not None:
            self._app.notify(problem, severity="error", timeout=10, markup=False)
        self._read(str(path))

    def reload(self) -> None:
        """Reads the open experiment's file again; asks once more where edits would be lost."""
        session = self._opened()
        if session is None or not session.files():
            self._app.notify("Only an experiment of a file is read again.")
            return
        if session.edited and not self._asked:
            self._asked = True
            self._app.notify("Ctrl+L once more reads the file again, without what was edited here.")
            return
        self._read(session.name)

    def _read(self, name: str) -> None:
        self._asked = False
        session = self._opened()
        if session is not None:
            session.told_of_change = True  # what is wrong with the new text is what is said of it
        self._reopen(name)

    def look(self) -> None:
        """Offers to reload a file that was written since it was read, once."""
        session = self._opened()
        if session is None or session.told_of_change or not session.changed_on_disk:
            return
        session.told_of_change = True
        name = one_line(Path(session.name).name)
        self._app.notify(f"{name} has changed on disk: Ctrl+L reads it again.", timeout=10, markup=False)
        from tui.stepper.stepper_screen import StepperScreen

        if isinstance(self._app.screen, StepperScreen):
            self._app.screen.redraw()
