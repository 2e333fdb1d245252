"""Reading columns of a CSV file; a cell that cannot be used is refused by its line and column.

alcohol,colour,variety            features ["alcohol", "colour"]: [[13.1, 5.6], [12.2, 3.1]]
13.1,5.6,A              ──>       labels ["variety"]:             [["A"], ["B"]]
12.2,3.1,B                        lines:                          [2, 3]

The delimiter is found out where it is not said: the one that cuts the first line into most cells.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from engine.experiment.data_shape import is_pattern
from engine.experiment.errors import ExperimentError, count, mismatch, quoted, suggestion
from engine.experiment.spec import CsvData
from engine.experiment.text_file import read_text_file
from engine.formula.untrusted_text import is_plain

LARGEST_CSV_FILE = 64 * 2**20
DELIMITERS = (",", ";", "\t", "|")
"""What is looked for where no delimiter is given; the first of equals."""

SAID_DELIMITER = re.compile('sep=([^\r\n"])\r?\n')
"""The first line by which Excel is told the delimiter, and which it writes itself."""

MOST_CATEGORIES = 1000
"""A column with more different texts is hardly one of categories, and would make as many features."""

DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Table:
    """The columns that an experiment reads from a csv file, row by row; `lines` are the rows' lines in the file.

    `labels` has one list of texts a row, in the order in which the experiment names the columns.
    """

    source: str
    feature_names: tuple[str, ...]
    features: list[list[float]]
    labels: list[list[str]]
    lines: list[int]


def read_table(data: CsvData, folder: Path | None, source: str) -> Table:
    """Reads the columns of a csv file that `data` names; a relative path starts at `folder`.

    Raises ExperimentError: in the name of the experiment's `source` when a column is not there, otherwise in
    the name of the CSV file.
    """
    path = Path(data.path) if folder is None else folder / data.path
    file = str(path)
    text = read_text_file(path, file, LARGEST_CSV_FILE)
    said = SAID_DELIMITER.match(text)
    delimiter = data.delimiter or (said[1] if said else _found_delimiter(text, data.decimal))
    rows = list(_rows(text, delimiter, file))
    if said and rows and rows[0][0] == 1:
        del rows[0]
    if not rows:
        raise ExperimentError(file, "", mismatch("an empty file", _first_row_in_words(data)))
    if data.header:
        header_line, cells = rows.pop(0)
        header = [name.strip() for name in cells]
        _check_header(header, header_line, file)
    else:
        header = [f"c{column}" for column in range(len(rows[0][1]))]
    chosen = _chosen_columns(data, header, path.name, source)
    if not rows:
        raise ExperimentError(file, "", mismatch("no rows below the header", "one row for each sample"))
    for line, cells in rows:
        if len(cells) > len(header):
            expected = f"{len(header)}, as many as the {'header' if data.header else 'first line'} has"
            raise ExperimentError(file, f"line {line}", mismatch(count(len(cells), "cell"), expected))
    reader = _Cells(file, header, rows, data.decimal)
    features = [
        reader.categories(name) if name in data.categorical else reader.numbers(name) for name in chosen
    ]
    named = [column for columns in features for column in columns]
    labels = [reader.texts(name, "a label on one line") for name in data.labels]
    return Table(
        file,
        tuple(name for name, _ in named),
        [list(row) for row in zip(*(values for _, values in named), strict=True)],
        [list(row) for row in zip(*labels, strict=True)],
        [line for line, _ in rows],
    )


def cell_key(line: int, column: str) -> str:
    """The place of a csv cell, as refusals name it."""
    return f"line {line}, column {quoted(column)}"


def finite_number(text: str, decimal: Literal[".", ","] = ".") -> float | None:
    """The number that `text` spells, or None when it spells none or one that is not finite."""
    if decimal == ",":
        text = "no number" if "." in text else text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


# ------------------------------------------------------------------------------------------- columns


def _chosen_columns(data: CsvData, header: list[str], file: str, source: str) -> list[str]:
    """The names of the feature columns, in the order asked for; every name and pattern must be in the header."""
    hint = _header_hint(header) if data.header else ""
    for place, name in enumerate(data.labels):
        if name not in header:
            key = "data.label" if isinstance(data.label, str) else f"data.label[{place}]"
            raise ExperimentError(source, key, _no_such_column(name, header, file, hint))
    rest = [name for name in header if name and name not in data.labels]
    chosen: list[str] = []
    if isinstance(data.features, str):
        chosen = rest
        if not chosen:
            problem = mismatch(f"no column of {file} beside the labels", "one column or more")
            raise ExperimentError(source, "data.features", problem)
    else:
        for index, name in enumerate(data.features):
            key = f"data.features[{index}]"
            if name in header:
                matching = [name]
            elif is_pattern(name):
                matching = [column for column in rest if fnmatchcase(column, name)]
                if not matching:
                    problem = mismatch(quoted(name), f"a pattern that matches columns of {file}{hint}")
                    raise ExperimentError(source, key, problem)
            else:
                raise ExperimentError(source, key, _no_such_column(name, header, file, hint))
            chosen += [column for column in matching if column not in chosen]
    for index, name in enumerate(data.categorical):
        if name not in chosen:
            problem = mismatch(quoted(name), "one of the features") + suggestion(name, chosen)
            raise ExperimentError(source, f"data.categorical[{index}]", problem)
    return chosen


def _no_such_column(name: str, header: list[str], file: str, hint: str) -> str:
    return mismatch(quoted(name), f"a column of {file}") + (hint or suggestion(name, header))


def _header_hint(header: list[str]) -> str:
    """What may be wrong where the first line holds only numbers."""
    if any(finite_number(name) is None and not DECIMAL_COMMA.fullmatch(name) for name in header if name):
        return ""
    return " (the first line holds only numbers; without a header row, header = false names its columns c0, c1, …)"


def _check_header(header: list[str], line: int, file: str) -> None:
    for index, name in enumerate(header):
        if name and name in header[:index]:
            raise ExperimentError(
                file, f"line {line}", mismatch(f"two columns {quoted(name)}", "one of each")
            )


def _first_row_in_words(data: CsvData) -> str:
    return "a header row with the columns' names" if data.header else "one row for each sample"


# ---------------------------------------------------------------------------------------------- cells


def _found_delimiter(text: str, decimal: str) -> str:
    """The delimiter that cuts the first line that is not blank into most cells."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    candidates = [delimiter for delimiter in DELIMITERS if delimiter != decimal]
    return max(candidates, key=lambda delimiter: len(next(csv.reader([first], delimiter=delimiter), [])))


