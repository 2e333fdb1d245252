"""A run made once more from its initial weights, as far as is asked."""

from __future__ import annotations

from collections.abc import Mapping

from engine.autodiff.graph import Array
from engine.diagnosis.diagnosed_run import OwnRun
from engine.formula.expression import Symbol
from engine.training.trainer import Trainer


def weights_after(own: OwnRun, steps: int) -> Mapping[Symbol, Array] | None:
    """The weights that the run had after so many updates, by making it again; None where it cannot be."""
    if not own.unchanged:
        return None
    network = own.layers.astype(own.layers.dtype.name)
    for name, value in own.initial.items():
        network.parameters[name][...] = value
    trainer = Trainer(own.experiment, own.data, network)
    for _ in range(steps):
        trainer.step(measure=False)
    return None if trainer.problem else {name: value.copy() for name, value in network.parameters.items()}
