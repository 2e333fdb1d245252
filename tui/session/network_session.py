"""The one link between the screens and the engine: the experiment that is open, and what has been done to it.

Screens ask a session for immutable records (derivations, updates, checks) and tell it what to do; they never
reach into arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from typing_extensions import override

from engine.autodiff.graph import Array, Graph
from engine.autodiff.interruption import uninterruptible
from engine.experiment.activation_traits import ACTIVATION_TRAITS
from engine.experiment.datasets import DataSet, load_data
from engine.experiment.expanded_layers import expanded_layers
from engine.experiment.loading import load_experiment
from engine.experiment.memory_needed import UNDO_BYTES
from engine.experiment.spec import CsvData, Experiment, LayerSpec, NpzData
from engine.experiment.toml_writing import experiment_toml
from engine.experiment.validation import validate
from engine.formula.expression import Partial, Symbol
from engine.model.edited_entries import Assignments, with_entries
from engine.model.network import Network, X, Y
from engine.model.network_to_experiment import as_given
from tui.session.large_network import is_large
from tui.session.session_base import EDIT, UPDATE, SessionBase, run_once
from tui.shell.blas_threads import threads

if TYPE_CHECKING:  # what no first frame needs is imported where it is used
    from engine.derivation.chain_rule import Derivation
    from engine.derivation.gradcheck import EntryCheck, ParameterCheck
    from engine.derivation.whole_matrix import WholeMatrix
    from engine.experiment.changeable_settings import Setting
    from engine.practice.prediction import Prediction
    from engine.training.steps_by_hand import Memory, StepsByHand, Update
    from tui.session.training_run import TrainingRun

SCREENS_CORES = 1
"""However large the products, the screen keeps one."""

DEEP = 10
"""From so many hidden layers on, an experiment is about its gradients' magnitudes."""


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """The state before an edit or an update, which `undo` goes back to."""

    what: str
    experiment: Experiment
    layers: Sequence[LayerSpec]
    data: DataSet
    memory: Memory
    updates: int
    weights_edited: bool
    data_bytes: int
    """Of data that were edited; the others are shared."""

    @property
    def nbytes(self) -> int:
        """The bytes that the kept state takes."""
        return self.memory.nbytes + self.data_bytes


