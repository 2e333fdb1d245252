"""Choosing what is differentiated by what: a prompt with completions, a click, the palette; or a whole matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from engine.derivation.chain_rule import Derivation
from engine.derivation.targets import TargetError, find_output, resolve_target
from engine.formula.expression import Partial, Symbol
from engine.formula.layout import one_line
from engine.formula.notation import symbol_text
from engine.formula.typed_names import typed_derivative
from engine.model.network import LOSS
from tui.shell.prompt import Prompt
from tui.stepper.derivation_csv import csv_matrix_rows
from tui.stepper.derivation_screen import DerivationScreen, StepperPosition
from tui.stepper.stepper_command import of_option
from tui.stepper.traversal import FIRST_TERM, Phase, Position

if TYPE_CHECKING:
    from engine.derivation.gradcheck import ParameterCheck
    from engine.derivation.whole_matrix import WholeMatrix


class TargetChoice:
    """Chooses what is differentiated by what, and shows its derivation."""

    def __init__(self, screen: DerivationScreen) -> None:
        self._screen = screen
        self._session = screen.session

    def ask(self) -> None:
        """Asks which entry to differentiate by."""
        typed = self._screen.typed_text
        prompt = Prompt(
            "Differentiate the loss by",
            typed(f"an entry, {self._screen.derivation.target.plain()}; a matrix, W[1]; ")
            + "/".join(f"d{typed(name)}" for name in ("Y_hat[0,0]", "W[1][0,0]")),
            self._problem,
            self.names(),
        )
        self._screen.app.push_screen(prompt, self.differentiate)

    def differentiate(self, text: str | None) -> None:
        """Differentiates what is named, `W[1][0,0]` or `dY_hat[0,0]/dW[1]`. Raises ParseError and TargetError."""
        if not text:
            return
        output, target = self._read(text)
        self._screen.compute(
            f"Differentiating by {symbol_text(target, self._screen.glyphs)}",
            lambda: self._session.differentiate(output),
            lambda _: self._differentiated(target),
        )

    def _differentiated(self, target: Symbol) -> None:
        if target.index is None and not self._session.stepped.nodes[target].scalar:
            self.show_matrix(target)
        else:
            self._take(target)

    def show_matrix(self, target: Symbol) -> None:
        """Shows the gradient of a whole matrix on a page. Raises TargetError."""
        from engine.export.whole_matrix_document import written_matrix
        from tui.shell.reading_screen import ReadingScreen

        session = self._screen.network_session
        assert session is not None  # an expression has scalars only
        title, style = session.title, self._screen.glyphs

        def read(made: tuple[WholeMatrix, ParameterCheck]) -> None:
            whole, check = made
            name = one_line(Partial(whole.of, whole.target), style)
            page = ReadingScreen(
                f"{name}, the whole matrix",
                lambda width: Content(written_matrix(whole, title, check, width=max(width, 60), style=style)),
                lambda: csv_matrix_rows(whole),
                [
                    "explain",
                    session.name,
                    "--wrt",
                    self._screen.typed_text(target.plain()),
                    *of_option(session, whole.of),
                ],
            )
            self._screen.app.push_screen(page)

        self._screen.compute(
            f"Checking {symbol_text(target, style)}", lambda: session.whole_matrix(target), read
        )

    def take(self, target: Symbol | None) -> None:
        """Explains another entry, if one is chosen; a notice where it cannot be explained."""
        if target is None:
            return
        try:
            self._take(target)
        except TargetError as error:
            self._screen.warn(error)

    def _take(self, target: Symbol) -> None:
        """Explains another entry, at the present sample where it belongs to all of them. Raises TargetError."""
        # Another number than the loss belongs to one sample, as a rule to another than the shown one.
        session = self._session
        free = session.entry_ref(target).node.per_sample or session.stepped is not session.graph
        self.explain(target, None if free else self._screen.derivation.sample)

    def explain(self, target: Symbol, sample: int | None = None) -> None:
        """Explains another gradient, from its first term on. Raises TargetError."""
        self._screen.compute(
            f"Explaining {symbol_text(target, self._screen.glyphs)}",
            lambda: self._session.explain(target, sample),
            lambda derivation: self._screen.show(derivation, FIRST_TERM),
        )

    def explain_layer(self, layer: int | None, unit: int | None = None, matrix: str = "W") -> None:
        """Explains anew after the parameters have changed: a layer's largest gradient, or one unit's activation."""

        def explained() -> Derivation:
            self._session.differentiate(None)
            target = self._screen.derivation.target
            if layer is not None and self._screen.network_session is not None:
                target = self._screen.network_session.target_in(layer, unit, matrix)
            return self._session.explain(target)

        def show(derivation: Derivation) -> None:
            # Of a unit the last factor is of interest: the slope of its activation, 0 where it is off.
            position = FIRST_TERM
            if unit is not None and layer is not None:
                position = Position(Phase.BACKWARD, _activation_step(derivation, layer))
            self._screen.show(derivation, position)

        self._screen.compute("Explaining with the present weights", explained, show)

    def go_back_to(self, looked_at: StepperPosition) -> None:
        """Explains what another session showed, as far as this one has such, where it was looked at."""
        screen = self._screen

        def explained() -> Derivation | None:
            try:
                self._session.differentiate(None if looked_at.of == LOSS else looked_at.of)
                return self._session.explain(looked_at.target, looked_at.sample)
            except TargetError:
                self._session.differentiate(None)
                return None

        def begin(derivation: Derivation | None) -> None:
            if derivation is not None:
                screen.traversal = screen.traversal_of(derivation)
                screen.position = screen.traversal.clamped(looked_at.position)
            screen.redraw()

        screen.compute(f"Explaining {symbol_text(looked_at.target, screen.glyphs)}", explained, begin)

    def _read(self, text: str) -> tuple[Symbol | None, Symbol]:
        """What is to be differentiated, where it is not the loss, and by what. Raises ParseError and TargetError."""
        from engine.formula.parser import parse_symbol

        session = self._session
        of, by = typed_derivative(session.names.typed(text))
        if session.is_large:  # the rest is said when it has been computed
            graph = session.graph
            output = None if of is None else find_output(graph, parse_symbol(of))
            return output, resolve_target(graph, parse_symbol(by))
        before = session.stepped
        try:
            output = None if of is None else parse_symbol(of)
            session.differentiate(output)
            target = resolve_target(session.stepped, parse_symbol(by))
            if target.index is not None:
                session.explain(target)
        finally:
            session.differentiate(None if before is session.graph else before.differentiated)
        return output, target

    def _problem(self, text: str) -> str | None:
        from engine.formula.parser import ParseError

        try:
            self._read(text)
        except (ParseError, TargetError) as error:
            return self._screen.typed_text(str(error))
        return None

    def names(self) -> Sequence[str]:
        """The names of every matrix, and of its entries as far as a person would scroll."""
        names: list[str] = []
        for symbol, (rows, columns) in self._session.shapes():
            entries = [
                symbol.at((row, column)).plain()
                for row in range(min(rows, 30))
                for column in range(min(columns, 30))
            ]
            names += [*entries, symbol.plain()]
        return [self._screen.typed_text(name) for name in names]

    def choose_on_map(self, ask_number: Callable[[Symbol, Callable[[], None]], None]) -> None:
        """Shows the network on the whole screen, to choose a target by moving through it, or to edit there."""
        from tui.stepper.network_map_screen import ExpressionMapScreen, NetworkMapScreen

        screen = self._screen
        kind = NetworkMapScreen if screen.network_session is not None else ExpressionMapScreen
        screen.app.push_screen(
            kind(
                screen.traversal,
                screen.position,
                self._session.names,
                lambda entry, edited: ask_number(entry, lambda: edited(screen.traversal)),
            ),
            self.take,
        )


def _activation_step(derivation: Derivation, layer: int) -> int:
    """The step that goes through a layer's activation function, nearest to the target."""
    wanted = {Symbol("a", layer), Symbol("g", layer), Symbol("Y_hat")}
    names = [symbol.matrix for symbol in derivation.path]
    steps = [index for index in range(len(derivation)) if names[index] in wanted]
    return steps[-1] if steps else len(derivation) - 1
