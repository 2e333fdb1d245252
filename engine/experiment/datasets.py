"""The samples an experiment learns from, as arrays with one column per sample.

              sample 0  sample 1  …
    X  row 0     1         1           (the row of ones, when asked for)
       row 1     5.6       7.3         colour intensity
       row 2    13.1      12.9         alcohol
    Y  row 0     1         0           the labels

Everything is drawn from the experiment's seed, from a stream of its own: another initialisation of the
network does not change the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from engine.experiment.csv_file import Table, cell_key, finite_number, read_table
from engine.experiment.data_shape import DataShape, held_out_count, label_rows
from engine.experiment.errors import UNNAMED, ExperimentError, count, mismatch, quoted
from engine.experiment.generated_datasets import Array, ClassIndex, blobs, circles, moons, spirals, wine, xor
from engine.experiment.npz_file import array_named, read_npz
from engine.experiment.spec import (
    BceLoss,
    BlobsData,
    CirclesData,
    CrossEntropyLoss,
    CsvData,
    Experiment,
    InlineData,
    Layout,
    Loss,
    MoonsData,
    NpzData,
    RandomData,
    SpiralsData,
    WineData,
    XorData,
)
from engine.experiment.validation import validate_loaded
from engine.experiment.validation_rules import SUM_TOLERANCE

Chosen: TypeAlias = slice | NDArray[np.intp]
"""Which samples: all of them, or those with these numbers."""

EVERY_SAMPLE = slice(None)

# The key of the data's own random stream among those that grow from one seed. NumPy numbers spawned streams
# 0, 1, 2, …; this one stays clear of them.
DATA_STREAM = 0xDA7A
TEST_STREAM = 0x7E57  # which samples are held out


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs X (features, n) and labels Y (outputs, n): read-only, in row order, in the experiment's dtype."""

    X: NDArray[np.floating[Any]]
    Y: NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class DataSet(Samples):
    """The samples that are learned from, and those that are `held_out` to test it, if any are.

    `class_names[k]` names label k of a single row of zeros and ones, or row k of one-hot labels; there are
    none when the labels are plain numbers.
    """

    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    held_out: Samples | None = None


class _Draft(NamedTuple):
    """A data set in float64, before the row of ones."""

    X: Array
    Y: Array
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]


def load_data(experiment: Experiment, folder: Path | None = None, source: str = UNNAMED) -> DataSet:
    """Loads the data of a validated experiment; `folder` is where a file's relative path starts.

    Raises ExperimentError for a file that cannot be used, and for numbers that the dtype cannot hold.
    """
    draft = _draft(experiment, folder, source)
    X, feature_names = draft.X, draft.feature_names
    learned, held_out = divided(X.shape[1], experiment)
    if experiment.data.standardize:
        X = standardized(X, learned)
    if experiment.data.ones_row:
        X, feature_names = np.vstack([np.ones((1, X.shape[1])), X]), ("1", *feature_names)

    def samples(chosen: Chosen) -> Samples:
        X_chosen, Y_chosen = (_in_dtype(rows[:, chosen], experiment.dtype, source) for rows in (X, draft.Y))
        return Samples(X_chosen, Y_chosen)

    training = samples(learned)
    return DataSet(
        training.X,
        training.Y,
        feature_names=feature_names,
        class_names=draft.class_names,
        held_out=None if held_out is None else samples(held_out),
    )