def _rows(text: str, delimiter: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the number of its last line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise ExperimentError(file, f"line {reader.line_num}", f"not valid CSV: {error}") from None


NamedColumn = tuple[str, list[float]]
"""A feature's name and its value for each sample."""


@dataclass(frozen=True)
class _Cells:
    """The rows below the header, read column by column."""

    file: str
    header: list[str]
    rows: list[tuple[int, list[str]]]
    decimal: Literal[".", ","]

    def numbers(self, name: str) -> list[NamedColumn]:
        """The column as finite numbers."""
        values = []
        for line, text in self._texts(name):
            value = finite_number(text, self.decimal)
            if value is None:
                found = quoted(text) if text else "nothing"
                problem = mismatch(found, "a finite number") + self._decimal_hint(text)
                raise ExperimentError(self.file, cell_key(line, name), problem)
            values.append(value)
        return [(name, values)]

    def categories(self, name: str) -> list[NamedColumn]:
        """One column of zeros and ones for each different text, named ``colour=red``, in alphabetical order."""
        texts = self.texts(name, "a category on one line")
        different = sorted(set(texts))
        if len(different) > MOST_CATEGORIES:
            problem = mismatch(f"{len(different)} different texts", f"at most {MOST_CATEGORIES} categories")
            raise ExperimentError(self.file, f"column {quoted(name)}", problem)
        return [(f"{name}={one}", [float(text == one) for text in texts]) for one in different]

    def texts(self, name: str, expected: str) -> list[str]:
        """The column as texts that are neither empty nor longer than a line."""
        texts = []
        for line, text in self._texts(name):
            if not text or not is_plain(text):
                found = quoted(text) if text else "nothing"
                raise ExperimentError(self.file, cell_key(line, name), mismatch(found, expected))
            texts.append(text)
        return texts

    def _texts(self, name: str) -> Iterator[tuple[int, str]]:
        column = self.header.index(name)
        for line, cells in self.rows:
            yield line, cells[column].strip() if column < len(cells) else ""

    def _decimal_hint(self, text: str) -> str:
        mistaken = self.decimal == "." and DECIMAL_COMMA.fullmatch(text)
        return ' (is it a decimal comma? decimal = "," reads it)' if mistaken else ""
