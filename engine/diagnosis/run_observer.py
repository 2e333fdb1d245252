"""Keeps of a run, while it is trained, what its diagnosis will want to know.

    Trainer ──records──> RunObserver ──> case() at any time: a copy of it all, and one pass over all data

With full batches each record's loss is the loss over all data. With mini-batches a pass over all data is made now and
then: up to a hundred times in a run, fewer where that would take more than a twentieth of its time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from engine.autodiff.graph import Array
from engine.autodiff.interruption import uninterruptible
from engine.diagnosis.diagnosed_run import DiagnosedRun, OwnRun
from engine.diagnosis.loss_curve import LossCurve, LossCurvePoints, has_diverged
from engine.diagnosis.whole_data import WholeData, measure_all
from engine.experiment.layer_info import layer_infos
from engine.formula.expression import Symbol
from engine.metrics.step_record import StepRecord
from engine.model.network import Network
from engine.training.trainer import Trainer

SMALL_UPDATE = 1e-5
"""‖ΔW‖/‖W‖ of one update below which a layer hardly moves."""

MOST_LOOKS, FEWEST_LOOKS = 100, 8
"""How often the loss over all data is measured in a run with mini-batches."""

COST = 0.05
"""Of a run's time, unless that would be fewer than `FEWEST_LOOKS`."""

AFFORDABLE, NUMBERS_A_UNIT = 3e8, 30
"""Samples times parameters up to which a pass over all data is short enough (0.3 s) to wait for; a unit's activation
costs as much as so many parameters."""

FORWARD_AND_BACKWARD = 1.0
"""Of a step's time, for as many samples as a batch has."""


class RunObserver:
    """Watches one run from its beginning, and measures its loss over all data once in a while."""

    def __init__(self, trainer: Trainer, *, looks: bool = True) -> None:
        """Without `looks`, the loss of mini-batches is measured at the beginning and the end only."""
        self.trainer = trainer
        samples = trainer.data.X.shape[1]
        batch = trainer.experiment.train.batch
        self.full = batch == "full" or batch >= samples
        self.curve = LossCurve(each_step=self.full)
        self.initial = _copied(trainer.network)
        self.small_updates = True
        self.unchanged = True
        self._learning_rate = trainer.learning_rate
        self._clip_norm, self._slope = trainer.clip_norm, trainer.slope
        self._first: WholeData | None = None
        self._last: WholeData | None = None
        self.moment = 0
        """A number that is another one whenever the weights are."""
        parameters = sum(value.size for value in trainer.network.parameters.values())
        units = sum(layer.units for layer in trainer.network.layers)
        self.affordable = samples * (parameters + NUMBERS_A_UNIT * units) <= AFFORDABLE
        limit = trainer.limit or trainer.experiment.train.steps
        dear = 1 if batch == "full" else samples / batch * FORWARD_AND_BACKWARD / COST
        self.period = max(1, math.ceil(limit / MOST_LOOKS), math.ceil(min(dear, limit / FEWEST_LOOKS)))
        self._looks = looks
        if not self.full and looks:
            self.curve.append(0, self.first.loss)

    @property
    def first(self) -> WholeData:
        """The measurement of all data with the initial weights."""
        if self._first is None:
            network = self.trainer.network
            initial = Network(network.layers, dict(self.initial), network.loss, network.dtype)
            self._first = measure_all(
                initial, self.trainer.data, learning_rate=self.trainer.experiment.train.learning_rate
            )
        return self._first

    def saw(self, record: StepRecord) -> None:
        """Takes in the step that was just made."""
        trainer = self.trainer
        self._last = None
        self.moment += 1
        if self.small_updates:
            ratios = record.update_ratio
            self.small_updates = bool(np.all((ratios < SMALL_UPDATE) | ~np.isfinite(ratios)))
        if self.full:
            if record.problem is None:
                self.curve.append(record.step, record.loss)
        elif self._looks and record.problem is None and trainer.steps_done % self.period == 0:
            with uninterruptible():  # the step was made
                self.curve.append(trainer.steps_done, self.present().loss)
        if self.unchanged and (
            trainer.learning_rate != self._learning_rate
            or trainer.clip_norm != self._clip_norm
            or trainer.slope != self._slope
        ):
            self.unchanged = False

    def rewind(self, step: int) -> None:
        """Forgets what came after `step` updates: the run will go on from there."""
        self.curve.rewind(step)

    @property
    def measured(self) -> WholeData | None:
        """The measurement of all data with the present weights, if it was made."""
        return self._first if self.trainer.steps_done == 0 else self._last

    def present(self) -> WholeData:
        """The measurement of all data with the present weights; made once."""
        if self.trainer.steps_done == 0:
            return self.first
        if self._last is None:
            self._last = self.measuring()()
        return self._last

    def measuring(self) -> Callable[[], WholeData]:
        """A function that measures a copy of the present weights, also while others are trained; see `accept`."""
        trainer = self.trainer
        network = Network(
            trainer.network.layers, _copied(trainer.network), trainer.network.loss, trainer.network.dtype
        )
        last = trainer.last if trainer.last is not None and trainer.last.problem is None else None
        return partial(measure_all, network, trainer.data, trainer.steps_done, last, trainer.learning_rate)

    def accept(self, moment: int, whole: WholeData) -> None:
        """Takes in a measurement that was made elsewhere, unless the weights are others now."""
        if moment == self.moment:
            if self.trainer.steps_done == 0:
                self._first = whole
            else:
                self._last = whole

    def forget(self) -> None:
        """Forgets the last measurement: the weights were set to others."""
        self._last = None
        self.moment += 1

    @property
    def losses(self) -> LossCurvePoints:
        """The losses up to the present weights."""
        return self.curve.until(self.trainer.steps_done, self.present().loss)

    @property
    def diverged(self) -> bool:
        """Whether a number was not finite, or the loss over all data is far above where it began."""
        return self.trainer.problem is not None or has_diverged(self.losses)

    def judged(self) -> WholeData:
        """The measurement that a diagnosis judges: the present one; of a run that diverged, the first."""
        return self.first if self.diverged else self.present()

    def case(self) -> DiagnosedRun:
        """The run as it stands, copied, to be diagnosed."""
        trainer = self.trainer
        steps = trainer.steps_done
        losses = self.losses
        broken = trainer.problem is not None and trainer.last is not None
        diverged = self.diverged
        whole = self.judged()
        own = OwnRun(
            experiment=trainer.experiment,
            data=trainer.data,
            layers=trainer.network,
            initial=self.initial,
            present=self.initial if diverged else _copied(trainer.network),
            whole=whole,
            first_fired=self.first.fired,
            small_updates=self.small_updates,
            unchanged=self.unchanged,
        )
        return DiagnosedRun(
            step=0 if diverged else steps,
            layers=layer_infos(trainer.network.layers),
            losses=losses,
            record=whole.record,
            problem=trainer.problem,
            problem_step=trainer.last.step if broken and trainer.last is not None else None,
            bias_l2=whole.bias_l2.tolist(),
            dead=whole.dead,
            limit=trainer.limit,
            own=own,
        )


def _copied(network: Network) -> dict[Symbol, Array]:
    return {name: value.copy() for name, value in network.parameters.items()}
