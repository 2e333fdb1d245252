"""Training, and what the screens may see of it.

    worker:   step, step, step …  ──records──> History      full speed: see `tui.session.worker`
    screens:  look() a few times a second                   a slow terminal drops frames, not steps

Several lanes (an experiment and the one it is compared with) are stepped in turn, so that step k of one stands beside
step k of the other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

import msgspec
import numpy as np

from engine.diagnosis.mean_field import PredictedProfile, Unpredicted, predict
from engine.diagnosis.verdict import Layers
from engine.experiment.datasets import DataSet, load_data
from engine.experiment.spec import Experiment
from engine.formula.foreign_text import one_line
from engine.metrics.step_record import StepRecord, layer_names
from engine.model.network import Network
from engine.runs.history import History
from engine.training.trainer import Checkpoint, Trainer, UnitActivity
from tui.session.worker import FULL_SPEED, Worker

Answer = TypeVar("Answer")

MOST_CHECKPOINTS, FEWEST_CHECKPOINTS = 64, 4
CHECKPOINT_BYTES = 256 * 2**20
"""Moments kept for going back in time, fewer where many would not fit into so many bytes; beyond that every second
one is dropped and half as many are made."""

SPEEDS = (1.0, 10.0, 100.0, FULL_SPEED)
"""Steps per second to choose from, the last one as fast as it goes."""

SMALLEST_RATE, LARGEST_RATE = 1e-12, 1e12
"""The keys for the learning rate lead no further."""

FURTHER_STEPS = 200
"""How many steps a finished run goes on for where its experiment says 0."""


class State(Enum):
    """What a training is doing."""

    PAUSED = "paused"
    RUNNING = "running"
    FINISHED = "finished"
    BROKEN = "stopped"


@dataclass(frozen=True, slots=True)
class Kept:
    """A moment to go back to: the number of steps done, everything that later steps depend on, and what was seen."""

    step: int
    checkpoint: Checkpoint
    record: StepRecord | None = None
    activity: UnitActivity | None = None


class LaneView(ABC):
    """What screens read of one run, whoever trains it: this program (`Lane`) or another (`tui.session.watched_log`)."""

    name: str
    title: str
    about: str
    layers: tuple[str, ...]
    activations: tuple[str, ...]
    units: tuple[int, ...]
    norms: tuple[str, ...]
    residuals: tuple[bool, ...]
    history: History

    @property
    @abstractmethod
    def record(self) -> StepRecord | None:
        """The last step's record; None before the first step."""

    @property
    @abstractmethod
    def steps_done(self) -> int:
        """How many steps have been trained."""

    @property
    def limit(self) -> int | None:
        """How many there will be; None where that is not known."""
        return None

    @property
    def problem(self) -> str | None:
        """What stopped the run, if numbers that are not finite did."""
        return None if self.record is None else self.record.problem

    @property
    def learning_rate(self) -> float | None:
        """η of the next step, or of the last where only that is known."""
        return None if self.record is None else self.record.learning_rate

    @property
    def slope(self) -> float | None:
        """The slope of its leaky ReLUs; None where there are none."""
        return None

    def unit_activity(self) -> UnitActivity | None:
        """Every unit by itself; None before the first step, and where only layers are known."""
        return None

    def prediction(self) -> PredictedProfile | Unpredicted:
        """What mean-field theory expects of its initial weights."""
        return Unpredicted("how its weights were drawn is not known")


