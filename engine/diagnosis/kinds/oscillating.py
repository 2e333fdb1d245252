"""oscillating: the loss over all data goes up and down, in more than a third of the last 100 steps."""

from __future__ import annotations

from collections.abc import Sequence

from engine.diagnosis.diagnosed_run import DiagnosedRun
from engine.diagnosis.finding import Finding, Kind, finite_evidence
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.loss_curve import RECENT
from engine.diagnosis.loss_trend import LONG_ENOUGH, OF_LOSSES, falls, often_rises, stands_still
from engine.diagnosis.sentence_parts import told_loss
from engine.formula.capitalised import capitalised


def find(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds a loss that goes up and down in place of falling."""
    losses = case.known_losses
    if often_rises(case):
        evidence = {"rises": losses.rises, "steps": RECENT, "loss_last": finite_evidence(losses.last)}
        text = (
            f"In {losses.rises} of the last {RECENT} steps {losses.called} went up; it ends at "
            f"{told_loss(losses.last)}."
        )
        return Finding(Kind.OSCILLATING, losses.steps, evidence, text)
    alone = not before and not falls(losses) and not stands_still(losses)
    if not (alone and losses.steps >= LONG_ENOUGH and losses.last > losses.three_quarters):
        return None
    evidence = {"loss_then": losses.three_quarters, "loss_last": losses.last, "steps": losses.steps}
    text = (
        f"{capitalised(losses.called)} goes up and down: it ends at {told_loss(losses.last)}, above the "
        f"{told_loss(losses.three_quarters)} of three quarters of the {losses.steps:,} steps."
    )
    return Finding(Kind.OSCILLATING, losses.steps, evidence, text)


RULE = Rule(Kind.OSCILLATING, OF_LOSSES, find, of_loss=True, if_diverged=False)
