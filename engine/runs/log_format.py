"""What a run log says, line by line: a header, then one StepRecord a line, in strict JSON.

    {"format":"bptui run log","schema":"1.0","layers":["W[1]","W[2]"],"title":"…", …}
    {"step":0,"loss":0.69,"grad_l2":[0.1,0.4], … ,"problem":null,"nulls":0}
    {"step":1,"loss":0.68,"grad_l2":[0.1,0.3], … ,"problem":null,"nulls":0}

The keys of a record are the fields of `StepRecord`, per-layer fields as arrays. JSON has no NaN
and no infinity: they become null, and "nulls" says how many there are in the line (an accuracy that does not
exist is null too, but not counted). Read back, such a null is NaN. Keys that a reader does not know are ignored,
so a minor version may add some; a newer major version is refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np

from engine.metrics.step_record import NEVER, Counts, Floats, StepRecord

FORMAT = "bptui run log"
MAJOR, MINOR = 1, 0
LONGEST_LINE = 8 * 2**20
"""In bytes, with the newline: room for 25,000 layers. Bounds what a reader must hold of a damaged file."""


class RunLogError(Exception):
    """A file that cannot be read as a run log at all, in one line that names it."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: what does not change from step to step.

    `layers` are the names of the records' entries, layer 1 first; there is at least one. The rest may be empty: the
    experiment's title, each layer's activation and its number of units, when the run started (ISO 8601), which tells
    one run from another, each layer's norm ("batch", "layer", or "" for none), and whether it has a shortcut.
    """

    layers: tuple[str, ...]
    title: str = ""
    activations: tuple[str, ...] = ()
    units: tuple[int, ...] = ()
    started: str = ""
    norms: tuple[str, ...] = ()
    residuals: tuple[bool, ...] = ()


_LARGEST = 2**62  # fits into NumPy's int64
_Count = Annotated[int, msgspec.Meta(ge=NEVER, le=_LARGEST)]
_Natural = Annotated[int, msgspec.Meta(ge=0, le=_LARGEST)]
_Positive = Annotated[int, msgspec.Meta(ge=1, le=_LARGEST)]


class _HeaderLine(msgspec.Struct, frozen=True, kw_only=True):
    format: str
    schema: str
    layers: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    title: str = ""
    activations: tuple[str, ...] = ()
    units: tuple[_Positive, ...] = ()
    started: str = ""
    norms: tuple[str, ...] = ()
    residuals: tuple[bool, ...] = ()


class _RecordLine(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of StepRecord; a test holds the two together."""

    step: _Natural
    loss: float | None
    learning_rate: float | None
    seconds: float | None
    accuracy: float | None
    recall: list[float | None]
    grad_max: list[float | None]
    grad_mean: list[float | None]
    grad_l2: list[float | None]
    update_ratio: list[float | None]
    zero_fraction: list[float | None]
    quiet: list[_Count]
    dead: list[_Count]
    dead_step: _Count
    saturated: list[float | None]
    delta_l2: list[float | None]
    weight_gain: list[float | None]
    activation_gain: list[float | None]
    clipped: float | None
    nonfinite: _Natural
    problem: str | None


BETWEEN_LAYERS = ("weight_gain", "activation_gain")
"""Fields with an entry a gap between two layers: one fewer than there are layers."""

PER_LAYER = (
    "grad_max",
    "grad_mean",
    "grad_l2",
    "update_ratio",
    "zero_fraction",
    "quiet",
    "dead",
    "saturated",
    "delta_l2",
)

OF_LAYERS = ("activations", "units", "norms", "residuals")
"""Fields of the header with an entry a layer, or none at all."""

_header_decoder = msgspec.json.Decoder(_HeaderLine)
_record_decoder = msgspec.json.Decoder(_RecordLine)
_encoder = msgspec.json.Encoder()
_FIELDS = tuple(field.name for field in dataclasses.fields(StepRecord))


