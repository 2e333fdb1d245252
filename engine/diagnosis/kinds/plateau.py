"""plateau: the loss over all data stands still, within 1 % over the second half of the run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.autodiff.graph import Array
from engine.diagnosis.convex_loss import convex
from engine.diagnosis.diagnosed_run import DiagnosedRun, OwnRun
from engine.diagnosis.finding import Finding, Kind
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.look_alike_samples import told_apart_by_nothing
from engine.diagnosis.loss_curve import RECENT
from engine.diagnosis.loss_trend import LONG_ENOUGH, OF_LOSSES, falls, stands_still
from engine.diagnosis.sentence_parts import short, told_loss
from engine.diagnosis.useful_prediction import tells_apart
from engine.model.network import trainable


def find(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds a plateau: nothing else is found, and the loss hardly moves any more."""
    losses = case.known_losses
    if before or falls(losses):
        return None
    flat = stands_still(losses)
    if not flat and losses.steps < LONG_ENOUGH:
        return None
    half = losses.step[0] + losses.steps - max(losses.steps / 2, RECENT)
    low, high = losses.span(half)
    evidence = {
        "loss_first": losses.first,
        "loss_half": losses.at(half),
        "loss_last": losses.last,
        "loss_low": low,
        "loss_high": high,
        "steps": losses.steps,
    }
    if flat:
        text = (
            f"Over the last {losses.steps - half:,.0f} of {losses.steps:,} steps {losses.called} stays within 1 % of "
            f"{told_loss(losses.at(half))}; it began at {told_loss(losses.first)} and ends at {told_loss(losses.last)}."
        )
    else:
        evidence["loss_then"] = losses.three_quarters
        text = (
            f"Over the last quarter of {losses.steps:,} steps {losses.called} fell by less than 1 %, from "
            f"{told_loss(losses.three_quarters)} to {told_loss(losses.last)}."
        )
    reason = _reason(case, flat, evidence)
    text = " ".join(filter(None, [reason, text, _meaning(case, flat, evidence)]))
    stays = "alike" in evidence
    remedy = "Begin with other initial weights: where descent ends depends on them." if stays else None
    called = "Plateau at the least loss" if flat and convex(case) else ""
    return Finding(Kind.PLATEAU, losses.steps, evidence, text, remedy=remedy, called=called)


def _reason(case: DiagnosedRun, flat: bool, evidence: dict[str, float]) -> str:
    """Why it gets no further, where that is known: it is said first."""
    own = case.own
    if own is None or (flat and convex(case)):
        return ""
    return _cannot_move(own) or _limits(own, evidence) or told_apart_by_nothing(own, evidence)


def _meaning(case: DiagnosedRun, flat: bool, evidence: dict[str, float]) -> str:
    """Whether the bottom has been reached, where that is known, or what is still wrong."""
    own = case.own
    if own is None or _cannot_move(own):
        return ""
    if flat and convex(case):
        return "The loss is convex in W, so this is the least loss there is, and no fault."
    record = own.whole.record
    largest = float(max(record.grad_max))
    evidence["largest_gradient"] = largest
    wrong = ""
    if record.accuracy is not None:
        evidence["accuracy"], evidence["accuracy_percent"] = record.accuracy, 100 * record.accuracy
        wrong = f", and {short(100 * record.accuracy)} % are classified rightly"
    return (
        f"{'Not every label is' if tells_apart(own) else 'The labels are not'} learned: {_worst(own, evidence)}"
        f"{wrong}; the largest gradient of a weight is {short(largest)}."
    )


def _cannot_move(own: OwnRun) -> str:
    """Why no update can change anything, where that is so."""
    if own.whole.record.learning_rate == 0:
        return "The learning rate is 0: no update changes anything."
    if not trainable(own.layers):
        return "Every parameter is frozen: no update changes anything."
    return ""


def _limits(own: OwnRun, evidence: dict[str, float]) -> str:
    """What no training of this network on these data could get over, where that is known."""
    contradicted = _contradicted(np.asarray(own.data.X), np.asarray(own.data.Y))
    if contradicted:
        evidence["contradicted"] = contradicted
        return (
            f"{contradicted:,} of {own.data.Y.shape[1]:,} samples have the same inputs as others with another "
            "label: no network can tell them apart."
        )
    hidden = own.layers.layers[:-1]
    straight = all(
        layer.norm is None and (layer.activation == "linear" or layer.slope == 1.0) for layer in hidden
    )
    if hidden and straight:
        return "Without a bend in any hidden layer they all are one matrix: what it tells apart, a plane divides."
    return ""


def _contradicted(inputs: Array, labels: Array) -> int:
    """How many samples have the inputs of another one with another label; (features, n) and (outputs, n)."""
    labels_of: dict[bytes, set[bytes]] = {}
    keys = [column.tobytes() for column in np.ascontiguousarray(inputs.T)]
    for key, label in zip(keys, np.ascontiguousarray(labels.T), strict=True):
        labels_of.setdefault(key, set()).add(label.tobytes())
    return sum(len(labels_of[key]) > 1 for key in keys)


def _worst(own: OwnRun, evidence: dict[str, float]) -> str:
    """The samples that are furthest from their labels."""
    said, labels = np.asarray(own.whole.prediction, np.float64), np.asarray(own.data.Y, np.float64)
    error = np.abs(said - labels)
    row, sample = np.unravel_index(int(error.argmax()), error.shape)
    n = labels.shape[1]
    far = int(np.count_nonzero((error > error.max() / 2).any(axis=0)))
    worst = {
        "worst_sample": int(sample),
        "worst_prediction": float(said[row, sample]),
        "worst_label": float(labels[row, sample]),
        "samples_far": far,
        "samples": n,
    }
    evidence.update(worst)
    return (
        f"{far:,} of {n:,} samples are far off, sample {int(sample)} with {short(float(said[row, sample]))} for "
        f"{short(float(labels[row, sample]))}"
    )


RULE = Rule(Kind.PLATEAU, OF_LOSSES, find, of_loss=True, if_diverged=False)
