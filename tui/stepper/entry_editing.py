"""Editing a given entry of the network or the expression: asks for a number, sets it, and explains anew."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from engine.derivation.chain_rule import Derivation
from engine.derivation.targets import TargetError
from engine.experiment.errors import ExperimentError
from engine.formula.expression import Symbol
from engine.formula.notation import symbol_text
from engine.formula.number_text import number_text
from engine.model.edited_entries import Assignments
from engine.model.network import Y
from tui.shell.messages import ExperimentEdited
from tui.shell.prompt import Prompt
from tui.stepper.derivation_screen import DerivationScreen
from tui.stepper.gradient_check_line import GradientCheckLine
from tui.stepper.traversal import Phase


class EntryEditing:
    """Edits given entries of the session: weights, biases, inputs and labels."""

    def __init__(self, screen: DerivationScreen, check: GradientCheckLine) -> None:
        """The checks made so far are forgotten with every edit."""
        self._screen = screen
        self._session = screen.session
        self._check = check

    def entry_here(self) -> Symbol:
        """The entry that `e` edits if no other one is named: what is looked at, where that is given.

        A factor that is a weight on the way is that weight; at the loss it is the label. Elsewhere it is what is
        differentiated by, and where that is computed the first given matrix's entry for this sample.
        """
        screen = self._screen
        nodes, derivation = self._session.graph.nodes, screen.derivation
        looked_at = [derivation.target]
        if screen.position.phase is Phase.LOSS:
            looked_at.insert(0, Y.at((0, derivation.sample)))
        elif screen.position.phase is Phase.BACKWARD:
            step = derivation[screen.position.index]
            factor = step.terms[screen.traversal.term(screen.position)].formula
            looked_at[:0] = [step.node, *([factor] if isinstance(factor, Symbol) else [])]
        for entry in looked_at:
            if entry.matrix in nodes and nodes[entry.matrix].op is None:
                return entry
        given = next(node for node in nodes.values() if node.op is None and node.needs_gradient)
        return given.entry((0, min(derivation.sample, given.shape[1] - 1)))

    def ask_number(self, entry: Symbol, then: Callable[[], None] | None = None) -> None:
        """Asks what an entry is to be; with its name before it, any other. `then` is called once it is set."""
        screen = self._screen
        try:
            ((found, _),) = self._session.given([(entry, 0.0)])
        except TargetError as error:
            screen.warn(error)
            return
        style = screen.glyphs
        now = f"{symbol_text(found, style)} = {number_text(self._session.graph.value_of(found), style)}"
        prompt = Prompt(
            f"Edit {now}",
            f"a number, 1/3; or {screen.typed_text(self._another(found))} = 1",
            lambda typed: self._problem(typed, found),
        )

        def done(_: object = None) -> None:
            self.explain_edited(then)

        def edited(typed: str | None) -> None:
            if typed is not None and self._session.is_large:  # it was only read
                work = partial(self._session.edit, self._read(typed, found))
                screen.compute("One pass with the new number", work, done)
            elif typed is not None:
                done()

        screen.app.push_screen(prompt, edited)

    def _read(self, typed: str, entry: Symbol) -> Assignments:
        """What is typed. Raises ParseError."""
        from engine.formula.typed_assignments import read_assignments

        return read_assignments(typed, entry, self._session.names)

    def _another(self, entry: Symbol) -> str:
        """An entry to name in an example."""
        given = [node for node in self._session.graph.nodes.values() if node.op is None]
        return next((one.entry((0, 0)) for one in given if one.symbol != entry.matrix), entry).plain()

    def _problem(self, typed: str, entry: Symbol) -> str | None:
        """Sets what is typed, unless that takes long; says in one line why it cannot be."""
        from engine.formula.parser import ParseError

        try:
            assignments = self._read(typed, entry)
            if self._session.is_large:
                self._session.given(assignments)
            else:
                self._session.edit(assignments)
        except (ParseError, TargetError) as error:
            return self._screen.typed_text(str(error))
        except ExperimentError as error:  # in the words of the file, whose keys have no other names
            return str(error)
        return None

    def explain_edited(self, then: Callable[[], None] | None = None) -> None:
        """Shows everything anew, and says that what was trained is of another experiment."""
        screen, position = self._screen, self._screen.position

        def show(derivation: Derivation) -> None:
            self._check.forget()
            screen.show(derivation, position)
            screen.post_message(ExperimentEdited())
            if then is not None:
                then()

        screen.compute("Explaining with the new numbers", screen.explained_again, show)

    def open_settings(self) -> None:
        """The form for learning rate, optimiser, loss and activations."""
        from tui.stepper.settings_screen import SettingsScreen

        assert self._screen.network_session is not None  # an expression has none
        self._screen.app.push_screen(SettingsScreen(self._screen.network_session, self.explain_edited))
