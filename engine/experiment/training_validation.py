"""What an experiment says of its loss and its training, checked: whether they fit the output, and their ranges."""

from __future__ import annotations

from collections.abc import Iterator

from engine.experiment.activation_traits import ACTIVATION_TRAITS, REALS
from engine.experiment.errors import choice, mismatch, quoted, value_in_words
from engine.experiment.spec import BceLoss, Experiment, HuberLoss, LayerSpec, LossSpec, TrainSpec
from engine.experiment.validation_rules import Problem, at_least, share_problems


def loss_problems(experiment: Experiment) -> Iterator[Problem]:
    """Problems of the loss, and whether it takes what the output layer gives."""
    loss, layers = experiment.loss, experiment.network.layers
    match loss:
        case BceLoss():
            for name, weight in (("alpha", loss.alpha), ("beta", loss.beta)):
                if weight is not None:
                    yield from at_least(f"loss.{name}", weight, 0)
        case HuberLoss() if loss.delta <= 0:
            yield "loss.delta", mismatch(value_in_words(loss.delta), "a number above 0")
    yield from at_least("loss.l2", loss.l2, 0)
    if loss.takes_distributions and loss.outputs == "mean":
        expected = f'"sum", because {loss.kind} compares whole distributions'
        yield "loss.outputs", mismatch('"mean"', expected)
    for index, layer in enumerate(layers):
        hidden = index < len(layers) - 1 or layer.repeat > 1
        if ACTIVATION_TRAITS[layer.activation].by_column and hidden:
            expected = f"{layer.activation} in the output layer only"
            found = f"{quoted(layer.activation)} in a hidden layer"
            yield f"network.layers[{index}].activation", mismatch(found, expected)
    yield from _output_problems(f"network.layers[{len(layers) - 1}]", layers[-1], loss)


def _output_problems(key: str, output: LayerSpec, loss: LossSpec) -> Iterator[Problem]:
    """Whether the loss takes every value that the output layer can give."""
    traits = ACTIVATION_TRAITS[output.activation]
    if not loss.predictions.covers(traits.values) or (loss.takes_distributions and not traits.by_column):
        fitting = [
            one.name
            for one in ACTIVATION_TRAITS.values()
            if loss.predictions.covers(one.values) and (one.by_column or not loss.takes_distributions)
        ]
        expected = f"{choice(fitting)} in the output layer, because the loss is {loss.kind}"
        yield f"{key}.activation", mismatch(quoted(output.activation), expected)
    if output.residual and (loss.predictions != REALS or loss.takes_distributions):
        expected = f"false, because {loss.kind} needs the {output.activation} itself as the prediction"
        yield f"{key}.residual", mismatch("true", expected)


def train_problems(train: TrainSpec) -> Iterator[Problem]:
    """Problems of the training settings."""
    yield from at_least("train.learning_rate", train.learning_rate, 0)
    yield from at_least("train.steps", train.steps, 0)
    if train.batch != "full":
        yield from at_least("train.batch", train.batch, 1)
    if train.clip_norm is not None and train.clip_norm <= 0:
        yield "train.clip_norm", mismatch(value_in_words(train.clip_norm), "a number above 0")
    for name in train.settings():
        yield from _optimizer_setting_problems(f"train.{name}", getattr(train, name))


def _optimizer_setting_problems(key: str, value: object) -> Iterator[Problem]:
    """Shares of what was before are from 0 to below 1, all other numbers not negative."""
    match value:
        case bool():
            return
        case tuple():
            for index, one in enumerate(value):
                yield from share_problems(f"{key}[{index}]", one)
        case int() | float() if key in ("train.momentum", "train.alpha"):
            yield from share_problems(key, value)
        case int() | float():
            yield from at_least(key, value, 0)
