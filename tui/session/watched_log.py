"""A run log that another program is writing, as something that the training screens can watch.

train.py ──> run.jsonl ──> RunLogReader.poll() ──> History ──> the same charts
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from engine.experiment.datasets import DataSet
from engine.formula.foreign_text import one_line
from engine.metrics.step_record import StepRecord
from engine.model.network import Network
from engine.runs.history import History
from engine.runs.log import RunLogError, RunLogReader
from tui.session.source import Source
from tui.session.training_run import LaneView, State, Training

Answer = TypeVar("Answer")

QUIET_SECONDS = 5.0
"""A file that has not grown for so long is said to be paused."""


class LogLane(LaneView):
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
        self._last: StepRecord | None = None

    @property
    def record(self) -> StepRecord | None:
        """The last complete record of the file."""
        return self._last

    @property
    def steps_done(self) -> int:
        """Up to the last complete record."""
        return 0 if self._last is None else self._last.step + 1

    @property
    def problem(self) -> str | None:
        """Why the file can no longer be read, or what stopped the run."""
        return self.unreadable or super().problem

    def poll(self) -> None:
        """Takes what has been written since. Raises RunLogError where the file is no run log of this version."""
        news = self.reader.poll()
        if news.restarted:
            self.history.clear()
            self._last = None
            self.layers, self.damaged = (), 0
        header = self.reader.header
        if header is not None and not self.layers:
            self.title, self.layers = header.title, header.layers
            self.about = "Waiting for the first step."
            self.activations, self.units = header.activations, header.units
            self.norms, self.residuals = header.norms, header.residuals
        for record in news.records:
            if self._last is None or record.step > self._last.step:
                self.history.append(record)
                self._last = record
        self.damaged += len(news.damaged)
        if news.records:
            self.grew_at = time.monotonic()


class WatchedTraining(Training):
    """Looks at the file whenever a screen looks at the training."""

    def __init__(self, path: Path) -> None:
        self.lane = LogLane(path)

    @property
    def first(self) -> LaneView:
        """The run that the file tells of, as far as it has been read."""
        return self.lane

    def look(self, reader: Callable[[Sequence[LaneView]], Answer]) -> Answer:
        """Reads what is new first; never waits for the other program."""
        if self.lane.unreadable is None:
            try:
                self.lane.poll()
            except RunLogError as error:  # another file stands in its place now
                path = one_line(str(self.lane.reader.path))
                reason = str(error).removeprefix(f"{path}: ")  # the name stands beside it
                self.lane.unreadable = self.lane.title = self.lane.about = reason
        return reader([self.lane])

    @property
    def state(self) -> State:
        """Running while the file grows."""
        if self.lane.problem is not None:
            return State.BROKEN
        growing = time.monotonic() - self.lane.grew_at < QUIET_SECONDS
        return State.RUNNING if growing and self.lane.grew_at else State.PAUSED

    def close(self) -> None:
        """Closes the file."""
        self.lane.reader.close()


class Watched(Source):
    """A run log, opened. Raises RunLogError at once for a file that is no run log."""

    def __init__(self, path: Path) -> None:
        self._training = WatchedTraining(path)
        self._training.lane.poll()

    @property
    def live(self) -> Training:
        """The training that the file tells of."""
        return self._training

    def adopt(self, network: Network, data: DataSet | None = None, steps: int = 0) -> None:
        """Never called: a run log holds measurements, no parameters."""
        raise NotImplementedError

    def close(self) -> None:
        """Closes the file."""
        self._training.close()
