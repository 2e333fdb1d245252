"""A run log that another program is writing, as something that the training screens can watch.

train.py ──> run.jsonl ──> FollowedRun.poll() ──> History ──> the same charts
                                               └─> findings, as `bptui report` has them
"""

from __future__ import annotations

import time
from pathlib import Path

from typing_extensions import override

from engine.diagnosis.log_report import said_of
from engine.formula.numbers_in_words import counted
from engine.formula.untrusted_text import one_line
from engine.metrics.step_record import StepRecord
from engine.runs.followed_run import FollowedRun
from engine.runs.history import History
from engine.runs.run_log import RunLogError
from tui.session.training_snapshot import LITTLE, ColumnView, RunSnapshot, State, TrainingSnapshot, Wanted
from tui.session.watched_training import WatchedTraining

JUDGE_SECONDS = 1.0
"""Findings are looked for no more often: of a long log they take some 100 ms."""


class WatchedLogRun:
    """The run that a log tells of, as screens watch it. `names` and `layers` are those of `FollowedRun`."""

    def __init__(self, path: Path, names: str | None = None, layers: str | None = None) -> None:
        self.followed = FollowedRun(path, names, layers)
        self.name = one_line(path.name or str(path))
        self.about = f"Waiting for the first line of {one_line(str(path))}."
        self.unreadable: str | None = None
        self._said: tuple[str, ...] = ()
        self._judged: object = None
        self._judged_at = 0.0

    @property
    def history(self) -> History:
        """The history that has been read so far."""
        return self.followed.history

    @property
    def record(self) -> StepRecord | None:
        """The last complete record of the log."""
        return self.followed.record

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers' names; none until the first line is there."""
        return () if self.followed.header is None else self.followed.header.layers

    @property
    def damaged(self) -> int:
        """How many lines of the log could not be read."""
        return self.followed.damaged_count

    @property
    def problem(self) -> str | None:
        """Why the log can no longer be read, or what stopped the run."""
        return self.unreadable or (None if self.record is None else self.record.problem)

    @property
    def steps_done(self) -> int:
        """The steps up to the last complete record of the log."""
        return 0 if self.record is None else self.record.step + 1

    def snapshot(self, wanted: Wanted) -> RunSnapshot:
        """The snapshot of what has been read so far."""
        record, header = self.record, self.followed.header
        title = "" if header is None else one_line(header.title)
        return RunSnapshot(
            name=self.name,
            title=self.unreadable or title,
            about=self.unreadable or (self.about if header is None else "Waiting for the first step."),
            described=() if header is None else header.infos,
            first=self.history.first,
            record=record,
            steps_done=self.steps_done,
            column=None if record is None else ColumnView.of(self.history, record, wanted),
            problem=self.problem,
            learning_rate=None if record is None else record.learning_rate,
            said=self._findings(),
            unread_lines=tuple(
                f"line {damage.line}: {one_line(damage.reason)}" for damage in self.followed.damaged
            ),
        )

    def _findings(self) -> tuple[str, ...]:
        """Of logs that say what they hold; older ones are judged by their last record, as bptui's own runs are."""
        header, record = self.followed.header, self.record
        if header is None or record is None or header.fields is None or header.activations:
            return ()
        state = (record.step, self.followed.reading, self.followed.restarts)
        now = time.monotonic()
        if state != self._judged and now - self._judged_at >= JUDGE_SECONDS:
            self._judged, self._judged_at = state, now
            self._said = said_of(self.followed)
        return self._said

    @property
    def doing(self) -> str:
        """Who writes it, and whether all of it has been read."""
        writer = self.followed.writer
        if self.followed.reading:
            return f"{writer}, samples so far"
        if self.damaged:
            return f"{writer}, {counted(self.damaged, 'line')} unread"
        return writer


class WatchedLog(WatchedTraining):
    """A training that a log tells of: the file is read whenever a screen looks at the training.

    Raises RunLogError at once where it is no log.
    """

    def __init__(self, path: Path, names: str | None = None, layers: str | None = None) -> None:
        self.run = WatchedLogRun(path, names, layers)
        self.run.followed.poll()

    def read_all(self) -> None:
        """Waits until all that is in the log now has been read."""
        while self.run.followed.reading:
            time.sleep(0.01)
            self.run.followed.poll()
        while self.run.followed.more:
            self.run.followed.poll()
        self.run.followed.finish()

    @override
    def snapshot(self, wanted: Wanted = LITTLE) -> TrainingSnapshot:
        self._read_on()
        return TrainingSnapshot(runs=(self.run.snapshot(wanted),), state=self.state, doing=self._doing)

    @override
    def pulse(self) -> object:
        self._read_on()
        return self.run.steps_done, self.run.layers, self.state, self._doing, self.run.followed.restarts

    def _read_on(self) -> None:
        """Reads what is new; never waits for the other program."""
        if self.run.unreadable is not None:
            return
        try:
            self.run.followed.poll()
        except RunLogError as error:  # another file stands in its place now
            path = one_line(str(self.run.followed.path))
            self.run.unreadable = str(error).removeprefix(f"{path}: ")  # the name stands beside it

    @property
    def _doing(self) -> str:
        return "" if self.state is State.BROKEN else self.run.doing

    @property
    def state(self) -> State:
        """The state of the training: running while the log grows."""
        if self.run.problem is not None:
            return State.BROKEN
        match self.run.followed.writer:
            case "running":
                return State.RUNNING
            case "ended":
                return State.FINISHED
        return State.PAUSED

    @override
    def close(self) -> None:
        self.run.followed.close()
