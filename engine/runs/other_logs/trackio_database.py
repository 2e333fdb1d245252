"""trackio's SQLite database: the newest run of its table `metrics`, whose rows hold JSON.

id  run_name  step  metrics
12  newest    5     {"train/loss": "NaN", "gradients/layers.0": 0.06}
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from engine.runs.other_logs.json_lines import numbers_of
from engine.runs.other_logs.tagged_scalars import LARGEST_STEP, ScalarTable
from engine.runs.run_log_lines import RunLogError, RunLogHeader
from engine.runs.run_log_reader import Damage, News

MAGIC = b"SQLite format 3\0"
"""How every SQLite database begins."""


class TrackioDatabase:
    """Reads the newest run of a Trackio database while it grows. A run that begins later takes its place."""

    def __init__(self, path: Path, names: str | None = None) -> None:
        self.path = path
        self.header: RunLogHeader | None = None
        self._table = ScalarTable(str(path), names)
        self._run: tuple[Any, ...] | None = None
        self._seen = 0
        self._quiet = True

    @property
    def found(self) -> bool:
        """Whether there is a database."""
        return self.path.exists()

    def poll(self) -> News:
        """The records of the rows that are new."""
        news = News()
        if not self.found:
            return news
        try:
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as database:
                self._read(database, news)
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                return news  # its writer is at work: the next time
            raise RunLogError(f"{self.path}: no database of trackio ({error})") from None
        except sqlite3.DatabaseError as error:
            raise RunLogError(f"{self.path}: no database of trackio ({error})") from None
        self._give(news, final=self._quiet)
        self._quiet = True
        return news

    def finish(self) -> News:
        """The record of the newest step."""
        news = News()
        self._give(news, final=True)
        return news

    def close(self) -> None:
        """Closes nothing: no file stays open."""

    def _read(self, database: sqlite3.Connection, news: News) -> None:
        columns = {row[1] for row in database.execute("PRAGMA table_info(metrics)")}
        if not {"id", "run_name", "step", "metrics"} <= columns:
            raise sqlite3.DatabaseError("it has no table metrics with id, run_name, step and metrics")
        named = [name for name in ("run_id", "run_name") if name in columns]  # older versions have no run_id
        newest = database.execute(
            f"SELECT {', '.join(named)} FROM metrics ORDER BY id DESC LIMIT 1"
        ).fetchone()
        if newest is None:
            return
        if newest != self._run:
            news.restarted = self._run is not None
            self._table.clear()
            self._run, self._seen = newest, 0
        where = " AND ".join(f"{name} = ?" for name in named)
        rows = database.execute(
            f"SELECT id, step, metrics FROM metrics WHERE {where} AND id > ? ORDER BY id",
            (*newest, self._seen),
        )
        for number, step, metrics in rows:
            self._seen = number
            try:
                if not 0 <= int(step) <= LARGEST_STEP:
                    raise ValueError(f"there is no step {step}")
                for tag, value in list(self._numbers(metrics)):
                    self._table.add(int(step), tag, value)
                    self._quiet = False
            except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
                news.damaged.append(Damage(number, f"row {number}: {' '.join(str(error).split())[:150]}"))

    @staticmethod
    def _numbers(metrics: bytes | str) -> Iterator[tuple[str, float]]:
        yield from numbers_of(msgspec.json.decode(metrics, type=dict[str, Any]))

    def _give(self, news: News, *, final: bool) -> None:
        title = "" if self._run is None else str(self._run[-1])
        self.header, records, restarted = self._table.take(title, final=final)
        news.records += records
        news.restarted = news.restarted or restarted
