"""The one link between the screens and the engine: the experiment that is open, and what has been done to it.

Screens ask a session for immutable records (derivations, updates, checks) and tell it what to do; they never
reach into arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.autodiff.graph import Graph
from engine.derivation.chain_rule import Derivation, explain
from engine.derivation.evaluated import check_matrix, check_target
from engine.derivation.gradcheck import EntryCheck, ParameterCheck
from engine.derivation.gradient_step import Update
from engine.derivation.paths import EntryRef
from engine.derivation.targets import TargetError, find_output
from engine.derivation.whole_matrix import WholeMatrix, whole_matrix
from engine.experiment.datasets import DataSet, load_data
from engine.experiment.errors import ExperimentError, mismatch
from engine.experiment.loading import load_experiment
from engine.experiment.memory import UNDO_BYTES
from engine.experiment.spec import Experiment
from engine.formula.expression import Partial, Symbol
from engine.formula.foreign_text import one_line
from engine.formula.own_names import OwnNames
from engine.formula.parser import parse_symbol
from engine.model.network import Network
from engine.training.by_hand import Memory, StepsByHand
from tui.session.training_run import TrainingRun
from tui.shell.threads import threads

SCREENS_CORES = 1
"""However large the products, the screen keeps one."""

DEEP = 10
"""From so many hidden layers on, an experiment is about its gradients' magnitudes."""


