"""A run's records in bounded memory: ten million steps take no more room than ten thousand.

    steps       0 1 2 3 4 5 6 7 8 …
    rows      [  0  ][  2  ][  4  ][  6  ][ 8 ]      a row stands for `stride` steps, here 2: its first record,
                                                     and the smallest and largest of every number in all of them

When all rows are taken, neighbours are merged two by two and the stride doubles. So each row stands for equally
many steps, the first and the last record are always there, a spike that lasts one step keeps its height for ever
(it is some row's largest), and a step costs the same on average however long the run (merging copies half of
the rows, once in as many steps as there are rows).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.metrics.step_record import StepRecord
from engine.runs.record_rows import Numbers, RecordColumns, numeric_fields

MEMORY = 64 * 2**20
MOST_ROWS, FEWEST_ROWS = 4096, 64
"""`MOST_ROWS` is more than a chart has columns on any screen; a network so deep that so many rows would not fit
into `MEMORY` bytes gets fewer, but never less than `FEWEST_ROWS`."""

TOGETHER = 64
"""So many records are taken in at once, unless somebody looks before: one by one costs far more."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The history of one field, ready to plot: `low` and `high` span the steps from `step[i]` to the next row's.

    `step` is (rows,); the others are (rows,) or, for a column with an entry a layer, (rows, layers). `value`
    is the number at `step` itself. The arrays are read-only views or copies; NaN stands where nothing was measured.
    """

    step: Numbers
    value: Numbers
    low: Numbers
    high: Numbers


class History:
    """The records of one run in bounded memory: the older, the more of them are merged.

    `rows` bounds how many rows are kept; None chooses it from the size of the first record. Made for one thread at
    a time: the screens look at it between two steps.
    """

    def __init__(self, rows: int | None = None) -> None:
        if rows is not None and rows < 4:
            raise ValueError(f"a history needs at least 4 rows, not {rows}")
        self._asked_rows = rows
        self.clear()

    def clear(self) -> None:
        """Forgets all records, and what they looked like: another network may follow."""
        self._rows = 0
        self._stride = 1
        self._in_last_row = 0
        self.steps_seen = 0
        self._first: StepRecord | None = None
        self._last: StepRecord | None = None
        self._waiting: list[StepRecord] = []

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────

    def append(self, record: StepRecord) -> None:
        """Adds a record, whose step must be larger than the last one's."""
        if self._last is None:
            self._start(record)
        elif record.step <= self._last.step:
            raise ValueError(f"step {record.step} cannot follow step {self._last.step}")
        self._waiting.append(record)
        self._last = record
        self.steps_seen += 1
        if len(self._waiting) == TOGETHER:
            self._take_in()

    def _take_in(self) -> None:
        """Enters the records that wait into the rows."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        numbers = self._columns.rows_of(waiting)
        self._newest = numbers[-1]
        begin = 0
        while begin < len(numbers):
            if self._rows == 0 or self._in_last_row == self._stride:
                if self._rows == self._capacity:
                    self._merge()
                # All at once while a row is a step.
                many = 1 if self._stride > 1 else min(self._capacity - self._rows, len(numbers) - begin)
                self._open_rows(numbers[begin : begin + many], waiting[begin : begin + many])
                begin += many
                continue
            end = min(begin + self._stride - self._in_last_row, len(numbers))
            low, high = self._low[self._rows - 1], self._high[self._rows - 1]
            np.fmin(low, np.fmin.reduce(numbers[begin:end]), out=low)
            np.fmax(high, np.fmax.reduce(numbers[begin:end]), out=high)
            self._in_last_row += end - begin
            begin = end

    def rewind(self, step: int) -> None:
        """Forgets every record after `step`, for a run that goes on from an earlier checkpoint.

        The row that holds `step` shrinks to its first record: what else it stood for may have come later.
        """
        if self._last is None or step >= self._last.step:
            return
        self._take_in()
        kept = int(np.searchsorted(self._value[: self._rows, 0], step, side="right"))
        if kept == 0:
            self.clear()
            return
        self._rows, self._in_last_row = kept, self._stride
        self._low[kept - 1] = self._high[kept - 1] = self._value[kept - 1]
        self._last = self._rebuilt(kept - 1)

    def _start(self, record: StepRecord) -> None:
        self._first = record
        self._columns = RecordColumns(record)
        count = self._columns.count
        fitting = MEMORY // (3 * 8 * count) - 1  # the last row is for the newest record
        rows = self._asked_rows or min(MOST_ROWS, max(FEWEST_ROWS, fitting))
        self._capacity = rows - rows % 2  # rows are merged in pairs
        self._value, self._low, self._high = (np.empty((self._capacity + 1, count)) for _ in range(3))
        self._problems: list[str | None] = []

    def _open_rows(self, numbers: Numbers, records: Sequence[StepRecord]) -> None:
        rows = slice(self._rows, self._rows + len(numbers))
        for kept in (self._value, self._low, self._high):
            kept[rows] = numbers
        self._problems[self._rows :] = [record.problem for record in records]
        self._rows += len(numbers)
        self._in_last_row = 1

    def _merge(self) -> None:
        """Makes one row of each two. The rows are full and even in number, so all stand for equally many steps."""
        half, end = self._rows // 2, self._rows
        self._value[:half] = self._value[:end:2]
        self._low[:half] = np.fmin(self._low[:end:2], self._low[1:end:2])
        self._high[:half] = np.fmax(self._high[:end:2], self._high[1:end:2])
        self._problems = self._problems[::2]
        self._rows = half
        self._stride *= 2

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────

    def __len__(self) -> int:
        """How many records can be looked at: one a row, and the last."""
        return self._show()

    @property
    def first(self) -> StepRecord | None:
        """The first record of the run; None before there is one."""
        return self._first

    @property
    def last(self) -> StepRecord | None:
        """The newest record, as it came; None before there is one."""
        return self._last

    @property
    def stride(self) -> int:
        """How many steps a row stands for."""
        self._take_in()
        return self._stride

    @property
    def nbytes(self) -> int:
        """The bytes that the history's rows take, however many of them are used."""
        return 0 if self._first is None else self._value.nbytes + self._low.nbytes + self._high.nbytes

    def _show(self) -> int:
        """Puts the newest record into the row after the last, unless it began the last, and counts the rows.

        So a plot ends where the run is, and a step that nobody looks at does not pay for it.
        """
        self._take_in()
        if self._last is None or self._value[self._rows - 1, 0] == self._last.step:
            return self._rows
        for kept in (self._value, self._low, self._high):
            kept[self._rows] = self._newest
        return self._rows + 1

    def record(self, index: int) -> StepRecord:
        """The kept record of an index, 0 being the first and -1 the last. Raises IndexError."""
        shown = self._show()
        if not -shown <= index < shown:
            raise IndexError(f"there are {shown} records, and no {index}")
        index %= shown
        if index == shown - 1 and self._last is not None:
            return self._last
        return self._rebuilt(index)

    def _rebuilt(self, index: int) -> StepRecord:
        """The record that begins a row, from its numbers."""
        return self._columns.record_of(self._value[index], self._problems[index])

    def nearest(self, step: int) -> int:
        """The index of the kept record whose step is nearest to `step`; raises IndexError when there is none."""
        if self._last is None:
            raise IndexError("there are no records yet")
        steps = self._value[: self._show(), 0]
        after = min(int(np.searchsorted(steps, step)), len(steps) - 1)
        before = max(after - 1, 0)
        return before if step - steps[before] <= steps[after] - step else after

    def column(self, name: str) -> Series:
        """The kept values of one field of StepRecord, as views.

        What was not measured is NaN throughout (or its `absent`).
        Raises KeyError for a name that is no numeric field. The views change as the run goes on.
        """
        if self._last is None:
            if name not in numeric_fields():
                raise KeyError(name)
            nothing = np.empty(0)
            return Series(nothing, nothing, nothing, nothing)
        shown = self._show()
        if name in numeric_fields() and name not in self._columns.places:
            entry = np.asarray(self._columns.absent(name))
            nothing = np.broadcast_to(entry, (shown, *entry.shape))
            return Series(self._value[:shown, 0], nothing, nothing, nothing)
        place, scalar = self._columns.places[name], name in self._columns.scalars
        views = []
        for kept in (self._value, self._low, self._high):
            view = kept[:shown, place.start] if scalar else kept[:shown, place]
            view.flags.writeable = False
            views.append(view)
        step = self._value[:shown, 0]
        step.flags.writeable = False
        return Series(step, *views)

    def decimated(self, name: str, points: int) -> Series:
        """The values of one field in at most `points` rows (copies): neighbours share one, which keeps their extremes.

        The first row begins at the first step, and the last row is the newest record alone. Raises ValueError
        for fewer than 2 points.
        """
        if points < 2:
            raise ValueError(f"a line needs at least 2 points, not {points}")
        series = self.column(name)
        shown = len(series.step)
        if shown <= points:
            return Series(*(part.copy() for part in (series.step, series.value, series.low, series.high)))
        together = -(-(shown - 1) // (points - 1))
        starts = np.append(np.arange(0, shown - 1, together), shown - 1)
        return Series(
            series.step[starts],
            series.value[starts],
            np.fmin.reduceat(series.low, starts, axis=0),
            np.fmax.reduceat(series.high, starts, axis=0),
        )
