"""What a run log says, line by line: a header, then one StepRecord a line, in strict JSON.

    {"format":"bptui run log","schema":"1.1","layers":["W[1]","W[2]"],"fields":["loss","grad_l2"], …}
    {"step":0,"loss":0.69,"grad_l2":[0.1,0.4]}
    {"step":1,"loss":0.68,"grad_l2":[0.1,null],"nonfinite":1,"nulls":1}

The keys of a record are the fields of `StepRecord`, per-layer fields as arrays; what a line may hold is derived from
their descriptions. The header's `fields` say which are logged. A line needs `step` and one magnitude; of the other
fields, those that have a default (`clipped`, `nonfinite`, `problem`) are left out where they have it. A header
without `fields` is of schema 1.0, whose lines hold every field.

JSON has no NaN and no infinity: they become null, and "nulls" says how many there are in the line (an accuracy
that does not exist is null too, but not counted). Read back, such a null is NaN. Keys that a reader does not know are
ignored, so a minor version may add some; a newer major version is refused. docs/run-log.md says all this to who
writes one.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from engine.experiment.layer_info import LayerInfo
from engine.formula.untrusted_text import one_line
from engine.metrics import added_metrics as own_metrics  # noqa: F401 - a line may hold what it adds to MEASURES
from engine.metrics.step_record import MAGNITUDES, MEASURES, NEVER, Extent, Measure, StepRecord

FORMAT = "bptui run log"
MAJOR, MINOR = 1, 1
LONGEST_LINE = 8 * 2**20
"""In bytes, with the newline: room for 25,000 layers. Bounds what a reader must hold of a damaged file."""


class RunLogError(Exception):
    """A file that cannot be read as a run log at all, in one line that names it."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


@dataclass(frozen=True, slots=True)
class RunLogHeader:
    """The header of a run log, its first line: what does not change from step to step.

    `layers` are the names of the records' entries, layer 1 first; there is at least one. The rest may be empty: the
    experiment's title, each layer's activation and its number of units, when the run started (ISO 8601), which tells
    one run from another, each layer's norm ("batch", "layer", or "" for none), and whether it has a shortcut.

    fields      the fields of StepRecord that are logged; None where every one of schema 1.0 is
    shapes      each layer's shape, () where it is not known: findings are made of matrices
    frozen      layers whose parameters are not trained, so that they have no gradient
    measured    "before clipping" or "after clipping"
    loss_from   where the loss comes from, "backward" for instance
    shard       whether norms are of one rank's part of each parameter
    every       one of so many updates is measured
    ordered     whether the layers stand in the order of the computation, input first
    dtype       the parameters' number format, "bfloat16" for instance
    """

    layers: tuple[str, ...]
    title: str = ""
    activations: tuple[str, ...] = ()
    units: tuple[int, ...] = ()
    started: str = ""
    norms: tuple[str, ...] = ()
    residuals: tuple[bool, ...] = ()
    fields: tuple[str, ...] | None = None
    shapes: tuple[tuple[int, ...], ...] = ()
    frozen: tuple[str, ...] = ()
    measured: str = ""
    loss_from: str = ""
    shard: bool = False
    every: int = 1
    ordered: bool = True
    dtype: str = ""

    @classmethod
    def of(cls, infos: Sequence[LayerInfo], **rest: Any) -> RunLogHeader:
        """The header for layers of which everything is known; `rest` are the other fields."""
        return cls(
            layers=tuple(info.name for info in infos),
            activations=tuple(info.words or "" for info in infos),
            units=tuple(info.units or 0 for info in infos),
            norms=tuple(info.norm or "" for info in infos),
            residuals=tuple(bool(info.residual) for info in infos),
            **rest,
        )

    @property
    def infos(self) -> tuple[LayerInfo, ...]:
        """The layers of the header, each as far as it is described."""

        def entries(several: Sequence[Any]) -> Sequence[Any]:
            return several or (None,) * len(self.layers)

        words = tuple(one or None for one in self.activations)
        columns = (words, self.units, self.norms, self.residuals)
        return tuple(
            LayerInfo(name, *known)
            for name, *known in zip(self.layers, *(entries(one) for one in columns), strict=True)
        )


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
    fields: tuple[str, ...] | None = None
    shapes: tuple[tuple[_Natural, ...], ...] = ()
    frozen: tuple[str, ...] = ()
    measured: str = ""
    loss_from: str = ""
    shard: bool = False
    every: _Positive = 1
    ordered: bool = True
    dtype: str = ""