class NetworkSession(SessionBase):
    """An open experiment: its data, its network with present parameters, and its last forward and backward pass."""

    def __init__(self, name: str, experiment: Experiment, data: DataSet) -> None:
        self.experiment = experiment
        super().__init__(name, experiment.title, experiment.view, experiment.names)
        self.data = data
        self._opened = experiment, data
        self.class_names = data.class_names
        self.network = Network.initialised(experiment, data.X.shape[0])
        threads.give(self.network.largest_product(data.X.shape[1]), spare=SCREENS_CORES)
        self.graph: Graph = self.network.graph(data.X, data.Y)
        self._run()
        self._weights_edited = False
        self._undo: list[Before] = []
        self._by_hand: StepsByHand | None = None
        self._training: TrainingRun | None = None

    @classmethod
    def open(cls, name_or_path: str, view: Mapping[str, Any] | None = None) -> NetworkSession:
        """Opens a preset or a file. Raises ExperimentError, whose message is one clear line.

        `view` says what to show, in place of what the experiment's own view says.
        """
        experiment = load_experiment(name_or_path)
        if view:
            shown = msgspec.structs.replace(experiment.view, **view)
            experiment = msgspec.structs.replace(experiment, view=shown)
        opened = cls(name_or_path, experiment, load_data(experiment, source=name_or_path))
        opened.begin_view()
        return opened

    @override
    def files(self) -> list[Path]:
        data = self.experiment.data
        return super().files() + ([Path(data.path)] if isinstance(data, CsvData | NpzData) else [])

    @property
    @override
    def title(self) -> str:
        """The experiment's title, with what the training's keys have changed."""
        changed = "" if self._training is None else self._training.first.changed
        return f"{super().title}, with {changed}" if changed else super().title

    @property
    def loss(self) -> float:
        """The loss with the present parameters."""
        return self.graph.value_of(self.graph.loss.symbol)

    @property
    def learning_rate(self) -> float:
        """The learning rate η, as the experiment gives it or as it was changed in training."""
        if self._training is not None:
            return self._training.first.trainer.learning_rate
        return self.experiment.train.learning_rate

    @property
    @override
    def is_large(self) -> bool:
        return is_large(self.network, self.graph.n)

    @override
    def first_target(self) -> Symbol:
        """The entry to differentiate by first: the experiment's own, or the first weight matrix's largest gradient."""
        asked = self.chosen_target()
        return self.target_in(1) if asked is None else asked

    def target_in(self, layer: int, unit: int | None = None, matrix: str = "W") -> Symbol:
        """The entry of a layer's W (or f) with the largest gradient; or one unit's f, where that is largest.

        For a unit that is dead that is the sample on which it comes closest to firing; for one whose activation has
        tails, the one with which it is farthest out in a tail.
        """
        if unit is None:
            node = self.stepped.nodes.get(Symbol(matrix, layer)) or self.graph.nodes[Symbol(matrix, layer)]
            row, column = divmod(int(abs(node.grad).argmax()), node.shape[1])
            return node.entry((row, column))
        node = self.graph.nodes[Symbol("f", layer)]
        sums = self.graph.nodes.get(Symbol("h", layer), node).value[unit]
        tails = ACTIVATION_TRAITS[self.network.layers[layer - 1].activation].unsaturated
        sample = node.value[unit].argmax() if tails is None else np.abs(sums).argmax()
        return node.entry((unit, int(sample)))

    @override
    def _graph_of(self, output: Symbol) -> Graph:
        return self.network.graph(self.data.X, self.data.Y, of=output)

    def whole_matrix(self, target: Symbol) -> tuple[WholeMatrix, ParameterCheck]:
        """The gradient by a whole matrix, and its central differences. Raises TargetError."""
        from engine.derivation.gradcheck_in_float64 import check_matrix
        from engine.derivation.whole_matrix import whole_matrix

        whole = whole_matrix(self.stepped, target)
        return whole, check_matrix(self.network, self.stepped, whole.target)

    @override
    def check(self, target: Symbol) -> EntryCheck:
        """The central difference of one entry, in float64, beside backward's gradient. Raises TargetError."""
        from engine.derivation.gradcheck_in_float64 import check_target

        return check_target(self.network, self.stepped, target)

    @override
    def prediction(self, derivation: Derivation) -> Prediction:
        from engine.derivation.evaluated_experiment import EvaluatedExperiment
        from engine.practice.prediction import Prediction

        evaluated = EvaluatedExperiment(self.experiment, self.data, self.network, self.graph)
        return Prediction.of(evaluated, derivation)

    @override
    def value_of(self, name: Symbol | Partial) -> float:
        """The number of any name that formulas on the screen use, η included."""
        return self.learning_rate if name == Symbol("eta") else self.stepped.value_of(name)

    @property
    def by_hand(self) -> StepsByHand:
        """The experiment's optimiser, for steps made one at a time from the present parameters."""
        if self._by_hand is None:
            from engine.training.steps_by_hand import StepsByHand

            self._by_hand = StepsByHand(self.network, self.graph, self.experiment.train)
        return self._by_hand

    def update(self, watch: tuple[Symbol, ...]) -> Update:
        """Applies one step of the experiment's optimiser and says what it changed; `undo` takes it back."""
        self._remember(UPDATE)
        self.updates += 1
        try:
            update = self.by_hand.step(self.learning_rate, watch)
            self._run_other()
        except BaseException:  # somebody has ended it
            self.undo()
            raise
        return update

    # ── editing ─────────────────────────────────────────────────────────────────────────────────────

    @property
    @override
    def edited(self) -> bool:
        return self._weights_edited or self._opened != (self.experiment, self.data)

    @override
    def edit(self, assignments: Assignments) -> None:
        entries = self.given(assignments)
        parameters, data = with_entries(self.experiment, self.network, self.data, entries, self.name)
        self._remember(EDIT)
        self._weights_edited |= bool(parameters)
        self._end_training()
        for name, value in parameters.items():
            np.copyto(self.network.parameters[name], value)
        self._take_data(data)
        try:
            self._run()
            self._make_other_anew()
        except BaseException:  # somebody has ended it
            self.undo()
            raise

    def settings(self) -> list[Setting]:
        """The settings that `change` takes: of the training, the loss and the layers."""
        from engine.experiment.changeable_settings import settings_of

        return settings_of(self._as_it_is())

    def changed(self, key: str, typed: str) -> Experiment:
        """The experiment that `change` would make. Raises ExperimentError, in the words of a file's refusal."""
        from engine.experiment.changeable_settings import with_setting

        return with_setting(self._as_it_is(), key, typed, self.name)

    def change(self, key: str, typed: str) -> None:
        """Sets one setting; `undo` takes it back. Raises ExperimentError, in the words of a file's refusal."""
        experiment = self.changed(key, typed)
        self._remember(EDIT)
        self._end_training()
        try:
            self._build(experiment, expanded_layers(experiment))
            self._run()
            self._make_other_anew()
        except BaseException:  # somebody has ended it
            self.undo()
            raise

    def _as_it_is(self) -> Experiment:
        """The experiment with the slopes and the learning rate that it has now."""
        experiment = self.experiment
        if expanded_layers(experiment) != list(self.network.layers):
            experiment = as_given(experiment, self.network)
        if self.learning_rate != experiment.train.learning_rate:
            train = msgspec.structs.replace(experiment.train, learning_rate=self.learning_rate)
            experiment = msgspec.structs.replace(experiment, train=train)
        return experiment

    def _remember(self, what: str) -> None:
        """Keeps what an undo needs; the oldest is forgotten, so that what is kept is bounded in bytes."""
        before = Before(
            what,
            self.experiment,
            self.network.layers,
            self.data,
            self.by_hand.memory(),
            self.updates,
            self._weights_edited,
            0 if self.data is self._opened[1] else self.data.X.nbytes + self.data.Y.nbytes,
        )
        self._undo.append(before)
        del self._undo[: -max(UNDO_BYTES // max(before.nbytes, 1), 1)]

    @property
    @override
    def undoes(self) -> str | None:
        return self._undo[-1].what if self._undo else None

    @override
    def undo(self) -> bool:
        """Takes the last edit or update back, with what the optimiser remembers; False where there is none."""
        if not self._undo:
            return False
        if self._undo[-1].what == UPDATE and self.is_large:
            self._undo_update()
            return True
        with uninterruptible():
            self._go_back(self._undo.pop())
        return True

    def _undo_update(self) -> None:
        """It may be ended: then the update is still there."""
        now, updates = self.by_hand.memory(), self.updates
        try:
            self._go_back(self._undo[-1])
        except BaseException:
            self.by_hand.restore(now)
            self.updates = updates
            self._make_other_anew()
            raise
        del self._undo[-1]

    def _go_back(self, before: Before) -> None:
        if before.experiment is not self.experiment:
            self._build(before.experiment, before.layers)
        self._take_data(before.data)
        self.updates, self._weights_edited = before.updates, before.weights_edited
        if before.what == EDIT:
            self._end_training()
        self.by_hand.restore(before.memory)
        self._make_other_anew()

    def _build(self, experiment: Experiment, layers: Sequence[LayerSpec]) -> None:
        """Another network of the same parameters, and its graph."""
        self.experiment = experiment
        old = self.network
        self.network = Network(layers, dict(old.parameters), experiment.loss, old.dtype, old.weights)
        self.graph = self.network.graph(self.data.X, self.data.Y)
        self._by_hand = None

    def _take_data(self, data: DataSet) -> None:
        if data is not self.data:
            self.data = data
            np.copyto(self.graph.nodes[X].value, data.X)
            np.copyto(self.graph.nodes[Y].value, data.Y)

    @override
    def written(self) -> str:
        data = None if self.data is self._opened[1] else self.data
        experiment = as_given(self._as_it_is(), self.network, data)
        validate(experiment, self.name)
        return experiment_toml(experiment)

    # ── training ────────────────────────────────────────────────────────────────────────────────────

    @property
    def training(self) -> TrainingRun:
        """The training of this experiment; made when it is first looked at."""
        if self._training is None:
            self._training = self.new_training()
            self._training.looking.layers = self.view.filter or ""
        return self._training

    @property
    @override
    def has_training(self) -> bool:
        return self._training is not None

    def new_training(self) -> TrainingRun:
        """A training that goes on from what was done in the stepper, on parameters of its own."""
        from tui.session.training_run import TrainingRun

        experiment = as_given(self.experiment, self.network) if self._weights_edited else self.experiment
        return TrainingRun(self.name, experiment, self.data, self.network.astype(self.experiment.dtype))

    def ready_training(self) -> TrainingRun:
        """A new training with what its first picture needs; to be made in a thread where that takes long."""
        training = self.new_training()
        training.first.prediction()
        return training

    def take_training(self, made: TrainingRun) -> None:
        """Takes a training, made in another thread, as that of this experiment."""
        self._training = made

    @override
    def rest(self) -> None:
        """Ends the training, if there is one; it may go on later."""
        if self._training is not None:
            self._training.close()

    @override
    def close(self) -> None:
        """Ends the training, if there is one."""
        self._end_training()

    def _end_training(self) -> None:
        """What trains is another network than it was: the next training begins with what is edited."""
        self.rest()
        self._training = None

    def load_parameters(self, network: Network, data: DataSet | None = None, steps: int = 0) -> None:
        """Takes over the parameters (and slopes) of a trained network of the same shape, and its data.

        The data are others where the training was begun anew with another seed.
        """
        kept = self.network, self.graph, self.data
        parameters = {name: value.copy() for name, value in self.network.parameters.items()}
        try:
            self._take_over(network, data)
        except BaseException:  # somebody has ended it
            self.network, self.graph, self.data = kept
            self._copy(parameters)
            self._run()
            raise
        self._undo.clear()
        self._by_hand = self._other = self._first = None
        self.updates = 0
        self.steps = steps

    def _take_over(self, network: Network, data: DataSet | None) -> None:
        if data is not None and not (
            np.array_equal(data.X, self.data.X) and np.array_equal(data.Y, self.data.Y)
        ):
            self.data = data
            self.graph = self.network.graph(data.X, data.Y)
        if any(mine != other for mine, other in zip(self.network.layers, network.layers, strict=True)):
            self.network = Network(network.layers, dict(self.network.parameters), network.loss, network.dtype)
            self.graph = self.network.graph(self.data.X, self.data.Y)
        self._copy(network.parameters)
        run_once(self.graph)

    def _copy(self, parameters: Mapping[Symbol, Array]) -> None:
        for name, value in parameters.items():
            np.copyto(self.network.parameters[name], value)


def first_screen(session: SessionBase) -> str:
    """The name of the screen that an experiment opens with."""
    if not isinstance(session, NetworkSession):
        return "stepper"
    layers = sum(layer.repeat for layer in session.experiment.network.layers)
    return session.experiment.view.screen or ("gradients" if layers > DEEP else "stepper")


def opened_ready(name_or_path: str) -> NetworkSession:
    """Opens an experiment with what its first screen needs. Raises ExperimentError."""
    session = NetworkSession.open(name_or_path)
    if first_screen(session) == "stepper":
        session.take_first(session.first_derivation())
    else:
        session.take_training(session.ready_training())
    return session
