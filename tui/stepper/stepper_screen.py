"""The stepper: walks through one backpropagation, forward, loss, backward and update, a keypress at a time.

title          which experiment, which gradient, which sample
phase bar      where one is
diagram        where that is in the network               (from 100×34 on)
product        the whole chain rule, with what is done, current and coming
term           what is happening here: words, formula, numbers, value
running        the product so far, the gradient as a sum, the check
table          all terms                                  (from 34 lines on)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from engine.autodiff.interruption import uninterruptible
from engine.derivation.chain_rule import Derivation
from engine.derivation.chain_sum import chain_sum
from engine.derivation.targets import TargetError, find_output, resolve_target
from engine.experiment.errors import ExperimentError
from engine.experiment.presets import is_preset
from engine.experiment.square_weights import square_note
from engine.export.factor_words import VERDICTS
from engine.formula.ascii_text import ascii_text
from engine.formula.expression import Partial, Symbol
from engine.formula.layout import one_line
from engine.formula.notation import Style, number_text, symbol_text
from engine.formula.plain_words import counted
from engine.formula.typed_names import asked
from engine.model.edited_entries import Assignments
from engine.model.network import LOSS, Y
from tui.session.network_session import Session
from tui.session.session_base import EDIT, Stepped
from tui.shell.busy_screen import Answer, BusyScreen, at_length
from tui.shell.csv_table import DataTable, Rows
from tui.shell.key_bar import KeyBar
from tui.shell.keys import STEPPER_COMMANDS, Command, bindings
from tui.shell.learner_deeds import Deed, Done
from tui.shell.messages import Did, ExperimentEdited, Predict, ShowHome, ShowLessons, ShowScreen
from tui.shell.prompt import Prompt
from tui.shell.reading_screen import ReadingScreen
from tui.shell.too_small import TooSmall
from tui.stepper.chain_rule_panel import ProductPanel, Progress, rest_in_words
from tui.stepper.derivation_csv import entry_rows, matrix_rows, term_rows
from tui.stepper.diagram_cells import Diagram
from tui.stepper.narration import (
    Description,
    describe_backward,
    describe_forward,
    describe_loss,
    describe_update,
    running_lines,
    update_lines,
    update_size,
)
from tui.stepper.network_diagram import NetworkDiagram
from tui.stepper.path_line import path_line
from tui.stepper.phase_bar import PhaseBar
from tui.stepper.term_panel import TermPanel
from tui.stepper.term_table import TermTable
from tui.stepper.traversal import FIRST_TERM, Detail, Phase, Position, Traversal

if TYPE_CHECKING:
    from engine.derivation.gradcheck import EntryCheck, ParameterCheck
    from engine.derivation.matrix_form import MatrixLine
    from engine.derivation.whole_matrix import WholeMatrix
    from engine.training.steps_by_hand import Update

AUTOPLAY_SECONDS = 1.5
SHOWN_DIGITS = (4, 6, 10)
"""Significant digits to choose from."""

LEARNING = frozenset(("update", "screen", "matrices", "settings"))
"""Actions that need a network."""

LARGEST_COUNT = 99_999


@dataclass(frozen=True, slots=True)
class Place:
    """What a stepper shows: a number's derivative by an entry, at a sample, and where on the way."""

    of: Symbol
    target: Symbol
    sample: int | None
    position: Position


