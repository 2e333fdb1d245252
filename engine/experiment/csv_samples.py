"""Samples and labels of a csv file's table, as an experiment's [data] asks for them."""

from __future__ import annotations

import numpy as np

from engine.experiment.csv_file import Table, cell_key, finite_number
from engine.experiment.data_shape import label_rows
from engine.experiment.datasets import DraftData, check_shape, check_sums, classified
from engine.experiment.errors import ExperimentError, mismatch, quoted
from engine.experiment.spec import (
    BceLoss,
    CrossEntropyLoss,
    CsvData,
    Experiment,
    Loss,
)


def samples_of_csv(table: Table, data: CsvData, experiment: Experiment, source: str) -> DraftData:
    """Labels are numbers when the first one is and the loss wants numbers; otherwise they name classes."""
    loss, n = experiment.loss, len(table.labels)
    if len(data.labels) > 1:
        return _with_many_labels(table, data, experiment, source)
    (column,), texts = data.labels, [labels[0] for labels in table.labels]
    are_numbers = finite_number(texts[0], data.decimal) is not None and not isinstance(loss, CrossEntropyLoss)
    class_names = () if are_numbers else _sorted_classes(texts, data)
    outputs = 1 if are_numbers else label_rows(loss, len(class_names))
    most = 2 if experiment.network.layers[-1].units == 1 else len(texts)
    if not are_numbers and isinstance(loss, BceLoss) and not 2 <= len(class_names) <= most:
        found = f"{len(class_names)} different labels in column {quoted(column)}"
        raise ExperimentError(
            table.source, "", mismatch(found, "2, because one output tells two classes apart")
        )
    # Before anything is allocated: a column of different texts would make as many outputs as samples.
    check_shape(experiment, len(table.feature_names), outputs, n, source)
    X = np.array(table.features).T
    if are_numbers:
        Y = np.array([_number_labels(table, data, 0, loss)])
        return DraftData(X, Y, table.feature_names, ("0", "1") if isinstance(loss, BceLoss) else ())
    number = {name: index for index, name in enumerate(class_names)}
    classes = np.array([number[label] for label in texts])
    return classified(X, classes, loss, table.feature_names, class_names)


def _with_many_labels(table: Table, data: CsvData, experiment: Experiment, source: str) -> DraftData:
    """Every label column is a row of Y; for cross_entropy they are the classes' probabilities."""
    loss = experiment.loss
    Y = np.array([_number_labels(table, data, place, loss) for place in range(len(data.labels))])
    if isinstance(loss, CrossEntropyLoss):
        check_sums(Y, [f"line {line}" for line in table.lines], table.source)
    check_shape(experiment, len(table.feature_names), len(data.labels), Y.shape[1], source)
    class_names = tuple(data.labels) if isinstance(loss, CrossEntropyLoss) else ()
    return DraftData(np.array(table.features).T, Y, table.feature_names, class_names)


def _sorted_classes(labels: list[str], data: CsvData) -> tuple[str, ...]:
    """The different labels: by size when all are numbers (9 before 10), otherwise by alphabet."""
    numbers = {label: finite_number(label, data.decimal) for label in sorted(set(labels))}
    sizes = [number for number in numbers.values() if number is not None]
    if len(sizes) < len(numbers):
        return tuple(numbers)
    return tuple(label for _, label in sorted(zip(sizes, numbers, strict=True)))


def _number_labels(table: Table, data: CsvData, place: int, loss: Loss) -> list[float]:
    """One label column as numbers."""
    column, values = data.labels[place], []
    for line, labels in zip(table.lines, table.labels, strict=True):
        value = finite_number(labels[place], data.decimal)
        if value is None:
            expected = (
                f"a finite number, as in line {table.lines[0]}"
                if len(data.labels) == 1
                else "a finite number"
            )
            problem = mismatch(quoted(labels[place]), expected)
            raise ExperimentError(table.source, cell_key(line, column), problem)
        if isinstance(loss, BceLoss) and not 0 <= value <= 1:
            problem = mismatch(quoted(labels[place]), "a label from 0 to 1 for bce")
            raise ExperimentError(table.source, cell_key(line, column), problem)
        values.append(value)
    return values
