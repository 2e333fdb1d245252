"""Keeps of a run, while it is trained, what its diagnosis will want to know.

    Trainer ──records──> RunObserver ──> case() at any time: a copy of it all, and one pass over all data

With full batches each record's loss is the loss over all data. With mini-batches a pass over all data is made now and
then: up to a hundred times in a run, fewer where that would take more than a twentieth of its time.
"""

from __future__ import annotations

import math

import numpy as np

from engine.autodiff.graph import Array
from engine.diagnosis.case import Case, Own
from engine.diagnosis.gradient_flow import Layers
from engine.diagnosis.losses import LossCurve
from engine.diagnosis.whole_data import WholeData, measure_all
from engine.formula.expression import Symbol
from engine.metrics.step_record import StepRecord, layer_names
from engine.model.network import Network
from engine.training.trainer import Trainer

SMALL_UPDATE = 1e-5
"""‖ΔW‖/‖W‖ of one update below which a layer hardly moves."""

MOST_LOOKS, FEWEST_LOOKS = 100, 8
"""How often the loss over all data is measured in a run with mini-batches."""

COST = 0.05
"""Of a run's time, unless that would be fewer than `FEWEST_LOOKS`."""

FORWARD_AND_BACKWARD = 1.0
"""Of a step's time, for as many samples as a batch has."""


class RunObserver:
    """Watches one run from its beginning; `saw` is to be told of every step."""

    def __init__(self, trainer: Trainer) -> None:
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
        self._last: tuple[int, WholeData] | None = None
        limit = trainer.limit or trainer.experiment.train.steps
        dear = 1 if batch == "full" else samples / batch * FORWARD_AND_BACKWARD / COST
        self.period = max(1, math.ceil(limit / MOST_LOOKS), math.ceil(min(dear, limit / FEWEST_LOOKS)))
        if not self.full:
            self.curve.append(0, self.first.loss)

    @property
    def first(self) -> WholeData:
        """With the initial weights."""
        if self._first is None:
            network = self.trainer.network
            initial = Network(network.layers, dict(self.initial), network.loss, network.dtype)
            self._first = measure_all(
                initial, self.trainer.data, learning_rate=self.trainer.experiment.train.learning_rate
            )
        return self._first

    def saw(self, record: StepRecord) -> None:
        """The step that was just made."""
        trainer = self.trainer
        if self.small_updates:
            ratios = record.update_ratio
            self.small_updates = bool(np.all((ratios < SMALL_UPDATE) | ~np.isfinite(ratios)))
        if self.full:
            if record.problem is None:
                self.curve.append(record.step, record.loss)
        elif record.problem is None and trainer.steps_done % self.period == 0:
            self.curve.append(trainer.steps_done, self.present().loss)
        if self.unchanged and (
            trainer.learning_rate != self._learning_rate
            or trainer.clip_norm != self._clip_norm
            or trainer.slope != self._slope
        ):
            self.unchanged = False

    def rewind(self, step: int) -> None:
        """The run went back to after `step` updates, and will go on from there."""
        self.curve.rewind(step)

    def present(self) -> WholeData:
        """With the present weights; measured once for each step."""
        trainer = self.trainer
        if trainer.steps_done == 0:
            return self.first
        if self._last is None or self._last[0] != trainer.steps_done:
            last = trainer.last if trainer.last is not None and trainer.last.problem is None else None
            self._last = (
                trainer.steps_done,
                measure_all(trainer.network, trainer.data, trainer.steps_done, last, trainer.learning_rate),
            )
        return self._last[1]

    def forget(self) -> None:
        """The weights were set to others: the last measurement is not of these."""
        self._last = None

    def case(self) -> Case:
        """The run as it stands, copied."""
        trainer = self.trainer
        steps = trainer.steps_done
        present = self.present()
        losses = self.curve.until(steps, present.loss)
        layers = Layers.of(trainer.network.layers)
        broken = trainer.problem is not None and trainer.last is not None
        case = Case(
            step=steps,
            names=layer_names(trainer.network),
            losses=losses,
            problem=trainer.problem,
            problem_step=trainer.last.step if broken and trainer.last is not None else None,
            activations=layers.activations,
            units=layers.units,
            norms=layers.norms,
            residuals=layers.residuals,
        )
        whole = self.first if case.diverged else present
        own = Own(
            experiment=trainer.experiment,
            data=trainer.data,
            layers=trainer.network,
            initial=self.initial,
            present=self.initial if case.diverged else _copied(trainer.network),
            whole=whole,
            first_fired=self.first.fired,
            small_updates=self.small_updates,
            unchanged=self.unchanged,
        )
        return Case(
            step=0 if case.diverged else steps,
            names=case.names,
            losses=losses,
            record=whole.record,
            problem=case.problem,
            problem_step=case.problem_step,
            bias_l2=whole.bias_l2.tolist(),
            activations=layers.activations,
            units=layers.units,
            norms=layers.norms,
            residuals=layers.residuals,
            dead=whole.dead,
            own=own,
        )


def _copied(network: Network) -> dict[Symbol, Array]:
    return {name: value.copy() for name, value in network.parameters.items()}
