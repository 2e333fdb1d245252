"""One experiment being trained here: its trainer, what was measured, and the moments to go back to.

step  0    1    2    3    4   …
      │         │         │             every second one is kept here, fewer the longer the run becomes
    Moment    Moment    Moment
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.diagnosis.diagnosed_run import DiagnosedRun
from engine.diagnosis.diagnosis import Diagnosis
from engine.diagnosis.loss_curve import RECENT
from engine.diagnosis.mean_field import MeanFieldProfile, Unpredicted, predict
from engine.diagnosis.run_observer import RunObserver
from engine.diagnosis.whole_data import WholeData
from engine.experiment.datasets import DataSet, load_data
from engine.experiment.layer_info import layer_infos
from engine.experiment.memory_needed import CHECKPOINT_BYTES, FEWEST_CHECKPOINTS, MOST_CHECKPOINTS
from engine.experiment.spec import Experiment
from engine.formula.untrusted_text import one_line
from engine.metrics.step_record import NEVER, StepRecord
from engine.metrics.unit_deaths import UnitEvent, events_until
from engine.model.network import Network
from engine.runs.history import History
from engine.training.trainer import Checkpoint, Trainer, UnitActivity
from tui.session.large_network import is_large
from tui.session.training_snapshot import ColumnView, RunSnapshot, Wanted

QUICK, MANY_PASSES = 6e8, 60
"""Samples times parameters times passes that take half a second at most; passes that a curvature takes."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a training to go back to: its step, everything later steps depend on, and what was seen."""

    step: int
    checkpoint: Checkpoint
    record: StepRecord | None = None
    activity: UnitActivity | None = None


