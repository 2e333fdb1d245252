"""step-too-short: the loss falls steadily, but the steps are so short that the run leads nowhere."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.diagnosis.curvature import largest_eigenvalue
from engine.diagnosis.diagnosed_run import DiagnosedRun, Needs, OwnRun
from engine.diagnosis.finding import Finding, Kind, finite_evidence
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.sentence_parts import short, told_loss

LITTLE = 0.01
"""The loss falls by less than this share of itself over the whole run."""

LONGER = 100.0
"""A step at least so many times longer must lower the loss more."""

MOST_DOUBLINGS = 60


def find(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds a learning rate that is far too small: every update below 1e-5 of the weights (see RunObserver), and a line
    search finds a far longer step.

    That has to lower the loss by more than the run did, by 1 % or more.
    """
    own, losses = case.own, case.losses
    assert own is not None
    assert losses is not None
    if not own.small_updates or losses.first_rise is not None or losses.steps < 1:
        return None
    fell = losses.first - losses.last
    if not 0 < fell < LITTLE * abs(losses.first):
        return None
    rate = own.whole.record.learning_rate
    best = longer_step(own, rate)
    if best is None:
        return None
    step, loss, one = best
    if not loss < (1 - LITTLE) * losses.last:
        return None  # no step of any length gets anywhere: it is not the length
    evidence = {
        "loss_first": finite_evidence(losses.first),
        "loss_last": finite_evidence(losses.last),
        "steps": losses.steps,
        "learning_rate": rate,
        "longer": step / rate,
        "loss_one_step": finite_evidence(one),
        "loss_longer_step": finite_evidence(loss),
    }
    text = (
        f"In {losses.steps:,} steps the loss fell only from {told_loss(losses.first)} to {told_loss(losses.last)}: "
        f"no update moved a layer's weights by more than 1e-5 of their size. A single step {short(step / rate)} times "
        f"longer would take the loss from {told_loss(losses.last)} to {told_loss(loss)}."
    )
    better = _stable(own, rate, step)
    remedy = f"A larger learning rate: {short(better)} instead of {short(rate)}."
    return Finding(
        Kind.STEP_TOO_SHORT,
        case.step,
        evidence | {"better": better},
        text,
        remedy=remedy,
        change={"train.learning_rate": better},
        untested="A larger learning rate.",
    )


def longer_step(own: OwnRun, rate: float) -> tuple[float, float, float] | None:
    """The best step along the gradient by doubling from 100 η: its size, the loss there, and after one step of η."""
    around = own.around_end
    gradient = around.gradient(around.start)
    one = around.value(around.start - rate * gradient)
    best: tuple[float, float] | None = None
    size = LONGER * rate
    for _ in range(MOST_DOUBLINGS):
        loss = around.value(around.start - size * gradient)
        if not math.isfinite(loss) or loss >= (one if best is None else best[1]):
            break
        best = size, loss
        size *= 2.0
    if best is None or not np.any(gradient):
        return None
    return (*best, one)


def _stable(own: OwnRun, rate: float, step: float) -> float:
    """The step found, or less where the curvature allows less: 1/λ; at least the 100 η that lowered the loss."""
    around = own.around_end
    curvature = largest_eigenvalue(around.gradient, around.start)
    if curvature > 0:
        step = min(step, 1.0 / curvature)
    return max(step, LONGER * rate)


RULE = Rule(Kind.STEP_TOO_SHORT, frozenset({Needs.LOSSES, Needs.OWN}), find, of_loss=True, if_diverged=False)
