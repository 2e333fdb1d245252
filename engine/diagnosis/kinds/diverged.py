"""diverged: the loss or a gradient is not finite, or the loss over all data ends above ten times where it began."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.diagnosis.diagnosed_run import DiagnosedRun
from engine.diagnosis.finding import Finding, Kind, finite_evidence
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.loss_curve import MUCH_HIGHER
from engine.diagnosis.sentence_parts import sentence, told_loss


def find(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds that a run diverged; why is the finding after it, where that is known."""
    if not case.diverged:
        return None
    losses = case.losses
    first = math.nan if losses is None else losses.first
    last = math.nan if losses is None or case.problem is not None else losses.last
    step = case.problem_step if case.problem_step is not None else 0 if losses is None else losses.steps
    evidence = {"loss_first": finite_evidence(first), "loss_last": finite_evidence(last), "step": step}
    called = "the loss" if losses is None else losses.called
    began = f" At first {called} was {told_loss(first)}." if math.isfinite(first) else ""
    if case.problem is not None:
        text = f"{sentence(case.problem)}{began}"
    elif math.isfinite(last):
        text = (
            f"{called[0].upper()}{called[1:]} rose from {told_loss(first)} to {told_loss(last)}, "
            f"above {MUCH_HIGHER:g} times where it began."
        )
    else:
        text = f"{called[0].upper()}{called[1:]} is not a finite number any more.{began}"
    return Finding(Kind.DIVERGED, step, evidence, text)


RULE = Rule(Kind.DIVERGED, frozenset(), find, of_loss=True)
