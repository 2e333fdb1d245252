"""A log read to its end and judged: what `bptui report` says, whoever wrote it.

    LogSource ──every record──> LogRecords (thinned where there are many) ──> columns of matrices ──> Diagnosis

The first and the last lines, and the first with a number that is not finite, are always kept.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.diagnosis.diagnosis import Diagnosis
from engine.diagnosis.log_before_break import LogBeforeBreak, way_to_break
from engine.diagnosis.log_diagnosis import LoggedRun, diagnose_log
from engine.metrics.step_record import MAGNITUDES, MEASURES, Extent, StepRecord, first_magnitude, logged_loss
from engine.runs.followed_run import FollowedRun
from engine.runs.log_source import LogSource
from engine.runs.matrix_layers import matrices_of
from engine.runs.run_log_lines import RunLogHeader
from engine.runs.run_log_reader import Damage, News

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
    "weight_gain",
    "activation_gain",
)
"""The fields that findings are made of."""


@dataclass
class LogRecords:
    """The records of a run log, thinned, and what is told of it besides findings."""

    header: RunLogHeader | None = None
    first: StepRecord | None = None
    last: StepRecord | None = None
    broken: StepRecord | None = None
    """The first with a number that is not finite."""
    last_sound: StepRecord | None = None
    """The last one before that."""
    count: int = 0
    skipped: int = 0
    damaged: list[Damage] = field(default_factory=list)
    _kept: list[StepRecord] = field(default_factory=list)
    _recent: deque[StepRecord] = field(default_factory=lambda: deque(maxlen=RECENT))
    _stride: int = 1

    def take(self, news: News, header: RunLogHeader | None) -> None:
        """Takes in the records of a poll."""
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
        if self.broken is None:
            if record.nonfinite:
                self.broken = record
            else:
                self.last_sound = record
        if self.count % self._stride == 0:
            self._kept.append(record)
            if len(self._kept) * max(len(first_magnitude(record)), 1) > MOST_NUMBERS:
                self._kept = self._kept[::2]
                self._stride *= 2
        self._recent.append(record)
        self.count += 1

    @property
    def records(self) -> list[StepRecord]:
        """The kept records, by their steps."""
        by_step = {record.step: record for record in self._kept}
        by_step |= {record.step: record for record in self._recent}
        if self.broken is not None:
            by_step[self.broken.step] = self.broken
        return [by_step[step] for step in sorted(by_step)]


@dataclass(frozen=True)
class LogReport:
    """The report on a run log: its findings and the numbers they rest on.

    `layers` are the matrices that findings number from 1.
    """

    lines: LogRecords
    layers: tuple[str, ...]
    diagnosis: Diagnosis

    @property
    def not_finite(self) -> tuple[int, tuple[str, ...]] | None:
        """The first step with a number that is not finite, and the layers whose gradient was none; None without."""
        broken, header = self.lines.broken, self.lines.header
        if broken is None or header is None:
            return None
        bad = ~np.isfinite(np.asarray(first_magnitude(broken)))
        return broken.step, tuple(name for name, one in zip(header.layers, bad, strict=True) if one)

    @property
    def before_break(self) -> LogBeforeBreak | None:
        """The way to the first number that was not finite; None where all are finite, or none before it is."""
        broken, first, last = self.lines.broken, self.lines.first, self.lines.last_sound
        return None if broken is None or first is None or last is None else way_to_break(first, last)

    def record(self) -> dict[str, Any]:
        """The report as a JSON object."""
        before = self.before_break
        lines, header = self.lines, self.lines.header
        found = self.not_finite
        return {
            "log": None,
            "title": "" if header is None else header.title,
            "lines": lines.count,
            "step_first": None if lines.first is None else lines.first.step,
            "step_last": None if lines.last is None else lines.last.step,
            "loss_first": logged_loss(lines.first),
            "loss_last": logged_loss(lines.last),
            "fields": [] if lines.last is None else [name for name in MEASURES if name in lines.last.fields],
            "layers": list(self.layers),
            "findings": [finding.record() for finding in self.diagnosis.findings],
            "gradients": self.diagnosis.gradients,
            "missing": list(self.diagnosis.missing),
            "nonfinite": None if found is None else {"step": found[0], "layers": list(found[1])},
            "before": None if before is None else {**dataclasses.asdict(before), "grew": before.grew},
            "skipped": lines.skipped,
            "damaged": [{"line": damage.line, "reason": damage.reason} for damage in lines.damaged],
        }


def read_for_report(log: LogSource) -> LogRecords:
    """Reads a finished log to its end. Raises RunLogError."""
    lines = LogRecords()
    more = True
    while more:
        news = log.poll()
        lines.take(news, log.header)
        more = news.more
    lines.take(log.finish(), log.header)
    return lines


def report_on(lines: LogRecords) -> LogReport:
    """The findings of what was read, as far as the log holds the numbers for them."""
    header = lines.header
    if header is None or lines.last is None:
        return LogReport(lines, () if header is None else header.layers, diagnose_log(LoggedRun(layers=())))
    places = matrices_of(header)
    names = tuple(header.layers[place] for place in places)
    return LogReport(lines, names, diagnose_log(_run(lines, header, places, names)))


def said_of(run: FollowedRun) -> tuple[str, ...]:
    """A headline and sentences on a log that is being watched, from the rows of its history."""
    history, header, last = run.history, run.header, run.record
    if last is None or header is None:
        return ()
    places = matrices_of(header)
    columns: dict[str, Any] = {"step": history.column("step").value}
    for name in _judged(last, header, places):
        series = history.column(name)
        values = series.high if name == "nonfinite" else series.value
        columns[name] = values[:, places] if MEASURES[name].extent is Extent.LAYER else values
    names = tuple(header.layers[place] for place in places)
    problem = None if run.broken is None else run.broken.problem
    diagnosis = diagnose_log(_columns(columns, header, places, names, problem))
    if not diagnosis.findings:
        return (diagnosis.headline, diagnosis.gradients or diagnosis.nothing_found)
    said = [diagnosis.headline]
    for place, finding in enumerate(diagnosis.findings):
        headline = "" if place == 0 else f"{finding.title}. "
        said.append(f"{headline}{finding.text}{'' if finding.remedy is None else f' {finding.remedy}'}")
    if run.broken is not None and history.first is not None and run.last_sound is not None:
        said += way_to_break(history.first, run.last_sound).sentences(header.dtype)
    return tuple(said)


def _judged(last: StepRecord, header: RunLogHeader, places: list[int]) -> list[str]:
    """The fields that a log has; those between two layers only where no layer between them is left out."""
    whole = len(places) == len(header.layers)
    return [
        name for name in JUDGED if name in last.fields and (whole or MEASURES[name].extent is not Extent.GAP)
    ]


def _run(lines: LogRecords, header: RunLogHeader, places: list[int], names: tuple[str, ...]) -> LoggedRun:
    records = lines.records
    columns: dict[str, Any] = {"step": np.array([record.step for record in records], np.float64)}
    assert lines.last is not None
    for name in _judged(lines.last, header, places):
        values = np.array([getattr(record, name) for record in records], np.float64)
        columns[name] = values[:, places] if MEASURES[name].extent is Extent.LAYER else values
    problem = None if lines.broken is None else lines.broken.problem
    return _columns(columns, header, places, names, problem)


def _columns(
    columns: dict[str, Any],
    header: RunLogHeader,
    places: list[int],
    names: tuple[str, ...],
    problem: str | None,
) -> LoggedRun:
    if all(not np.isfinite(columns[name]).any() for name in MAGNITUDES if name in columns):
        for name in MAGNITUDES:  # a log of the loss alone
            columns.pop(name, None)

    infos = header.infos
    return LoggedRun(
        layers=tuple(
            dataclasses.replace(infos[place], name=name) for place, name in zip(places, names, strict=True)
        ),
        columns=columns,
        ordered=header.ordered,
        problem=problem,
    )
