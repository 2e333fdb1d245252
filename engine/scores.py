"""How many samples a network classifies rightly, and, for two classes, how much of each class it finds.

bce             Ŷ > ½ says 1                  one row: two classes; several rows: as many yes-or-no labels
cross_entropy   the largest Ŷ of a column     the first of several equal ones
squared_error   nothing is classified
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from engine.experiment import BceLoss, CrossEntropyLoss, Loss
from engine.graph import Array

HALF = 0.5


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
    def score(self) -> Score:
        """Compares the prediction with the labels last read."""


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

    def score(self) -> Score:
        return Score(None, ())


class _TwoClasses(Scorer):
    """Class 1 where the first row of a pair is greater than the second, otherwise class 0."""

    def __init__(self, prediction: tuple[Array, Array], label: tuple[Array, Array]) -> None:
        self._prediction, self._label = prediction, label
        self._n = label[0].size
        self._said_one, self._is_one, self._both = (np.empty(self._n, np.bool_) for _ in range(3))

    def read_labels(self) -> None:
        np.greater(*self._label, out=self._is_one)
        self._ones = int(np.count_nonzero(self._is_one))

    def score(self) -> Score:
        np.greater(*self._prediction, out=self._said_one)
        if self._n == 1:
            said_ones = found_ones = int(self._said_one[0])
            found_ones &= self._ones
        else:
            said_ones = int(np.count_nonzero(self._said_one))
            np.logical_and(self._said_one, self._is_one, out=self._both)
            found_ones = int(np.count_nonzero(self._both))
        zeros = self._n - self._ones
        found_zeros = zeros - (said_ones - found_ones)
        recall = (_share(found_zeros, zeros), _share(found_ones, self._ones))
        return Score((found_zeros + found_ones) / self._n, recall)


class _YesOrNo(Scorer):
    """Several labels a sample, each right or wrong by itself."""

    def __init__(self, prediction: Array, label: Array) -> None:
        self._prediction, self._label = prediction, label
        self._said, self._is, self._right = (np.empty(label.shape, np.bool_) for _ in range(3))

    def read_labels(self) -> None:
        np.greater(self._label, HALF, out=self._is)

    def score(self) -> Score:
        np.greater(self._prediction, HALF, out=self._said)
        np.equal(self._said, self._is, out=self._right)
        return Score(int(np.count_nonzero(self._right)) / self._right.size, ())


class _Largest(Scorer):
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

    def score(self) -> Score:
        np.copyto(self._samples, self._prediction)
        self._samples.argmax(axis=1, out=self._said)
        np.equal(self._said, self._is, out=self._right)
        return Score(int(np.count_nonzero(self._right)) / self._right.size, ())


def _share(found: int, of: int) -> float:
    return found / of if of else math.nan
