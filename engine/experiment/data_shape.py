"""The sizes of an experiment's data, as far as it tells them without making any."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import NamedTuple, assert_never

from engine.experiment.activation_traits import Activation as Activation
from engine.experiment.loss_specs import AbsoluteErrorLoss as AbsoluteErrorLoss
from engine.experiment.loss_specs import BceLoss as BceLoss
from engine.experiment.loss_specs import CrossEntropyLoss as CrossEntropyLoss
from engine.experiment.loss_specs import HuberLoss as HuberLoss
from engine.experiment.loss_specs import Loss as Loss
from engine.experiment.loss_specs import LossSpec as LossSpec
from engine.experiment.loss_specs import SquaredErrorLoss as SquaredErrorLoss
from engine.experiment.notation_spec import NotationSpec as NotationSpec
from engine.experiment.optimizer_specs import SgdTraining as SgdTraining
from engine.experiment.optimizer_specs import Train as Train
from engine.experiment.optimizer_specs import TrainSpec as TrainSpec
from engine.experiment.spec import (
    BlobsData,
    CirclesData,
    CsvData,
    Experiment,
    InlineData,
    Layout,
    Matrix,
    MoonsData,
    NpzData,
    RandomData,
    SpiralsData,
    WineData,
    XorData,
)
from engine.experiment.spec_base import Spec as Spec
from engine.experiment.spec_base import TaggedSpec as TaggedSpec


class DataShape(NamedTuple):
    """The sizes of the data: X is (features, n), Y is (outputs, n). None where only a file can tell.

    `held_out` samples beside the n are for testing.
    """

    features: int | None
    outputs: int | None
    n: int | None
    held_out: int = 0


def declared_shape(experiment: Experiment) -> DataShape:
    """The shape of the data as far as the experiment tells it, without making them.

    Labels of two classes are one row of zeros and ones, except for cross_entropy, which takes one-hot columns.
    """
    data, loss = experiment.data, experiment.loss
    match data:
        case InlineData():
            (features, n), (outputs, _) = (_size(matrix, data.layout) for matrix in (data.X, data.Y))
        case CsvData():
            outputs_known = len(data.labels) if len(data.labels) > 1 else None
            return DataShape(_columns_asked_for(data), outputs_known, None)
        case NpzData():
            return DataShape(None, None, None)
        case RandomData():
            features, outputs, n = data.features, data.outputs, data.n
        case SpiralsData() | BlobsData():
            features, outputs, n = 2, label_rows(loss, data.classes), data.n
        case WineData() | XorData() | MoonsData() | CirclesData():
            features, outputs, n = 2, label_rows(loss, 2), data.n
        case _:
            assert_never(data)
    held_out = held_out_count(data.test_share, n)
    return DataShape(features + data.ones_row, outputs, n - held_out, held_out)


def _size(matrix: Matrix, layout: Layout) -> tuple[int, int]:
    """The rows and columns of a matrix of data, once it has one sample a column."""
    size = len(matrix), len(matrix[0]) if matrix else 0
    return size if layout == "columns" else (size[1], size[0])


def _columns_asked_for(data: CsvData) -> int | None:
    """How many features a table gives, where the file itself is not needed to tell."""
    patterns = isinstance(data.features, str) or any(is_pattern(name) for name in data.features)
    return None if patterns or data.categorical else len(data.features) + data.ones_row


def is_pattern(name: str) -> bool:
    """Whether a feature's name stands for every column that it matches, as file names do in a shell."""
    return any(character in name for character in "*?[")


def held_out_count(share: float, n: int) -> int:
    """How many of n samples are held out: ⌈share·n⌉, with the share taken as it is written (7 % of 100 are 7)."""
    return math.ceil(Decimal(repr(share)) * n) if math.isfinite(share) else 0


def label_rows(loss: Loss, classes: int) -> int:
    """How many rows the labels of so many classes take: one where 0 and 1 say it all, otherwise one-hot."""
    return classes if isinstance(loss, CrossEntropyLoss) or classes > 2 else 1
