"""How many samples a network classifies rightly, and, for two classes, how much of each class it finds.

bce             Ŷ > ½ says 1                  one row: two classes; several rows: as many yes-or-no labels
cross_entropy   the largest Ŷ of a column     the first of several equal ones
squared_error   nothing is classified

In a step only what must be kept of it is: counting and dividing wait until somebody asks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.dead_units import Mask
from engine.experiment import BceLoss, CrossEntropyLoss, Loss
from engine.graph import Array
from engine.step_record import Counts

HALF = 0.5

Found = tuple[Any, ...]
"""What a scorer keeps of one step, which never changes; what it means is the scorer's own affair."""


class Score(NamedTuple):
    """`accuracy` from 0 to 1, None where nothing is classified; `recall` of class 0 and class 1, if these are all."""

    accuracy: float | None
    recall: tuple[float, ...]


class Scorer(ABC):
    """Scores the numbers that a prediction and a label array, both (outputs, n), hold at the moment."""

    @abstractmethod
    def read_labels(self) -> None:
        """Takes in the labels: once, and again when they have changed."""

    @abstractmethod
    def compare(self) -> Found:
        """Compares the prediction with the labels last read."""

    @abstractmethod
    def score_of(self, found: Found) -> Score:
        """What was found, as shares. It depends on nothing else."""

    def scores_of(self, several: Sequence[Found]) -> list[Score]:
        """Of several steps."""
        return [self.score_of(found) for found in several]

    def score(self) -> Score:
        """Both in one."""
        return self.score_of(self.compare())


def scorer(loss: Loss, prediction: Array, label: Array) -> Scorer:
    """The scorer that fits the loss and the number of outputs."""
    made = _scorer(loss, prediction, label)
    made.read_labels()
    return made


def _scorer(loss: Loss, prediction: Array, label: Array) -> Scorer:
    outputs = len(label)
    half = np.full((), HALF, label.dtype)
    match loss:
        case BceLoss() if outputs == 1:
            return _TwoClasses((prediction[0], half), (label[0], half))
        case BceLoss():
            return _YesOrNo(prediction, label)
        case CrossEntropyLoss() if outputs == 2:
            return _TwoClasses((prediction[1], prediction[0]), (label[1], label[0]))
        case CrossEntropyLoss():
            return _Largest(prediction, label)
        case _:
            return _Nothing()


class _Nothing(Scorer):
    def read_labels(self) -> None:
        """There are no classes."""

    def compare(self) -> Found:
        return ()

    def score_of(self, found: Found) -> Score:
        return Score(None, ())


class _TwoClasses(Scorer):
    """Class 1 where the first row of a pair is greater than the second, otherwise class 0."""

    def __init__(self, prediction: tuple[Array, Array], label: tuple[Array, Array]) -> None:
        self._prediction, self._label = prediction, label
        self._said_one, self._is_one = (np.empty(label[0].size, np.bool_) for _ in range(2))

    def read_labels(self) -> None:
        np.greater(*self._label, out=self._is_one)
        self._labels = self._is_one.tobytes()

    def compare(self) -> Found:
        """For each sample, whether it is said to be of class 1 and whether it is."""
        one, other = self._prediction
        if self._said_one.size == 1:  # two numbers are compared faster than two arrays
            return b"\1" if one.item(0) > other.item(0) else b"\0", self._labels
        np.greater(one, other, out=self._said_one)
        return self._said_one.tobytes(), self._labels

    def score_of(self, found: Found) -> Score:
        return self.scores_of([found])[0]

    def scores_of(self, several: Sequence[Found]) -> list[Score]:
        """All at once, which takes hardly longer than one."""
        said_one, is_one = (
            np.frombuffer(b"".join(masks), np.bool_).reshape(len(several), -1)
            for masks in zip(*several, strict=True)
        )
        right = said_one == is_one
        accuracy = _counts(right) / right.shape[1]
        with np.errstate(invalid="ignore"):  # of a class that the batch does not hold, NaN is found
            recall = np.transpose([_counts(right & those) / _counts(those) for those in (~is_one, is_one)])
        return [Score(*both) for both in zip(accuracy.tolist(), map(tuple, recall.tolist()), strict=True)]


class _Right(Scorer):
    """Counts in `_right` what is right, whatever that is."""

    _right: Mask

    def score_of(self, found: Found) -> Score:
        return Score(found[0] / self._right.size, ())


class _YesOrNo(_Right):
    """Several labels a sample, each right or wrong by itself."""

    def __init__(self, prediction: Array, label: Array) -> None:
        self._prediction, self._label = prediction, label
        self._said, self._is, self._right = (np.empty(label.shape, np.bool_) for _ in range(3))

    def read_labels(self) -> None:
        np.greater(self._label, HALF, out=self._is)

    def compare(self) -> Found:
        np.greater(self._prediction, HALF, out=self._said)
        np.equal(self._said, self._is, out=self._right)
        return (_count(self._right),)


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

    def read_labels(self) -> None:
        np.copyto(self._samples, self._label)
        self._samples.argmax(axis=1, out=self._is)

    def compare(self) -> Found:
        np.copyto(self._samples, self._prediction)
        self._samples.argmax(axis=1, out=self._said)
        np.equal(self._said, self._is, out=self._right)
        return (_count(self._right),)


def _count(mask: Mask) -> int:
    return int(np.count_nonzero(mask))


def _counts(masks: Mask) -> Counts:
    """Of each row."""
    counts: Counts = np.count_nonzero(masks, axis=1)
    return counts
