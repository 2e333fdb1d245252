"""step-too-long: the learning rate is beyond what the loss's curvature allows: steps climb out of the valley."""

from __future__ import annotations

from collections.abc import Sequence

from engine.diagnosis.curvature import largest_eigenvalue, momentum
from engine.diagnosis.diagnosed_run import DiagnosedRun, Needs, OwnRun
from engine.diagnosis.finding import Finding, Kind, finite_evidence
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.flat_loss import FlatLoss
from engine.diagnosis.loss_trend import often_rises
from engine.diagnosis.run_again import weights_after
from engine.diagnosis.sentence_parts import short, told_loss
from engine.metrics.l2_norms import careful_norm
from engine.training.optimizers import clip_factor


def find(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds a learning rate beyond 2/λ, the largest that the curvature allows."""
    own, losses = case.own, case.losses
    assert own is not None
    assert losses is not None
    beta = momentum(own)
    if beta is None or not (case.diverged or often_rises(case)):
        return None
    rate = own.experiment.train.learning_rate
    most = 2.0 * (1.0 + beta)
    step, around = 0, own.around_start
    curvature, clip = largest_eigenvalue(around.gradient, around.start), clipping_factor(own, around)
    if not clip * rate * curvature > most and losses.first_rise:
        weights = weights_after(own, losses.first_rise)
        if weights is not None:
            step, around = losses.first_rise, own.at(weights)
            curvature, clip = largest_eigenvalue(around.gradient, around.start), clipping_factor(own, around)
            around.release()
    if not clip * rate * curvature > most:
        return None
    stable = most / curvature
    where = "At the start" if step == 0 else f"After {step:,} steps, before the loss first rose"
    follows = "Every step leads further up the other side."
    if not case.diverged:
        spite = " in spite of it" if losses.last < losses.first else ""
        follows = (
            f"Steps jump to and fro across the valley; the loss went from {told_loss(losses.first)} to "
            f"{told_loss(losses.last)}{spite}."
        )
    is_far = f"{short(rate)} is"
    if clip < 1.0:
        is_far = f"{short(rate)}, clipped to {short(clip)} of itself there, is still"
    times = clip * rate / stable
    text = (
        f"{where}, the largest curvature of the loss is {short(curvature)}: only a learning rate below "
        f"{short(stable)} is stable there, and {is_far} {short(times)} times that. {follows}"
    )
    better = 1.0 / (clip * curvature)
    evidence = {
        "learning_rate": rate,
        "largest_stable": stable,
        "curvature": curvature,
        "times": times,
        "momentum": beta,
        "half": 1.0 / curvature,
        **({"clipped": clip} if clip < 1.0 else {}),
        "loss_first": finite_evidence(losses.first),
        "loss_last": finite_evidence(losses.last),
    }
    return Finding(
        Kind.STEP_TOO_LONG,
        step,
        evidence,
        text,
        remedy=f"A learning rate of {short(better)}.",
        change={"train.learning_rate": better},
        untested="A smaller learning rate.",
    )


def clipping_factor(own: OwnRun, around: FlatLoss) -> float:
    """The factor of gradient clipping for the gradient of all data."""
    limit = own.experiment.train.clip_norm
    if limit is None:
        return 1.0
    return clip_factor(careful_norm(around.gradient(around.start)), limit)


RULE = Rule(Kind.STEP_TOO_LONG, frozenset({Needs.LOSSES, Needs.OWN}), find, of_loss=True)
