"""What an experiment says of its data, checked: sizes, labels, columns, paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from engine.experiment.errors import count, mismatch, quoted, value_in_words
from engine.experiment.spec import (
    BlobsData,
    CirclesData,
    CsvData,
    Experiment,
    InlineData,
    LossSpec,
    MoonsData,
    NpzData,
    RandomData,
    SpiralsData,
    WineData,
    XorData,
)
from engine.experiment.validation_rules import (
    SUM_TOLERANCE,
    Problem,
    at_least,
    matrix_entries,
    rectangle_problems,
)


def data_problems(experiment: Experiment) -> Iterator[Problem]:
    """Problems of the data's sizes and labels, as far as the experiment itself tells them."""
    data = experiment.data
    if not 0 <= data.test_share < 1:
        yield "data.test_share", mismatch(value_in_words(data.test_share), "a number from 0 to below 1")
    match data:
        case InlineData():
            yield from _inline_problems(data, experiment.loss)
        case CsvData():
            yield from _path_problems("data.path", data.path, "a CSV file")
            yield from _column_problems(data)
        case NpzData():
            yield from _path_problems("data.path", data.path, "a NumPy archive (.npz)")
        case RandomData():
            yield from at_least("data.n", data.n, 1)
            yield from at_least("data.features", data.features, 1)
            yield from at_least("data.outputs", data.outputs, 1)
        case WineData():
            yield from at_least("data.n", data.n, 1)
        case XorData() | MoonsData() | CirclesData():
            yield from at_least("data.n", data.n, 1)
            yield from at_least("data.noise", data.noise, 0)
        case SpiralsData() | BlobsData():
            yield from at_least("data.n", data.n, 1)
            yield from at_least("data.noise", data.noise, 0)
            yield from at_least("data.classes", data.classes, 2)
        case _:
            assert_never(data)


def _inline_problems(data: InlineData, loss: LossSpec) -> Iterator[Problem]:
    nouns = ("feature", "output") if data.layout == "columns" else ("sample", "sample")
    for key, matrix, noun in zip(("data.X", "data.Y"), (data.X, data.Y), nouns, strict=True):
        yield from rectangle_problems(key, matrix, noun)
    if data.layout == "columns" and len(data.Y[0]) != len(data.X[0]):
        expected = f"{len(data.X[0])}, one for each column of data.X"
        turned = ' (layout = "rows" has one sample a row)' if len(data.Y) == len(data.X) else ""
        yield "data.Y", mismatch(count(len(data.Y[0]), "column"), expected + turned)
    if data.layout == "rows" and len(data.Y) != len(data.X):
        expected = f"{len(data.X)}, one for each row of data.X"
        turned = ' (layout = "columns" has one sample a column)' if len(data.Y[0]) == len(data.X[0]) else ""
        yield "data.Y", mismatch(count(len(data.Y), "row"), expected + turned)
    yield from _label_problems(data, loss)


def _path_problems(key: str, path: str, what: str) -> Iterator[Problem]:
    if not path:
        yield key, mismatch(quoted(""), f"the path of {what}")


def _column_problems(data: CsvData) -> Iterator[Problem]:
    for name, columns in (
        ("features", data.features),
        ("label", data.labels),
        ("categorical", data.categorical),
    ):
        if not columns and name != "categorical":
            yield f"data.{name}", mismatch("an empty list", "the names of one or more columns")
        for index, column in enumerate(columns):
            if not isinstance(columns, str) and column in columns[:index]:
                yield f"data.{name}[{index}]", mismatch(f"{quoted(column)} again", "each column once")
    for index, label in enumerate(data.labels):
        if label in data.features:
            key = "data.label" if isinstance(data.label, str) else f"data.label[{index}]"
            yield key, mismatch(f"{quoted(label)}, which is a feature", "a column of its own")
    if data.delimiter is not None and (len(data.delimiter) != 1 or data.delimiter in '"\r\n'):
        yield "data.delimiter", mismatch(quoted(data.delimiter), 'one character, such as ";"')
    if data.delimiter == data.decimal:
        yield "data.delimiter", mismatch(f"{quoted(data.decimal)} for both", "another than the decimal")


def _label_problems(data: InlineData, loss: LossSpec) -> Iterator[Problem]:
    Y, sample = data.Y, "column" if data.layout == "columns" else "row"
    for row, column, label in matrix_entries(Y):
        if label not in loss.labels:
            expected = f"{loss.label_words} for {loss.kind}"
            yield f"data.Y[{row}][{column}]", mismatch(str(label), expected)
    if loss.takes_distributions:
        for number, labels in enumerate(zip(*Y, strict=True) if sample == "column" else Y):
            if abs(sum(labels) - 1) > SUM_TOLERANCE:
                found = f"{sample} {number} with the sum {sum(labels):.6g}"
                numbers = len(labels) == 1 and float(labels[0]).is_integer()
                hint = " (not the class's number: of three classes the last is 0, 0, 1)" if numbers else ""
                yield "data.Y", mismatch(found, f"{sample}s that sum to 1 for {loss.kind}{hint}")