def _entry_type(measure: Measure) -> Any:
    if measure.kind is str:
        return str | None
    if measure.kind is float:
        return float | None
    return _Natural if measure.absent == 0 else _Count


def _line_type(measure: Measure) -> Any:
    entry = _entry_type(measure)
    return entry if measure.extent is Extent.STEP else list.__class_getitem__(entry)


@cache
def _record_decoder(fields: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    """Reads lines with every field that StepRecord has at present."""
    line = msgspec.defstruct(
        "_RecordLine",
        [
            ("step", _Natural),
            *((name, _line_type(MEASURES[name]) | msgspec.UnsetType, msgspec.UNSET) for name in fields),
            ("skipped", bool, False),
        ],
        frozen=True,
        kw_only=True,
    )
    return msgspec.json.Decoder(line)


FIELDS_1_0 = tuple(name for name, measure in MEASURES.items() if measure.since == 0)
"""What every line of schema 1.0 holds."""

OF_HELD_OUT = ("test_loss", "test_accuracy", "test_step")
"""What there is besides where samples are held out."""

SIGNIFICANT = 9
"""Digits of a number in a line of schema 1.1: any float32 comes back as it was."""

OF_LAYERS = ("activations", "units", "norms", "residuals", "shapes")
"""Fields of the header with an entry a layer, or none at all."""

_header_decoder = msgspec.json.Decoder(_HeaderLine)
_encoder = msgspec.json.Encoder()


def encode_header(header: RunLogHeader) -> bytes:
    """A header as the first line of a run log, with its newline."""
    values = dataclasses.asdict(header)
    defaults = {one.name: one.default for one in dataclasses.fields(RunLogHeader)}
    later = ("fields", "shapes", "frozen", "measured", "loss_from", "shard", "every", "ordered", "dtype")
    kept = {name: value for name, value in values.items() if name not in later or value != defaults[name]}
    schema = f"{MAJOR}.{MINOR if header.fields is not None else 0}"
    return _encoder.encode({"format": FORMAT, "schema": schema, **kept}) + b"\n"


def encode_record(record: StepRecord, fields: Collection[str] | None = None) -> bytes:
    """A record as a line of a run log, with its newline.

    With `fields`, those of a header of schema 1.1: only they, rounded to 9 digits, without what has its default.
    Without, every field of schema 1.0, as it is.
    """
    if fields is not None:
        return _encode_short(record, fields)
    values: dict[str, Any] = {}
    nulls = 0
    for name in ("step", *FIELDS_1_0):
        value = getattr(record, name)
        if isinstance(value, np.ndarray):
            nulls += value.size - int(np.isfinite(value).sum())
            value = value.tolist()
        elif isinstance(value, float | tuple):
            nulls += int(np.size(value) - np.isfinite(value).sum())
        values[name] = value
    values["nulls"] = nulls
    return _encoder.encode(values) + b"\n"  # it writes NaN and infinities as null


def _encode_short(record: StepRecord, fields: Collection[str]) -> bytes:
    parts, nulls = [f'"step":{record.step}'], 0
    for name in fields:
        value, measure = getattr(record, name), MEASURES[name]
        if measure.extent is not Extent.STEP:
            numbers = value.tolist() if isinstance(value, np.ndarray) else value
            texts = [_number_text(number) for number in numbers]
            nulls += texts.count("null")
            parts.append(f'"{name}":[{",".join(texts)}]')
        elif name in HAVE_DEFAULTS and value == measure.absent:
            continue
        elif value is None or isinstance(value, str):
            parts.append(f'"{name}":{_encoder.encode(value).decode()}')
        else:
            text = _number_text(value)
            nulls += text == "null"
            parts.append(f'"{name}":{text}')
    if nulls:
        parts.append(f'"nulls":{nulls}')
    return f"{{{','.join(parts)}}}\n".encode()


def _number_text(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return format(value, f".{SIGNIFICANT}g") if math.isfinite(value) else "null"


HAVE_DEFAULTS = ("clipped", "nonfinite", "problem", "dead_step", "accuracy", "test_accuracy", "test_step")
"""Fields of a step that a line leaves out where they are what they mostly are."""


def decode_header(line: bytes, source: str) -> RunLogHeader:
    """The header that the first line of a run log holds."""
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
    unknown = [name for name in found.fields or () if name not in MEASURES and name != "skipped"]
    known = {
        one.name: _gated(getattr(found, one.name))
        for one in dataclasses.fields(RunLogHeader)
        if one.name != "fields"
    }
    fields = None if found.fields is None else tuple(name for name in found.fields if name in MEASURES)
    if fields is not None and not set(fields) & set(MAGNITUDES):
        others = f" (it does not know {', '.join(unknown)[:60]})" if unknown else ""
        raise RunLogError(
            f'{source}: not a run log: line 1 has "fields" without any of {", ".join(MAGNITUDES)}{others}'
        )
    return RunLogHeader(**known, fields=fields)


class SkippedStep(ValueError):  # noqa: N818 - no error, but a line that is not to become a record
    """A line of a step that was skipped: the gradient scaler found a number too large, so that no update was made."""


def decode_record(
    line: bytes,
    layers: int,
    recall: int | None = None,
    fields: Collection[str] | None = None,
    frozen: Collection[int] = (),
) -> StepRecord:
    """The record that a line of a run log holds; raises ValueError, saying why, for a line that is not complete.

    `recall`, where it is known, is how many classes the run's other records have a recall of. `fields` are those of a
    header of schema 1.1, None for 1.0; `frozen` the places of layers without a gradient. Raises SkippedStep for a
    step that made no update.
    """
    try:
        found: Any = _record_decoder(tuple(MEASURES)).decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(_in_one_line(error)) from None
    if found.skipped:
        raise SkippedStep(f"step {found.step} was skipped")
    wanted = FIELDS_1_0 if fields is None else fields
    values: dict[str, Any] = {}
    for name in wanted:
        value, measure = getattr(found, name), MEASURES[name]
        if value is msgspec.UNSET:
            if fields is None:
                raise ValueError(f"Object missing required field `{name}`")
            continue
        expected = {Extent.LAYER: layers, Extent.GAP: max(layers - 1, 0), Extent.CLASS: recall}.get(
            measure.extent
        )
        if expected is not None and len(value) != expected:
            as_before = " as in the first record" if measure.extent is Extent.CLASS else ""
            raise ValueError(f"{name} has {len(value)} entries, not {expected}{as_before}")
        values[name] = _value(value, measure)
    if fields is not None:
        if not any(name in values for name in MAGNITUDES):
            raise ValueError(f"none of {', '.join(MAGNITUDES)}: a line needs one of them")
        values["nonfinite"] = max(values.get("nonfinite", 0), _nulls(found, values, frozen))
        for name in wanted:
            if name not in values:
                values[name] = _default(MEASURES[name], layers, recall or 0)
    return StepRecord.of({"step": found.step, **values})


def _nulls(found: Any, values: dict[str, Any], frozen: Collection[int]) -> int:
    """How many numbers of the line are not finite: nulls of the loss and of gradients that there are."""
    count = int("loss" in values and found.loss is None)
    for name in MAGNITUDES:
        if name in values:
            bad = ~np.isfinite(values[name])
            for place in frozen:
                bad[place] = False
            count += int(bad.sum())
    return count


def _value(value: Any, measure: Measure) -> Any:
    if measure.extent is Extent.CLASS:
        return tuple(_number(share) for share in value)
    if measure.extent is not Extent.STEP:
        array = np.array(value, np.int64 if measure.kind is int else np.float64)  # None becomes NaN
        array.flags.writeable = False
        return array
    if isinstance(value, str):
        return one_line(value)
    return _number(value) if measure.kind is float and measure.absent is not None else value


def _default(measure: Measure, layers: int, classes: int) -> Any:
    """What a listed field is in a line that does not have it."""
    if measure.extent is Extent.STEP:
        return measure.absent
    if measure.extent is Extent.CLASS:
        return (math.nan,) * classes
    entries = layers if measure.extent is Extent.LAYER else max(layers - 1, 0)
    kind: npt.DTypeLike = np.int64 if measure.kind is int else np.float64
    array = np.full(entries, measure.absent, kind)
    array.flags.writeable = False
    return array


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _gated(value: Any) -> Any:
    """What another program wrote, with every text in it harmless for a terminal."""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, tuple):
        return tuple(map(_gated, value))
    return value


def _in_one_line(error: Exception) -> str:
    return one_line(" ".join(str(error).split()))[:200]
