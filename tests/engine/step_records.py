"""Step records for the tests of what only reads them: plain ones, and random ones with every odd number in them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection
from typing import Any

import numpy as np
from hypothesis import strategies as st

from engine.formula.untrusted_text import one_line
from engine.metrics.step_record import MEASURES, NEVER, StepRecord

ODD_NUMBERS = (math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1e308)


def record(step: int = 0, layers: int = 3, **changes: Any) -> StepRecord:
    """A healthy record of so many layers; lists among the changes become arrays."""
    ones, gaps = np.ones(layers), np.ones(layers - 1)
    plain = StepRecord(
        step=step,
        loss=0.5,
        learning_rate=0.1,
        seconds=0.01 * step,
        accuracy=0.75,
        recall=(0.5, 1.0),
        grad_max=ones,
        grad_mean=ones / 2,
        grad_l2=ones * 2,
        update_ratio=ones / 100,
        zero_fraction=ones * 0,
        quiet=np.zeros(layers, np.int64),
        dead=np.full(layers, NEVER, np.int64),
        dead_step=NEVER,
        saturated=ones * math.nan,
        delta_l2=ones,
        weight_gain=gaps,
        activation_gain=gaps,
        clipped=1.0,
        nonfinite=0,
        problem=None,
    )
    arrays = {key: np.array(value) if isinstance(value, list) else value for key, value in changes.items()}
    return dataclasses.replace(plain, **arrays)


@st.composite
def records(draw: st.DrawFn, layers: int = 3) -> StepRecord:
    """A record whose floats may be anything at all."""
    floats = st.one_of(st.sampled_from(ODD_NUMBERS), st.floats(width=64))
    values: dict[str, Any] = {}
    for field in dataclasses.fields(StepRecord):
        value = getattr(record(layers=layers), field.name)
        if isinstance(value, np.ndarray):
            entry = floats if value.dtype.kind == "f" else st.integers(NEVER, 2**40)
            values[field.name] = np.array(
                draw(st.lists(entry, min_size=len(value), max_size=len(value))), value.dtype
            )
        elif isinstance(value, float):
            values[field.name] = draw(floats)
    values["step"] = draw(st.integers(0, 2**53))
    values["accuracy"] = draw(st.none() | st.floats(0, 1))
    values["recall"] = draw(st.sampled_from([(), (0.5, 1.0), (math.nan, 0.0)]))
    values["problem"] = draw(st.none() | st.text(max_size=20))
    return record(layers=layers, **values)


def as_read_back(
    written: StepRecord, fields: Collection[str] | None = None, digits: int | None = None
) -> StepRecord:
    """The record with NaN where it had an infinity, for JSON has neither, and with its text on one line.

    Only `fields`, and rounded to `digits`.
    """

    def rounded(number: float) -> float:
        return number if digits is None else float(f"{number:.{digits}g}")

    def finite(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            return np.array([finite(number) for number in value.tolist()], np.float64)
        if isinstance(value, tuple):
            return tuple(finite(number) for number in value)
        if isinstance(value, float):
            return rounded(value) if math.isfinite(value) else math.nan
        return one_line(value) if isinstance(value, str) else value

    kept = [name for name in MEASURES if fields is None or name in fields]
    return StepRecord(written.step, **{name: finite(getattr(written, name)) for name in kept})


def assert_same(one: StepRecord, other: StepRecord) -> None:
    """Equal in every field, type and shape; NaN equals NaN."""
    for field in dataclasses.fields(StepRecord):
        a, b = getattr(one, field.name), getattr(other, field.name)
        assert type(a) is type(b), field.name
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, field.name
        if isinstance(a, np.ndarray | float | tuple):
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        else:
            assert a == b, field.name