def encode_header(header: Header) -> bytes:
    """The header's line, with its newline."""
    line = {"format": FORMAT, "schema": f"{MAJOR}.{MINOR}", **dataclasses.asdict(header)}
    return _encoder.encode(line) + b"\n"


def encode_record(record: StepRecord) -> bytes:
    """A record's line, with its newline."""
    values: dict[str, Any] = {}
    nulls = 0
    for name in _FIELDS:
        value = getattr(record, name)
        if isinstance(value, np.ndarray):
            nulls += value.size - int(np.isfinite(value).sum())
            value = value.tolist()
        elif isinstance(value, float | tuple):
            nulls += int(np.size(value) - np.isfinite(value).sum())
        values[name] = value
    values["nulls"] = nulls
    return _encoder.encode(values) + b"\n"  # it writes NaN and infinities as null


def decode_header(line: bytes, source: str) -> Header:
    """The header of a line; raises RunLogError in the name of `source` when it is none that can be read."""
    try:
        found = _header_decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RunLogError(f"{source}: not a run log: line 1 is no header ({_in_one_line(error)})") from None
    if found.format != FORMAT:
        raise RunLogError(f'{source}: not a run log: line 1 has no "format": "{FORMAT}"')
    major, _, minor = found.schema.partition(".")
    if not (major.isdecimal() and minor.isdecimal()):
        raise RunLogError(f"{source}: not a run log: its schema is {found.schema[:40]!r}, not a version")
    if int(major[:9]) > MAJOR:
        raise RunLogError(
            f"{source}: written by a newer bptui (schema {major[:9]}.{minor[:9]}; this one reads up to {MAJOR}.x)"
        )
    layers = len(found.layers)
    for name in OF_LAYERS:
        entries = len(getattr(found, name))
        if entries not in (0, layers):
            raise RunLogError(
                f"{source}: not a run log: line 1 has {entries} {name}, not one for each of {layers} layers"
            )
    return Header(
        layers=found.layers,
        title=found.title,
        activations=found.activations,
        units=found.units,
        started=found.started,
        norms=found.norms,
        residuals=found.residuals,
    )


def decode_record(line: bytes, layers: int, recall: int | None = None) -> StepRecord:
    """The record of a line; raises ValueError, saying why, for a line that is not a complete one of so many layers.

    `recall`, where it is known, is how many classes the run's other records have a recall of.
    """
    try:
        found = _record_decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(_in_one_line(error)) from None
    for name in (*PER_LAYER, *BETWEEN_LAYERS):
        expected = max(layers - 1, 0) if name in BETWEEN_LAYERS else layers
        entries = len(getattr(found, name))
        if entries != expected:
            raise ValueError(f"{name} has {entries} entries, not {expected}")
    if recall is not None and len(found.recall) != recall:
        raise ValueError(f"recall has {len(found.recall)} entries, not {recall} as in the first record")
    return StepRecord(
        step=found.step,
        loss=_number(found.loss),
        learning_rate=_number(found.learning_rate),
        seconds=_number(found.seconds),
        accuracy=found.accuracy,
        recall=tuple(_number(share) for share in found.recall),
        grad_max=_floats(found.grad_max),
        grad_mean=_floats(found.grad_mean),
        grad_l2=_floats(found.grad_l2),
        update_ratio=_floats(found.update_ratio),
        zero_fraction=_floats(found.zero_fraction),
        quiet=_counts(found.quiet),
        dead=_counts(found.dead),
        dead_step=found.dead_step,
        saturated=_floats(found.saturated),
        delta_l2=_floats(found.delta_l2),
        weight_gain=_floats(found.weight_gain),
        activation_gain=_floats(found.activation_gain),
        clipped=_number(found.clipped),
        nonfinite=found.nonfinite,
        problem=found.problem,
    )


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _floats(values: Sequence[float | None]) -> Floats:
    array = np.array(values, dtype=np.float64)  # None becomes NaN
    array.flags.writeable = False
    return array


def _counts(values: Sequence[int]) -> Counts:
    array = np.array(values, dtype=np.int64)
    array.flags.writeable = False
    return array


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
