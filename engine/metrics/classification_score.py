"""How many samples a network classifies rightly, and, for two classes, how much of each class it finds.

bce             Ŷ > ½ says 1                  one row: two classes; several rows: as many yes-or-no labels
cross_entropy   the largest Ŷ of a column     the first of several equal ones
squared_error   nothing is classified

In a step only what must be kept of it is: counting and dividing wait until somebody asks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple, assert_never

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from engine.autodiff.graph import Array
from engine.experiment.loss_specs import LossSpec
from engine.metrics.unit_deaths import Mask

HALF = 0.5

FEW_SAMPLES = 1024
"""Up to so many, what each was taken for is kept rather than counted: that is quicker, and takes no more room."""

Found = tuple[Any, ...]
"""What is kept of one step, which never changes; what it means is the scorer's own affair."""


class Score(NamedTuple):
    """The accuracy from 0 to 1, None where nothing is classified, and the recall of the two classes."""

    accuracy: float | None
    recall: tuple[float, ...]


class ClassificationScorer(ABC):
    """Scores the numbers that a prediction and a label array, both (outputs, n), hold at the moment."""

    @abstractmethod
    def read_labels(self) -> None:
        """Takes in the labels of the batch: once, and again when they have changed."""

    @abstractmethod
    def compare(self) -> Found:
        """Compares the predictions with the labels last read, and counts."""

    @staticmethod
    @abstractmethod
    def scores_of(several: Sequence[Found]) -> list[Score]:
        """The scores of several steps from their counts. It depends on nothing else."""

    @staticmethod
    @abstractmethod
    def accuracy_of(found: Found) -> float | None:
        """The accuracy of one step from its counts."""


def scorer(loss: LossSpec, prediction: Array, label: Array) -> ClassificationScorer:
    """The classification scorer that fits the loss and the number of outputs."""
    made = _scorer(loss, prediction, label)
    made.read_labels()
    return made


def _scorer(loss: LossSpec, prediction: Array, label: Array) -> ClassificationScorer:
    outputs = len(label)
    half = np.full((), HALF, label.dtype)
    match loss.classifies_by:
        case None:
            return _Nothing()
        case "half" if outputs == 1:
            return _two_classes((prediction[0], half), (label[0], half))
        case "half":
            return _YesOrNo(prediction, label)
        case "largest" if outputs == 2:
            return _two_classes((prediction[1], prediction[0]), (label[1], label[0]))
        case "largest":
            return _Largest(prediction, label)
        case _ as unknown:
            assert_never(unknown)


class _Nothing(ClassificationScorer):
    @override
    def read_labels(self) -> None:
        """There are no classes."""

    @override
    def compare(self) -> Found:
        return ()

    @staticmethod
    @override
    def scores_of(several: Sequence[Found]) -> list[Score]:
        return [Score(None, ())] * len(several)

    @staticmethod
    @override
    def accuracy_of(found: Found) -> float | None:
        return None


class _TwoClasses(ClassificationScorer):
    """Class 1 where the first row of a pair is greater than the second, otherwise class 0."""

    def __init__(self, prediction: tuple[Array, Array], label: tuple[Array, Array]) -> None:
        self._prediction, self._label = prediction, label
        self._said_one, self._is_one, self._right = (np.empty(label[0].size, np.bool_) for _ in range(3))

    @override
    def read_labels(self) -> None:
        np.greater(*self._label, out=self._is_one)
        self._ones = _count(self._is_one)

    @override
    def compare(self) -> Found:
        """How many samples there are and how many of class 1; how many are right, and how many of those are."""
        np.greater(*self._prediction, out=self._said_one)
        np.equal(self._said_one, self._is_one, out=self._right)
        right = _count(self._right)
        np.logical_and(self._right, self._is_one, out=self._right)
        return self._right.size, self._ones, right, _count(self._right)

    @staticmethod
    @override
    def scores_of(several: Sequence[Found]) -> list[Score]:
        return _shares(np.array(several, np.float64).T)

    @staticmethod
    @override
    def accuracy_of(found: Found) -> float | None:
        size, _, right, _ = found
        return float(right / size)


