"""Hugging Face's trainer_state.json: a file written anew at every checkpoint, with all that was logged so far.

    {"log_history": [{"step": 10, "loss": 2.3, "grad_norm": 1.2, "learning_rate": 5e-5, "epoch": 0.1}, …], …}

It knows the norm of the whole gradient only: there is one pseudo-layer, and findings are those of the loss.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from engine.runs.other_logs.json_lines import numbers_of, strict_json
from engine.runs.other_logs.tagged_scalars import LARGEST_STEP, ScalarTable
from engine.runs.run_log_lines import RunLogError, RunLogHeader
from engine.runs.run_log_reader import News


class TrainerState:
    """Reads a Hugging Face trainer_state.json, again whenever it is written."""

    def __init__(self, path: Path, names: str | None = None) -> None:
        self.path = path
        self.header: RunLogHeader | None = None
        self.found = False
        self._table = ScalarTable(str(path), names)
        self._seen: tuple[int, int] | None = None
        self._first: Any = None
        self._last_step = -1

    def poll(self) -> News:
        """The records of the steps that a newer version of the file has.

        A file that is being written is read the next time.
        """
        news = News()
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return news
        self.found = True
        if self._seen == (there.st_mtime_ns, there.st_size):
            return news
        self._seen = there.st_mtime_ns, there.st_size
        try:
            state = msgspec.json.decode(strict_json(self.path.read_bytes()))
            history = state["log_history"]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._seen = None
            return news
        except (KeyError, TypeError):
            raise RunLogError(f'{self.path}: no trainer state: it has no "log_history"') from None
        if not isinstance(history, list):
            raise RunLogError(f'{self.path}: no trainer state: its "log_history" is no list')
        if self._first is not None and history[:1] != self._first:
            news.restarted = True
            self._table.clear()
            self._last_step = -1
        self._first = history[:1] or None
        for entry in history:  # those that were there before have a smaller step than the last one given
            step = entry.get("step") if isinstance(entry, dict) else None
            if isinstance(step, int) and self._last_step < step <= LARGEST_STEP:
                for tag, value in numbers_of(entry):
                    if tag != "step":
                        self._table.add(step, tag, value)
        self.header, records, restarted = self._table.take(self.path.parent.name, final=True)
        if records:
            self._last_step = records[-1].step
        news.records, news.restarted = records, news.restarted or restarted
        return news

    def finish(self) -> News:
        """Nothing: every poll takes all there is. Raises RunLogError for a file that is no JSON."""
        if self.found and self._seen is None:
            raise RunLogError(f"{self.path}: is no JSON, or not written to its end")
        return News()

    def close(self) -> None:
        """Closes nothing: no file stays open."""
