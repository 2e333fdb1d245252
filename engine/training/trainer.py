"""Training: a network goes through its data step by step, and every step leaves an immutable record.

    samples ──> batch ──> forward ──> backward ──> clip ──> update ──┐
                  ^                      │                           │
                  └── next step          └── measured ──> StepRecord ┘

    for record in Trainer(experiment):
        print(record.step, record.loss, record.grad_l2)

Learning rate, clip_norm and the slope of leaky ReLUs may be changed between any two steps. A step allocates no
array: those of its record are made when somebody reads it. A number that is NaN or infinite ends the run with a record
that says where it came from; the parameters stay as they were before that step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np

from engine.autodiff.graph import Array
from engine.autodiff.interruption import onlooker
from engine.autodiff.ops.activation_functions import WITH_SLOPE, activation_function
from engine.autodiff.ops.elementwise import Elementwise
from engine.experiment.activation_traits import ACTIVATION_TRAITS
from engine.experiment.datasets import DataSet, load_data
from engine.experiment.spec import Experiment
from engine.formula.expression import Symbol
from engine.metrics.added_metrics import OWN_METRICS, own_metrics
from engine.metrics.held_out_score import HeldOut, HeldOutScore
from engine.metrics.l2_norms import norm_for
from engine.metrics.step_monitor import StepMonitor
from engine.metrics.step_record import Counts, Floats, StepRecord
from engine.metrics.unit_deaths import Mask, UnitDeaths, UnitDeathSearch, UnitDeathsState, UnitEvent
from engine.model.network import PREDICTION, Network, X, Y
from engine.training.batches import Batches, BatchPosition
from engine.training.first_nonfinite import FirstNonfinite, count_nonfinite, first_nonfinite
from engine.training.flat_parameters import FlatParameters
from engine.training.optimizers import clip_factor, make_optimizer

DEAD_CHECK_SHARE = 0.05
"""With mini-batches, how much of the training time looking for dead units may take, at most."""

HELD_OUT_SHARE = 0.01
"""How much of the training time measuring the held-out samples may take, at most."""

FORWARD_SHARE = 0.5
"""A generous guess at the forward pass's share of a step, from which the cost of a look at all samples follows."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The training settings that may be changed while training: learning rate, clip norm, leaky slope.

    `slope` is that of every leaky ReLU; None where there are none.
    """

    learning_rate: float
    clip_norm: float | None
    slope: float | None


class Tested(NamedTuple):
    """Loss and accuracy of the held-out samples when they were last measured, and before which step's update."""

    step: int
    score: HeldOutScore


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A checkpoint: everything that the training steps from `step` on depend on."""

    step: int
    seconds: float
    parameters: Array
    optimizer_steps: int
    optimizer_state: tuple[Array, ...]
    position: BatchPosition
    dead_units: UnitDeathsState
    settings: Settings
    tested: Tested | None = None


@dataclass(frozen=True, slots=True, eq=False)
class UnitActivity:
    """The activity of every unit: how often it fires, whether it is dead; an array (units,) a layer.

    `firing_rate` is the share of the last step's samples for which the unit is not 0; `dead`, of the check at
    `dead_step`, whether it was 0 for the whole data set; `died_at` the step of the check that found it so,
    NEVER (-1) for the living. `events` are the latest deaths and recoveries, oldest first.
    """

    step: int
    firing_rate: tuple[Floats, ...]
    dead: tuple[Mask, ...]
    dead_step: int
    died_at: tuple[Counts, ...]
    events: tuple[UnitEvent, ...]


class Trainer:
    """Trains one network: an iterator of StepRecords that ends after `limit` steps (None: never) or with a problem.

    It is made for one thread. Another may set `learning_rate`, `clip_norm` and `slope` at any time: a step
    under way goes on with what it began with.
    """

    def __init__(
        self, experiment: Experiment, data: DataSet | None = None, network: Network | None = None
    ) -> None:
        """Loads the data and initialises the network, unless they are given; a given network is trained in place.

        Raises ExperimentError for data that cannot be loaded.
        """
        train = experiment.train
        self.experiment = experiment
        self.data = data = load_data(experiment) if data is None else data
        self.network = network = network or Network.initialised(experiment, len(data.X))
        self.limit: int | None = train.steps
        self.steps_done = 0
        self.last: StepRecord | None = None
        self.problem: str | None = None
        self.broken: FirstNonfinite | None = None
        """Where the number is that `problem` tells of."""
        self._seconds = 0.0
        self._parameters = FlatParameters(network)
        trainable = self._parameters.trainable
        biases = self._parameters.biases
        self._biases: tuple[Array, Array] | None = None
        if biases.stop:
            self._biases = self._parameters.gradients[biases], self._parameters.values[biases]
        self._optimizer = make_optimizer(
            train, self._parameters.values[trainable], self._parameters.gradients[trainable]
        )
        samples = data.X.shape[1]
        self._batches = Batches(
            data.X, data.Y, samples if train.batch == "full" else train.batch, experiment.seed, train.order
        )
        self._dead_units = UnitDeaths([layer.units for layer in network.layers])
        self._graphs = [
            network.graph(
                batch.inputs, batch.labels, training=True, into=self._parameters.gradient_of, transient=True
            )
            for batch in self._batches.kinds
        ]
        moves = self._parameters.weights_in(self._optimizer.direction)
        self._monitors = [StepMonitor(network, graph, moves, self._dead_units) for graph in self._graphs]
        self._own: dict[str, float] = {}
        self._current = 0
        self._norm = norm_for(network.dtype, trainable.stop)
        self._whole: UnitDeathSearch | None = None
        self.dead_check_period = 1
        if not self._batches.full:
            self._whole = UnitDeathSearch(network, data.X, len(data.Y), self._dead_units)
            steps_a_pass = samples / self._batches.kinds[0].inputs.shape[1]
            self.dead_check_period = math.ceil(steps_a_pass * FORWARD_SHARE / DEAD_CHECK_SHARE)
        self._held_out = None if data.held_out is None else HeldOut(network, data.held_out)
        self._tested: Tested | None = None
        self._test_at = 0
        self._tested_fields: dict[str, Any] = {}
        self.held_out_period = 1
        if self._held_out is not None:
            # A pass over few samples takes nearly as long as one over a batch: most of it is Python's.
            passes = max(self._held_out.n / self.samples_a_step, 1.0)
            self.held_out_period = math.ceil(passes * FORWARD_SHARE / HELD_OUT_SHARE)
        self._leaky = self._leaky_ops()
        self._slope = self._slope_in_use = self._initial_slope()
        self.learning_rate = train.learning_rate
        self.clip_norm = train.clip_norm

    @property
    def gradients(self) -> Mapping[Symbol, Array]:
        """The gradient of every parameter in the last step, as it was before clipping. Valid until the next step."""
        return self._parameters.gradient_of

    def optimizer_state(self) -> list[dict[Symbol, Array]]:
        """The optimiser's state, kind by kind, of every trainable parameter. Valid until the next step."""
        return [self._parameters.split(array) for array in self._optimizer.state]

    @property
    def samples_a_step(self) -> int:
        """The batch size: how many samples a step is made with."""
        samples: int = self._batches.kinds[0].inputs.shape[1]
        return samples

    # ── settings ────────────────────────────────────────────────────────────────────────────────────

    @property
    def learning_rate(self) -> float:
        """The learning rate η, from the next step on."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        """Raises ValueError for a number that is negative or not finite."""
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"the learning rate is {value}; expected a finite number from 0 up")
        self._learning_rate = value

    @property
    def clip_norm(self) -> float | None:
        """The gradient norm beyond which all gradients together are scaled down to it; None for no limit."""
        return self._clip_norm

    @clip_norm.setter
    def clip_norm(self, value: float | None) -> None:
        """Raises ValueError for a number that is not above 0 or not finite."""
        if value is not None and not (math.isfinite(value) and value > 0):
            raise ValueError(f"clip_norm is {value}; expected a finite number above 0, or None")
        self._clip_norm = value

    @property
    def slope(self) -> float | None:
        """The slope of every leaky ReLU; None where the network has none. The first one's, where they differ."""
        return self._slope

    @slope.setter
    def slope(self, value: float) -> None:
        """Raises ValueError for a network without leaky ReLUs, and for a number that is not finite."""
        if not self._leaky:
            raise ValueError("no layer of this network has the activation leaky_relu")
        if not math.isfinite(value):
            raise ValueError(f"the slope is {value}; expected a finite number")
        self._slope = value
        self.network.layers = [
            msgspec.structs.replace(layer, slope=value) if layer.activation in WITH_SLOPE else layer
            for layer in self.network.layers
        ]

    def _leaky_ops(self) -> list[Elementwise]:
        others = [one.graph for one in (self._whole, self._held_out) if one is not None]
        graphs = [*self._graphs, *others]
        return [
            op
            for graph in graphs
            for op in graph.ops
            if isinstance(op, Elementwise) and op.function.name in WITH_SLOPE
        ]

    def _initial_slope(self) -> float | None:
        for layer in self.network.layers:
            default = ACTIVATION_TRAITS[layer.activation].default_slope
            if default is not None:
                return default if layer.slope is None else layer.slope
        return None

    def _use_slope(self) -> None:
        self._slope_in_use = self._slope
        if self._slope_in_use is not None:
            for op in self._leaky:
                op.function = activation_function(op.function.name, self._slope_in_use)

    # ── stepping ────────────────────────────────────────────────────────────────────────────────────

    def __iter__(self) -> Iterator[StepRecord]:
        return self

    def __next__(self) -> StepRecord:
        if self.problem is not None or (self.limit is not None and self.steps_done >= self.limit):
            raise StopIteration
        record = self.step()
        assert record is not None
        return record

    def step(self, measure: bool = True) -> StepRecord | None:
        """Makes one training step, whatever `limit` says: its record, or None when it was not measured.

        A step that meets a number that is NaN or infinite is always recorded, and the last one: after it, `step`
        does nothing and returns that record again.
        """
        if self.problem is not None:
            return self.last
        began = time.perf_counter()
        if self._slope is not self._slope_in_use:
            self._use_slope()
        position = None if onlooker() is None else self._batches.position()
        try:
            with np.errstate(all="ignore"):
                record = self._step(measure, began)
        except BaseException:  # somebody has ended it, before anything was updated
            if position is not None:
                self._batches.go_to(position)
            raise
        self._seconds += time.perf_counter() - began
        return record

    def _step(self, measure: bool, began: float) -> StepRecord | None:
        parameters, learning_rate, clip_norm = self._parameters, self._learning_rate, self._clip_norm
        self._current = current = self._batches.deal()
        graph = self._graphs[current]
        monitor = self._monitors[current]
        loss = graph.forward_and_backward(monitor.passes if measure else None)
        if not self._looks_finite(loss, monitor if measure else None):
            nonfinite = count_nonfinite(loss, parameters.gradients, parameters.values)
            if nonfinite:  # otherwise only a square was too large
                return self._broken(loss, learning_rate, nonfinite, began)
        clipped = 1.0 if clip_norm is None else self._clip_factor(clip_norm)
        if measure:
            self._own = own_metrics(graph, len(self.network.layers)) if OWN_METRICS else {}
            self._look_at_units(monitor)
            if self._held_out is not None and self.steps_done >= self._test_at:
                self._test(self._held_out)
        self._optimizer.update(learning_rate, clipped)
        record = self._record(loss, learning_rate, self._optimizer.scale, began, clipped) if measure else None
        self.steps_done += 1
        return record

    def _looks_finite(self, loss: float, monitor: StepMonitor | None) -> bool:
        """Whether loss, gradients and, where it costs next to nothing, parameters can be seen to be finite.

        Without measurements a parameter that has just overflowed is found through what it does to the others.
        """
        if monitor is None:
            gradients = self._parameters.gradients
            return math.isfinite(loss + float(gradients.dot(gradients)))
        if self._biases is not None:
            gradients, values = self._biases
            loss += float(gradients.dot(gradients)) + float(values.dot(values))
        return math.isfinite(loss) and monitor.looks_finite()

    def _clip_factor(self, clip_norm: float) -> float:
        norm = self._norm(self._parameters.gradients[self._parameters.trainable])
        return clip_factor(norm, clip_norm)

    def _look_at_units(self, monitor: StepMonitor) -> None:
        """Dead units, when it is time: before the update, so that they fit what else the record says."""
        if self._whole is None:
            self._dead_units.record(self.steps_done, monitor.fired)
        elif self._dead_units.step < 0 or self.steps_done >= self._dead_units.step + self.dead_check_period:
            self._dead_units.record(self.steps_done, self._whole.fired())

    def _test(self, held_out: HeldOut) -> None:
        """Measures the held-out samples: before the update, so that they fit what else is recorded."""
        self._take_tested(Tested(self.steps_done, held_out.measure()))

    def _take_tested(self, tested: Tested | None) -> None:
        self._tested = tested
        if tested is None:
            self._test_at, self._tested_fields = 0, {}
            return
        step, score = tested
        self._test_at = step + self.held_out_period
        self._tested_fields = {
            "test_loss": score.loss,
            "test_accuracy": score.accuracy,
            "test_step": step,
        }

    def _record(
        self,
        loss: float,
        learning_rate: float,
        scale: float,
        began: float,
        clipped: float,
        nonfinite: int = 0,
        problem: str | None = None,
    ) -> StepRecord:
        monitor = self._monitors[self._current]
        if not self._batches.full:
            monitor.read_labels()
        rest = monitor.found(scale)
        units = self._dead_units
        self.last = record = StepRecord.unread(
            {
                "step": self.steps_done,
                "loss": loss,
                "learning_rate": learning_rate,
                "seconds": self._seconds + time.perf_counter() - began,
                "dead": units.counts,
                "dead_step": units.step,
                "clipped": clipped,
                "nonfinite": nonfinite,
                "problem": problem,
                **self._tested_fields,
                **self._own,
            },
            rest,
        )
        if nonfinite and not np.isfinite(self._graphs[self._current].nodes[PREDICTION].value).all():
            self.last = record = record.unclassified()
        return record

    def _broken(self, loss: float, learning_rate: float, nonfinite: int, began: float) -> StepRecord:
        """The record of a step that met NaN or infinity; nothing is updated."""
        graph, monitor = self._graphs[self._current], self._monitors[self._current]
        graph.forward_and_backward(monitor.passes)  # it may not have been measured
        self._own = own_metrics(graph, len(self.network.layers)) if OWN_METRICS else {}
        # Only a graph whose gradients are all kept can say where the first one broke.
        readable = self.network.graph(graph.nodes[X].value, graph.nodes[Y].value)
        readable.forward_and_backward()
        self.broken = first_nonfinite(self.network, readable, self.steps_done)
        self.problem = self.broken.sentence
        self._look_at_units(monitor)
        return self._record(loss, learning_rate, 0.0, began, 1.0, nonfinite, self.problem)

    def release(self) -> None:
        """Ends the use of a trainer that was made for a trial: see `Graph.release`."""
        others = (self._whole, self._held_out)
        for graph in (*self._graphs, *(one.graph for one in others if one is not None)):
            graph.release()

    # ── looking, and travelling in time ─────────────────────────────────────────────────────────────

    def unit_activity(self) -> UnitActivity:
        """The activity of every unit of the network, as of the last step."""
        return UnitActivity(
            step=self.steps_done - 1 if self.problem is None else self.steps_done,
            firing_rate=self._monitors[self._current].firing_rates(),
            dead=self._dead_units.masks(),
            dead_step=self._dead_units.step,
            died_at=self._dead_units.died_at(),
            events=tuple(self._dead_units.events),
        )

    def checkpoint(self) -> Checkpoint:
        """A checkpoint of the present state: what `restore` goes back to."""
        return Checkpoint(
            step=self.steps_done,
            seconds=self._seconds,
            parameters=self._parameters.values.copy(),
            optimizer_steps=self._optimizer.steps,
            optimizer_state=tuple(array.copy() for array in self._optimizer.state),
            position=self._batches.position(),
            dead_units=self._dead_units.state(),
            settings=Settings(self._learning_rate, self._clip_norm, self._slope),
            tested=self._tested,
        )

    def restore(self, checkpoint: Checkpoint, *, settings: bool = True) -> None:
        """Goes back to a checkpoint (or on to it): the steps from there are the same numbers again.

        With `settings=False`, learning rate, clip_norm and slope stay as they are now. A problem is forgotten.
        """
        self.steps_done = checkpoint.step
        self._seconds = checkpoint.seconds
        np.copyto(self._parameters.values, checkpoint.parameters)
        self._optimizer.steps = checkpoint.optimizer_steps
        for array, kept in zip(self._optimizer.state, checkpoint.optimizer_state, strict=True):
            np.copyto(array, kept)
        self._batches.go_to(checkpoint.position)
        self._dead_units.restore(checkpoint.dead_units)
        self._take_tested(checkpoint.tested)
        self.problem = self.broken = None
        if settings:
            self.learning_rate = checkpoint.settings.learning_rate
            self.clip_norm = checkpoint.settings.clip_norm
            if checkpoint.settings.slope is not None and checkpoint.settings.slope != self._slope:
                self.slope = checkpoint.settings.slope
