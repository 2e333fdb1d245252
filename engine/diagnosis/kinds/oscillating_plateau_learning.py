"""oscillating, plateau and learning: what the loss over all data does towards the end of the run.

learning      it falls still              by 1 % or more over the last quarter
plateau       it stands still             within 1 % over the second half
oscillating   it goes up and down         in more than a third of the last 100 steps
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.autodiff.graph import Array
from engine.diagnosis.case import Case, Needs, Own
from engine.diagnosis.finding import Finding, Kind
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.kinds.step_too_long import often_rises
from engine.diagnosis.loss_curve import RECENT, Losses
from engine.diagnosis.wording import finite, short, told_loss
from engine.experiment.spec import BceLoss, CrossEntropyLoss, SquaredErrorLoss
from engine.model.network import trainable

PERCENT = 0.01
STUCK = (Kind.DEAD_UNITS, Kind.NO_GRADIENT, Kind.CONSTANT_OUTPUT, Kind.ZERO_WEIGHTS)
"""With one of these found, what still falls is what is left that can move: more steps are no remedy."""

LONG_ENOUGH = 200
"""From so many steps on, a run that nothing else was found in is a plateau or oscillates."""


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _losses(case: Case) -> Losses:
    assert case.losses is not None
    return case.losses


def falls(losses: Losses) -> bool:
    """By 1 % or more over the last quarter."""
    then = losses.three_quarters
    return losses.steps > 0 and then - losses.last >= PERCENT * abs(then) and losses.last < then


def advances(losses: Losses) -> bool:
    """It falls, and not by a lucky jump: so does the median of the last quarter against that of the one before."""
    if not falls(losses):
        return False
    half, three, end = (losses.step[0] + part * losses.steps for part in (0.5, 0.75, 1.0))
    then = losses.typical(half, three)
    return then - losses.typical(three, end) >= PERCENT * abs(then)


def stands(losses: Losses) -> bool:
    """Within 1 % over the second half, and over 100 steps at least."""
    window = max(losses.steps / 2, RECENT)
    if window > losses.steps:
        return False
    since = losses.step[0] + losses.steps - window
    low, high = losses.span(since)
    return high - low <= PERCENT * abs(losses.at(since))


def oscillating(case: Case, before: Sequence[Finding]) -> Finding | None:
    """The loss of full batches; or any long run in which nothing else is found and the loss ends higher."""
    losses = _losses(case)
    if often_rises(case):
        evidence = {"rises": losses.rises, "steps": RECENT, "loss_last": finite(losses.last)}
        text = (
            f"In {losses.rises} of the last {RECENT} steps {losses.called} went up; it ends at "
            f"{told_loss(losses.last)}."
        )
        return Finding(Kind.OSCILLATING, losses.steps, evidence, text)
    alone = not before and not falls(losses) and not stands(losses)
    if not (alone and losses.steps >= LONG_ENOUGH and losses.last > losses.three_quarters):
        return None
    evidence = {"loss_then": losses.three_quarters, "loss_last": losses.last, "steps": losses.steps}
    text = (
        f"{_capital(losses.called)} goes up and down: it ends at {told_loss(losses.last)}, above the "
        f"{told_loss(losses.three_quarters)} of three quarters of the {losses.steps:,} steps."
    )
    return Finding(Kind.OSCILLATING, losses.steps, evidence, text)


def plateau(case: Case, before: Sequence[Finding]) -> Finding | None:
    """Nothing else is found, and the loss hardly moves any more."""
    losses = _losses(case)
    if before or falls(losses):
        return None
    flat = stands(losses)
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
    return Finding(Kind.PLATEAU, losses.steps, evidence, f"{text} {_meaning(case, flat, evidence)}".strip())


def _meaning(case: Case, flat: bool, evidence: dict[str, float]) -> str:
    """Whether the bottom has been reached, where that is known."""
    own = case.own
    if own is None:
        return ""
    if flat and convex(case):
        return "The loss is convex in W, so this is the least loss there is, and no fault."
    stuck = _cannot_move(own)
    if stuck:
        return stuck
    record = own.whole.record
    largest = float(max(record.grad_max))
    evidence["largest_gradient"] = largest
    wrong = ""
    if record.accuracy is not None:
        evidence["accuracy"], evidence["accuracy_percent"] = record.accuracy, 100 * record.accuracy
        wrong = f", and {short(100 * record.accuracy)} % are classified rightly"
    return (
        f"The labels are not learned: {_worst(own, evidence)}{wrong}; the largest gradient of a weight is "
        f"{short(largest)}. {_limits(own, evidence)}"
    ).strip()


def _cannot_move(own: Own) -> str:
    """Why no update can change anything, where that is so."""
    if own.whole.record.learning_rate == 0:
        return "The learning rate is 0: no update changes anything."
    if not trainable(own.layers):
        return "Every parameter is frozen: no update changes anything."
    return ""


def _limits(own: Own, evidence: dict[str, float]) -> str:
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


def _worst(own: Own, evidence: dict[str, float]) -> str:
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


def convex(case: Case) -> bool:
    """One layer whose output and loss fit: linear and squared error, sigmoid and bce, softmax and cross-entropy."""
    own = case.own
    if own is None or len(own.layers.layers) != 1:
        return False
    layer = own.layers.layers[0]
    if layer.norm is not None or layer.residual:
        return False
    match own.layers.loss:
        case SquaredErrorLoss():
            return layer.activation == "linear"
        case BceLoss():
            return layer.activation == "sigmoid"
        case CrossEntropyLoss():
            return layer.activation == "softmax"
    return False


def learning_surely(case: Case, before: Sequence[Finding]) -> Finding | None:
    """It gets on in spite of its jumps, so that these are no reason for an alarm."""
    return learning(case, before) if advances(_losses(case)) else None


def learning(case: Case, before: Sequence[Finding]) -> Finding | None:
    """It has not ended, only the steps have."""
    losses = _losses(case)
    if not falls(losses) or any(one.kind is Kind.LEARNING for one in before):
        return None
    then = losses.three_quarters
    percent = 100 * (1 - losses.last / then)
    evidence = {
        "loss_first": losses.first,
        "loss_then": then,
        "loss_last": losses.last,
        "percent": percent,
        "steps": losses.steps,
    }
    over = f"over the last quarter of {losses.steps:,} steps" if losses.steps >= 4 else "so far"
    text = (
        f"{_capital(losses.called)} still falls: by {short(percent)} % {over}, from {told_loss(then)} to "
        f"{told_loss(losses.last)}."
    )
    remedy = None if any(one.kind in STUCK for one in before) else "Train on: it has not ended yet."
    return Finding(Kind.LEARNING, losses.steps, evidence, text, remedy=remedy)


_LOSSES = frozenset({Needs.LOSSES})
OSCILLATING = Rule(Kind.OSCILLATING, _LOSSES, oscillating, of_loss=True, if_diverged=False)
PLATEAU = Rule(Kind.PLATEAU, _LOSSES, plateau, of_loss=True, if_diverged=False)
LEARNING_SURELY = Rule(
    Kind.LEARNING, _LOSSES, learning_surely, of_loss=True, if_diverged=False, if_learned=False
)
LEARNING = Rule(Kind.LEARNING, _LOSSES, learning, of_loss=True, if_diverged=False, if_learned=False)
