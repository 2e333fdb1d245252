"""Records as rows of numbers: which column holds what, and many records written at once.

    step  loss  …  grad_max[1] grad_max[2] …  dead[1] …
    ──────────────────────────────────────────────────
      0   0.69  …     0.3         0.1      …     0        a record
      1   0.68  …     0.2         0.1      …     0        the next

A record that nobody has read is not read one by one either: `pass_table` makes the fields of many at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.metrics.pass_table import PassTableReader, UnreadPass
from engine.metrics.step_record import MEASURES, Extent, StepRecord

Numbers = npt.NDArray[np.float64]


def numeric_fields() -> tuple[str, ...]:
    """The fields of StepRecord that are a number or numbers. `problem` is the one text."""
    return ("step", *(name for name, measure in MEASURES.items() if measure.kind is not str))


COUNTS = frozenset(
    name for name, measure in MEASURES.items() if measure.kind is int and measure.extent is not Extent.STEP
)
"""Fields of whole numbers. Float64 holds them exactly."""

TUPLES = frozenset(name for name, measure in MEASURES.items() if measure.extent is Extent.CLASS)
"""Fields with an entry a class, not a layer."""


class RecordColumns:
    """The columns of a table that holds StepRecords of one network as rows of numbers.

    What was not measured in it has no column.
    """

    def __init__(self, first: StepRecord) -> None:
        self._first = first
        present = first.fields
        shapes = {name: np.shape(getattr(first, name)) for name in numeric_fields() if name in present}
        self.scalars = frozenset(name for name, shape in shapes.items() if not shape and name not in TUPLES)
        self.places: dict[str, slice] = {}
        start = 0
        for name, shape in shapes.items():  # `step` first
            size = shape[0] if shape else 1
            self.places[name] = slice(start, start + size)
            start += size
        self.count = start

    def rows_of(self, records: Sequence[StepRecord]) -> Numbers:
        """StepRecords as rows of numbers, (records, count); None becomes NaN.

        What is None, as the accuracy of a squared error, becomes NaN.
        """
        rows = np.empty((len(records), self.count))
        begin = 0
        rests = [record.rest for record in records]
        for _, places in groupby(range(len(records)), key=lambda place: _reader_of(rests[place])):
            here = slice(begin, begin := begin + len(list(places)))
            self._write(
                records[here], [rest for rest in rests[here] if isinstance(rest, UnreadPass)], rows[here]
            )
        return rows

    def _write(self, records: Sequence[StepRecord], unread: list[UnreadPass], rows: Numbers) -> None:
        made = unread[0].reader.columns_of(unread) if unread else {}
        for name, place in self.places.items():
            values = made.get(name)
            if values is None:
                values = [getattr(record, name) for record in records]
                if values[0] is values[-1] and all(value is values[0] for value in values):
                    values = values[0]  # such as `dead` between two checks
            if name in self.scalars:
                rows[:, place.start] = values
            elif name == "recall" and values is not made.get(
                name
            ):  # nobody's, where the outputs are not finite
                for row, record in zip(rows, records, strict=True):
                    row[place] = record.recall or np.nan
            else:
                rows[:, place] = values

    def record_of(self, row: Numbers, problem: str | None) -> StepRecord:
        """The StepRecord that a row was made of."""
        kept = row.copy()
        kept.flags.writeable = False
        values = {name: self._entry(name, kept[place]) for name, place in self.places.items()}
        return StepRecord.of({**values, "problem": problem})

    def absent(self, name: str) -> Numbers:
        """The value that a field without a column reads as, in one row."""
        value = getattr(self._first, name)
        return np.asarray(np.nan if value is None else value, np.float64)

    def _entry(self, name: str, values: Numbers) -> Any:
        """A field as StepRecord has it, from its float64 numbers."""
        if name in COUNTS:
            counts = values.astype(np.int64)
            counts.flags.writeable = False
            return counts
        if name in TUPLES:
            return tuple(values.tolist())
        if name not in self.scalars:
            return values
        number = float(values[0])
        if isinstance(getattr(self._first, name), int):
            return int(number)
        return None if getattr(self._first, name) is None else number


def _reader_of(rest: object) -> PassTableReader | None:
    """What records must have in common to be read together."""
    return rest.reader if isinstance(rest, UnreadPass) else None
