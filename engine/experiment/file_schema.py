"""The type that an experiment file is decoded as: `Experiment`, with all that the registries know.

As long as nothing was registered besides what is built in, it is `Experiment` itself. An activation, a loss or an
optimiser that was added makes another type of the same fields, with the choices as they now are: what is decoded is an
`Experiment` all the same, and `msgspec.json.schema(document_type())` describes every file that is accepted.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, Union, get_args

import msgspec

from engine.experiment.activation_traits import ACTIVATION_TRAITS
from engine.experiment.loss_specs import LOSS_SPECS, Loss, LossSpec
from engine.experiment.optimizer_specs import DEFAULT_OPTIMIZER, OPTIMIZER_SPECS, Train, TrainSpec
from engine.experiment.spec import Activation, Experiment, LayerSpec, NetworkSpec


def document_type() -> type[Experiment]:
    """The type of everything that an experiment file may say at present."""
    losses, trainings = tuple(LOSS_SPECS.values()), tuple(OPTIMIZER_SPECS.values())
    activations = tuple(ACTIVATION_TRAITS)
    built_in = (get_args(Loss), get_args(Train), get_args(Activation))
    if (set(losses), set(trainings), set(activations)) == tuple(map(set, built_in)):
        return Experiment
    return _extended(losses, trainings, activations)


def file_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of every experiment file that is accepted at present."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **msgspec.json.schema(document_type()),
    }
    default = OPTIMIZER_SPECS[DEFAULT_OPTIMIZER].__name__
    schema["$defs"][default]["required"].remove("optimizer")  # a file that names none has this one
    return schema


@cache
def _extended(
    losses: tuple[type[LossSpec], ...], trainings: tuple[type[TrainSpec], ...], activations: tuple[str, ...]
) -> type[Experiment]:
    layer = _like(LayerSpec, activation=Literal[activations])
    network = _like(NetworkSpec, layers=list[layer])  # type: ignore[valid-type]
    extended: type[Experiment] = _like(
        Experiment,
        network=network,
        loss=Union[losses],  # noqa: UP007 - a tuple of types, known when it runs
        train=Union[trainings],  # noqa: UP007
    )
    return extended


def _like(struct: type[msgspec.Struct], **types: Any) -> Any:
    """A struct of the same name and fields, some of them of other types."""
    fields: list[Any] = []
    for field in msgspec.structs.fields(struct):
        if field.name not in types:
            continue
        if field.default is not msgspec.NODEFAULT:
            fields.append((field.name, types[field.name], field.default))
        elif field.default_factory is not msgspec.NODEFAULT:
            default = msgspec.field(default_factory=field.default_factory)
            fields.append((field.name, types[field.name], default))
        else:
            fields.append((field.name, types[field.name]))
    return msgspec.defstruct(
        struct.__name__, fields, bases=(struct,), frozen=True, kw_only=True, forbid_unknown_fields=True
    )
