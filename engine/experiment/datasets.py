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

from engine.experiment.data_shape import DataShape, held_out_count, label_rows
from engine.experiment.errors import UNNAMED, ExperimentError, count, mismatch
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


class DraftData(NamedTuple):
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


def _draft(experiment: Experiment, folder: Path | None, source: str) -> DraftData:
    data, loss = experiment.data, experiment.loss
    rng = np.random.default_rng(np.random.SeedSequence(experiment.seed, spawn_key=(DATA_STREAM,)))
    corner_names, point_names = ("p", "q"), ("horizontal", "vertical")
    match data:
        case InlineData():
            X, Y = (_in_columns(np.array(rows, np.float64), data.layout) for rows in (data.X, data.Y))
            return _numbered(X, Y, loss)
        case CsvData():
            from engine.experiment.csv_file import read_table
            from engine.experiment.csv_samples import samples_of_csv

            return samples_of_csv(read_table(data, folder, source), data, experiment, source)
        case NpzData():
            return _from_archive(data, experiment, folder, source)
        case RandomData():
            return _random(data, loss, rng)
        case WineData():
            X, classes = wine(data.n, rng)
            return classified(X, classes, loss, ("colour intensity", "alcohol"), ("variety B", "variety A"))
        case XorData():
            X, classes = xor(data.n, data.noise, rng)
            return classified(X, classes, loss, corner_names, ("0", "1"))
        case MoonsData():
            X, classes = moons(data.n, data.noise, rng)
            return classified(X, classes, loss, point_names, ("upper", "lower"))
        case CirclesData():
            X, classes = circles(data.n, data.noise, rng)
            return classified(X, classes, loss, point_names, ("outer", "inner"))
        case SpiralsData():
            X, classes = spirals(data.n, data.noise, data.classes, rng)
            arms = tuple(f"arm {index}" for index in range(data.classes))
            return classified(X, classes, loss, point_names, arms)
        case BlobsData():
            X, classes = blobs(data.n, data.noise, data.classes, rng)
            clouds = tuple(f"blob {index}" for index in range(data.classes))
            return classified(X, classes, loss, point_names, clouds)
        case _:
            assert_never(data)


def classified(
    X: Array, classes: ClassIndex, loss: Loss, feature_names: tuple[str, ...], class_names: tuple[str, ...]
) -> DraftData:
    """A data set whose labels are classes, written as the loss takes them."""
    return DraftData(X, class_labels(classes, len(class_names), loss), feature_names, class_names)


def _numbered(X: Array, Y: Array, loss: Loss) -> DraftData:
    """Data whose features and classes have no names but their numbers."""
    feature_names = tuple(f"x{row}" for row in range(len(X)))
    if isinstance(loss, CrossEntropyLoss):
        return DraftData(X, Y, feature_names, tuple(str(row) for row in range(len(Y))))
    two_classes = isinstance(loss, BceLoss) and len(Y) == 1
    return DraftData(X, Y, feature_names, ("0", "1") if two_classes else ())


def _random(data: RandomData, loss: Loss, rng: np.random.Generator) -> DraftData:
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


def _from_archive(data: NpzData, experiment: Experiment, folder: Path | None, source: str) -> DraftData:
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
        check_sums(Y, samples, str(path))
    check_shape(experiment, len(X), len(Y), X.shape[1], source)
    return _numbered(X, Y, experiment.loss)


def _in_columns(matrix: Array, layout: Layout) -> Array:
    """The matrix with one sample a column."""
    return matrix if layout == "columns" else np.ascontiguousarray(matrix.T)


def check_shape(experiment: Experiment, features: int, outputs: int, n: int, source: str) -> None:
    """Refuses data of a shape that the experiment cannot take, with an ExperimentError."""
    held_out = held_out_count(experiment.data.test_share, n)
    shape = DataShape(features + experiment.data.ones_row, outputs, n - held_out, held_out)
    validate_loaded(experiment, shape, source)


def check_sums(Y: Array, samples: list[str], file: str) -> None:
    """Refuses probabilities of classes that are negative or do not sum to 1 in a sample, with an ExperimentError."""
    for place, column in zip(samples, Y.T, strict=True):
        if (column < 0).any() or abs(column.sum() - 1) > SUM_TOLERANCE:
            found = f"labels with the sum {column.sum():.6g}"
            expected = "labels of 0 or more that sum to 1 for cross_entropy"
            raise ExperimentError(file, place, mismatch(found, expected))


def _in_dtype(values: Array, dtype: str, source: str) -> NDArray[np.floating[Any]]:
    with np.errstate(over="ignore"):
        array: NDArray[np.floating[Any]] = np.array(values, dtype=dtype, order="C")
    if not np.isfinite(array).all():
        problem = mismatch("numbers too large to compute with", f"numbers that {dtype} can hold")
        raise ExperimentError(source, "data", problem)
    array.flags.writeable = False
    return array
