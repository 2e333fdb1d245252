"""A run log that another program is writing, as something that the training screens can watch.

train.py ──> run.jsonl ──> RunLogReader.poll() ──> History ──> the same charts
"""

from __future__ import annotations

import time
from pathlib import Path

from typing_extensions import override

from engine.formula.foreign_text import one_line
from engine.metrics.step_record import StepRecord
from engine.runs.history import History
from engine.runs.log import RunLogError, RunLogReader
from tui.session.snapshot import LITTLE, ColumnView, RunSnapshot, State, Training, TrainingSnapshot, Wanted

QUIET_SECONDS = 5.0
"""A file that has not grown for so long is said to be paused."""


class LoggedRun:
    """The run that a log tells of."""

    def __init__(self, path: Path) -> None:
        self.name = one_line(path.name)
        self.title = ""
        self.about = f"Waiting for the first line of {one_line(str(path))}."
        self.layers: tuple[str, ...] = ()
        self.activations: tuple[str, ...] = ()
        self.units: tuple[int, ...] = ()
        self.norms: tuple[str, ...] = ()
        self.residuals: tuple[bool, ...] = ()
        self.history = History()
        self.damaged = 0
        self.unreadable: str | None = None
        self.reader = RunLogReader(path)
        self.grew_at = 0.0
        self.record: StepRecord | None = None
        """The last complete record of the file."""

    @property
    def problem(self) -> str | None:
        """Why the file can no longer be read, or what stopped the run."""
        return self.unreadable or (None if self.record is None else self.record.problem)

    @property
    def steps_done(self) -> int:
        """Up to the last complete record of the file."""
        return 0 if self.record is None else self.record.step + 1

    def snapshot(self, wanted: Wanted) -> RunSnapshot:
        """What has been read so far."""
        record = self.record
        return RunSnapshot(
            name=self.name,
            title=self.title,
            about=self.about,
            layers=self.layers,
            activations=self.activations,
            units=self.units,
            norms=self.norms,
            residuals=self.residuals,
            first=self.history.first,
            record=record,
            steps_done=self.steps_done,
            column=None if record is None else ColumnView.of(self.history, record, wanted),
            problem=self.problem,
            learning_rate=None if record is None else record.learning_rate,
        )

    def poll(self) -> None:
        """Takes what has been written since. Raises RunLogError where the file is no run log of this version."""
        news = self.reader.poll()
        if news.restarted:
            self.history.clear()
            self.record = None
            self.layers, self.damaged = (), 0
        header = self.reader.header
        if header is not None and not self.layers:
            self.title, self.layers = header.title, header.layers
            self.about = "Waiting for the first step."
            self.activations, self.units = header.activations, header.units
            self.norms, self.residuals = header.norms, header.residuals
        for record in news.records:
            if self.record is None or record.step > self.record.step:
                self.history.append(record)
                self.record = record
        self.damaged += len(news.damaged)
        if news.records:
            self.grew_at = time.monotonic()


class WatchedLog(Training):
    """Looks at the file whenever a screen looks at the training. Raises RunLogError at once where it is no run log."""

    def __init__(self, path: Path) -> None:
        self.run = LoggedRun(path)
        self.run.poll()

    @override
    def snapshot(self, wanted: Wanted = LITTLE) -> TrainingSnapshot:
        self._read_on()
        return TrainingSnapshot(runs=(self.run.snapshot(wanted),), state=self.state)

    @override
    def pulse(self) -> object:
        self._read_on()
        return self.run.steps_done, self.run.layers, self.state

    def _read_on(self) -> None:
        """Reads what is new; never waits for the other program."""
        if self.run.unreadable is not None:
            return
        try:
            self.run.poll()
        except RunLogError as error:  # another file stands in its place now
            path = one_line(str(self.run.reader.path))
            reason = str(error).removeprefix(f"{path}: ")  # the name stands beside it
            self.run.unreadable = self.run.title = self.run.about = reason

    @property
    def state(self) -> State:
        """Running while the file grows."""
        if self.run.problem is not None:
            return State.BROKEN
        growing = time.monotonic() - self.run.grew_at < QUIET_SECONDS
        return State.RUNNING if growing and self.run.grew_at else State.PAUSED

    @override
    def close(self) -> None:
        self.run.reader.close()