class Session:
    """An open experiment: its data, its network with present parameters, and its last forward and backward pass."""

    def __init__(self, name: str, experiment: Experiment, data: DataSet) -> None:
        self.name = name
        self.experiment = experiment
        self.data = data
        self.class_names = data.class_names
        self.network = Network.initialised(experiment, data.X.shape[0])
        threads.give(self.network.largest_product(data.X.shape[1]), spare=SCREENS_CORES)
        self.graph: Graph = self.network.graph(data.X, data.Y)
        self._other: Graph | None = None
        self._run()
        self.steps = 0
        """How many steps of training the parameters were taken over after."""
        self._undo: list[Memory] = []
        self._updates = 0
        self._by_hand: StepsByHand | None = None
        self._training: TrainingRun | None = None

    @classmethod
    def open(cls, name_or_path: str, view: Mapping[str, Any] | None = None) -> Session:
        """Opens a preset or a file. Raises ExperimentError, whose message is one clear line.

        `view` says what to show, in place of what the experiment's own view says.
        """
        experiment = load_experiment(name_or_path)
        if view:
            shown = msgspec.structs.replace(experiment.view, **view)
            experiment = msgspec.structs.replace(experiment, view=shown)
        opened = cls(name_or_path, experiment, load_data(experiment, source=name_or_path))
        opened._check_view()
        return opened

    def _check_view(self) -> None:
        """Raises ExperimentError where the experiment is to be opened with what it does not have."""
        view = self.experiment.view
        if view.target is None and view.sample is None and view.step is None:
            return
        try:
            opened_with = explain(self.graph, self.first_target(), view.sample)
        except TargetError as error:
            raise ExperimentError(self.name, "view", str(error)) from None
        if view.step is not None and view.step > len(opened_with):
            problem = mismatch(str(view.step), f"at most {len(opened_with)}, the steps of that derivation")
            raise ExperimentError(self.name, "view.step", problem)

    @property
    def title(self) -> str:
        """The experiment's title, or its name."""
        return self.experiment.title or one_line(Path(self.name).stem)

    @cached_property
    def names(self) -> OwnNames:
        """What the experiment calls the quantities."""
        return self.experiment.names

    @property
    def loss(self) -> float:
        """The loss with the present parameters."""
        return self.graph.value_of(self.graph.loss.symbol)

    @property
    def learning_rate(self) -> float:
        """η, as the experiment gives it or as it was changed in training."""
        if self._training is not None:
            return self._training.first.trainer.learning_rate
        return self.experiment.train.learning_rate

    @property
    def updates(self) -> int:
        """How many updates have been applied and not undone."""
        return self._updates

    def first_target(self) -> Symbol:
        """The entry to begin with: the experiment's own, or the first weight matrix's largest gradient."""
        if self.experiment.view.target is not None:
            return parse_symbol(self.experiment.view.target, self.names)
        node = self.graph.nodes[Symbol("W", 1)]
        row, column = divmod(int(abs(node.grad).argmax()), node.shape[1])
        return node.entry((row, column))

    def target_in(self, layer: int, unit: int | None = None, matrix: str = "W") -> Symbol:
        """The entry of a layer's W (or f) with the largest gradient; or one unit's f, where that is largest.

        For a unit that is dead that is the sample on which it comes closest to firing.
        """
        if unit is None:
            node = self.graph.nodes[Symbol(matrix, layer)]
            row, column = divmod(int(abs(node.grad).argmax()), node.shape[1])
            return node.entry((row, column))
        node = self.graph.nodes[Symbol("f", layer)]
        return node.entry((unit, int(node.value[unit].argmax())))

    @property
    def stepped(self) -> Graph:
        """The graph that is stepped through: the network's, or one in which another number is differentiated."""
        return self.graph if self._other is None else self._other

    def differentiate(self, output: Symbol | None) -> None:
        """Chooses what is differentiated: one computed number, or (None) the loss. Raises TargetError."""
        if output is None or (symbol := find_output(self.graph, output)) == self.graph.differentiated:
            self._other = None
        elif symbol != self.stepped.differentiated:
            self._other = self.network.graph(self.data.X, self.data.Y, of=symbol)
            self._other.forward()
            self._other.backward()

    def explain(self, target: Symbol, sample: int | None = None) -> Derivation:
        """The derivation of ∂ℰ/∂target with the present parameters. Raises TargetError."""
        return explain(self.stepped, target, sample)

    def whole_matrix(self, target: Symbol) -> tuple[WholeMatrix, ParameterCheck]:
        """The gradient by a whole matrix, and its central differences. Raises TargetError."""
        whole = whole_matrix(self.stepped, target)
        return whole, check_matrix(self.network, self.stepped, whole.target)

    def shapes(self) -> Iterator[tuple[Symbol, tuple[int, int]]]:
        """Every matrix that can be differentiated by, with its shape, in the order of the computation."""
        for node in self.stepped.nodes.values():
            if node.needs_gradient and node is not self.stepped.loss:
                yield node.symbol, node.shape

    def check(self, target: Symbol) -> EntryCheck:
        """The central difference of one entry, in float64, beside backward's gradient. Raises TargetError."""
        return check_target(self.network, self.stepped, target)

    def site(self, symbol: Symbol) -> EntryRef:
        """The node and entry that a symbol names, the loss included."""
        if symbol.matrix == self.graph.loss.symbol:
            return EntryRef(self.graph.loss, (0, 0))
        return EntryRef(self.graph.nodes[symbol.matrix], symbol.index or (0, 0))

    def value_of(self, name: Symbol | Partial) -> float:
        """The number of any name that formulas on the screen use, η included."""
        return self.learning_rate if name == Symbol("eta") else self.stepped.value_of(name)

    @property
    def by_hand(self) -> StepsByHand:
        """The experiment's optimiser, for steps made one at a time from the present parameters."""
        if self._by_hand is None:
            self._by_hand = StepsByHand(self.network, self.graph, self.experiment.train)
        return self._by_hand

    def update(self, watch: tuple[Symbol, ...]) -> Update:
        """Applies one step of the experiment's optimiser and says what it changed; `undo` takes it back."""
        saved = self.by_hand.memory()
        self._undo.append(saved)
        self._updates += 1
        del self._undo[
            : -max(UNDO_BYTES // max(saved.nbytes, 1), 1)
        ]  # the oldest: what is kept is bounded in bytes
        update = self.by_hand.step(self.learning_rate, watch)
        self._run_other()
        return update

    def undo(self) -> bool:
        """Takes the last update back, with what the optimiser remembers; False where there is none."""
        if not self._undo:
            return False
        self.by_hand.restore(self._undo.pop())
        self._updates -= 1
        self._run_other()
        return True

    # ── training ────────────────────────────────────────────────────────────────────────────────────

    @property
    def training(self) -> TrainingRun:
        """The training of this experiment; made when it is first looked at."""
        if self._training is None:
            # It goes on from what was done in the stepper, on parameters of its own.
            self._training = TrainingRun(
                self.name, self.experiment, self.data, self.network.astype(self.experiment.dtype)
            )
        return self._training

    def rest(self) -> None:
        """Ends the training, if there is one; it may go on later."""
        if self._training is not None:
            self._training.close()

    def close(self) -> None:
        """Ends the training, if there is one."""
        self.rest()
        self._training = None

    def load_parameters(self, network: Network, data: DataSet | None = None, steps: int = 0) -> None:
        """Takes over the parameters (and slopes) of a network of the same shape, and the data it is trained on.

        The data are others where the training was begun anew with another seed.
        """
        self._undo.clear()
        self._by_hand = self._other = None
        self._updates = 0
        self.steps = steps
        if data is not None and not (
            np.array_equal(data.X, self.data.X) and np.array_equal(data.Y, self.data.Y)
        ):
            self.data = data
            self.graph = self.network.graph(data.X, data.Y)
        if any(mine != other for mine, other in zip(self.network.layers, network.layers, strict=True)):
            self.network = Network(network.layers, dict(self.network.parameters), network.loss, network.dtype)
            self.graph = self.network.graph(self.data.X, self.data.Y)
        for name, value in network.parameters.items():
            np.copyto(self.network.parameters[name], value)
        self._run()

    def _run(self) -> None:
        self.graph.forward()
        self.graph.backward()
        self._run_other()

    def _run_other(self) -> None:
        if self._other is not None:
            self._other.forward()
            self._other.backward()


def first_screen(session: Session) -> str:
    """The screen that an experiment opens with: what it is about."""
    layers = sum(layer.repeat for layer in session.experiment.network.layers)
    return session.experiment.view.screen or ("gradients" if layers > DEEP else "stepper")
