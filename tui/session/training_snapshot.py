"""What screens see of a training: one frozen snapshot a redraw, taken between two steps.

Training.snapshot(Wanted("grad_max", points=110))  ──>  TrainingSnapshot  ──>  title, chart and verdict of one step
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from engine.diagnosis.diagnosis import Diagnosis
from engine.diagnosis.mean_field import MeanFieldProfile, Unpredicted
from engine.experiment.layer_info import LayerInfo
from engine.metrics.step_record import StepRecord
from engine.runs.history import History, Series
from engine.training.trainer import UnitActivity

Floats = npt.NDArray[np.float64]

FULL_SPEED = math.inf
"""As many steps a second as there can be."""


class State(Enum):
    """The state of a training: running, paused, finished or broken."""

    PAUSED = "paused"
    RUNNING = "running"
    FINISHED = "finished"
    BROKEN = "stopped"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parts of a snapshot that a screen draws besides each run's last record.

    `column` is a per-layer field of `StepRecord`; with `points` it is wanted over the steps as well, thinned to about
    so many. `units` asks for every unit by itself.
    """

    column: str = "grad_max"
    points: int = 0
    units: bool = False
    loss_points: int = 0
    """The loss is wanted over the steps as well, thinned to about so many; 0 for not."""
    at: int | None = None
    """The step that a cross-hair stands on; None for the last."""


LITTLE = Wanted()
"""The last record and little else."""


@dataclass(frozen=True, slots=True, eq=False)
class ColumnView:
    """The values of one metric in a run: (layers,) at a step, and over the steps if wanted."""

    step: int
    now: Floats
    over_steps: Series | None
    record: StepRecord
    """The record of that step."""
    loss_over_steps: Series | None = None
    """The loss, if wanted; NaN where it is not known."""
    breaking: bool = False
    """Whether it is at this very step that numbers are no longer finite."""

    @classmethod
    def of(cls, history: History, record: StepRecord, wanted: Wanted) -> ColumnView:
        """Reads the values of one metric from a run's history; nothing of it changes with later steps."""
        if wanted.at is not None and history.first is not None:  # there may be no step yet to stand on
            record = history.record(history.nearest(wanted.at))
        now, step, breaking = np.asarray(getattr(record, wanted.column)), record.step, False
        if (
            wanted.at is None and not np.isfinite(now).any()
        ):  # the run broke: what led there is still worth seeing
            series = history.column(wanted.column)
            usable = np.flatnonzero(np.isfinite(series.value).any(axis=1))
            if len(usable):
                now, step = series.value[usable[-1]].copy(), int(series.step[usable[-1]])
                breaking = bool(history.column("nonfinite").value[usable[-1]] > 0)
        over_steps = None
        if wanted.points and history.first is not None:
            over_steps = history.decimated(wanted.column, wanted.points)
        loss = None
        if wanted.loss_points and history.first is not None:
            loss = history.decimated("loss", wanted.loss_points)
        return cls(step, now, over_steps, record, loss, breaking)


UNKNOWN_WEIGHTS = Unpredicted("how its weights were drawn is not known")


@dataclass(frozen=True, slots=True, eq=False)
class RunSnapshot:
    """A snapshot of one run after a step, which screens draw.

    What is not known of it, as of a run that another program makes, is None or empty.
    """

    name: str
    title: str
    about: str
    described: tuple[LayerInfo, ...]
    """Its layers, as far as they are known; none before the first line of a log."""
    first: StepRecord | None
    """With the initial weights; None where they were not measured."""
    record: StepRecord | None
    """Of the present weights over all data while it rests, otherwise of the last step; None before there is any."""
    steps_done: int
    column: ColumnView | None
    """Of the column that was wanted; None before the first step."""
    problem: str | None = None
    """What stopped the run, if something did."""
    limit: int | None = None
    """How many steps there will be."""
    learning_rate: float | None = None
    """η of the next step, or of the last where only that is known."""
    slope: float | None = None
    """The slope of its leaky ReLUs."""
    activity: UnitActivity | None = None
    """Every unit by itself, if wanted."""
    prediction: MeanFieldProfile | Unpredicted = UNKNOWN_WEIGHTS
    """What mean-field theory expects of its initial weights."""
    of_batch: bool = False
    """Whether `record` is known to be of a mini-batch only."""
    diagnosis: Diagnosis | None = None
    """What is wrong with it as it stands, where that has been found out."""
    undiagnosed: bool = False
    """Whether that is still to be found out."""
    quick_to_diagnose: bool = False
    """Whether that takes no longer than a moment."""
    said: tuple[str, ...] = ()
    """A headline and sentences of whoever knows more than the last record; empty where that is all there is."""
    unread_lines: tuple[str, ...] = ()
    """Lines of a log that could not be read, each with its number and why."""

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers' names."""
        return tuple(layer.name for layer in self.described)


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSnapshot:
    """A snapshot of all runs of a training after the same step, and of what it is doing."""

    runs: tuple[RunSnapshot, ...]
    state: State
    speed: float = FULL_SPEED
    """Steps a second that are asked for."""
    steps_per_second: float = 0.0
    """How many there are; 0 where it stands still."""
    travelled: int | None = None
    """The step of the past that is looked at; None in the present."""
    doing: str = ""
    """Words for the state where there are better ones, such as "silent for 40 s"."""

    @property
    def first(self) -> RunSnapshot:
        """The snapshot of the run that was opened."""
        return self.runs[0]
