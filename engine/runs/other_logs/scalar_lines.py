"""Logs of other programs with one step a line, followed as they grow: JSON Lines and csv are subclasses.

line ──pairs_of──> [("loss", 0.69), ("gradients/layers.0", 0.31), …] ──> ScalarTable ──> records
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path

from engine.runs.other_logs.tagged_scalars import LARGEST_STEP, ScalarTable
from engine.runs.run_log_reader import Damage, News, RunLogReader

STEP_TAGS = ("step", "global_step", "trainer/global_step", "_step", "iteration", "iter")
"""What the number of a step is called; where none of these is there, lines are counted."""


class ScalarLines(RunLogReader):
    """Reads a log of lines that hold tagged numbers while it grows. A subclass says what stands in a line."""

    natural_order = False
    _quiet: bool

    def __init__(self, path: Path, names: str | None = None) -> None:
        self._table = ScalarTable(str(path), names, natural_order=self.natural_order)
        super().__init__(path)

    @abstractmethod
    def pairs_of(self, line: bytes) -> Iterable[tuple[str, float]]:
        """The tags and numbers of a line. Raises ValueError, saying why, for a line that cannot be read."""

    def poll(self) -> News:
        """The records of the steps that are whole; the newest once a poll finds nothing more."""
        news = super().poll()
        self._give(news, final=not news.more and self._quiet)
        self._quiet = True
        return news

    def finish(self) -> News:
        """The records of the last line, if it is whole, and of the newest step."""
        news = super().finish()
        self._give(news, final=True)
        return news

    def _begin(self) -> None:
        super()._begin()
        self._table.clear()
        self._steps = 0
        self._quiet = True

    def _take(self, line: bytes, news: News, reason: str | None = None) -> None:
        if not self._header_line:
            self._header_line = line
        if not line.strip():
            return
        try:
            pairs = dict(self.pairs_of(line))
        except ValueError as error:
            news.damaged.append(Damage(self._line, reason or str(error)))
            return
        if not pairs:
            return
        named = next((pairs.pop(tag) for tag in STEP_TAGS if tag in pairs), None)
        step = self._steps if named is None or not 0 <= named <= LARGEST_STEP else int(named)
        self._steps = step + 1
        replaced = [tag for tag, value in pairs.items() if self._table.add(step, tag, value)]
        if replaced:
            reason = (
                f"step {step} has been there already; its {replaced[0]} takes the place of the earlier one"
            )
            news.damaged.append(Damage(self._line, reason))
        self._quiet = False

    def _give(self, news: News, *, final: bool) -> None:
        self.header, records, restarted = self._table.take(self.path.name, final=final)
        news.records += records
        news.restarted = news.restarted or restarted