class StepperScreen(Screen[None]):
    """Steps through one derivation of one session."""

    CSS_PATH = "stepper_screen.tcss"
    COMMANDS_SHOWN: tuple[Command, ...] = STEPPER_COMMANDS
    BINDINGS = bindings(STEPPER_COMMANDS)

    def __init__(self, session: Stepped, derivation: Derivation | None = None) -> None:
        """On a derivation, or else on what the experiment begins with."""
        super().__init__()
        self.session = session
        self.network_session = session if isinstance(session, Session) else None
        """The session again where it is a network's, which can learn."""
        self.not_here = frozenset() if self.network_session else LEARNING
        """What the keys at the foot leave out."""
        self.traversal = self._traversal_of(derivation or session.first_derivation())
        self.position = self._first_position()
        self.detail = Detail.TERM
        self.checking = False
        self._checks: dict[Symbol, EntryCheck] = {}
        self._count = ""
        self._update: Update | None = None
        self._branch: tuple[Position, Derivation] | None = None
        """The derivation through a term off the path, and the position where it is looked at."""
        self._autoplay: Timer | None = None
        self._leaving = False
        self._redraw_is_due = False
        self._digits = SHOWN_DIGITS[0]
        self.came_from: str | None = None
        """The chart that led here, to which Escape leads back."""

    def _first_position(self) -> Position:
        """Where the view begins: at the first term, unless it says more."""
        view = self.session.view
        phase = Phase.BACKWARD if view.phase is None else Phase[view.phase.upper()]
        beginning = self.traversal.last() if phase is Phase.UPDATE and view.step is None else Position(phase)
        place = beginning.index if view.step is None else view.step - 1
        return self.traversal.clamped(Position(phase, place, (view.term or 1) - 1))

    def _traversal_of(self, derivation: Derivation) -> Traversal:
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
        return Style(digits=self._digits, ascii=ascii, names=self.session.names)

    def compose(self) -> ComposeResult:
        """The panels from top to bottom."""
        yield Static(id="title")
        yield PhaseBar(id="phase")
        with Vertical(id="diagram-panel"):
            yield self._new_diagram()
        with Vertical(id="derivation"):
            with Vertical(id="product-panel"):
                yield ProductPanel(id="product")
            with Vertical(id="term-panel"):
                yield TermPanel(id="term")
            with Vertical(id="running-panel"):
                yield self.below_the_term()
        with Vertical(id="table-panel"):
            yield TermTable(id="table")
        yield TooSmall()
        yield KeyBar()

    def below_the_term(self) -> Widget:
        """What stands below the term: the running product."""
        return Static(id="running")

    @property
    def known(self) -> int | None:
        """How many factors may be told; None for all of them."""
        return None

    def on_mount(self) -> None:
        """Draws for the first time."""
        self.query_one("#diagram-panel").border_title = "Network" if self.network_session else "Expression"
        self.query_one("#table-panel").border_title = "Terms"
        self._redraw_soon()

    def on_resize(self) -> None:
        """Fits everything to the new size, once the layout is known."""
        self._redraw_soon()

    def _redraw_soon(self) -> None:
        """Draws after the next refresh, once, however many ask for it until then."""
        if not self._redraw_is_due:
            self._redraw_is_due = True
            self.call_after_refresh(self._redraw_due)

    def _redraw_due(self) -> None:
        self._redraw_is_due = False
        self.redraw()

    # ── drawing ─────────────────────────────────────────────────────────────────────────────────────

    def redraw(self) -> None:
        """Draws every panel for the current position."""
        if not self.is_mounted or not self.query("#title") or not self.size.width:
            return  # not there yet, or left again by a key that came sooner than this call
        if self._is_busy:
            return  # the numbers are others from one moment to the next
        if self._check_is_wanted:
            self._check_at_length()
            return
        style = self.glyphs
        self._draw_title(style)
        playing = self._autoplay is not None
        self.query_one(PhaseBar).show(
            self.traversal, self.position, self.detail, self._count, playing, style.ascii
        )
        shown, progress = self._looked_at()
        panel = self.query_one("#product-panel")
        panel.border_title = f"Chain rule{self._since()}"
        panel.border_subtitle = self._text(
            rest_in_words(chain_sum(shown), style, hidden=self.known is not None)
        )
        product = self.query_one(ProductPanel)
        product.show(shown, progress, style, max(product.size.width, 40))
        self._draw_term(style)
        self._draw_running(style)
        self._draw_diagram(style)
        table = self.query_one(TermTable)
        if table.size.height:
            table.show(self.traversal, self.position, style, table.size.width, table.size.height, self.known)
        self._tell(*self._shown())

    def _new_diagram(self) -> Widget:
        if self.network_session is not None:
            return NetworkDiagram(id="diagram")
        from tui.stepper.expression_diagram import ExpressionDiagram

        return ExpressionDiagram(id="diagram")

    def _draw_diagram(self, style: Style) -> None:
        diagram = self.query_one("#diagram", Static)
        self._draw_path(style, hidden=not diagram.size.height)
        if not diagram.size.height:
            return
        if isinstance(diagram, NetworkDiagram):
            seen = Diagram(self.traversal, self.position, known=self.known)
            diagram.show(seen, style, diagram.size.width, diagram.size.height)
            return
        from tui.stepper.expression_diagram import ExpressionDiagram

        if isinstance(diagram, ExpressionDiagram):
            diagram.show(self.traversal, self.position, style, known=self.known)

    def _draw_path(self, style: Style, *, hidden: bool) -> None:
        """Where the network is hidden for want of room: the path through it, above the term."""
        panel = self.query_one("#term-panel")
        backward = self.position.phase is Phase.BACKWARD and self.known is None
        if hidden and backward and self.network_session is not None:
            width = max(panel.size.width - 6, 10)
            derivation, progress = self._looked_at()
            panel.border_title = path_line(derivation, progress.reached, style, width)
        else:
            panel.border_title = ""

    def _shown(self) -> Iterator[Done]:
        """What is on the screen, as a lesson may ask for it."""
        yield Done(Deed.SCREEN, "stepper")
        yield Done(Deed.TARGET, self.derivation.target.plain())
        yield Done(Deed.SAMPLE, self.derivation.sample)
        yield Done(Deed.DIGITS, self._digits)
        match self.position.phase:
            case Phase.FORWARD:
                yield Done(Deed.FORWARD)
            case Phase.LOSS:
                yield Done(Deed.LOSS)
            case Phase.BACKWARD:
                yield Done(Deed.FACTOR, self.position.index + 1)
            case Phase.UPDATE if self._update is not None:
                yield Done(Deed.UPDATE)
        if self.checking:
            yield Done(Deed.CHECK)

    def _tell(self, *done: Done) -> None:
        """Says what was done, to whom it matters."""
        self.post_message(Did(self.session.name, *done))

    @property
    def _is_busy(self) -> bool:
        return any(isinstance(screen, BusyScreen) for screen in self.app.screen_stack)

    def _compute(
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
            self._text(doing),
            work,
            finished,
            ended or self.redraw,
            self._refused,
        )

    def _refused(self, error: Exception) -> None:
        if not isinstance(error, TargetError | ExperimentError):
            raise error
        said = self._typed(str(error)) if isinstance(error, TargetError) else str(error)
        self.notify(said, severity="warning", markup=False)
        self.redraw()

    def _looked_at(self) -> tuple[Derivation, Progress]:
        """The derivation through the term that is looked at, and how far along it one is.

        Its part from the target up to that term is the derivation's own; from there on it may be longer or shorter.
        """
        if self.position.phase is not Phase.BACKWARD:
            return self.derivation, Progress(
                0 if self.position.phase < Phase.BACKWARD else len(self.derivation)
            )
        index, shown = self.position.index, self.derivation
        if self.position.turn:
            if self._branch is None or self._branch[0] != self.position:
                self._branch = (self.position, shown.follow(index, self.traversal.term(self.position)))
            shown = self._branch[1]
            index += len(shown) - len(self.derivation)
        return shown, Progress(index, index)

    @property
    def place(self) -> Place:
        """What is looked at, to go back to."""
        derivation = self.derivation
        sample = None if derivation.n == 1 else derivation.sample
        return Place(derivation.of, derivation.target, sample, self.position)

    def begin_at(self, place: Place) -> None:
        """Begins at a place of another session, as far as this one has such."""

        def explained() -> Derivation | None:
            try:
                self.session.differentiate(None if place.of == LOSS else place.of)
                return self.session.explain(place.target, place.sample)
            except TargetError:
                self.session.differentiate(None)
                return None

        def begin(derivation: Derivation | None) -> None:
            if derivation is not None:
                self.traversal = self._traversal_of(derivation)
                self.position = self.traversal.clamped(place.position)
            self.redraw()

        self._compute(f"Explaining {symbol_text(place.target, self.glyphs)}", explained, begin)

    def _since(self) -> str:
        """Which parameters these are, if not the initial ones. What a chart shows of a step came before its update."""
        updates = self.session.updates
        made = [f"the update of step {self.session.steps:,}"] if self.session.steps else []
        made += [f"{counted(updates, 'update')} by hand"] if updates else []
        return f", after {' and '.join(made)}" if made else ""

    def _text(self, text: str) -> str:
        return ascii_text(text) if self.glyphs.ascii else text

    def _typed(self, text: str) -> str:
        """Canonical names as they are typed: with the experiment's own letters spelled out."""
        return self.session.names.said(text, ascii=True)

    def _draw_title(self, style: Style) -> None:
        derivation, _ = self._looked_at()
        target = symbol_text(derivation.target, style)
        name = symbol_text(derivation.of, style)
        partial = style.glyphs.partial
        left = Content.assemble(
            Content.styled(f" {partial}{name}/{partial}{target} ", "bold reverse $primary"),
            Content.styled(f"  {self.session.title}", "bold"),
            Content.styled("  edited" if self.session.edited else "", "$remark"),
            Content.styled("  changed on disk: ^L" if self.session.told_of_change else "", "$remark"),
        )
        sample = f"sample {derivation.sample}{self._label(derivation.sample, style)}, n = {derivation.n}"
        if derivation.n == 1:
            sample = "n = 1"
        right = f"  {sample}   {name} = {number_text(self.session.value_of(derivation.of), style)} "
        width = self.query_one("#title").size.width
        gap = max(width - left.cell_length - len(right), 0)
        self.query_one("#title", Static).update(
            Content.assemble(
                left.truncate(max(width - len(right), 10), ellipsis=True), " " * gap, (right, "$faint")
            )
        )

    def _label(self, sample: int, style: Style) -> str:
        """What the shown sample really is, where that is one number."""
        if self.network_session is None:
            return ""
        labels = self.network_session.data.Y[:, sample]
        name = symbol_text(Y, style)
        return f" ({name}={number_text(float(labels[0]), style)})" if len(labels) == 1 else ""

    def description(self) -> Description:
        """What is said about the current position."""
        style = self.glyphs
        match self.position.phase:
            case Phase.FORWARD:
                return describe_forward(self.traversal, self.position, style)
            case Phase.LOSS:
                return describe_loss(self.traversal, style)
            case Phase.BACKWARD:
                return describe_backward(self.traversal, self.position, style)
        assert self.network_session is not None  # nothing else has this phase
        return describe_update(self.network_session, self.traversal, self._update, style, self.position.index)

    def _draw_term(self, style: Style) -> None:
        description = self.description()
        panel = self.query_one(TermPanel)
        styles = {"remark": "$remark", "plain": "", "faint": "$faint"}
        marks = {"remark": "! ", "plain": "", "faint": ""}
        notes = [
            Content.styled(self._text(marks[kind] + text), styles[kind]) for kind, text in description.notes
        ]
        colour = "$gradient" if description.backward else "$value"
        style = replace(style, max_terms=description.max_terms)
        width, height = max(panel.size.width, 40), self.query_one("#term-panel").content_size.height
        panel.show(
            self._text(description.heading),
            description.equations,
            notes,
            style,
            width,
            height,
            colour,
            description.before,
            description.together,
        )

    def _draw_running(self, style: Style) -> None:
        lines: list[Content] = []
        width = max(self.query_one("#running").size.width, 40)
        if self.position.phase is Phase.BACKWARD:
            lines += [Content(line) for line in running_lines(self.traversal, self.position, style, width)]
        elif (
            self.network_session is not None
            and self._update is not None
            and self.position.phase is Phase.UPDATE
        ):
            lines += [
                Content(self._text(line)) for line in update_lines(self.network_session, self._update, style)
            ]
        elif self.position.phase is Phase.UPDATE:
            lines.append(Content("This is the end of the walk. w applies the update, Home begins anew."))
        elif self.position.phase < Phase.BACKWARD:
            end = "loss" if self.traversal.has_loss else "result"
            lines.append(
                Content.styled(f"The way back begins at the {end}: Tab goes to the next phase.", "$faint")
            )
        if self.checking:
            lines.append(self._check_line(style))
        elif self.position.phase is Phase.BACKWARD:
            lines.append(Content.styled("c checks this gradient against a central difference", "$faint"))
        self.query_one("#running", Static).update(Content("\n").join(lines))

    @property
    def _checked_symbol(self) -> Symbol:
        """What the check is of: the scalar that one is at."""
        if self.position.phase is Phase.BACKWARD:
            return self.derivation[self.position.index].node
        return self.derivation.target

    @property
    def _check_is_wanted(self) -> bool:
        """Whether there is a check to be made that takes longer than drawing may."""
        return self.checking and self._checked_symbol not in self._checks and self.session.is_large

    def _check_at_length(self) -> None:
        symbol = self._checked_symbol

        def made(check: EntryCheck) -> None:
            self._checks[symbol] = check
            self.redraw()

        self._compute(
            f"Checking {symbol_text(symbol, self.glyphs)}",
            lambda: self.session.check(symbol),
            made,
            self._without_check,
        )

    def _without_check(self) -> None:
        self.checking = False
        self.redraw()

    def _check_line(self, style: Style) -> Content:
        symbol = self._checked_symbol
        if symbol not in self._checks:
            self._checks[symbol] = self.session.check(symbol)
        check = self._checks[symbol]
        tick, cross = style.glyphs.tick, style.glyphs.cross
        mark, colour = (tick, "$done") if check.agrees else (cross, "bold $error")
        if check.passed and not check.agrees:  # a difference that can show nothing
            mark, colour = "?", "$remark"
        text = (
            f"Check {mark}   central difference {number_text(check.numeric, style)}, "
            f"relative error {check.relative_error:.0e}: {VERDICTS[check.verdict]}"
        )
        if check.left is not None and check.right is not None:
            left, right = (number_text(slope, style) for slope in (check.left, check.right))
            text = f"Check {mark}   slope {left} on the left, {right} on the right, central difference "
            text += f"{number_text(check.numeric, style)}: {VERDICTS[check.verdict]}"
        return Content.styled(self._text(text), colour)

    # ── moving ──────────────────────────────────────────────────────────────────────────────────────

    def on_key(self, event: events.Key) -> None:
        """Digits are a count for the next move; escape forgets them."""
        if (
            event.character is not None
            and event.character in "0123456789"
            and (self._count or event.character != "0")
        ):
            self._count = str(min(int(self._count + event.character), LARGEST_COUNT))
            event.stop()
            self.redraw()

    def _take_count(self) -> int:
        count = int(self._count or 1)
        self._count = ""
        return count

    def go(self, position: Position) -> None:
        """Goes to a position."""
        self._leaving = False
        self._redraw_is_due = False
        self.position = position
        self._count = ""
        self.redraw()

    def action_step(self, direction: int) -> None:
        """The next or previous term, node or layer."""
        self.go(self.traversal.move(self.position, direction * self._take_count(), self.detail))

    def action_node(self, direction: int) -> None:
        """The next or previous node."""
        self.go(self.traversal.move(self.position, direction * self._take_count(), Detail.NODE))

    def action_phase(self, direction: int) -> None:
        """The next or previous phase."""
        self.go(self.traversal.next_phase(self.position, direction * self._take_count()))

    def action_start(self) -> None:
        """The first node of the forward pass."""
        self.go(self.traversal.first())

    def action_end(self) -> None:
        """The update."""
        self.go(self.traversal.last())

    def action_detail(self) -> None:
        """What one step is: a term, a node, a layer, and again."""
        self.detail = Detail((self.detail + 1) % len(Detail))
        self.redraw()

    def action_autoplay(self) -> None:
        """Steps by itself, or stops."""
        if self._autoplay is not None:
            self._stop_autoplay()
        else:
            self._autoplay = self.set_interval(AUTOPLAY_SECONDS, self._play)
        self.redraw()

    def _play(self) -> None:
        following = self.traversal.move(self.position, 1, self.detail)
        if following == self.position:
            self._stop_autoplay()
            self.redraw()
        else:
            self.go(following)

    def _stop_autoplay(self) -> None:
        if self._autoplay is not None:
            self._autoplay.stop()
            self._autoplay = None

    # ── choosing ────────────────────────────────────────────────────────────────────────────────────

    def choose_target(self, target: Symbol, sample: int | None = None) -> None:
        """Explains another gradient, from its first term on. Raises TargetError."""
        self._compute(
            f"Explaining {symbol_text(target, self.glyphs)}",
            lambda: self.session.explain(target, sample),
            lambda derivation: self._show(derivation, FIRST_TERM),
        )

    def _show(self, derivation: Derivation, position: Position) -> None:
        self.traversal = self._traversal_of(derivation)
        self._update = self._branch = None
        self.go(self.traversal.clamped(position))

    def action_target(self) -> None:
        """Asks which entry to differentiate by."""
        prompt = Prompt(
            "Differentiate the loss by",
            self._typed(f"an entry, {self.derivation.target.plain()}; a matrix, W[1]; ")
            + "/".join(f"d{self._typed(name)}" for name in ("Y_hat[0,0]", "W[1][0,0]")),
            self._target_error,
            self._completions(),
        )
        self.app.push_screen(prompt, self._target_given)

    def _target_given(self, text: str | None) -> None:
        if not text:
            return
        output, target = self._asked(text)
        self._compute(
            f"Differentiating by {symbol_text(target, self.glyphs)}",
            lambda: self.session.differentiate(output),
            lambda _: self._differentiated(target),
        )

    def _differentiated(self, target: Symbol) -> None:
        if target.index is None and not self.session.stepped.nodes[target].scalar:
            self.show_matrix(target)
        else:
            self._take(target)

    def show_matrix(self, target: Symbol) -> None:
        """The gradient of a whole matrix on a page. Raises TargetError."""
        from engine.export.whole_matrix_document import written_matrix

        assert self.network_session is not None  # an expression has scalars only
        session = self.network_session
        title, style = self.session.title, self.glyphs

        def read(made: tuple[WholeMatrix, ParameterCheck]) -> None:
            whole, check = made
            name = one_line(Partial(whole.of, whole.target), style)
            self._read(
                f"{name}, the whole matrix",
                lambda width: Content(written_matrix(whole, title, check, width=max(width, 60), style=style)),
                lambda: matrix_rows(whole),
                ["explain", session.name, "--wrt", self._typed(target.plain()), *self._of_option(whole.of)],
            )

        self._compute(f"Checking {symbol_text(target, style)}", lambda: session.whole_matrix(target), read)

    def _take(self, target: Symbol) -> None:
        """Explains another entry, at the present sample where it belongs to all of them. Raises TargetError."""
        # Another number than the loss belongs to one sample, as a rule to another than the shown one.
        free = self.session.site(target).node.per_sample or self.session.stepped is not self.session.graph
        self.choose_target(target, None if free else self.derivation.sample)

    def _asked(self, text: str) -> tuple[Symbol | None, Symbol]:
        """What is to be differentiated, where it is not the loss, and by what. Raises ParseError and TargetError."""
        from engine.formula.parser import parse_symbol

        of, by = asked(self.session.names.typed(text))
        if self.session.is_large:  # the rest is said when it has been computed
            graph = self.session.graph
            output = None if of is None else find_output(graph, parse_symbol(of))
            return output, resolve_target(graph, parse_symbol(by))
        before = self.session.stepped
        try:
            output = None if of is None else parse_symbol(of)
            self.session.differentiate(output)
            target = resolve_target(self.session.stepped, parse_symbol(by))
            if target.index is not None:
                self.session.explain(target)
        finally:
            self.session.differentiate(None if before is self.session.graph else before.differentiated)
        return output, target

    def _target_error(self, text: str) -> str | None:
        from engine.formula.parser import ParseError

        try:
            self._asked(text)
        except (ParseError, TargetError) as error:
            return self._typed(str(error))
        return None

    def _completions(self) -> list[str]:
        """Every matrix, and its entries as far as a person would scroll."""
        names: list[str] = []
        for symbol, (rows, columns) in self.session.shapes():
            entries = [
                symbol.at((row, column)).plain()
                for row in range(min(rows, 30))
                for column in range(min(columns, 30))
            ]
            names += [*entries, symbol.plain()]
        return [self._typed(name) for name in names]

    def action_sample(self) -> None:
        """Asks for a sample."""
        last = self.derivation.n - 1
        prompt = Prompt("Sample", f"0 to {last}", self._sample_error)
        self.app.push_screen(prompt, lambda text: self._choose_sample(int(text)) if text else None)

    def _sample_error(self, text: str) -> str | None:
        if not re.fullmatch("[0-9]{1,9}", text):
            return f"a whole number from 0 to {self.derivation.n - 1}, please"
        if self.session.is_large:  # whether it is another's is said when it has been explained
            return None if int(text) < self.derivation.n else f"0 to {self.derivation.n - 1}, please"
        try:
            self._with_sample(int(text))
        except TargetError as error:
            return str(error)
        return None

    def _with_sample(self, sample: int) -> Derivation:
        """The derivation at another sample; an entry that belongs to one sample moves to that column."""
        target = self.derivation.target
        node = self.session.site(target).node
        if node.per_sample and target.index is not None:
            target = target.at((target.index[0], sample))
        return self.session.explain(target, sample)

    def _choose_sample(self, sample: int) -> None:
        position = self.position
        try:
            self._compute(
                f"Explaining sample {sample}",
                lambda: self._with_sample(sample),
                lambda derivation: self._show(derivation, position),
            )
        except TargetError as error:  # what is differentiated belongs to one sample
            self.notify(self._typed(str(error)), severity="warning", markup=False)

    def action_next_sample(self, direction: int) -> None:
        """The next or previous sample, round and round."""
        if self.derivation.n == 1:
            self.notify("This experiment has one sample.")
            return
        steps = direction * self._take_count()
        self._choose_sample((self.derivation.sample + steps) % self.derivation.n)

    def action_branch(self) -> None:
        """Follows the shown term where it is off the path, or the next branch of this step."""
        if self.position.phase is not Phase.BACKWARD or self.traversal.turns(self.position) == 1:
            self.notify("No fork here: this node feeds one other only.")
            return
        index, step = self.position.index, self.derivation[self.position.index]
        term = (
            self.traversal.term(self.position) if self.position.turn else (step.chosen + 1) % len(step.terms)
        )
        from_end = len(self.derivation) - index
        other = self.derivation.follow(index, term)
        self._show(other, Position(Phase.BACKWARD, len(other) - from_end))

    def action_diagram(self) -> None:
        """The network on the whole screen, to choose a target by moving through it."""
        from tui.stepper.network_map_screen import ExpressionMapScreen, MapScreen

        kind = MapScreen if self.network_session is not None else ExpressionMapScreen
        self.app.push_screen(
            kind(
                self.traversal,
                self.position,
                self.session.names,
                lambda entry, edited: self.ask_number(entry, lambda: edited(self.traversal)),
            ),
            self._target_chosen,
        )
        self._tell(Done(Deed.MAP))

    def _target_chosen(self, symbol: Symbol | None) -> None:
        if symbol is None:
            return
        try:
            self._take(symbol)
        except TargetError as error:
            self.notify(self._typed(str(error)), severity="warning", markup=False)

    def entries(self) -> Sequence[str]:
        """The names of all that can be gone to."""
        return self._completions()

    def go_to(self, name: str) -> None:
        """Explains the gradient of what is named."""
        self._target_given(name)

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────

    def _read(
        self,
        title: str,
        page: Callable[[int], Content],
        rows: Callable[[], Rows],
        command: Sequence[str],
    ) -> None:
        """A page, with its numbers and the command that prints the same."""
        self.app.push_screen(ReadingScreen(title, page, rows, command))

    def _of_option(self, of: Symbol) -> list[str]:
        return [] if of == self.session.graph.differentiated else ["--of", self._typed(of.plain())]

    def _explain_command(self, *more: str) -> list[str]:
        """The command that prints the derivation that is walked."""
        derivation = self.derivation
        sample = [] if derivation.n == 1 else ["--sample", str(derivation.sample)]
        of = self._of_option(derivation.of)
        return [
            "explain",
            self.session.name,
            "--wrt",
            self._typed(derivation.target.plain()),
            *of,
            *sample,
            *more,
        ]

    def action_matrices(self) -> None:
        """Every matrix product with its shapes."""
        from engine.derivation.matrix_form import matrix_lines
        from tui.stepper.matrices_page import matrices_view
        from tui.stepper.matrices_screen import MatricesScreen

        if self.network_session is None:
            self.notify("An expression has numbers, and no matrices.")
            return
        session, style = self.network_session, self.glyphs
        title = "Matrices and their shapes"
        shown: list[MatrixLine] = []

        def computed(then: Callable[[], object]) -> None:
            def made(lines: list[MatrixLine]) -> None:
                shown[:] = lines
                then()

            self._compute(title, lambda: list(matrix_lines(session.graph)), made)

        computed(
            lambda: self.app.push_screen(
                MatricesScreen(
                    title,
                    lambda width: matrices_view(shown, style, width, square_note(session.experiment)),
                    lambda written: self.ask_number(self._entry_here(), lambda: computed(written)),
                    lambda: entry_rows(session.graph),
                    ["grads", session.name, "--shapes"],
                )
            )
        )
        self._tell(Done(Deed.MATRICES))

    def action_jacobian(self) -> None:
        """The Jacobian of the current term over the samples."""
        from tui.stepper.jacobian_page import jacobian_rows, jacobian_view

        index = self.position.index if self.position.phase is Phase.BACKWARD else 1
        derivation, style = self.derivation, self.glyphs
        self._read(
            "Jacobian over the samples",
            lambda width: jacobian_view(derivation, index, style, width),
            lambda: jacobian_rows(derivation, index),
            self._explain_command("--jacobian"),
        )
        self._tell(Done(Deed.JACOBIAN))

    def action_derivation(self) -> None:
        """The whole derivation on a page."""
        from engine.export import written_text

        derivation, title, style = self.derivation, self.session.title, self.glyphs

        def written(check: EntryCheck, width: int) -> Content:
            return Content(written_text(derivation, title, check, width=max(width, 60), style=style))

        def made() -> EntryCheck:
            check = self.session.check(derivation.target)
            written(check, self.size.width)  # every step is made once and kept
            return check

        self._compute(
            "The whole derivation",
            made,
            lambda check: self._read(
                "The whole derivation",
                lambda width: written(check, width),
                lambda: term_rows(derivation),
                self._explain_command(),
            ),
        )
        self._tell(Done(Deed.DERIVATION))

    def action_lines(self) -> None:
        """The simplification, line by line."""
        from tui.stepper.simplification_page import simplification_rows, simplification_view

        derivation, style = self.derivation, self.glyphs
        if simplification_view(derivation, style, self.size.width) is None:
            self.notify("There is no special simplification on this path.")
        else:
            self._read(
                "Two factors, multiplied out",
                lambda width: simplification_view(derivation, style, width) or Content(""),
                lambda: simplification_rows(derivation),
                self._explain_command(),
            )
            self._tell(Done(Deed.SIMPLIFY))

    def action_digits(self) -> None:
        """Shows more digits of every number, or few again. Computing always uses all of them."""
        self._digits = SHOWN_DIGITS[(SHOWN_DIGITS.index(self._digits) + 1) % len(SHOWN_DIGITS)]
        self.redraw()

    def action_check(self) -> None:
        """Shows or hides the central difference."""
        self.checking = not self.checking
        self.redraw()

    def data_tables(self) -> Sequence[DataTable]:
        """Every term of the derivation, as it is on the table; every value and gradient."""
        graph = self.session.stepped
        return [
            DataTable(lambda: term_rows(self.derivation)),
            DataTable(lambda: entry_rows(graph), "All values and gradients as csv"),
        ]

    def command(self) -> Sequence[str]:
        """The command that opens the app here."""
        derivation, position = self.derivation, self.position
        where = ["--wrt", self._typed(derivation.target.plain())]
        if self.session.stepped is not self.session.graph:
            where += ["--of", self._typed(derivation.of.plain())]
        if derivation.n > 1:
            where += ["--sample", str(derivation.sample)]
        if position.phase is not Phase.BACKWARD:
            where += ["--phase", position.phase.name.lower()]
        if position.phase is not Phase.LOSS:
            where += ["--step", str(position.index + 1)]
        if position.turn:
            where += ["--term", str(position.turn + 1)]
        trained = ["--train", str(self.session.steps)] if self.session.steps else []
        return ["open", self.session.name, *where, *trained, "--screen", "stepper"]

    def not_in_command(self) -> str | None:
        """What is seen here and no command says: what was done by hand, and a path that was chosen at a fork."""
        session, derivation = self.session, self.derivation
        if session.edited or session.updates:
            return "What was edited or learned by hand is not in it: Ctrl+S saves that."
        if (
            session.explain(derivation.target, None if derivation.n == 1 else derivation.sample).path
            != derivation.path
        ):
            return "The branch that was followed is not in it: b leads there."
        return None

    # ── doing ───────────────────────────────────────────────────────────────────────────────────────

    def action_edit(self) -> None:
        """Asks for another number for what is looked at, or for any given entry."""
        self._stop_autoplay()
        self.ask_number(self._entry_here())

    def _entry_here(self) -> Symbol:
        """What `e` edits if no other entry is named: what is looked at, where that is given.

        A factor that is a weight on the way is that weight; at the loss it is the label. Elsewhere it is what is
        differentiated by, and where that is computed the first given matrix's entry for this sample.
        """
        nodes, target = self.session.graph.nodes, self.derivation.target
        looked_at = [target]
        if self.position.phase is Phase.LOSS:
            looked_at.insert(0, Y.at((0, self.derivation.sample)))
        elif self.position.phase is Phase.BACKWARD:
            step = self.derivation[self.position.index]
            factor = step.terms[self.traversal.term(self.position)].formula
            looked_at[:0] = [step.node, *([factor] if isinstance(factor, Symbol) else [])]
        for entry in looked_at:
            if entry.matrix in nodes and nodes[entry.matrix].op is None:
                return entry
        given = next(node for node in nodes.values() if node.op is None and node.needs_gradient)
        return given.entry((0, min(self.derivation.sample, given.shape[1] - 1)))

    def ask_number(self, entry: Symbol, then: Callable[[], None] | None = None) -> None:
        """Asks what an entry is to be; with its name before it, any other. `then` is called once it is set."""
        try:
            ((found, _),) = self.session.given([(entry, 0.0)])
        except TargetError as error:
            self.notify(self._typed(str(error)), severity="warning", markup=False)
            return
        style = self.glyphs
        now = f"{symbol_text(found, style)} = {number_text(self.session.graph.value_of(found), style)}"
        prompt = Prompt(
            f"Edit {now}",
            f"a number, 1/3; or {self._typed(self._another(found))} = 1",
            lambda typed: self._edit_problem(typed, found),
        )

        def done(_: object = None) -> None:
            self.after_edit(then)

        def edited(typed: str | None) -> None:
            if typed is not None and self.session.is_large:  # it was only read
                work = partial(self.session.edit, self._assigned(typed, found))
                self._compute("One pass with the new number", work, done)
            elif typed is not None:
                done()

        self.app.push_screen(prompt, edited)

    def _assigned(self, typed: str, entry: Symbol) -> Assignments:
        """What is typed. Raises ParseError."""
        from engine.formula.typed_assignments import read_assignments

        return read_assignments(typed, entry, self.session.names)

    def _another(self, entry: Symbol) -> str:
        """An entry to name in an example."""
        given = [node for node in self.session.graph.nodes.values() if node.op is None]
        return next((one.entry((0, 0)) for one in given if one.symbol != entry.matrix), entry).plain()

    def _edit_problem(self, typed: str, entry: Symbol) -> str | None:
        """Sets what is typed, unless that takes long; says in one line why it cannot be."""
        from engine.formula.parser import ParseError

        try:
            assignments = self._assigned(typed, entry)
            if self.session.is_large:
                self.session.given(assignments)
            else:
                self.session.edit(assignments)
        except (ParseError, TargetError) as error:
            return self._typed(str(error))
        except ExperimentError as error:  # in the words of the file, whose keys have no other names
            return str(error)
        return None

    def after_edit(self, then: Callable[[], None] | None = None) -> None:
        """Shows everything anew, and says that what was trained is of another experiment."""
        position = self.position

        def show(derivation: Derivation) -> None:
            self._checks.clear()
            self._show(derivation, position)
            self.post_message(ExperimentEdited())
            if then is not None:
                then()

        self._compute("Explaining with the new numbers", self._explained_again, show)

    def action_settings(self) -> None:
        """The form for learning rate, optimiser, loss and activations."""
        if self.network_session is None:
            self.notify("An expression does not learn: it has no settings.")
            return
        self._stop_autoplay()
        from tui.stepper.settings_screen import SettingsScreen

        self.app.push_screen(SettingsScreen(self.network_session, self.after_edit))

    def action_update(self) -> None:
        """Applies one step of the experiment's optimiser."""
        if self.network_session is None:
            self.notify("An expression does not learn: e sets its numbers.")
            return
        self._leaving = False
        self._redraw_is_due = False
        watched = tuple(symbol for symbol in reversed(self.derivation.path) if symbol != LOSS)
        session = self.network_session
        self._compute(
            "One update of all parameters",
            lambda: (session.update(watched), self._explained_again()),
            self._updated,
        )

    def _updated(self, made: tuple[Update, Derivation]) -> None:
        update, derivation = made
        self._checks.clear()
        self._show(derivation, self.traversal.last())
        self._update = update
        self.redraw()

    def action_undo(self) -> None:
        """Takes the last edit or update back."""
        undone = self.session.undoes
        if undone is None:
            self.notify("There is nothing to undo.")
            return
        position = self.position
        self._compute(
            f"Taking the last {undone} back",
            lambda: (self.session.undo(), self._explained_again()),
            lambda made: self._undone(undone, made[1], position),
        )

    def _undone(self, what: str, derivation: Derivation, position: Position) -> None:
        self._checks.clear()
        self._show(derivation, position)
        if what == EDIT:
            self.post_message(ExperimentEdited())
        else:
            self._tell(Done(Deed.UNDO))
        self.notify(f"{what.capitalize()} undone")

    def _explained_again(self) -> Derivation:
        """The same entry, after the parameters have changed: then it is too late to end it."""
        sample = None if self.derivation.n == 1 else self.derivation.sample
        with uninterruptible():
            return self.session.explain(self.derivation.target, sample)

    def action_predict(self) -> None:
        """Asks for each factor of this derivation before it is shown."""
        self._stop_autoplay()
        if self.network_session is not None and self.session.stepped is not self.session.graph:
            self.notify("Predict asks about the loss: t leads back to it.")
            return
        self.post_message(Predict(self.derivation.target, self.derivation.sample))

    def action_export(self) -> None:
        """Copies or saves the derivation."""
        derivation = self.derivation
        self._compute(
            "Checking what is to be written",
            lambda: self.session.check(derivation.target),
            lambda check: self._export(derivation, check),
        )

    def _export(self, derivation: Derivation, check: EntryCheck) -> None:
        from tui.stepper.export_dialog import ExportDialog

        dialog = ExportDialog(derivation, self.session.title, check, self.glyphs, self.session.name)
        self.app.push_screen(dialog, lambda kept: self._tell(Done(Deed.EXPORT)) if kept else None)

    def action_back(self) -> None:
        """Back to the chart that led here, or to the list; first forgets a count that is being typed."""
        if self._count:
            self._count = ""
            self.redraw()
        elif self.came_from is not None:
            self.post_message(ShowScreen(self.came_from))
            self.came_from = None
        elif self._would_be_lost() and not self._leaving:
            self._leaving = True
            done = "edits" if self.session.edited else "updates"
            self.notify(f"Escape once more leaves this experiment and its {done}; Ctrl+S saves it.")
        else:
            self.post_message(ShowHome())

    def _would_be_lost(self) -> bool:
        """Whether leaving forgets what was done: a preset is as it was left when one comes back."""
        session = self.session
        return bool(session.updates or session.edited) and not is_preset(session.name)

    def action_screen(self, name: str) -> None:
        """Another screen of this experiment."""
        if self.network_session is None:
            self.notify("An expression does not learn: it has no charts.")
        else:
            self.post_message(ShowScreen(name))

    def action_lessons(self) -> None:
        """The lessons on this experiment."""
        self._stop_autoplay()
        self.post_message(ShowLessons())

    def look_at(self, layer: int | None, unit: int | None = None, matrix: str = "W") -> None:
        """Explains anew after the parameters have changed: a layer's largest gradient, or one unit's activation."""
        self._checks.clear()

        def explained() -> Derivation:
            self.session.differentiate(None)
            target = self.derivation.target
            if layer is not None and self.network_session is not None:
                target = self.network_session.target_in(layer, unit, matrix)
            return self.session.explain(target)

        def show(derivation: Derivation) -> None:
            # Of a unit the last factor is of interest: the slope of its activation, 0 where it is off.
            position = FIRST_TERM
            if unit is not None and layer is not None:
                position = Position(Phase.BACKWARD, self._activation_step(derivation, layer))
            self._show(derivation, position)

        self._compute("Explaining with the present weights", explained, show)

    @staticmethod
    def _activation_step(derivation: Derivation, layer: int) -> int:
        """The step that goes through a layer's activation function, nearest to the target."""
        wanted = {Symbol("a", layer), Symbol("g", layer), Symbol("Y_hat")}
        names = [symbol.matrix for symbol in derivation.path]
        steps = [index for index in range(len(derivation)) if names[index] in wanted]
        return steps[-1] if steps else len(derivation) - 1

    # ── the mouse ───────────────────────────────────────────────────────────────────────────────────

    def on_phase_bar_chosen(self, message: PhaseBar.Chosen) -> None:
        """A click on a phase."""
        self.go(Position(message.phase))

    def on_product_panel_chosen(self, message: ProductPanel.Chosen) -> None:
        """A click on a factor."""
        self.go(Position(Phase.BACKWARD, message.index))

    def on_term_table_chosen(self, message: TermTable.Chosen) -> None:
        """A click on a row of the table."""
        self.go(message.position)

    def on_network_diagram_chosen(self, message: NetworkDiagram.Chosen) -> None:
        """A click on a cell makes it the target."""
        self._target_chosen(message.symbol)
