"""Whether what a network says of the samples is of more use than an answer that looks at none of them.

Ŷ        0.9  0.2  0.7  0.1    ──> ℰ = 0.24       of use: the mean answer is worse
its mean 0.48 0.48 0.48 0.48   ──> ℰ = 0.69
"""

from __future__ import annotations

import math

import numpy as np

from engine.autodiff.graph import Node
from engine.autodiff.ops.loss_registry import make_loss
from engine.diagnosis.diagnosed_run import OwnRun
from engine.formula.expression import Symbol
from engine.metrics.l2_norms import careful_norm

LITTLE = 0.01
"""An answer whose loss is lower by less than this share tells next to nothing apart, nor does one whose standard
deviation is below this share of the labels'."""


def tells_apart(own: OwnRun) -> bool:
    """Whether the predictions are of more use than an answer that looks at nothing.

    Either the loss would be higher, by 1 % or more, with the mean of the predictions for every sample; or at most half
    as many samples are classified wrongly as with the commonest class for all. A loss may fall for long, from thousands
    to hundreds, and still come of a network that guesses.
    """
    return _halves_errors(own) or _below_mean_answer(own)


def same_for_all(own: OwnRun) -> bool:
    """Whether every output spreads by less than a hundredth of its labels, which differ: it says always the same.

    On which side of ½ it says so is an accident then, however many samples are classified rightly.
    """
    said, labels = (np.asarray(part, np.float64).std(axis=1) for part in (own.whole.prediction, own.data.Y))
    return bool(((labels > 0) & (said < LITTLE * labels)).all())


def _halves_errors(own: OwnRun) -> bool:
    accuracy, labels = own.whole.record.accuracy, np.asarray(own.data.Y)
    if accuracy is None or same_for_all(own):
        return False
    by_half = own.layers.loss.classifies_by == "half"
    classes = labels > 0.5 if by_half else labels == labels.max(axis=0)
    commonest = int(np.unique(classes, axis=1, return_counts=True)[1].max())
    most = commonest / labels.shape[1]
    return bool(most < 1.0 and 1.0 - accuracy <= 0.5 * (1.0 - most))


def _below_mean_answer(own: OwnRun) -> bool:
    said = np.asarray(own.whole.prediction, np.float64)
    alike = np.repeat(said.mean(axis=1, keepdims=True), said.shape[1], axis=1)
    spec = own.layers.loss
    prediction, label, loss = (
        Node(Symbol(name), value)
        for name, value in (
            ("Y_hat", alike),
            ("Y", np.asarray(own.data.Y, np.float64)),
            ("E", np.zeros((1, 1))),
        )
    )
    without = make_loss(spec, prediction, label, loss, Node(Symbol("f"), alike), "").reference()
    weights = [value for name, value in own.present.items() if name.name == "W"]
    penalty = 0.5 * spec.l2 * math.fsum(careful_norm(value) ** 2 for value in weights)
    return bool(own.whole.loss - penalty < (1 - LITTLE) * without)
