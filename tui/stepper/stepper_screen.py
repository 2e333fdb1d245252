"""The stepper: walks through one backpropagation, forward, loss, backward and update, a keypress at a time.

What each key does, one action a key. The panels are in `stepper_panels.py`; what takes more than a line, in the
parts that `derivation_screen.py` lists.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events

from engine.derivation.chain_rule import Derivation
from engine.experiment.presets import is_preset
from tui.session.session_base import SessionBase
from tui.shell.csv_table import CsvTable
from tui.shell.key_command import KeyCommand, bindings
from tui.shell.keys import STEPPER_COMMANDS
from tui.shell.learner_deeds import Deed, Done
from tui.shell.messages import Predict, ShowHome, ShowLessons, ShowScreen
from tui.stepper.chain_rule_panel import ChainRulePanel
from tui.stepper.derivation_csv import csv_entry_rows, csv_term_rows
from tui.stepper.derivation_screen import SHOWN_DIGITS, StepperPosition
from tui.stepper.entry_editing import EntryEditing
from tui.stepper.network_diagram import NetworkDiagram
from tui.stepper.page_opener import PageOpener
from tui.stepper.phase_bar import PhaseBar
from tui.stepper.sample_choice import SampleChoice
from tui.stepper.stepper_command import not_in_command, open_command
from tui.stepper.stepper_panels import StepperPanels
from tui.stepper.target_choice import TargetChoice
from tui.stepper.term_table import TermTable
from tui.stepper.traversal import Detail, Phase, Position
from tui.stepper.update_and_undo import UpdateAndUndo

LEARNING = frozenset(("update", "screen", "matrices", "settings"))
"""Actions that need a network."""

LARGEST_COUNT = 99_999


class StepperScreen(StepperPanels):
    """The stepper: the panels, and what each key does."""

    CSS_PATH = "stepper_screen.tcss"
    COMMANDS_SHOWN: tuple[KeyCommand, ...] = STEPPER_COMMANDS
    BINDINGS = bindings(STEPPER_COMMANDS)

    def __init__(self, session: SessionBase, derivation: Derivation | None = None) -> None:
        """On a derivation, or else on what the experiment begins with."""
        super().__init__(session, derivation)
        self.not_here = frozenset() if self.network_session else LEARNING
        """What the keys at the foot leave out."""
        self.targets = TargetChoice(self)
        self.samples = SampleChoice(self)
        self.editing = EntryEditing(self, self.gradient_check)
        self.updating = UpdateAndUndo(self, self.gradient_check)
        self.pages = PageOpener(self, self.editing)
        self.came_from: str | None = None
        """The chart that led here, to which Escape leads back."""

    # ── moving ──────────────────────────────────────────────────────────────────────────────────────

    def on_key(self, event: events.Key) -> None:
        """Digits are a count for the next move; escape forgets them."""
        if (
            event.character is not None
            and event.character in "0123456789"
            and (self.count or event.character != "0")
        ):
            self.count = str(min(int(self.count + event.character), LARGEST_COUNT))
            event.stop()
            self.redraw()

    def _take_count(self) -> int:
        count = int(self.count or 1)
        self.count = ""
        return count

    def action_step(self, direction: int) -> None:
        """Goes to the next or previous term, node or layer."""
        self.go(self.traversal.move(self.position, direction * self._take_count(), self.detail))

    def action_node(self, direction: int) -> None:
        """Goes to the next or previous node."""
        self.go(self.traversal.move(self.position, direction * self._take_count(), Detail.NODE))

    def action_phase(self, direction: int) -> None:
        """Goes to the next or previous phase."""
        self.go(self.traversal.next_phase(self.position, direction * self._take_count()))

    def action_start(self) -> None:
        """Goes to the first node of the forward pass."""
        self.go(self.traversal.first())

    def action_end(self) -> None:
        """Goes to the update, the last position."""
        self.go(self.traversal.last())

    def action_detail(self) -> None:
        """Changes how far one step goes: a term, a node, a layer, and again."""
        self.detail = Detail((self.detail + 1) % len(Detail))
        self.redraw()

    def action_autoplay(self) -> None:
        """Steps by itself, or stops."""
        if self.autoplay.is_playing:
            self.autoplay.stop()
        else:
            self.autoplay.start()
        self.redraw()

    # ── choosing ────────────────────────────────────────────────────────────────────────────────────

    def action_target(self) -> None:
        """Asks which entry to differentiate by."""
        self.targets.ask()

    def action_sample(self) -> None:
        """Asks for a sample."""
        self.samples.ask()

    def action_next_sample(self, direction: int) -> None:
        """Shows the next or previous sample, round and round."""
        if self.derivation.n == 1:
            self.notify("This experiment has one sample.")
        else:
            self.samples.choose_next(direction * self._take_count())

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
        self.show(other, Position(Phase.BACKWARD, len(other) - from_end))

    def action_diagram(self) -> None:
        """Opens the network on the whole screen, to choose a target by moving through it."""
        self.targets.choose_on_map(self.editing.ask_number)
        self.tell(Done(Deed.MAP))

    def entries(self) -> Sequence[str]:
        """The names of all entries that can be gone to, for the palette."""
        return self.targets.names()

    def go_to(self, name: str) -> None:
        """Explains the gradient of what is named."""
        self.targets.differentiate(name)

    def begin_at(self, looked_at: StepperPosition) -> None:
        """Begins at a place of another session, as far as this one has such."""
        self.targets.go_back_to(looked_at)

    def look_at(self, layer: int | None, unit: int | None = None, matrix: str = "W") -> None:
        """Explains anew after the parameters have changed: a layer's largest gradient, or one unit's activation."""
        self.gradient_check.forget()
        self.targets.explain_layer(layer, unit, matrix)

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────

    def action_matrices(self) -> None:
        """Opens the page of every matrix product with its shapes."""
        if self.network_session is None:
            self.notify("An expression has numbers, and no matrices.")
        else:
            self.pages.open_matrices(self.network_session)

    def action_jacobian(self) -> None:
        """Opens the page of the Jacobian of the current term over the samples."""
        self.pages.open_jacobian()

    def action_derivation(self) -> None:
        """Opens the page of the whole derivation."""
        self.pages.open_derivation()

    def action_lines(self) -> None:
        """Opens the page of the simplification, line by line."""
        self.pages.open_simplification()

    def action_export(self) -> None:
        """Copies or saves the derivation."""
        self.pages.open_export()

    def action_digits(self) -> None:
        """Shows more digits of every number, or few again. Computing always uses all of them."""
        self.digits = SHOWN_DIGITS[(SHOWN_DIGITS.index(self.digits) + 1) % len(SHOWN_DIGITS)]
        self.redraw()

    def action_check(self) -> None:
        """Shows or hides the central difference."""
        self.gradient_check.toggle()

    def data_tables(self) -> Sequence[CsvTable]:
        """Every term of the derivation, as it is on the table; every value and gradient."""
        graph = self.session.stepped
        return [
            CsvTable(lambda: csv_term_rows(self.derivation)),
            CsvTable(lambda: csv_entry_rows(graph), "All values and gradients as csv"),
        ]

    def command(self) -> Sequence[str]:
        """The command that opens the app here."""
        digits = None if self.digits == SHOWN_DIGITS[0] else self.digits
        return open_command(self.session, self.derivation, self.position, digits)

    def not_in_command(self) -> str | None:
        """A sentence on what is seen here and no command says."""
        return not_in_command(self.session, self.derivation)

    # ── changing ────────────────────────────────────────────────────────────────────────────────────

    def action_edit(self) -> None:
        """Asks for another number for what is looked at, or for any given entry."""
        self.autoplay.stop()
        self.editing.ask_number(self.editing.entry_here())

    def action_settings(self) -> None:
        """Opens the form for learning rate, optimiser, loss and activations."""
        if self.network_session is None:
            self.notify("An expression does not learn: it has no settings.")
            return
        self.autoplay.stop()
        self.editing.open_settings()

    def action_update(self) -> None:
        """Applies one step of the experiment's optimiser."""
        if self.network_session is None:
            self.notify("An expression does not learn: e sets its numbers.")
        else:
            self.updating.update(self.network_session)

    def action_undo(self) -> None:
        """Takes the last edit or update back."""
        self.updating.undo()

    # ── other screens ───────────────────────────────────────────────────────────────────────────────

    def action_predict(self) -> None:
        """Asks for each factor of this derivation before it is shown."""
        self.autoplay.stop()
        if self.network_session is not None and self.session.stepped is not self.session.graph:
            self.notify("Predict asks about the loss: t leads back to it.")
            return
        self.post_message(Predict(self.derivation.target, self.derivation.sample))

    def action_back(self) -> None:
        """Goes back to the chart that led here, or to the list; first forgets a count that is being typed."""
        if self.count:
            self.count = ""
            self.redraw()
        elif self.came_from is not None:
            self.post_message(ShowScreen(self.came_from))
            self.came_from = None
        elif self._would_be_lost() and not self.warned_of_leaving:
            self.warned_of_leaving = True
            done = "edits" if self.session.edited else "updates"
            self.notify(f"Escape once more leaves this experiment and its {done}; Ctrl+S saves it.")
        else:
            self.post_message(ShowHome())

    def _would_be_lost(self) -> bool:
        """Whether leaving forgets what was done: a preset is as it was left when one comes back."""
        session = self.session
        return bool(session.updates or session.edited) and not is_preset(session.name)

    def action_screen(self, name: str) -> None:
        """Shows another screen of this experiment."""
        if self.network_session is None:
            self.notify("An expression does not learn: it has no charts.")
        else:
            self.post_message(ShowScreen(name))

    def action_lessons(self) -> None:
        """Lists the lessons on this experiment."""
        self.autoplay.stop()
        self.post_message(ShowLessons())

    # ── the mouse ───────────────────────────────────────────────────────────────────────────────────

    def on_phase_bar_chosen(self, message: PhaseBar.Chosen) -> None:
        """A click on a phase."""
        self.go(Position(message.phase))

    def on_chain_rule_panel_chosen(self, message: ChainRulePanel.Chosen) -> None:
        """A click on a factor."""
        self.go(Position(Phase.BACKWARD, message.index))

    def on_term_table_chosen(self, message: TermTable.Chosen) -> None:
        """A click on a row of the table."""
        self.go(message.position)

    def on_network_diagram_chosen(self, message: NetworkDiagram.Chosen) -> None:
        """A click on a cell makes it the target."""
        self.targets.take(message.symbol)
