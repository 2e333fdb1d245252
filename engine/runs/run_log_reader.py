"""Reads a run log, also while another process is writing it.

    file    header ⏎ record ⏎ record ⏎ rec
                                      └── not a whole line yet: read again by the next poll

`poll` returns what has come since it was last called, at once, also when that is nothing; nothing here ever
waits. A line that is no record, or whose step is not above the one before, is reported and skipped. Where the file
was cut short or replaced by another run, the reader says so and begins again.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from engine.metrics.step_record import StepRecord
from engine.runs.run_log_lines import (
    LONGEST_LINE,
    RunLogError,
    RunLogHeader,
    SkippedStep,
    decode_header,
    decode_record,
)

READ_BYTES = 2**20
"""How much one poll takes on: a few milliseconds' work. A long log arrives over several polls."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A damaged line of a run log: its number in the file, the header being line 1, and why it cannot be read."""

    line: int
    reason: str


@dataclass(slots=True)
class News:
    """The new records and damages that one poll of a run log found.

    `restarted`: this is another run, forget what came before. `more`: there is more to read, poll again. `skipped`
    counts lines of steps that made no update.
    """

    records: list[StepRecord] = field(default_factory=list)
    damaged: list[Damage] = field(default_factory=list)
    restarted: bool = False
    more: bool = False
    skipped: int = 0


