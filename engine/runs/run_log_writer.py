"""Writes a run log so that whatever happens to the program, the file holds whole lines only.

Lines are collected and handed to the system together, in one write to a file opened for appending: when
64 KiB have come together, or half a second after the last write, whichever is first. Once written they are the
system's, so killing the program costs at most what came after; `flush` writes at once (do so when a run pauses).
Nothing is forced onto the disk itself: a power cut may cost more.

A full disk does not stop the training. What was written of a line is taken back, lines that find no room are
counted and dropped, one warning is given, and as soon as there is room again the log goes on.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from engine.metrics.step_record import StepRecord
from engine.runs.run_log_lines import LONGEST_LINE, RunLogHeader, encode_header, encode_record

FLUSH_BYTES = 64 * 2**10
FLUSH_SECONDS = 0.5

Warn = Callable[[str], None]


class RunLogWriter:
    """Appends the records of one run to a new run log.

    Raises FileExistsError when there is a file already, and any other OSError of opening. `warn` is told, once, in
    one line, when records begin to be lost. May be used from several threads.
    """

    def __init__(self, path: Path, header: RunLogHeader, *, warn: Warn | None = None) -> None:
        self.path = path
        self.lost = 0
        self._fields = header.fields
        self._warn = warn
        self._warned = False
        self._lock = threading.RLock()  # re-entrant: `warn` may well close the log
        self._needs_newline = False
        self._descriptor: int | None = _create(path)
        # The header waits in front of the records until it is written: without it, they could not be read.
        self._header: bytes | None = encode_header(header)
        self._lines: list[bytes] = []
        self._waiting = 0
        self._flush_at = 0.0
        self.flush()

    def append(self, record: StepRecord) -> None:
        """Adds a record to the run log; it is in the file half a second later, or at `flush`.

        Raises ValueError when the log is closed. A line longer than readers accept is lost, like one without room.
        """
        line = encode_record(record, self._fields)
        with self._lock:
            if self._descriptor is None:
                raise ValueError("the run log is closed")
            if len(line) > LONGEST_LINE:
                self._lose(1, f"a record takes more than {LONGEST_LINE} bytes")
                return
            self._lines.append(line)
            self._waiting += len(line)
            if self._waiting >= FLUSH_BYTES or time.monotonic() >= self._flush_at:
                self._write_waiting()

    def flush(self) -> None:
        """Writes the records that are waiting into the file."""
        with self._lock:
            self._write_waiting()

    def close(self) -> None:
        """Writes the records that are waiting and closes the file. Closing twice is no error.

        A file into which nothing could be written is taken away: it would be in the way of the next attempt.
        """
        with self._lock:
            self._write_waiting()
            if self._descriptor is None:
                return
            descriptor, self._descriptor = self._descriptor, None
            empty = self._header is not None and _is_empty(self.path, descriptor)
            try:
                os.close(descriptor)
            except OSError as error:  # a network disk may only now say that it is full
                self._lose(0, error.strerror or str(error))
            if empty:
                with suppress(OSError):
                    self.path.unlink()

    def __enter__(self) -> RunLogWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write_waiting(self) -> None:
        """Hands the waiting lines to the system; those that do not fit are dropped."""
        lines, self._lines, self._waiting = self._lines, [], 0
        self._flush_at = time.monotonic() + FLUSH_SECONDS
        if self._descriptor is None or not (lines or self._header):
            return
        header = [self._header] if self._header else []
        written, problem = self._write([*header, *lines])
        if header and written:
            self._header = None
            written -= 1
        if problem is not None:
            self._lose(len(lines) - written, problem)

    def _write(self, lines: list[bytes]) -> tuple[int, str | None]:
        """Writes lines as one block; returns how many are now whole in the file, and what went wrong if not all are."""
        assert self._descriptor is not None
        newline = b"\n" if self._needs_newline else b""
        block = newline + b"".join(lines)
        done, problem = 0, None
        while done < len(block) and problem is None:
            try:
                taken = os.write(self._descriptor, block[done:] if done else block)
                problem = None if taken else "nothing was taken"
                done += taken
            except OSError as error:
                problem = error.strerror or str(error)
        if done:
            self._needs_newline = False
        if problem is None:
            return len(lines), None
        whole = block.rfind(b"\n", 0, done) + 1
        if done > whole:
            self._take_back(done - whole)
        return block.count(b"\n", len(newline), whole), problem

    def _take_back(self, length: int) -> None:
        """Removes the beginning of a line from the end of the file, or else closes it off with the next write."""
        assert self._descriptor is not None
        try:
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - length)
        except OSError:
            self._needs_newline = True

    def _lose(self, records: int, problem: str) -> None:
        self.lost += records
        if not self._warned and self._warn is not None:
            self._warned = True
            self._warn(f"{self.path}: cannot write the run log ({problem}); the training goes on without it")


def _is_empty(path: Path, descriptor: int) -> bool:
    """Whether there is nothing in the open file, and it is still the one at `path`."""
    try:
        opened, there = os.fstat(descriptor), path.stat()
    except OSError:
        return False
    return opened.st_size == 0 and os.path.samestat(opened, there)


def _create(path: Path) -> int:
    """A descriptor of a new, empty file at `path`, opened for appending."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.open(path, flags, 0o666)