class Lane(LaneView):
    """One experiment being trained here: its trainer, what was measured, and the moments to go back to."""

    def __init__(
        self, name: str, experiment: Experiment, data: DataSet | None = None, network: Network | None = None
    ) -> None:
        """Loads the data and initialises the network unless they are given. Raises ExperimentError for bad data."""
        self.name = one_line(name)
        self.experiment = experiment
        self.title, self.about = experiment.title, experiment.about
        self.trainer = Trainer(experiment, data or load_data(experiment, source=name), network)
        self.layers = layer_names(self.trainer.network)
        described = Layers.of(self.trainer.network.layers)
        self.activations, self.units = described.activations, described.units
        self.norms, self.residuals = described.norms, described.residuals
        self.history = History()
        first = self.trainer.checkpoint()
        self.kept = [Kept(0, first)]
        size = first.parameters.nbytes + sum(array.nbytes for array in first.optimizer_state)
        self._most_kept = max(min(MOST_CHECKPOINTS, CHECKPOINT_BYTES // size), FEWEST_CHECKPOINTS)
        self._revisited: Kept | None = None
        self._every = 1
        self._prediction: PredictedProfile | Unpredicted | None = None

    @property
    def record(self) -> StepRecord | None:
        """Of the last step, or of the last one before the moment that was gone back to."""
        if self._revisited is not None:
            return self._revisited.record
        return self.trainer.last if self.trainer.steps_done or self.trainer.problem else None

    @property
    def steps_done(self) -> int:
        """By the trainer."""
        return self.trainer.steps_done

    @property
    def limit(self) -> int | None:
        """The trainer's."""
        return self.trainer.limit

    @property
    def problem(self) -> str | None:
        """The trainer's."""
        return self.trainer.problem

    @property
    def learning_rate(self) -> float | None:
        """Of the next step."""
        return self.trainer.learning_rate

    @property
    def slope(self) -> float | None:
        """Of the next step."""
        return self.trainer.slope

    def unit_activity(self) -> UnitActivity | None:
        """As of the last step, or of the moment that was gone back to."""
        if self._revisited is not None:
            return self._revisited.activity
        return None if self.record is None else self.trainer.unit_activity()

    def prediction(self) -> PredictedProfile | Unpredicted:
        """Worked out once."""
        if self._prediction is None:
            inputs = self.trainer.data.X
            square = float(np.mean(np.square(inputs, dtype=np.float64)))
            self._prediction = predict(self.experiment, inputs.shape[0], square)
        return self._prediction

    @property
    def done(self) -> bool:
        """Whether it has come to its end or met a number that is not finite."""
        return self.problem is not None or (self.limit is not None and self.steps_done >= self.limit)

    def advance(self) -> bool:
        """One step, also beyond the limit; none where numbers that are not finite have stopped it.

        Whether another is to follow, which `done` says as well: here it is asked ten thousand times a second.
        """
        trainer = self.trainer
        if trainer.problem is not None:
            return False
        record = trainer.step()
        assert record is not None
        self._revisited = None
        self.history.append(record)
        if trainer.problem is not None:
            return False
        done = trainer.steps_done
        if done % self._every == 0:
            self.keep()
        return trainer.limit is None or done < trainer.limit

    def revisit(self, step: int) -> None:
        """Goes to the last kept moment that is no later than `step`."""
        self._revisited = max((one for one in self.kept if one.step <= step), key=lambda one: one.step)
        self.trainer.restore(self._revisited.checkpoint, settings=False)

    @property
    def at_its_end(self) -> bool:
        """Whether nothing is known of what comes after the step where the trainer is now."""
        last = self.history.last
        return last is None or last.step < self.trainer.steps_done

    def forget_later(self) -> None:
        """Forgets what was measured and kept after the step where the trainer is now."""
        here = self.trainer.steps_done
        self.kept = [one for one in self.kept if one.step <= here]
        self.history.rewind(here - 1)

    def keep(self) -> None:
        """Keeps the present moment."""
        trainer = self.trainer
        self.kept.append(
            Kept(trainer.steps_done, trainer.checkpoint(), trainer.last, trainer.unit_activity())
        )
        if len(self.kept) > self._most_kept:
            self.kept = self.kept[::2]
            self._every *= 2


class Training(ABC):
    """What screens watch: one lane, or two side by side."""

    travelled: int | None = None

    @abstractmethod
    def look(self, reader: Callable[[Sequence[LaneView]], Answer]) -> Answer:
        """What `reader` makes of the lanes between two steps. It must copy what it keeps, and be quick."""

    @property
    def speed(self) -> float:
        """Steps a second that are asked for."""
        return FULL_SPEED

    @property
    def steps_per_second(self) -> float:
        """How many there are; 0 where it stands still."""
        return 0.0

    @property
    @abstractmethod
    def first(self) -> LaneView:
        """The run that was opened, for what does not change from step to step; `look` for what does."""

    @property
    @abstractmethod
    def state(self) -> State:
        """What it is doing now."""

    @abstractmethod
    def close(self) -> None:
        """Ends it."""


class Live(Training):
    """A training in this program: its lanes, its worker, and the controls."""

    def __init__(
        self, name: str, experiment: Experiment, data: DataSet | None = None, network: Network | None = None
    ) -> None:
        """`network`, where given, is trained in place."""
        self.lanes = [Lane(name, experiment, data, network)]
        self._worker = Worker(self._advance)

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────

    def look(self, reader: Callable[[Sequence[LaneView]], Answer]) -> Answer:
        """Between two steps."""
        with self._worker.between_steps():
            return reader(self.lanes)

    @property
    def lane(self) -> Lane:
        """The experiment that was opened."""
        return self.lanes[0]

    @property
    def first(self) -> LaneView:
        """Without holding the worker up."""
        return self.lane

    @property
    def speed(self) -> float:
        """One of SPEEDS."""
        return self._worker.speed

    @property
    def steps_per_second(self) -> float:
        """Measured by the worker."""
        return self._worker.steps_per_second

    @property
    def failure(self) -> Exception | None:
        """What went wrong in a step, other than numbers."""
        return self._worker.failure

    @property
    def state(self) -> State:
        """What it is doing now."""
        if self._worker.running:
            return State.RUNNING
        if any(lane.trainer.problem is not None for lane in self.lanes):
            return State.BROKEN
        return State.FINISHED if all(lane.done for lane in self.lanes) else State.PAUSED

    # ── running ─────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Trains from here on; a run that was finished goes on for as many steps again."""
        with self._worker.between_steps():
            if all(lane.done for lane in self.lanes):
                self._extend()
            self._go_on()
            if not all(lane.done for lane in self.lanes):
                self._worker.run()

    def _advance(self) -> bool:
        """One step of every lane; whether there is another."""
        more = [lane.advance() for lane in self.lanes]
        return any(more)

    def _extend(self) -> None:
        """Another round of steps, as many for every lane: they are trained in lockstep."""
        most = max(lane.steps_done for lane in self.lanes) + (
            self.lane.experiment.train.steps or FURTHER_STEPS
        )
        for lane in self.lanes:
            lane.trainer.limit = most

    def _go_on(self) -> None:
        """After a journey into the past: what came later is forgotten, since it will come differently."""
        if self.travelled is not None:
            for lane in self.lanes:
                lane.forget_later()
            self.travelled = None

    def pause(self) -> None:
        """Stops after the present step."""
        self._worker.pause()

    def one_step(self, steps: int = 1) -> None:
        """Trains a few steps, and no further."""
        with self._worker.between_steps():
            self._worker.pause()
            self._go_on()
            for _ in range(steps):
                for lane in self.lanes:
                    lane.advance()

    def close(self) -> None:
        """Ends it; `run` begins again."""
        self._worker.close()

    def parameters(self, adopt: Callable[[Network, DataSet, int], None]) -> None:
        """Hands the first lane's network, data and number of steps to `adopt`, which must copy what it keeps."""
        with self._worker.between_steps():
            adopt(self.lane.trainer.network, self.lane.trainer.data, self.lane.steps_done)

    # ── changing ────────────────────────────────────────────────────────────────────────────────────

    def scale_learning_rate(self, factor: float) -> float:
        """Multiplies η, from the next step on, and returns it."""
        with self._worker.between_steps():
            for lane in self.lanes:
                rate = lane.trainer.learning_rate * factor
                lane.trainer.learning_rate = min(max(rate, SMALLEST_RATE), LARGEST_RATE)
            return self.lane.trainer.learning_rate

    def set_slope(self, slope: float) -> bool:
        """The slope of every leaky ReLU from the next step on; False where there is none."""
        with self._worker.between_steps():
            leaky = [lane for lane in self.lanes if lane.trainer.slope is not None]
            for lane in leaky:
                lane.trainer.slope = slope
            return bool(leaky)

    def change_speed(self, by: int) -> float:
        """The next faster or slower of SPEEDS."""
        place = min(max(SPEEDS.index(self.speed) + by, 0), len(SPEEDS) - 1)
        self._worker.change_speed(SPEEDS[place])
        return self.speed

    def restart(self, experiment: Experiment | None = None, *, seed: int | None = None) -> None:
        """Begins anew: with another experiment in the first lane, or with another seed in all of them."""
        with self._worker.between_steps():
            self._worker.pause()
            self.travelled = None
            lanes = []
            for place, lane in enumerate(self.lanes):
                one = experiment if experiment is not None and place == 0 else lane.experiment
                if seed is not None:
                    one = msgspec.structs.replace(one, seed=seed)
                # The same data, unless another seed draws others: a file may have changed meanwhile.
                same = one.seed == lane.experiment.seed and one.data == lane.experiment.data
                lanes.append(Lane(lane.name, one, lane.trainer.data if same else None))
            self._begin(lanes)

    def _begin(self, lanes: list[Lane]) -> None:
        """Puts other lanes in place, all of them with as many steps to go."""
        most = max(lane.experiment.train.steps for lane in lanes)
        for lane in lanes:
            lane.trainer.limit = most
        self.lanes = lanes

    def compare(self, name: str, experiment: Experiment | None) -> None:
        """Trains another experiment in lockstep, both from step 0; None ends the comparison."""
        with self._worker.between_steps():
            self._worker.pause()
            self.travelled = None
            if experiment is None:
                self.lanes = self.lanes[:1]
                return
            again = Lane(self.lane.name, self.lane.experiment, self.lane.trainer.data)
            self._begin([again, Lane(name, experiment)])

    # ── travelling in time ──────────────────────────────────────────────────────────────────────────

    def travel(self, by: int) -> int:
        """Goes to an earlier or later kept moment, in every lane, and returns its step; `run` goes on from there."""
        with self._worker.between_steps():
            self._worker.pause()
            for lane in self.lanes:
                if lane.problem is None and lane.at_its_end and lane.kept[-1].step < lane.steps_done:
                    lane.keep()  # so that `later` leads back to the present
            kept = self.lane.kept
            here = self.lane.trainer.steps_done
            place = max((i for i, one in enumerate(kept) if one.step <= here), default=0)
            if by < 0 and kept[place].step < here:
                place += 1  # the present is not among them: the first step back leads to the last one kept
            place = min(max(place + by, 0), len(kept) - 1)
            step = kept[place].step
            for lane in self.lanes:
                if lane.problem is None or step < lane.steps_done:  # a broken run stays at its end
                    lane.revisit(step)
            self.travelled = None if all(lane.at_its_end for lane in self.lanes) else step
            return step
