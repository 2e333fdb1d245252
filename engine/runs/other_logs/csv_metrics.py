"""csv logs: a row a step under the tags, cells without a number left empty. Lightning's metrics.csv is one.

    step,grad_2.0_norm/layers.0.weight,train_loss
    0,0.31,0.69

Lightning sorts its columns by name, so that the order of the layers is lost: they are put into natural order.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from engine.runs.other_logs.scalar_lines import ScalarLines


class CsvMetrics(ScalarLines):
    """Reads a csv file of metrics with a header while it grows."""

    def __init__(self, path: Path, names: str | None = None) -> None:
        self._columns: list[str] = []
        super().__init__(path, names)

    def _begin(self) -> None:
        super()._begin()
        self._columns = []

    def pairs_of(self, line: bytes) -> Iterable[tuple[str, float]]:
        """The columns and numbers of a csv line; the first line names the columns.

        The first line names the columns.
        """
        (cells,) = list(csv.reader([line.decode("utf-8", "strict").rstrip("\r\n")])) or [[]]
        if not self._columns:
            self._columns = [cell.strip() for cell in cells]
            return []
        if len(cells) != len(self._columns):
            raise ValueError(f"has {len(cells)} cells, not {len(self._columns)} as the header")
        pairs = []
        for tag, cell in zip(self._columns, cells, strict=True):
            if cell.strip():
                try:
                    pairs.append((tag, float(cell)))
                except ValueError:
                    continue  # a text, such as a name or a date
        return pairs


class LightningMetrics(CsvMetrics):
    """Lightning's metrics.csv, whose columns are sorted by name."""

    natural_order = True
