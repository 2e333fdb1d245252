"""Reading the named columns of a CSV file; a cell that cannot be used is refused by its line and column.

alcohol,colour,variety            features ["alcohol", "colour"]: [[13.1, 5.6], [12.2, 3.1]]
13.1,5.6,A              ──>       labels "variety":               ["A", "B"]
12.2,3.1,B                        lines:                          [2, 3]
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.experiment.errors import ExperimentError, count, is_plain, mismatch, quoted, suggestion
from engine.experiment.spec import CsvData
from engine.experiment.text_file import read_text_file

LARGEST_CSV_FILE = 64 * 2**20


@dataclass(frozen=True)
class Table:
    """The columns that an experiment asks for, row by row; `lines` are the rows' lines in the file."""

    source: str
    features: list[list[float]]
    labels: list[str]
    lines: list[int]


def read_table(data: CsvData, folder: Path | None, source: str) -> Table:
    """The columns that `data` names, from its file; a relative path starts at `folder`.

    Raises ExperimentError: in the name of the experiment's `source` when a column is not there, otherwise in
    the name of the CSV file.
    """
    path = Path(data.path) if folder is None else folder / data.path
    file = str(path)
    rows = _rows(read_text_file(path, file, LARGEST_CSV_FILE), file)
    header_line, header = next(rows, (1, []))
    header = [name.strip() for name in header]
    _check_header(header, header_line, file)
    wanted = {f"data.features[{index}]": name for index, name in enumerate(data.features)}
    wanted["data.label"] = data.label
    for key, name in wanted.items():
        if name not in header:
            problem = mismatch(quoted(name), f"a column of {path.name}") + suggestion(name, header)
            raise ExperimentError(source, key, problem)
    feature_columns = [header.index(name) for name in data.features]
    label_column = header.index(data.label)
    table = Table(file, [], [], [])
    for line, cells in rows:
        if len(cells) > len(header):
            expected = f"{len(header)}, as many as the header has"
            raise ExperimentError(file, f"line {line}", mismatch(count(len(cells), "cell"), expected))
        table.features.append([_number(cells, column, header, line, file) for column in feature_columns])
        table.labels.append(_label(cells, label_column, header, line, file))
        table.lines.append(line)
    if not table.lines:
        raise ExperimentError(file, "", mismatch("no rows below the header", "one row for each sample"))
    return table


def cell_key(line: int, column: str) -> str:
    """The place of a cell, as refusals name it."""
    return f"line {line}, column {quoted(column)}"


def finite_number(text: str) -> float | None:
    """The number that `text` spells, or None when it spells none or one that is not finite."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _rows(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the number of its last line."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise ExperimentError(file, f"line {reader.line_num}", f"not valid CSV: {error}") from None


def _check_header(header: list[str], line: int, file: str) -> None:
    if not header:
        raise ExperimentError(file, "", mismatch("an empty file", "a header row with the columns' names"))
    for index, name in enumerate(header):
        if name and name in header[:index]:
            raise ExperimentError(
                file, f"line {line}", mismatch(f"two columns {quoted(name)}", "one of each")
            )


def _cell(cells: list[str], column: int) -> str:
    return cells[column].strip() if column < len(cells) else ""


def _number(cells: list[str], column: int, header: list[str], line: int, file: str) -> float:
    text = _cell(cells, column)
    value = finite_number(text)
    if value is None:
        found = quoted(text) if text else "nothing"
        raise ExperimentError(file, cell_key(line, header[column]), mismatch(found, "a finite number"))
    return value


def _label(cells: list[str], column: int, header: list[str], line: int, file: str) -> str:
    text = _cell(cells, column)
    if not text or not is_plain(text):
        found = quoted(text) if text else "nothing"
        raise ExperimentError(file, cell_key(line, header[column]), mismatch(found, "a label on one line"))
    return text