def standardized(X: Array, over: Chosen = EVERY_SAMPLE) -> Array:
    """Standardised features: each row minus its mean, divided by its standard deviation.

    A row that does not vary there is only centred, but for a row of ones: that is a bias somebody wrote down.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # refused in plain words further on
        centred = X - X[:, over].mean(axis=1, keepdims=True)
        spread = X[:, over].std(axis=1, keepdims=True)
        rows: Array = centred / np.where(spread > 0, spread, 1.0)
    rows[(X == 1.0).all(axis=1)] = 1.0
    return rows


def divided(n: int, experiment: Experiment) -> tuple[Chosen, NDArray[np.intp] | None]:
    """Divides n samples into those that are learned from and those that are held out; the seed and n decide."""
    count = held_out_count(experiment.data.test_share, n)
    if not count:
        return EVERY_SAMPLE, None
    seed = np.random.SeedSequence(experiment.seed, spawn_key=(TEST_STREAM,))
    shuffled = np.random.default_rng(seed).permutation(n)
    return np.sort(shuffled[count:]), np.sort(shuffled[:count])


def class_labels(classes: ClassIndex, count: int, loss: Loss) -> Array:
    """Labels (outputs, n) from class numbers (n,): one row of zeros and ones, or one-hot columns."""
    rows = label_rows(loss, count)
    numbers = np.array([[1]]) if rows == 1 else np.arange(rows)[:, np.newaxis]
    labels: Array = (classes == numbers).astype(np.float64)
    return labels


# --------------------------------------------------------------------------------------- all kinds


def _draft(experiment: Experiment, folder: Path | None, source: str) -> _Draft:
    data, loss = experiment.data, experiment.loss
    rng = np.random.default_rng(np.random.SeedSequence(experiment.seed, spawn_key=(DATA_STREAM,)))
    corner_names, point_names = ("p", "q"), ("horizontal", "vertical")
    match data:
        case InlineData():
            X, Y = (_in_columns(np.array(rows, np.float64), data.layout) for rows in (data.X, data.Y))
            return _numbered(X, Y, loss)
        case CsvData():
            return _from_table(read_table(data, folder, source), data, experiment, source)
        case NpzData():
            return _from_archive(data, experiment, folder, source)
        case RandomData():
            return _random(data, loss, rng)
        case WineData():
            X, classes = wine(data.n, rng)
            return _classified(X, classes, loss, ("colour intensity", "alcohol"), ("variety B", "variety A"))
        case XorData():
            X, classes = xor(data.n, data.noise, rng)
            return _classified(X, classes, loss, corner_names, ("0", "1"))
        case MoonsData():
            X, classes = moons(data.n, data.noise, rng)
            return _classified(X, classes, loss, point_names, ("upper", "lower"))
        case CirclesData():
            X, classes = circles(data.n, data.noise, rng)
            return _classified(X, classes, loss, point_names, ("outer", "inner"))
        case SpiralsData():
            X, classes = spirals(data.n, data.noise, data.classes, rng)
            arms = tuple(f"arm {index}" for index in range(data.classes))
            return _classified(X, classes, loss, point_names, arms)
        case BlobsData():
            X, classes = blobs(data.n, data.noise, data.classes, rng)
            clouds = tuple(f"blob {index}" for index in range(data.classes))
            return _classified(X, classes, loss, point_names, clouds)
        case _:
            assert_never(data)


def _classified(
    X: Array, classes: ClassIndex, loss: Loss, feature_names: tuple[str, ...], class_names: tuple[str, ...]
) -> _Draft:
    return _Draft(X, class_labels(classes, len(class_names), loss), feature_names, class_names)


def _numbered(X: Array, Y: Array, loss: Loss) -> _Draft:
    """Data whose features and classes have no names but their numbers."""
    feature_names = tuple(f"x{row}" for row in range(len(X)))
    if isinstance(loss, CrossEntropyLoss):
        return _Draft(X, Y, feature_names, tuple(str(row) for row in range(len(Y))))
    two_classes = isinstance(loss, BceLoss) and len(Y) == 1
    return _Draft(X, Y, feature_names, ("0", "1") if two_classes else ())


def _random(data: RandomData, loss: Loss, rng: np.random.Generator) -> _Draft:
    """Standard normal inputs; fair coins for bce, random classes for cross_entropy, otherwise normal labels."""
    X = rng.standard_normal((data.features, data.n))
    match loss:
        case BceLoss():
            Y = rng.integers(0, 2, (data.outputs, data.n)).astype(np.float64)
        case CrossEntropyLoss():
            Y = class_labels(rng.integers(0, data.outputs, data.n), data.outputs, loss)
        case _:
            Y = rng.standard_normal((data.outputs, data.n))
    return _numbered(X, Y, loss)


# --------------------------------------------------------------------------------- a table, an archive


def _from_table(table: Table, data: CsvData, experiment: Experiment, source: str) -> _Draft:
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
    _check_shape(experiment, len(table.feature_names), outputs, n, source)
    X = np.array(table.features).T
    if are_numbers:
        Y = np.array([_number_labels(table, data, 0, loss)])
        return _Draft(X, Y, table.feature_names, ("0", "1") if isinstance(loss, BceLoss) else ())
    number = {name: index for index, name in enumerate(class_names)}
    classes = np.array([number[label] for label in texts])
    return _classified(X, classes, loss, table.feature_names, class_names)


def _with_many_labels(table: Table, data: CsvData, experiment: Experiment, source: str) -> _Draft:
    """Every label column is a row of Y; for cross_entropy they are the classes' probabilities."""
    loss = experiment.loss
    Y = np.array([_number_labels(table, data, place, loss) for place in range(len(data.labels))])
    if isinstance(loss, CrossEntropyLoss):
        _check_sums(Y, [f"line {line}" for line in table.lines], table.source)
    _check_shape(experiment, len(table.feature_names), len(data.labels), Y.shape[1], source)
    class_names = tuple(data.labels) if isinstance(loss, CrossEntropyLoss) else ()
    return _Draft(np.array(table.features).T, Y, table.feature_names, class_names)


