"""The loss over all data after 0, 1, 2, … updates, in bounded memory.

    updates     0 1 2 3 4 5 6 7 …
    rows      [  0  ][  2  ][  4  ][  6  ]      a row: its first loss, and the smallest and largest of all in it
    recent             [ the last 101, one by one ]

When all rows are taken, neighbours are merged two by two. With full batches every step's loss is one over all data;
with mini-batches it is measured now and then (`engine.diagnosis.run_observer`), and `each_step` is False.
"""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MOST_ROWS = 2048
RECENT = 100
"""So many last steps are asked whether the loss rose in them."""

RISE = 1e-9
"""A loss that is higher by less than this share of itself has not risen: that is rounding."""


def rose(before: float, after: float) -> bool:
    """Whether the loss went up between two steps by more than rounding."""
    return after - before > RISE * abs(before)


@dataclass(frozen=True, slots=True, eq=False)
class LossCurvePoints:
    """The losses of a run up to now: `step` (rows,) is the number of updates; `low` and `high` span a row's losses.

    The last row is the present loss alone. `first_rise` is the number of updates after which the loss was lower than
    after the next ones for the first time; None where it has never risen. `rises` is how often it rose in the last
    `RECENT` steps. `called` says which loss it is: a run log may only know that of batches.
    """

    step: Floats
    value: Floats
    low: Floats
    high: Floats
    rises: int
    first_rise: int | None
    each_step: bool
    called: str = "the loss over all data"

    @property
    def first(self) -> float:
        """The loss before the first update."""
        return float(self.value[0])

    @property
    def last(self) -> float:
        """The loss after the last update."""
        return float(self.value[-1])

    @property
    def steps(self) -> int:
        """The number of updates."""
        return int(self.step[-1] - self.step[0])

    def at(self, step: float) -> float:
        """The loss after so many updates, or after the last ones before that for which it is known."""
        place = int(np.searchsorted(self.step, step, side="right")) - 1
        return float(self.value[max(place, 0)])

    def span(self, since: float) -> tuple[float, float]:
        """The smallest and the largest loss from step `since` on."""
        place = max(int(np.searchsorted(self.step, since, side="right")) - 1, 0)
        return float(np.min(self.low[place:])), float(np.max(self.high[place:]))

    def typical(self, since: float, until: float) -> float:
        """The median of the losses that are kept from step `since` to `until`: single jumps do not show in it."""
        first = int(np.searchsorted(self.step, since, side="left"))
        end = int(np.searchsorted(self.step, until, side="right"))
        return float(np.median(self.value[first:end])) if end > first else self.at(until)

    @property
    def three_quarters(self) -> float:
        """The loss with a quarter of the steps still to come."""
        return self.at(self.step[0] + 0.75 * self.steps)


class LossCurve:
    """Collects the losses of a run in bounded memory; see the picture above."""

    def __init__(self, *, each_step: bool = True, rows: int = MOST_ROWS) -> None:
        self.each_step = each_step
        self._capacity = rows - rows % 2
        self.clear()

    def clear(self) -> None:
        """Forgets all losses."""
        self._step: list[int] = []
        self._value: list[float] = []
        self._low: list[float] = []
        self._high: list[float] = []
        self._stride = 1
        self._in_last = 0
        self._recent: deque[tuple[int, float]] = deque(maxlen=RECENT + 1)
        self._first_rise: int | None = None

    def append(self, step: int, loss: float) -> None:
        """Adds the loss after `step` updates; a step that is not later than the last is left out."""
        if self._recent:
            before, last = self._recent[-1]
            if step <= before:
                return
            if self._first_rise is None and rose(last, loss):
                self._first_rise = before
        self._recent.append((step, loss))
        if self._step and self._in_last < self._stride:
            if loss < self._low[-1]:
                self._low[-1] = loss
            elif loss > self._high[-1]:
                self._high[-1] = loss
            self._in_last += 1
            return
        if len(self._step) == self._capacity:
            self._merge()
        for column, number in ((self._value, loss), (self._low, loss), (self._high, loss)):
            column.append(number)
        self._step.append(step)
        self._in_last = 1

    def rewind(self, step: int) -> None:
        """Forgets the losses after more than `step` updates."""
        kept = sum(1 for one in self._step if one <= step)
        for column in (self._step, self._value, self._low, self._high):
            del column[kept:]
        if kept:
            self._low[-1] = self._high[-1] = self._value[-1]
        self._in_last = self._stride
        self._recent = deque((pair for pair in self._recent if pair[0] <= step), maxlen=RECENT + 1)
        if not self._recent and kept:
            self._recent.append((self._step[-1], self._value[-1]))
        if self._first_rise is not None and self._first_rise >= step:
            self._first_rise = None

    def until(self, step: int, loss: float) -> LossCurvePoints:
        """The losses so far and the present one, after `step` updates."""
        recent = [*(pair for pair in self._recent if pair[0] < step), (step, loss)][-RECENT - 1 :]
        rises = sum(rose(one[1], other[1]) for one, other in pairwise(recent))
        first_rise = self._first_rise
        if first_rise is not None and first_rise >= step:
            first_rise = None
        if first_rise is None and len(recent) > 1 and rose(recent[-2][1], loss):
            first_rise = recent[-2][0]
        kept = sum(1 for one in self._step if one < step)

        def column(numbers: list[float], last: float) -> Floats:
            return np.array([*numbers[:kept], last], np.float64)

        return LossCurvePoints(
            step=np.array([*self._step[:kept], step], np.float64),
            value=column(self._value, loss),
            low=column(self._low, loss),
            high=column(self._high, loss),
            rises=rises,
            first_rise=first_rise,
            each_step=self.each_step,
        )

    def _merge(self) -> None:
        self._step, self._value = self._step[::2], self._value[::2]
        self._low = [min(pair) for pair in zip(self._low[::2], self._low[1::2], strict=True)]
        self._high = [max(pair) for pair in zip(self._high[::2], self._high[1::2], strict=True)]
        self._stride *= 2


def losses_of(steps: Floats, values: Floats, *, full: bool) -> LossCurvePoints | None:
    """The losses of a run log over its steps, (rows,) each; None where there are none.

    `full` says that they are of all data. Those of batches are scattered: where there are many, each row is a mean of
    neighbours.
    """
    known = np.isfinite(values)
    steps, values = steps[known], values[known]
    if not len(steps):
        return None
    called = "the loss over all data" if full else "the logged loss"
    if not full and len(steps) >= 2 * BATCHES_TOLD:
        parts = np.array_split(np.arange(len(steps)), BATCHES_TOLD)
        # The first and the last mean stand for the run's ends.
        ends = [steps[0], *(steps[part[-1]] for part in parts[1:])]
        called = f"the logged loss (means of {len(parts[-1]):,} lines)"
        steps, values = np.array(ends), np.array([values[part].mean() for part in parts])
    curve = LossCurve(each_step=full and bool((np.diff(steps) == 1).all()))
    for step, loss in zip(steps, values, strict=True):
        curve.append(int(step), float(loss))
    return dataclasses.replace(curve.until(int(steps[-1]), float(values[-1])), called=called)


BATCHES_TOLD = 40
"""Losses of batches become so many means: enough to see halves and quarters, and each of many lines."""


def has_diverged(losses: LossCurvePoints) -> bool:
    """Whether the loss over all data is not finite, or ends far above where it began."""
    return not math.isfinite(losses.last) or losses.last > MUCH_HIGHER * abs(losses.first) > 0


MUCH_HIGHER = 10.0
"""A loss over all data that ends above so many times its first value has diverged."""