class _TwoClassesOfFew(_TwoClasses):
    """Counts only when it is asked."""

    @override
    def read_labels(self) -> None:
        super().read_labels()
        self._labels = self._is_one.tobytes()

    @override
    def compare(self) -> Found:
        """For each sample, whether it is said to be of class 1 and whether it is."""
        one, other = self._prediction
        if self._said_one.size == 1:  # two numbers are compared faster than two arrays
            return b"\1" if one.item(0) > other.item(0) else b"\0", self._labels
        np.greater(one, other, out=self._said_one)
        return self._said_one.tobytes(), self._labels

    @staticmethod
    @override
    def scores_of(several: Sequence[Found]) -> list[Score]:
        said_one, is_one = (
            np.frombuffer(b"".join(masks), np.bool_).reshape(len(several), -1)
            for masks in zip(*several, strict=True)
        )
        right = said_one == is_one
        size = np.full(len(several), right.shape[1])
        return _shares(
            [size, *(np.count_nonzero(those, axis=1) for those in (is_one, right, right & is_one))]
        )

    @staticmethod
    @override
    def accuracy_of(found: Found) -> float | None:
        said_one, is_one = (int.from_bytes(mask, "little") for mask in found)
        size = len(found[1])
        return (size - (said_one ^ is_one).bit_count()) / size


def _two_classes(prediction: tuple[Array, Array], label: tuple[Array, Array]) -> ClassificationScorer:
    return (_TwoClassesOfFew if label[0].size <= FEW_SAMPLES else _TwoClasses)(prediction, label)


def _shares(counts: Sequence[npt.NDArray[Any]] | npt.NDArray[Any]) -> list[Score]:
    """Of what `_TwoClasses.compare` counts, an entry a step; of a class that a batch does not hold, NaN is found."""
    size, ones, right, right_ones = counts
    with np.errstate(invalid="ignore"):
        recall = np.array([(right - right_ones) / (size - ones), right_ones / ones]).T
    return [Score(*both) for both in zip((right / size).tolist(), map(tuple, recall.tolist()), strict=True)]


class _Right(ClassificationScorer):
    """Counts in `_right` what is right, whatever that is."""

    _right: Mask

    def _counted(self) -> Found:
        return _count(self._right), self._right.size

    @staticmethod
    @override
    def scores_of(several: Sequence[Found]) -> list[Score]:
        return [Score(right / size, ()) for right, size in several]

    @staticmethod
    @override
    def accuracy_of(found: Found) -> float | None:
        right, size = found
        return float(right / size)


class _YesOrNo(_Right):
    """Several labels a sample, each right or wrong by itself."""

    def __init__(self, prediction: Array, label: Array) -> None:
        self._prediction, self._label = prediction, label
        self._said, self._is, self._right = (np.empty(label.shape, np.bool_) for _ in range(3))

    @override
    def read_labels(self) -> None:
        np.greater(self._label, HALF, out=self._is)

    @override
    def compare(self) -> Found:
        np.greater(self._prediction, HALF, out=self._said)
        np.equal(self._said, self._is, out=self._right)
        return self._counted()


class _Largest(_Right):
    """The class of the largest output of each column."""

    def __init__(self, prediction: Array, label: Array) -> None:
        n = label.shape[1]
        self._prediction, self._label = prediction.T, label.T
        self._samples = np.empty(
            (n, len(label)), label.dtype
        )  # argmax wants each sample's outputs side by side
        self._said, self._is = (np.empty(n, np.intp) for _ in range(2))
        self._right = np.empty(n, np.bool_)

    @override
    def read_labels(self) -> None:
        np.copyto(self._samples, self._label)
        self._samples.argmax(axis=1, out=self._is)

    @override
    def compare(self) -> Found:
        np.copyto(self._samples, self._prediction)
        self._samples.argmax(axis=1, out=self._said)
        np.equal(self._said, self._is, out=self._right)
        return self._counted()


def _count(mask: Mask) -> int:
    return int(np.count_nonzero(mask))