def _from_archive(data: NpzData, experiment: Experiment, folder: Path | None, source: str) -> _Draft:
    """X and Y from a NumPy archive; a vector is one feature or one output of every sample."""
    path = Path(data.path) if folder is None else folder / data.path
    arrays, matrices = read_npz(path), []
    for key, name in (("data.X", data.X), ("data.Y", data.Y)):
        array = array_named(arrays, name, key, path.name, source)
        if array.ndim not in (1, 2) or not array.size:
            found = f"an array of shape {array.shape}"
            problem = mismatch(found, "a matrix, or a vector with one number a sample")
            raise ExperimentError(str(path), name, problem)
        if not np.isfinite(array).all():
            raise ExperimentError(str(path), name, mismatch("numbers that are not finite", "finite numbers"))
        matrices.append(array[None, :] if array.ndim == 1 else _in_columns(array, data.layout))
    X, Y = matrices
    if X.shape[1] != Y.shape[1]:
        found = f"{count(X.shape[1], 'sample')} in {data.X} and {count(Y.shape[1], 'sample')} in {data.Y}"
        turned = "" if data.layout == "rows" else ' (layout = "rows" has one sample a row)'
        raise ExperimentError(str(path), "", mismatch(found, f"as many in both{turned}"))
    samples = [f"sample {sample}" for sample in range(Y.shape[1])]
    if isinstance(experiment.loss, BceLoss) and not ((Y >= 0) & (Y <= 1)).all():
        sample = int(np.argwhere((Y < 0) | (Y > 1))[0, 1])
        found = f"a label outside them in {samples[sample]}"
        raise ExperimentError(str(path), data.Y, mismatch(found, "labels from 0 to 1 for bce"))
    if isinstance(experiment.loss, CrossEntropyLoss):
        _check_sums(Y, samples, str(path))
    _check_shape(experiment, len(X), len(Y), X.shape[1], source)
    return _numbered(X, Y, experiment.loss)


def _in_columns(matrix: Array, layout: Layout) -> Array:
    """The matrix with one sample a column."""
    return matrix if layout == "columns" else np.ascontiguousarray(matrix.T)


def _check_shape(experiment: Experiment, features: int, outputs: int, n: int, source: str) -> None:
    held_out = held_out_count(experiment.data.test_share, n)
    shape = DataShape(features + experiment.data.ones_row, outputs, n - held_out, held_out)
    validate_loaded(experiment, shape, source)


def _check_sums(Y: Array, samples: list[str], file: str) -> None:
    """Probabilities of classes are not negative and sum to 1 in each sample."""
    for place, column in zip(samples, Y.T, strict=True):
        if (column < 0).any() or abs(column.sum() - 1) > SUM_TOLERANCE:
            found = f"labels with the sum {column.sum():.6g}"
            expected = "labels of 0 or more that sum to 1 for cross_entropy"
            raise ExperimentError(file, place, mismatch(found, expected))


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


def _in_dtype(values: Array, dtype: str, source: str) -> NDArray[np.floating[Any]]:
    with np.errstate(over="ignore"):
        array: NDArray[np.floating[Any]] = np.array(values, dtype=dtype, order="C")
    if not np.isfinite(array).all():
        problem = mismatch("numbers too large to compute with", f"numbers that {dtype} can hold")
        raise ExperimentError(source, "data", problem)
    array.flags.writeable = False
    return array
