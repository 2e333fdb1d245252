"""A log while it is being looked at: its history so far, what could not be read, and whether somebody still writes it.

    long log   a few hundred lines from all over it ──> first picture, in a second
               every line, in a thread behind it    ──> takes its place when all are read

Everything is taken by `poll`, which never waits. The thread reads; nobody else touches what it makes until it is done.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from engine.metrics.step_record import StepRecord
from engine.runs.history import History
from engine.runs.layer_selection import SelectedLayers
from engine.runs.log_format_registry import open_log
from engine.runs.run_log_lines import RunLogError, RunLogHeader
from engine.runs.run_log_reader import Damage, News, RunLogReader

SAMPLED_BYTES = 16 * 2**20
"""Logs longer than this are sampled first."""

SAMPLES = 240
"""So many lines make the first picture: about two columns of a chart each."""

QUIET_SECONDS = 5.0
"""A log that has not grown for so long is silent."""

ENDED_SECONDS = 300.0
"""A log that has been silent for so long, and twenty times as long as ever before, has ended."""

MOST_DAMAGE = 1000
"""So many unreadable lines are kept to be listed; all are counted."""

BREATH_SECONDS = 0.0005
"""Between two pieces the thread lets the screen have its turn."""


class FollowedRun:
    """Follows the run log at `path` while it grows, whoever writes it, and keeps its history.

    Raises RunLogError for a file that cannot be read.
    """

    def __init__(self, path: Path, names: str | None = None, layers: str | None = None) -> None:
        self.log = SelectedLayers(open_log(path, names), layers)
        self.path = self.log.path
        self.more = False
        """Whether there was more to read when it was last polled."""
        self._forget()
        self._grew = time.monotonic()
        self._longest_silence = 0.0
        self._thread: threading.Thread | None = None
        self._behind: _FollowedReading | None = None
        try:
            self._silent_before = max(time.time() - os.stat(self.path).st_mtime, 0.0)
        except OSError:
            self._silent_before = 0.0
        source = self.log.log
        if isinstance(source, RunLogReader) and _size(self.path) > SAMPLED_BYTES:
            self._sample(names, layers)

    def _forget(self) -> None:
        self.history = History()
        self.record: StepRecord | None = None
        self.broken: StepRecord | None = None
        """The first record with a number that is not finite."""
        self.last_sound: StepRecord | None = None
        """The last one before that."""
        self.damaged: list[Damage] = []
        self.damaged_count = 0
        self.skipped = 0
        self.restarts = getattr(self, "restarts", -1) + 1
        """How often another run began in this place."""

    @property
    def header(self) -> RunLogHeader | None:
        """The log's header; None until the first line is there."""
        return self.log.header

    @property
    def reading(self) -> bool:
        """Whether the log is still being read: the history is of samples so far."""
        return self._behind is not None

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────

    def poll(self) -> None:
        """Takes in the new lines of the log; does not wait.

        Raises RunLogError where the file can no longer be read.
        """
        if self._behind is not None:
            if not self._behind.done:
                return
            behind, self._behind = self._behind, None
            if behind.error is not None:
                raise behind.error
            self.log.close()
            self.log, self.history, self.record = behind.log, behind.history, behind.record
            self.broken, self.last_sound = behind.broken, behind.last_sound
            self.damaged, self.damaged_count, self.skipped = (
                behind.damaged,
                behind.damaged_count,
                behind.skipped,
            )
        news = self.log.poll()
        self.more = news.more
        self.take(news)

    def finish(self) -> None:
        """Takes in also what a log holds back while somebody may still write: the last step."""
        self.take(self.log.finish())

    def take(self, news: News) -> None:
        """Enters the records of a poll into the history."""
        if news.restarted:
            self._forget()
        _enter(self, news)
        if news.records:
            now = time.monotonic()
            if self._silent_before == 0.0:
                self._longest_silence = max(self._longest_silence, now - self._grew)
            self._grew = now
            if not news.more and self.record is not None:
                self._silent_before = max(time.time() - _written(self.path), 0.0)

    def _sample(self, names: str | None, layers: str | None) -> None:
        """The first picture from lines all over the file; the whole of it behind."""
        for record in sampled(self.path, SAMPLES, self.log):
            if self.record is None or record.step > self.record.step:
                self.history.append(record)
                self.record = record
        self._behind = _FollowedReading(SelectedLayers(open_log(self.path, names), layers))
        self._thread = threading.Thread(target=self._behind.run, name="reading a log", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Closes the log's file."""
        if self._behind is not None:
            self._behind.stopped = True
        self.log.close()

    # ── who writes it ───────────────────────────────────────────────────────────────────────────────

    @property
    def silent_for(self) -> float:
        """Seconds since the log last grew, as far as that is known."""
        return self._silent_before + time.monotonic() - self._grew

    @property
    def writer(self) -> str:
        """Whether the log's writer is still at work: ``running``, ``silent for 40 s``, ``ended``, ``waiting``."""
        silent = self.silent_for
        if self.record is None:
            return "waiting"
        if silent < max(QUIET_SECONDS, 2 * self._longest_silence):
            return "running"
        if silent > max(ENDED_SECONDS, 20 * self._longest_silence):
            return "ended"
        return f"silent for {silent:.0f} s" if silent < 120 else f"silent for {silent / 60:.0f} min"


class _FollowedReading:
    """Reads all of a log, in a thread of its own."""

    def __init__(self, log: SelectedLayers) -> None:
        self.log = log
        self.history = History()
        self.record: StepRecord | None = None
        self.broken: StepRecord | None = None
        self.last_sound: StepRecord | None = None
        self.damaged: list[Damage] = []
        self.damaged_count = 0
        self.skipped = 0
        self.error: RunLogError | None = None
        self.done = self.stopped = False

    def run(self) -> None:
        """To the present end of the file."""
        try:
            more = True
            while more and not self.stopped:
                news = self.log.poll()
                _enter(self, news)
                more = news.more
                time.sleep(BREATH_SECONDS)
        except RunLogError as error:
            self.error = error
        self.done = True


def _enter(run: FollowedRun | _FollowedReading, news: News) -> None:
    for record in news.records:
        if run.record is None or record.step > run.record.step:
            run.history.append(record)
            run.record = record
            if record.nonfinite and run.broken is None:
                run.broken = record
            elif run.broken is None:
                run.last_sound = record
    run.damaged_count += len(news.damaged)
    run.damaged += news.damaged[: max(MOST_DAMAGE - len(run.damaged), 0)]
    run.skipped += news.skipped


def sampled(path: Path, count: int, log: SelectedLayers) -> Sequence[StepRecord]:
    """A sample of the records of a run log from all over the file, the first and the last among them.

    `log` is a reader of it that has not been polled: it learns the header here.
    """
    reader = log.log
    assert isinstance(reader, RunLogReader)
    records = []
    size = _size(path)
    with path.open("rb") as file:
        reader.learn_header(file.readline())
        begin = file.tell()
        for number in range(count):
            file.seek(begin + (size - begin) * number // count)
            if number:
                file.readline()  # the rest of a line
            line = file.readline()
            record = reader.try_line(line)
            if record is not None:
                records.append(record)
        # The last whole line: it is no longer than twice the longest seen, mostly.
        file.seek(max(size - 4 * len(line) - 4096, begin))
        last = file.read().split(b"\n")[-2:-1]
        record = reader.try_line(last[0]) if last else None
        if record is not None:
            records.append(record)
    return log.seen(records)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()
