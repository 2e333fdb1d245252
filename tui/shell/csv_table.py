"""The numbers behind a screen, as rows that a spreadsheet reads.

step,node,gradient,…
1,Y_hat[0,0],-1.925,…
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

Cell: TypeAlias = str | int | float | None
Rows: TypeAlias = Sequence[Sequence[Cell]]
"""A heading, then the rows below it."""


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A table of what a screen shows, unrounded, made when it is asked for; a heading where there is nothing yet."""

    rows: Callable[[], Rows]
    label: str = "Its numbers as csv"

    def csv(self) -> str:
        """The csv text of the table."""
        return csv_text(self.rows())


@runtime_checkable
class HasCsvTable(Protocol):
    """A screen whose numbers can be saved as csv."""

    def data_tables(self) -> Sequence[CsvTable]:
        """The csv tables of what the screen shows; none where there are only words."""


def csv_text(rows: Rows) -> str:
    """Rows as csv text; what is not finite or not known is left empty."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_written(one) for one in row] for row in rows)
    return text.getvalue()


def _written(cell: Cell) -> str:
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return ""
    return repr(cell) if isinstance(cell, float) else str(cell)
