"""What a step of training does to every parameter: before, gradient, optimiser state, after; and to Ŷ and the loss.

    for step in steps(experiment, 3):
        print(step.loss_before, step.loss_after, step.parameters[Symbol("W", 1)].state["m_hat"])

It is training itself that is watched, with its batches, its clipping and its optimiser; the loss and Ŷ are of all
samples that are learned from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.autodiff.graph import Array
from engine.experiment.datasets import DataSet
from engine.experiment.spec import Experiment
from engine.formula.expression import Symbol
from engine.model.network import PREDICTION
from engine.training.trainer import Trainer
from engine.training.update_rule import UpdateRuleSettings, settings_of


@dataclass(frozen=True, slots=True, eq=False)
class ParameterStep:
    """One parameter in one training step: before and after, its gradient and the optimiser's state.

    `state` is the optimiser's after the update, by name; a frozen parameter has none.
    """

    before: Array
    gradient: Array
    state: dict[str, Array]
    after: Array


@dataclass(frozen=True, slots=True, eq=False)
class TrainingStep:
    """One training step, counted from 1, with all of its parameters.

    `problem` says why nothing was updated, where a number was not finite.
    """

    step: int
    loss_before: float
    loss_after: float
    parameters: dict[Symbol, ParameterStep]
    prediction_before: Array
    prediction_after: Array
    problem: str | None


def parameter_steps(
    experiment: Experiment, count: int, data: DataSet | None = None
) -> Iterator[TrainingStep]:
    """The first `count` steps of training; ends early with a step that has a problem.

    Raises ExperimentError for data that cannot be loaded.
    """
    trainer = Trainer(experiment, data)
    settings = settings_of(experiment.train)
    network, samples = trainer.network, trainer.data
    whole = network.graph(samples.X, samples.Y, gradients=False)
    loss = whole.forward()
    prediction = whole.nodes[PREDICTION].value.copy()
    for number in range(1, count + 1):
        before = {name: value.copy() for name, value in network.parameters.items()}
        trainer.step(measure=False)
        loss_before, prediction_before = loss, prediction
        loss = whole.forward()
        prediction = whole.nodes[PREDICTION].value.copy()
        states = _states(trainer, settings, number)
        parameters = {
            name: ParameterStep(
                old,
                trainer.gradients[name].copy(),
                {key: kept[name] for key, kept in states.items() if name in kept},
                network.parameters[name].copy(),
            )
            for name, old in before.items()
        }
        yield TrainingStep(
            number, loss_before, loss, parameters, prediction_before, prediction, trainer.problem
        )
        if trainer.problem is not None:
            return


def _states(trainer: Trainer, settings: UpdateRuleSettings, step: int) -> dict[str, dict[Symbol, Array]]:
    """What the optimiser remembers after a step, by name and parameter, with Adam's corrected values."""
    names = settings.states()
    kept = settings.kept()
    found = {
        key: {name: value.copy() for name, value in by_name.items()}
        for key, by_name in zip(kept, trainer.optimizer_state(), strict=True)
    }
    for key, of, decay in (("m_hat", "m", settings.betas[0]), ("v_hat", "v", settings.betas[1])):
        if key in names:
            found[key] = {name: np.asarray(value / (1.0 - decay**step)) for name, value in found[of].items()}
    return found
