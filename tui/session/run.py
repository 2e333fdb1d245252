"""One experiment being trained here: its trainer, what was measured, and the moments to go back to.

step  0    1    2    3    4   …
      │         │         │             every second one is kept here, fewer the longer the run becomes
    Moment    Moment    Moment
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.diagnosis.mean_field import PredictedProfile, Unpredicted, predict
from engine.diagnosis.verdict import Layers
from engine.experiment.datasets import DataSet, load_data
from engine.experiment.memory import CHECKPOINT_BYTES, FEWEST_CHECKPOINTS, MOST_CHECKPOINTS
from engine.experiment.spec import Experiment
from engine.formula.foreign_text import one_line
from engine.metrics.step_record import StepRecord, layer_names
from engine.model.network import Network
from engine.runs.history import History
from engine.training.trainer import Checkpoint, Trainer, UnitActivity
from tui.session.snapshot import ColumnView, RunSnapshot, Wanted

NOT_BEGUN = Unpredicted("it has not begun")


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment to go back to: the number of steps done, everything that later steps depend on, and what was seen."""

    step: int
    checkpoint: Checkpoint
    record: StepRecord | None = None
    activity: UnitActivity | None = None


class Run:
    """Trains one experiment, and remembers."""

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
        self.kept = [Moment(0, first)]
        size = first.parameters.nbytes + sum(array.nbytes for array in first.optimizer_state)
        # Beyond so many every second one is dropped and half as many are made.
        self._most_kept = max(min(MOST_CHECKPOINTS, CHECKPOINT_BYTES // size), FEWEST_CHECKPOINTS)
        self._revisited: Moment | None = None
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
        """How many steps have been trained."""
        return self.trainer.steps_done

    @property
    def limit(self) -> int | None:
        """How many steps there will be; None where there is no end."""
        return self.trainer.limit

    @property
    def problem(self) -> str | None:
        """What stopped the run, if numbers that are not finite did."""
        return self.trainer.problem

    def snapshot(self, wanted: Wanted) -> RunSnapshot:
        """All that a screen reads, to be taken between two steps."""
        record, trainer = self.record, self.trainer
        return RunSnapshot(
            name=self.name,
            title=self.title,
            about=self.about,
            layers=self.layers,
            activations=self.activations,
            units=self.units,
            norms=self.norms,
            residuals=self.residuals,
            first=self.history.first,
            record=record,
            steps_done=self.steps_done,
            column=None if record is None else ColumnView.of(self.history, record, wanted),
            problem=self.problem,
            limit=self.limit,
            learning_rate=trainer.learning_rate,
            slope=trainer.slope,
            activity=self.unit_activity() if wanted.units else None,
            prediction=NOT_BEGUN if record is None else self.prediction(),
        )

    def unit_activity(self) -> UnitActivity | None:
        """Every unit after the last step, or at the moment that was gone back to; None before the first step."""
        if self._revisited is not None:
            return self._revisited.activity
        return None if self.record is None else self.trainer.unit_activity()

    def prediction(self) -> PredictedProfile | Unpredicted:
        """What mean-field theory expects of its initial weights; found once."""
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
            Moment(trainer.steps_done, trainer.checkpoint(), trainer.last, trainer.unit_activity())
        )
        if len(self.kept) > self._most_kept:
            self.kept = self.kept[::2]
            self._every *= 2
