"""learning: the loss over all data falls still, by 1 % or more over the last quarter of the run."""

from __future__ import annotations

from collections.abc import Sequence

from engine.diagnosis.diagnosed_run import DiagnosedRun
from engine.diagnosis.finding import Finding, Kind
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.loss_trend import OF_LOSSES, advances, falls
from engine.diagnosis.sentence_parts import short, told_loss
from engine.diagnosis.useful_prediction import tells_apart
from engine.formula.capitalised import capitalised

STUCK = (Kind.DEAD_UNITS, Kind.NO_GRADIENT, Kind.CONSTANT_OUTPUT, Kind.ZERO_WEIGHTS)
"""With one of these found, what still falls is what is left that can move: more steps are no remedy."""


def find_surely(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds that a run surely learns: the loss falls, and what it says of the samples is of use.

    Of a run log only the course of the loss is known.
    """
    losses = case.known_losses
    if any(one.kind is Kind.LEARNED for one in before) or not advances(losses) or losses.last >= losses.first:
        return None
    return None if case.own is not None and not tells_apart(case.own) else find(case, before)


def find(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds that a run still learns: only its steps have ended."""
    losses = case.known_losses
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
        f"{capitalised(losses.called)} still falls: by {short(percent)} % {over}, from {told_loss(then)} to "
        f"{told_loss(losses.last)}."
    )
    remedy = None if any(one.kind in STUCK for one in before) else "Train on: it has not ended yet."
    return Finding(Kind.LEARNING, losses.steps, evidence, text, remedy=remedy)


SURELY = Rule(Kind.LEARNING, OF_LOSSES, find_surely, of_loss=True, if_diverged=False, if_learned=False)
RULE = Rule(Kind.LEARNING, OF_LOSSES, find, of_loss=True, if_diverged=False, if_learned=False)
