"""Square matrices of given weights, of which nobody can see which way round they were meant."""

from __future__ import annotations

from engine.experiment.activation_traits import Activation as Activation
from engine.experiment.expanded_layers import expanded_layers
from engine.experiment.loss_specs import AbsoluteErrorLoss as AbsoluteErrorLoss
from engine.experiment.loss_specs import BceLoss as BceLoss
from engine.experiment.loss_specs import CrossEntropyLoss as CrossEntropyLoss
from engine.experiment.loss_specs import HuberLoss as HuberLoss
from engine.experiment.loss_specs import Loss as Loss
from engine.experiment.loss_specs import LossSpec as LossSpec
from engine.experiment.loss_specs import SquaredErrorLoss as SquaredErrorLoss
from engine.experiment.notation_spec import NotationSpec as NotationSpec
from engine.experiment.optimizer_specs import SgdTraining as SgdTraining
from engine.experiment.optimizer_specs import Train as Train
from engine.experiment.optimizer_specs import TrainSpec as TrainSpec
from engine.experiment.spec import Experiment
from engine.experiment.spec_base import Spec as Spec
from engine.experiment.spec_base import TaggedSpec as TaggedSpec


def square_as_default(experiment: Experiment) -> list[int]:
    """The layers whose square W is read as (fan_in, units) because nothing says otherwise.

    Of a square matrix nobody can see which way round it was meant.
    """
    if experiment.network.weights != "in_out":
        return []
    layers = expanded_layers(experiment)
    return [
        number
        for number, layer in enumerate(layers, start=1)
        if layer.W is not None and len(layer.W) == layer.units > 1
    ]


def square_note(experiment: Experiment) -> str | None:
    """A sentence on how square matrices of weights were read; None where there are none to be unsure of."""
    numbers = square_as_default(experiment)
    if not numbers:
        return None
    names = ", ".join(f"W[{number}]" for number in numbers[:6]) + (", …" if len(numbers) > 6 else "")
    one = len(numbers) == 1
    return (
        f"{names} {'is' if one else 'are'} square and read as (fan_in, units), f[l] = W[l]ᵀ a[l-1] + b[l]; "
        f'where {"it was" if one else "they were"} meant as (units, fan_in), network.weights = "out_in" says so.'
    )