class SingleRun:
    """Trains one experiment, and keeps its history, its moments and its diagnosis."""

    def __init__(
        self, name: str, experiment: Experiment, data: DataSet | None = None, network: Network | None = None
    ) -> None:
        """Loads the data and initialises the network unless they are given. Raises ExperimentError for bad data."""
        self.name = one_line(name)
        self.experiment = experiment
        self.title, self.about = experiment.title, experiment.about
        self.changed = ""
        """What keys have made of the experiment that was opened."""
        self.trainer = Trainer(experiment, data or load_data(experiment, source=name), network)
        self.layers = layer_infos(self.trainer.network.layers)
        self.is_large = is_large(self.trainer.network, self.trainer.samples_a_step)
        self.history = History()
        self.observer = RunObserver(self.trainer)
        self._diagnosed: tuple[int, Diagnosis] | None = None
        self._untried: tuple[int, DiagnosedRun, Diagnosis] | None = None
        first = self.trainer.checkpoint()
        self.kept = [Moment(0, first)]
        size = first.parameters.nbytes + sum(array.nbytes for array in first.optimizer_state)
        # Beyond so many every second one is dropped and half as many are made.
        self._most_kept = max(min(MOST_CHECKPOINTS, CHECKPOINT_BYTES // size), FEWEST_CHECKPOINTS)
        self._revisited: Moment | None = None
        self._every = 1
        self._prediction: MeanFieldProfile | Unpredicted | None = None
        self._activity: UnitActivity | None = None

    @property
    def record(self) -> StepRecord | None:
        """The record of the last step, or of the moment that was gone back to."""
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
        """The problem that stopped the run, if numbers that are not finite did."""
        return self.trainer.problem

    def whole(self) -> WholeData | None:
        """The measurement of all data with the present weights, where it is quick; None for a run that broke."""
        if self.problem is not None:
            return None
        return self.observer.present() if self.observer.affordable else self.observer.measured

    @property
    def diagnosis(self) -> Diagnosis | None:
        """The diagnosis of the run as it stands, where it has been made."""
        if self._diagnosed is None or self._diagnosed[0] != self.observer.moment:
            return None
        return self._diagnosed[1]

    def accept(self, moment: int, diagnosis: Diagnosis, case: DiagnosedRun | None = None) -> None:
        """Takes in a diagnosis that was made of a moment."""
        untried = case is not None and diagnosis.remedy is not None
        self._diagnosed = moment, replace(diagnosis, untried=untried)
        self._untried = (moment, case, diagnosis) if untried and case is not None else None

    @property
    def untried(self) -> tuple[int, DiagnosedRun, Diagnosis] | None:
        """The moment whose remedies are still to be tried, with what was found then; None where none are."""
        if self._untried is None or self._untried[0] != self.observer.moment:
            return None
        return self._untried

    @property
    def quick_to_diagnose(self) -> bool:
        """Whether a diagnosis takes no longer than a moment: curvatures take many passes over all data."""
        observer = self.observer
        if not observer.affordable or self.is_large:
            return False
        network = self.trainer.network
        size = self.trainer.data.X.shape[1] * sum(value.size for value in network.parameters.values())
        curved = self.problem is not None or observer.small_updates or 3 * observer.losses.rises > RECENT
        return bool(size * (MANY_PASSES if curved else 2) <= QUICK)

    def snapshot(self, wanted: Wanted, resting: bool = True) -> RunSnapshot:
        """The snapshot of the run that a screen reads, to be taken between two steps."""
        whole, trainer = self.whole() if resting else None, self.trainer
        record = self.record if whole is None else whole.record
        begun = self.steps_done > 0 or self.problem is not None
        undiagnosed = resting and begun and self.diagnosis is None
        return RunSnapshot(
            name=self.name,
            title=self.title,
            about=self.about,
            described=self.layers,
            first=self.observer.first.record if self.observer.affordable else self.history.first,
            record=record,
            steps_done=self.steps_done,
            column=None if record is None else ColumnView.of(self.history, record, wanted),
            problem=self.problem,
            limit=self.limit,
            learning_rate=trainer.learning_rate,
            slope=trainer.slope,
            activity=self.unit_activity(whole) if wanted.units else None,
            prediction=self.prediction(),
            of_batch=whole is None and not self.observer.full,
            diagnosis=self.diagnosis if resting else None,
            undiagnosed=undiagnosed,
            quick_to_diagnose=undiagnosed and self.quick_to_diagnose,
        )

    def unit_activity(self, whole: WholeData | None = None) -> UnitActivity | None:
        """The activity of every unit, of all data where it is given; otherwise after the last step."""
        if whole is not None:
            return measured_activity(self._present_activity(), whole)
        if self._revisited is not None:
            return self._revisited.activity
        return None if self.record is None else self._present_activity()

    def _present_activity(self) -> UnitActivity:
        """Of the trainer's last step; counted once, however often it is drawn."""
        if self._activity is None:
            self._activity = self.trainer.unit_activity()
        return self._activity

    def prediction(self) -> MeanFieldProfile | Unpredicted:
        """The mean-field prediction for the initial weights; made once."""
        if self._prediction is None:
            inputs = self.trainer.data.X
            square = float(np.mean(np.square(inputs, dtype=np.float64)))
            self._prediction = predict(self.experiment, inputs.shape[0], square)
        return self._prediction

    @property
    def done(self) -> bool:
        """Whether the run has come to its end or met a number that is not finite."""
        return self.problem is not None or (self.limit is not None and self.steps_done >= self.limit)

    def advance(self) -> bool:
        """Makes one training step, also beyond the limit; none where numbers that are not finite have stopped it.

        Whether another is to follow, which `done` says as well: here it is asked ten thousand times a second.
        """
        trainer = self.trainer
        if trainer.problem is not None:
            return False
        self._activity = None
        record = trainer.step()
        assert record is not None
        self._revisited = None
        self.history.append(record)
        self.observer.saw(record)
        if trainer.problem is not None:
            return False
        done = trainer.steps_done
        if done % self._every == 0:
            self.keep()
        return trainer.limit is None or done < trainer.limit

    def revisit(self, step: int) -> None:
        """Goes back to the last kept moment that is no later than `step`."""
        self._revisited = max((one for one in self.kept if one.step <= step), key=lambda one: one.step)
        self.trainer.restore(self._revisited.checkpoint, settings=False)
        self._activity = None
        self.observer.forget()

    @property
    def at_its_end(self) -> bool:
        """Whether nothing is known of what comes after the step where the trainer is now."""
        last = self.history.last
        return self.problem is not None or last is None or last.step < self.trainer.steps_done

    def forget_later(self) -> None:
        """Forgets what was measured and kept after the step where the trainer is now."""
        here = self.trainer.steps_done
        self.kept = [one for one in self.kept if one.step <= here]
        self.history.rewind(here - 1)
        self.observer.rewind(here - 1)

    def keep(self) -> None:
        """Keeps the present moment, to go back to."""
        trainer = self.trainer
        activity = self._present_activity()
        activity = replace(activity, events=events_until(activity.events))
        self.kept.append(Moment(trainer.steps_done, trainer.checkpoint(), trainer.last, activity))
        if len(self.kept) > self._most_kept:
            self.kept = self.kept[::2]
            self._every *= 2


def measured_activity(seen: UnitActivity, whole: WholeData) -> UnitActivity:
    """The unit activity that training has seen, brought up to date with all data and the present weights."""
    step = whole.record.step
    dead = tuple(~fired for fired in whole.fired)
    events = list(seen.events)
    died_at = []
    for number, (now, before, since) in enumerate(zip(dead, seen.dead, seen.died_at, strict=True), start=1):
        events.extend(
            UnitEvent(step, number, unit, died=bool(now[unit]))
            for unit in np.flatnonzero(now != before).tolist()
        )
        died_at.append(np.where(now, np.where(before, since, step), NEVER))
    return UnitActivity(
        step=step,
        firing_rate=whole.firing,
        dead=dead,
        dead_step=step,
        died_at=tuple(died_at),
        events=tuple(events),
    )
