"""What a stepper steps through: a graph that has gone forward and backward, and what can be asked of it and done to it.

SessionBase ─┬─ NetworkSession     a network: its numbers can be edited, and updates make it learn
              └─ ExpressionSession  a typed expression: its numbers can be edited
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from engine.autodiff.graph import Graph
from engine.derivation.branches import along, read_branches
from engine.derivation.chain_rule import Derivation, explain
from engine.derivation.entry_ref import EntryRef
from engine.derivation.targets import TargetError, find_given, find_output
from engine.experiment.errors import ExperimentError, mismatch
from engine.experiment.presets import is_preset
from engine.experiment.spec import View
from engine.formula.course_notation import CANONICAL, CourseNames
from engine.formula.expression import Partial, Symbol
from engine.formula.parser import parse_symbol
from engine.formula.untrusted_text import one_line
from engine.model.edited_entries import Assignments
from engine.model.network import forward_nodes
from tui.session.changed_files import files_state

if TYPE_CHECKING:
    from engine.derivation.gradcheck import EntryCheck
    from engine.practice.prediction import Prediction

EDIT, UPDATE = "edit", "update"
"""What can be undone."""

MOST_LINES = 9
"""No update has more lines: the velocity, m, v, their corrections, the step."""


class SessionBase(ABC):
    """An open experiment, as far as the stepper is concerned."""

    graph: Graph
    """With the present numbers, gone forward and backward."""
    steps = 0
    """How many steps of training the parameters were taken over after."""
    told_of_change = False
    """Whether it was said that its file has changed on disk."""
    updates = 0
    """How many updates have been applied and not undone."""

    def __init__(self, name: str, title: str, view: View, names: CourseNames = CANONICAL) -> None:
        """`names` are what the experiment calls the quantities."""
        self.name = name
        self.names = names
        self.view = view
        self._title = title
        self._files_at_first = files_state(self.files())
        self._other: Graph | None = None
        self._first: Derivation | None = None

    @property
    def title(self) -> str:
        """The experiment's title, or its name."""
        return self._title or one_line(Path(self.name).stem)

    @property
    def has_training(self) -> bool:
        """Whether a training of the experiment is made."""
        return False

    @property
    def is_large(self) -> bool:
        """Whether passes take so long that a key that needs some would be felt to hang."""
        return False

    def first_derivation(self) -> Derivation:
        """The derivation that the stepper opens with. Raises TargetError."""
        prepared, self._first = self._first, None
        return prepared or self._first_of_view()

    def _first_of_view(self) -> Derivation:
        """The derivation that the experiment's [view] asks for. Raises TargetError."""
        strongest = self.explain(self.first_target(), self.view.sample)
        return strongest if self.view.follow is None else along(strongest, read_branches(self.view.follow))

    def take_first(self, made: Derivation) -> None:
        """Keeps a first derivation, made in another thread, for when the stepper asks for it."""
        self._first = made

    @property
    def is_prepared(self) -> bool:
        """Whether the first derivation is made."""
        return self._first is not None

    @property
    @abstractmethod
    def edited(self) -> bool:
        """Whether the experiment was edited since it was opened."""

    @abstractmethod
    def first_target(self) -> Symbol:
        """The entry to differentiate by first."""

    @abstractmethod
    def _graph_of(self, output: Symbol) -> Graph:
        """A graph of the present numbers in which a computed entry is differentiated; it has not run yet."""

    @abstractmethod
    def check(self, target: Symbol) -> EntryCheck:
        """The central difference of one entry, in float64, beside backward's gradient. Raises TargetError."""

    @abstractmethod
    def prediction(self, derivation: Derivation) -> Prediction:
        """The questions of a derivation, to be answered factor by factor."""

    @abstractmethod
    def edit(self, assignments: Assignments) -> None:
        """Sets given entries to other numbers, all or none; `undo` takes it back.

        Raises TargetError for what is no such entry, and ExperimentError for a number that is refused.
        """

    @abstractmethod
    def undo(self) -> bool:
        """Takes the last edit or update back; False where there is none."""

    @property
    @abstractmethod
    def undoes(self) -> str | None:
        """The kind of change that `undo` would take back: EDIT, UPDATE, or (None) nothing."""

    @abstractmethod
    def written(self) -> str:
        """The text of a file that opens as the experiment is now.

        Raises ExperimentError where no file could say it.
        """

    def files(self) -> list[Path]:
        """The files that the experiment was read from; none of a preset."""
        return [] if is_preset(self.name) else [Path(self.name)]

    @property
    def changed_on_disk(self) -> bool:
        """Whether a file that the experiment was read from is another by now."""
        return files_state(self.files()) != self._files_at_first

    def rest(self) -> None:  # noqa: B027 - most have nothing that runs
        """Rests the training, which may go on later."""

    def close(self) -> None:  # noqa: B027
        """Ends the training for good."""

    @property
    def stepped(self) -> Graph:
        """The graph that is stepped through: the whole, or one in which another number is differentiated."""
        return self.graph if self._other is None else self._other

    def differentiate(self, output: Symbol | None) -> None:
        """Chooses what is differentiated: one computed number, or (None) the loss. Raises TargetError."""
        if output is None or (symbol := find_output(self.graph, output)) == self.graph.differentiated:
            self._other = None
        elif symbol != self.stepped.differentiated:
            self._other = run_once(self._graph_of(symbol))

    def explain(self, target: Symbol, sample: int | None = None) -> Derivation:
        """The derivation of ∂ℰ/∂target with the present parameters. Raises TargetError."""
        return explain(self.stepped, target, sample)

    def shapes(self) -> Iterator[tuple[Symbol, tuple[int, int]]]:
        """Every matrix that can be differentiated by, with its shape, in the order of the computation."""
        for node in self.stepped.nodes.values():
            if node.needs_gradient and node is not self.stepped.loss:
                yield node.symbol, node.shape

    def entry_ref(self, symbol: Symbol) -> EntryRef:
        """The node and entry that a symbol names, the loss included."""
        if symbol.matrix == self.graph.loss.symbol:
            return EntryRef(self.graph.loss, (0, 0))
        return EntryRef(self.graph.nodes[symbol.matrix], symbol.index or (0, 0))

    def value_of(self, name: Symbol | Partial) -> float:
        """The number of any name that formulas on the screen use."""
        return self.stepped.value_of(name)

    def given(self, assignments: Assignments) -> Assignments:
        """Typed assignments with the names as the graph has them. Raises TargetError for what cannot be set."""
        return [(find_given(self.graph, entry), number) for entry, number in assignments]

    def chosen_target(self) -> Symbol | None:
        """The entry that the experiment's [view] asks for, if any."""
        return None if self.view.target is None else parse_symbol(self.view.target, self.names)

    def begin_view(self) -> None:
        """Differentiates what the experiment's [view] says.

        Raises ExperimentError where it is to be opened with what it does not have.
        """
        view = self.view
        if view.of is not None:
            try:
                self.differentiate(parse_symbol(view.of, self.names))
            except TargetError as error:
                raise ExperimentError(self.name, "view.of", str(error)) from None
        if all(one is None for one in (view.target, view.of, view.sample, view.step, view.follow)):
            return
        try:
            opened_with = self._first_of_view()
        except TargetError as error:
            raise ExperimentError(self.name, "view", str(error)) from None
        most, what = self._most_steps(opened_with)
        if view.step is not None and view.step > most:
            raise ExperimentError(self.name, "view.step", mismatch(str(view.step), f"at most {most}, {what}"))

    def _most_steps(self, opened_with: Derivation) -> tuple[int, str]:
        """How many steps the phase of the view has, and what they are."""
        match self.view.phase:
            case "forward":
                return len(forward_nodes(self.stepped)), "the nodes of the forward pass"
            case "loss":
                return 1, "the loss"
            case "update":
                return MOST_LINES, "the lines of an update"
        return len(opened_with), "the steps of that derivation"

    def _run(self) -> None:
        run_once(self.graph)
        self._run_other()

    def _run_other(self) -> None:
        if self._other is not None:
            run_once(self._other)

    def _make_other_anew(self) -> None:
        """After the numbers or the graph have become others than those that it was made of."""
        if self._other is not None:
            self._other = run_once(self._graph_of(self._other.differentiated))


def run_once(graph: Graph) -> Graph:
    """Runs a graph forward and backward, and returns it."""
    graph.forward()
    graph.backward()
    return graph
