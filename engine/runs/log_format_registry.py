"""Which program wrote a log, and what reads it: a registry, one entry a format.

    PATH ──a folder: its newest run──> first bytes ──the first entry that recognises them──> LogSource

A path that is not there yet is taken for a run log that somebody will write.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.runs.log_source import LogSource
from engine.runs.other_logs.csv_metrics import CsvMetrics, LightningMetrics
from engine.runs.other_logs.json_lines import JsonLines
from engine.runs.other_logs.tensorboard_events import TensorBoardEvents, is_event_file
from engine.runs.other_logs.trackio_database import MAGIC, TrackioDatabase
from engine.runs.other_logs.trainer_state import TrainerState
from engine.runs.run_log_lines import FORMAT, RunLogError
from engine.runs.run_log_reader import RunLogReader

HEAD_BYTES = 4096
"""So much of a file is looked at to tell what it is."""

DEEPEST = 6
"""A folder's runs are looked for so many folders below it."""


@dataclass(frozen=True)
class LogFormat:
    """One format of run logs: how a file of it is recognised and read.

    recognises   whether a file with this path and these first bytes is one
    opens        its reader, given the path and the expression of --names
    in_folders   how files of this kind are called (a glob), for the newest run of a folder
    """

    name: str
    recognises: Callable[[Path, bytes], bool]
    opens: Callable[[Path, str | None], LogSource]
    in_folders: str


def _is_run_log(path: Path, head: bytes) -> bool:
    return head.startswith(b"{") and f'"{FORMAT}"'.encode() in head.partition(b"\n")[0]


def _is_object_a_line(path: Path, head: bytes) -> bool:
    first, newline, _ = head.partition(b"\n")
    try:
        record = json.loads(first)
        return isinstance(record, dict) and bool(record) and bool(newline)
    except (ValueError, RecursionError):
        return False


def _is_table(path: Path, head: bytes) -> bool:
    first = head.partition(b"\n")[0]
    return path.suffix == ".csv" or (b"," in first and not first.lstrip().startswith((b"{", b"[")))


def _is_lightning(path: Path, head: bytes) -> bool:
    first = head.partition(b"\n")[0].rstrip(b"\r").split(b",")
    return path.name == "metrics.csv" and b"step" in first and first == sorted(first)


FORMATS = (
    LogFormat("run log", _is_run_log, lambda path, _: RunLogReader(path), "*.jsonl"),
    LogFormat(
        "TensorBoard", lambda path, _: is_event_file(path), TensorBoardEvents, "*events.out.tfevents.*"
    ),
    LogFormat("trackio", lambda _, head: head.startswith(MAGIC), TrackioDatabase, "*.db"),
    LogFormat(
        "Hugging Face",
        lambda path, head: path.name == "trainer_state.json" or b'"log_history"' in head,
        TrainerState,
        "trainer_state.json",
    ),
    LogFormat("Lightning", _is_lightning, LightningMetrics, "metrics.csv"),
    LogFormat("JSON Lines", _is_object_a_line, JsonLines, "*.jsonl"),
    LogFormat("csv", _is_table, CsvMetrics, "*.csv"),
)
"""Every format, the surest signs first."""


def format_of(path: Path) -> LogFormat | None:
    """The format of a file; None where none recognises it. Raises RunLogError where it cannot be read."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return None
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise RunLogError(f"{path}: cannot be read: {error.strerror or error}") from None
    return next((one for one in FORMATS if one.recognises(path, head)), None)


def open_log(path: Path, names: str | None = None) -> LogSource:
    """A reader for the log at `path`, or for the newest run of a folder.

    Raises RunLogError for a folder without a run, and for `--names` that fit no format or are no expression.
    """
    if path.is_dir():
        return (
            open_log(newest_run(path), names) if not _holds_events(path) else TensorBoardEvents(path, names)
        )
    found = format_of(path) if path.exists() else None
    if found is None:
        return RunLogReader(path)  # says what is wrong with it, or waits for it
    if found.name == "run log" and names is not None:
        raise RunLogError(f"{path}: its header names the layers; --names is for logs of other programs")
    return found.opens(path, names)


def newest_run(folder: Path) -> Path:
    """The run log in a folder, or below it, that was written to last. Raises RunLogError where there is none."""
    newest: tuple[float, Path] | None = None
    for path in _files_below(folder):
        if not any(path.match(one.in_folders) for one in FORMATS):
            continue
        try:
            written = path.stat().st_mtime
            if newest is not None and written <= newest[0]:
                continue
            if format_of(path) is not None:
                newest = (written, path)
        except (OSError, RunLogError):
            continue
    if newest is None:
        raise RunLogError(
            f"{folder}: no run log, TensorBoard events, metrics.csv, trainer_state.json or trackio database in it"
        )
    path = newest[1]
    if is_event_file(path):
        # A subfolder that add_scalars made belongs to the run above it.
        return path.parent.parent if _holds_events(path.parent.parent) else path.parent
    return path


def _holds_events(folder: Path) -> bool:
    try:
        return any(is_event_file(one) for one in folder.iterdir() if one.is_file())
    except OSError:
        return False


def _files_below(folder: Path) -> Iterator[Path]:
    base = len(folder.parts)
    for here, folders, files in os.walk(folder):
        place = Path(here)
        if len(place.parts) - base >= DEEPEST:
            folders.clear()
        folders[:] = [name for name in folders if not name.startswith(".") and name != "node_modules"]
        yield from (place / name for name in files)
