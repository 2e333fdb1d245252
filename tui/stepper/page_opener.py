"""Opens the pages and the dialog of a derivation: matrices, Jacobian, whole derivation, simplification, export.

What a page says stands in a file of its own (`matrices_page.py`, `jacobian_page.py`, `simplification_page.py`,
`engine/export/`); here it is computed, and gets its numbers as csv and the command that prints the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.content import Content

from engine.derivation.chain_rule import Derivation
from engine.experiment.weight_orientation import square_note
from tui.session.network_session import NetworkSession
from tui.shell.csv_table import Rows
from tui.shell.learner_deeds import Deed, Done
from tui.stepper.derivation_csv import csv_entry_rows, csv_term_rows
from tui.stepper.derivation_screen import DerivationScreen
from tui.stepper.entry_editing import EntryEditing
from tui.stepper.stepper_command import explain_command
from tui.stepper.traversal import Phase

if TYPE_CHECKING:
    from engine.derivation.gradcheck import EntryCheck
    from engine.derivation.matrix_form import MatrixLine


class PageOpener:
    """Opens the pages of a derivation: computes what a page needs and puts it over the stepper."""

    def __init__(self, screen: DerivationScreen, editing: EntryEditing) -> None:
        """Numbers on the matrices page are edited by `editing`."""
        self._screen = screen
        self._editing = editing

    def open_matrices(self, session: NetworkSession) -> None:
        """Opens the page of every matrix product with its shapes."""
        from engine.derivation.matrix_form import matrix_lines
        from tui.stepper.matrices_page import matrices_view
        from tui.stepper.matrices_screen import MatricesScreen

        screen, style = self._screen, self._screen.glyphs
        title = "Matrices and their shapes"
        shown: list[MatrixLine] = []

        def computed(then: Callable[[], object]) -> None:
            def made(lines: list[MatrixLine]) -> None:
                shown[:] = lines
                then()

            screen.compute(title, lambda: list(matrix_lines(session.graph)), made)

        def edit(written: Callable[[], object]) -> None:
            self._editing.ask_number(self._editing.entry_here(), lambda: computed(written))

        computed(
            lambda: screen.app.push_screen(
                MatricesScreen(
                    title,
                    lambda width: matrices_view(shown, style, width, square_note(session.experiment)),
                    edit,
                    lambda: csv_entry_rows(session.graph),
                    ["grads", session.name, "--shapes"],
                )
            )
        )
        screen.tell(Done(Deed.MATRICES))

    def open_jacobian(self) -> None:
        """Opens the page of the Jacobian of the current term over the samples."""
        from tui.stepper.jacobian_page import jacobian_rows, jacobian_view

        position, derivation, style = self._screen.position, self._screen.derivation, self._screen.glyphs
        index = position.index if position.phase is Phase.BACKWARD else 1
        self._read(
            "Jacobian over the samples",
            lambda width: jacobian_view(derivation, index, style, width),
            lambda: jacobian_rows(derivation, index),
            "--jacobian",
        )
        self._screen.tell(Done(Deed.JACOBIAN))

    def open_derivation(self) -> None:
        """Opens the page of the whole derivation."""
        from engine.export.compose_derivation import compose
        from engine.export.text_document import render_text

        screen = self._screen
        derivation, title, style = screen.derivation, screen.session.title, screen.glyphs
        screen.compute(
            "The whole derivation",
            lambda: compose(derivation, title, screen.session.check(derivation.target)),
            lambda blocks: self._read(
                "The whole derivation",
                lambda width: Content(render_text(blocks, max(width, 60), style)),
                lambda: csv_term_rows(derivation),
            ),
        )
        screen.tell(Done(Deed.DERIVATION))

    def open_simplification(self) -> None:
        """Opens the page of sigmoid and cross-entropy multiplied out; a notice where the path has no such pair."""
        from tui.stepper.simplification_page import simplification_rows, simplification_view

        screen = self._screen
        derivation, style = screen.derivation, screen.glyphs
        if simplification_view(derivation, style, screen.size.width) is None:
            screen.notify("There is no special simplification on this path.")
        else:
            self._read(
                "Two factors, multiplied out",
                lambda width: simplification_view(derivation, style, width) or Content(""),
                lambda: simplification_rows(derivation),
            )
            screen.tell(Done(Deed.SIMPLIFY))

    def _read(self, title: str, page: Callable[[int], Content], rows: Callable[[], Rows], *more: str) -> None:
        """A page on the derivation, with its numbers and the command that prints the same."""
        command = explain_command(self._screen.session, self._screen.derivation, *more)
        from tui.shell.reading_screen import ReadingScreen

        self._screen.app.push_screen(ReadingScreen(title, page, rows, command))

    def open_export(self) -> None:
        """Opens the dialog that copies or saves the derivation."""
        screen, derivation = self._screen, self._screen.derivation
        screen.compute(
            "Checking what is to be written",
            lambda: screen.session.check(derivation.target),
            lambda check: self._export(derivation, check),
        )

    def _export(self, derivation: Derivation, check: EntryCheck) -> None:
        from tui.stepper.export_dialog import ExportDialog

        screen = self._screen
        session = screen.session
        dialog = ExportDialog(derivation, session.title, check, screen.glyphs, session.name)
        screen.app.push_screen(dialog, lambda kept: screen.tell(Done(Deed.EXPORT)) if kept else None)
