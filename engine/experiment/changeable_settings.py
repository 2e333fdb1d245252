"""The settings of an experiment that can be changed while it is open, and changing one of them by what is typed.

    train.learning_rate            0.1        ──"1/2"──>   [train]
    network.layers[0].activation   "relu"                  learning_rate = 0.5
    loss.alpha                     none

Which settings there are is read off the tables themselves, so that an optimiser or a loss that is added has its own
here as well. What is typed is decoded and validated as a file is, and refused in the same words.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

import msgspec

from engine.experiment.activation_traits import ACTIVATION_TRAITS
from engine.experiment.loss_specs import LOSS_SPECS
from engine.experiment.optimizer_specs import OPTIMIZER_SPECS
from engine.experiment.spec import Experiment, RandomData
from engine.experiment.spec_base import Spec
from engine.experiment.toml_decoding import decode
from engine.experiment.toml_writing import document_of, toml_value, written_table
from engine.experiment.validation import validate
from engine.formula.parser import ParseError
from engine.formula.typed_assignments import read_assigned_number

OPTIMIZER, KIND, ACTIVATION, SLOPE = "optimizer", "kind", "activation", "slope"
LAYER = re.compile(r"network\.layers\[(\d+)\]")
NONE = "none"
"""What an optional setting that is not given is shown as, and what is typed to have it so."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting that can be changed: its key's path, its value as a file would write it, the words it can be."""

    key: str
    value: str
    choices: tuple[str, ...] = ()


def settings_of(experiment: Experiment) -> list[Setting]:
    """The settings that can be changed: the training's, the loss's, each layer's activation and slope."""
    train, loss = experiment.train, experiment.loss
    found = [Setting(f"train.{OPTIMIZER}", train.optimizer, tuple(OPTIMIZER_SPECS))]
    found += _fields("train", train)
    found.append(Setting(f"loss.{KIND}", loss.kind, tuple(LOSS_SPECS)))
    found += _fields("loss", loss)
    for index, layer in enumerate(experiment.network.layers):
        key = f"network.layers[{index}]"
        found.append(Setting(f"{key}.{ACTIVATION}", layer.activation, tuple(ACTIVATION_TRAITS)))
        default = ACTIVATION_TRAITS[layer.activation].default_slope
        if default is not None:
            found.append(
                Setting(f"{key}.{SLOPE}", toml_value(default if layer.slope is None else layer.slope))
            )
    return found


def with_setting(experiment: Experiment, key: str, typed: str, source: str) -> Experiment:
    """The experiment with one of its settings changed. Raises ExperimentError, in the words of a file's refusal.

    Settings that the chosen optimiser, loss or activation does not have fall away.
    """
    table, name = key.rpartition(".")[::2]
    # Weights and data stay out of it: they are large, and nothing here changes them.
    bare = [
        msgspec.structs.replace(one, W=None, b=None, scale=None, shift=None)
        for one in experiment.network.layers
    ]
    network = msgspec.structs.replace(experiment.network, layers=bare)
    small = msgspec.structs.replace(experiment, network=network, data=RandomData(n=1, features=1))
    document = document_of(small)
    section = _section(document, table)
    value = _read(typed)
    if value is None:
        section.pop(name, None)
    else:
        section[name] = value
    _drop_what_is_not_there(section, table, name)
    decoded = decode(written_table(document), source)
    layers = [
        msgspec.structs.replace(layer, activation=new.activation, slope=new.slope)
        for layer, new in zip(experiment.network.layers, decoded.network.layers, strict=True)
    ]
    changed = msgspec.structs.replace(
        experiment,
        train=decoded.train,
        loss=decoded.loss,
        network=msgspec.structs.replace(experiment.network, layers=layers),
    )
    validate(changed, source)
    return changed


def _fields(table: str, spec: Spec) -> list[Setting]:
    return [
        Setting(f"{table}.{field.name}", _shown(getattr(spec, field.name)), _words(field.type))
        for field in msgspec.structs.fields(spec)
    ]


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value
    return NONE if value is None else toml_value(list(value) if isinstance(value, tuple) else value)


def _words(wanted: Any) -> tuple[str, ...]:
    """The words of a choice; yes and no are two."""
    described = msgspec.inspect.type_info(wanted)
    if isinstance(described, msgspec.inspect.BoolType):
        return ("true", "false")
    options = described.types if isinstance(described, msgspec.inspect.UnionType) else (described,)
    return tuple(
        str(word) for one in options if isinstance(one, msgspec.inspect.LiteralType) for word in one.values
    )


def _section(document: dict[str, Any], table: str) -> dict[str, Any]:
    if match := LAYER.fullmatch(table):
        section: dict[str, Any] = document["network"]["layers"][int(match[1])]
        return section
    made: dict[str, Any] = document.setdefault(table, {})
    return made


def _read(typed: str) -> Any:
    """What is typed, as TOML reads it; an expression such as 1/3 as its number, and any other text as a word."""
    if typed.strip() in ("", NONE):
        return None
    try:
        return tomllib.loads(f"value = {typed}")["value"] if "\n" not in typed else typed
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        pass
    try:
        return read_assigned_number(typed)
    except ParseError:
        return typed.strip()


def _drop_what_is_not_there(section: dict[str, Any], table: str, name: str) -> None:
    """After another choice: the settings that only the old one had."""
    if name == ACTIVATION:
        traits = ACTIVATION_TRAITS.get(str(section.get(ACTIVATION)))
        if traits is not None and traits.default_slope is None:
            section.pop(SLOPE, None)
        return
    specs: dict[str, Any] = {f"train.{OPTIMIZER}": OPTIMIZER_SPECS, f"loss.{KIND}": LOSS_SPECS}
    spec = specs.get(f"{table}.{name}", {}).get(str(section.get(name)))
    if spec is not None:
        for key in set(section) - set(spec.__struct_fields__) - {name}:
            del section[key]
