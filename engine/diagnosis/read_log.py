"""A log read to its end and judged: what `bptui report` says, whoever wrote it.

    LogSource ──every record──> LoggedLines (thinned where there are many) ──> columns of matrices ──> Diagnosis

The first and the last lines, and the first with a number that is not finite, are always kept.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.diagnosis.diagnosis import Diagnosis
from engine.diagnosis.of_log import LoggedRun, diagnose_log
from engine.metrics.step_record import MAGNITUDES, MEASURES, Extent, StepRecord
from engine.runs.layer_names import matrices_of
from engine.runs.log_format import Header
from engine.runs.log_reader import Damage, News
from engine.runs.log_source import LogSource

MOST_NUMBERS = 4_000_000
"""So many numbers are kept of a log; of one that has more, every second line, every fourth, and so on."""

RECENT = 200
"""So many last lines are kept one by one: findings of the loss look at each of the last steps."""

JUDGED = (
    "loss",
    "nonfinite",
    "grad_l2",
    "grad_max",
    "grad_mean",
    "delta_l2",
    "zero_fraction",
    "dead",
    "dead_step",
)
"""The fields that findings are made of."""


@dataclass
class LoggedLines:
    """The records of a log, thinned; and what is told of it besides findings."""

    header: Header | None = None
    first: StepRecord | None = None
    last: StepRecord | None = None
    broken: StepRecord | None = None
    """The first with a number that is not finite."""
    count: int = 0
    skipped: int = 0
    damaged: list[Damage] = field(default_factory=list)
    _kept: list[StepRecord] = field(default_factory=list)
    _recent: deque[StepRecord] = field(default_factory=lambda: deque(maxlen=RECENT))
    _stride: int = 1

    def take(self, news: News, header: Header | None) -> None:
        """What a poll found."""
        if news.restarted:
            self.__init__()  # type: ignore[misc]  # another run: forget everything
        self.header = header
        self.damaged += news.damaged
        self.skipped += news.skipped
        for record in news.records:
            self._append(record)

    def _append(self, record: StepRecord) -> None:
        if self.last is not None and record.step <= self.last.step:
            return
        self.first = self.first or record
        self.last = record
        if self.broken is None and record.nonfinite:
            self.broken = record
        if self.count % self._stride == 0:
            self._kept.append(record)
            if len(self._kept) * max(len(_a_magnitude(record)), 1) > MOST_NUMBERS:
                self._kept = self._kept[::2]
                self._stride *= 2
        self._recent.append(record)
        self.count += 1

    @property
    def records(self) -> list[StepRecord]:
        """Those that are kept, by their steps."""
        by_step = {record.step: record for record in self._kept}
        by_step |= {record.step: record for record in self._recent}
        if self.broken is not None:
            by_step[self.broken.step] = self.broken
        return [by_step[step] for step in sorted(by_step)]


def _a_magnitude(record: StepRecord) -> Sequence[float]:
    name = next((name for name in MAGNITUDES if name in record.fields), "grad_l2")
    magnitude: Sequence[float] = getattr(record, name)
    return magnitude


@dataclass(frozen=True)
class LogReport:
    """What a log says. `layers` are the matrices that findings number from 1."""

    lines: LoggedLines
    layers: tuple[str, ...]
    diagnosis: Diagnosis

    @property
    def not_finite(self) -> tuple[int, tuple[str, ...]] | None:
        """The first step with a number that is not finite, and the layers whose gradient was none; None without."""
        broken, header = self.lines.broken, self.lines.header
        if broken is None or header is None:
            return None
        bad = ~np.isfinite(np.asarray(_a_magnitude(broken)))
        return broken.step, tuple(name for name, one in zip(header.layers, bad, strict=True) if one)

    def record(self) -> dict[str, Any]:
        """As JSON has it."""
        lines, header = self.lines, self.lines.header
        found = self.not_finite
        return {
            "log": None,
            "title": "" if header is None else header.title,
            "lines": lines.count,
            "step_first": None if lines.first is None else lines.first.step,
            "step_last": None if lines.last is None else lines.last.step,
            "loss_first": _loss(lines.first),
            "loss_last": _loss(lines.last),
            "fields": [] if lines.last is None else [name for name in MEASURES if name in lines.last.fields],
            "layers": list(self.layers),
            "findings": [finding.record() for finding in self.diagnosis.findings],
            "gradients": self.diagnosis.gradients,
            "missing": list(self.diagnosis.missing),
            "nonfinite": None if found is None else {"step": found[0], "layers": list(found[1])},
            "skipped": lines.skipped,
            "damaged": [{"line": damage.line, "reason": damage.reason} for damage in lines.damaged],
        }


def _loss(record: StepRecord | None) -> float | None:
    if record is None or "loss" not in record.fields or not math.isfinite(record.loss):
        return None
    return record.loss


def read_log(log: LogSource) -> LoggedLines:
    """Everything in a log that nobody writes any more. Raises RunLogError."""
    lines = LoggedLines()
    more = True
    while more:
        news = log.poll()
        lines.take(news, log.header)
        more = news.more
    lines.take(log.finish(), log.header)
    return lines


def report_on(lines: LoggedLines) -> LogReport:
    """The findings of what was read, as far as the log holds the numbers for them."""
    header = lines.header
    if header is None or lines.last is None:
        return LogReport(lines, () if header is None else header.layers, diagnose_log(LoggedRun(layers=())))
    places = matrices_of(header)
    names = tuple(header.layers[place] for place in places)
    return LogReport(lines, names, diagnose_log(_run(lines, header, places, names)))


def _run(lines: LoggedLines, header: Header, places: list[int], names: tuple[str, ...]) -> LoggedRun:
    records = lines.records
    columns: dict[str, Any] = {"step": np.array([record.step for record in records], np.float64)}
    assert lines.last is not None
    for name in JUDGED:
        if name in lines.last.fields:
            values = np.array([getattr(record, name) for record in records], np.float64)
            columns[name] = values[:, places] if MEASURES[name].extent is Extent.LAYER else values
    if all(not np.isfinite(columns[name]).any() for name in MAGNITUDES if name in columns):
        for name in MAGNITUDES:  # a log of the loss alone
            columns.pop(name, None)

    def chosen(entries: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(entries[place] for place in places) if entries else ()

    return LoggedRun(
        layers=names,
        columns=columns,
        activations=chosen(header.activations),
        units=chosen(header.units),
        norms=chosen(header.norms),
        residuals=chosen(header.residuals),
        ordered=header.ordered,
        problem=None if lines.broken is None else lines.broken.problem,
    )