class RunLogReader:
    """Reads the run log at `path` while it grows; the file need not exist yet.

    `header` is None until the first line is there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None
        self._begin()

    def _begin(self) -> None:
        """Forgets the file read so far."""
        self.header: RunLogHeader | None = None
        self._header_line = b""
        self._at = 0  # where the first line that is not read yet begins
        self._line = 1
        self._skipping = False  # inside a line that is too long
        self._last_step = -1
        self._recall: int | None = None  # how many classes the first record has a recall of
        self._frozen: tuple[int, ...] = ()

    @property
    def found(self) -> bool:
        """Whether there was a file when it was last looked for."""
        return self._descriptor is not None

    def poll(self) -> News:
        """The records that are new since the last poll; does not wait.

        Raises RunLogError when this version cannot read the file.
        """
        news = News()
        try:
            if self._cut_short():
                self._restart(news)
            if self._descriptor is None and not self._open():
                return news
            self._read_lines(news)
            # What is left of a file that was replaced is read first.
            if not (news.records or news.damaged or news.more) and self._elsewhere():
                self._restart(news)
                if self._open():
                    self._read_lines(news)
        except OSError as error:
            raise RunLogError(f"{self.path}: cannot be read: {error.strerror or error}") from None
        return news

    def finish(self) -> News:
        """The record after the last newline, when nobody writes any more.

        That is a whole record that lacks only its newline, or damage. Call it when `poll` says there is no more.
        """
        news = News()
        if self._descriptor is not None and not self._skipping:
            rest = self._read(self._at, LONGEST_LINE)
            if rest:
                self._take(rest, news, "cut off: the writer did not finish this line")
        return news

    def close(self) -> None:
        """Closes the file. Closing twice is no error."""
        self._close()

    def __enter__(self) -> RunLogReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    # ── the file ────────────────────────────────────────────────────────────────────────────────────

    def _open(self) -> bool:
        """Opens the file if it is there. A pipe is opened without waiting for its writer, and refused."""
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            self._descriptor = os.open(self.path, flags)
        except FileNotFoundError:
            return False
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            self._close()
            raise RunLogError(f"{self.path}: not a regular file")
        return True

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _restart(self, news: News) -> None:
        news.restarted = self.header is not None
        self._close()
        self._begin()

    def _cut_short(self) -> bool:
        """Whether whole lines that were read are gone, or the first one is another.

        A file that lost only the beginning of a line is the same: its writer found no room and took it back.
        """
        if self._descriptor is None:
            return False
        if os.fstat(self._descriptor).st_size < self._at:
            return True
        return self._read(0, len(self._header_line)) != self._header_line

    def _elsewhere(self) -> bool:
        """Whether there is another file at the path; one that is gone may still come back."""
        assert self._descriptor is not None
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return False
        here = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)

    def _read(self, start: int, length: int) -> bytes:
        """Up to `length` bytes from `start` on; fewer at the end of the file."""
        assert self._descriptor is not None
        os.lseek(self._descriptor, start, os.SEEK_SET)
        pieces = []
        while length:
            piece = os.read(self._descriptor, length)
            if not piece:
                break
            pieces.append(piece)
            length -= len(piece)
        return b"".join(pieces)

    # ── the lines ───────────────────────────────────────────────────────────────────────────────────

    def _read_lines(self, news: News) -> None:
        """Takes the whole lines of the next piece; what follows them stays for the next poll."""
        piece = self._read(self._at, READ_BYTES)
        full = len(piece) == READ_BYTES
        if full and b"\n" not in piece:
            piece = self._read(self._at, LONGEST_LINE)
            full = len(piece) == LONGEST_LINE
        end = piece.rfind(b"\n") + 1
        if end == 0 and full:
            self._skip(len(piece), news)
            return
        for line in piece[:end].split(b"\n")[:-1]:
            length = len(line) + 1
            if self._skipping:
                self._skipping = False
            else:
                self._take(line, news)
            self._at += length
            self._line += 1
        news.more = full

    def _skip(self, length: int, news: News) -> None:
        """Passes over a piece of a line that is too long to be one."""
        if not self._skipping:
            if self.header is None:
                raise RunLogError(f"{self.path}: not a run log: line 1 is longer than {LONGEST_LINE} bytes")
            news.damaged.append(Damage(self._line, f"longer than {LONGEST_LINE} bytes"))
        self._skipping = True
        self._at += length
        news.more = True

    def _take(self, line: bytes, news: News, reason: str | None = None) -> None:
        """Reads one line; `reason`, if given, is said instead of what the decoder finds wrong."""
        if self.header is None:
            self.learn_header(line)
            return
        if not line.strip():
            return
        try:
            record = self.record_of(line)
        except SkippedStep:
            news.skipped += 1
        except ValueError as error:
            news.damaged.append(Damage(self._line, reason or str(error)))
        else:
            if record.step <= self._last_step:
                reason = (
                    f"step {record.step} comes after step {self._last_step}, and steps grow from line to line"
                )
                news.damaged.append(Damage(self._line, reason))
                return
            self._last_step = record.step
            self._recall = len(record.recall)
            news.records.append(record)

    def learn_header(self, line: bytes) -> None:
        """Takes a line as the header. Raises RunLogError when it is none."""
        line = line.rstrip(b"\n")
        self.header = decode_header(line, str(self.path))
        self._header_line = line
        frozen = set(self.header.frozen)
        self._frozen = tuple(place for place, name in enumerate(self.header.layers) if name in frozen)

    def try_line(self, line: bytes) -> StepRecord | None:
        """The record of a line from anywhere in the file; None for one that is not whole."""
        try:
            record = self.record_of(line)
        except ValueError:
            return None
        self._recall = len(record.recall)
        return record

    def record_of(self, line: bytes) -> StepRecord:
        """The record of a line of this file. Raises ValueError for one that is none."""
        assert self.header is not None
        return decode_record(line, len(self.header.layers), self._recall, self.header.fields, self._frozen)


@dataclass(frozen=True, slots=True)
class RunLog:
    """A whole run log in memory. `header` is None for an empty file."""

    header: RunLogHeader | None
    records: list[StepRecord]
    damaged: list[Damage]


def read_run_log(path: Path) -> RunLog:
    """The whole of a finished run log: header and records.

    Raises RunLogError when there is none, or none this version reads.
    """
    with RunLogReader(path) as reader:
        first = reader.poll()
        if not reader.found:
            raise RunLogError(f"{path}: no such file")
        records, damaged, more = first.records, first.damaged, first.more
        while more:
            news = reader.poll()
            records += news.records
            damaged += news.damaged
            more = news.more
        rest = reader.finish()
        return RunLog(reader.header, records + rest.records, damaged + rest.damaged)
