"""step-too-long: the learning rate is beyond what the loss's curvature allows: steps climb out of the valley."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.autodiff.graph import Array
from engine.diagnosis.case import Case, Needs, Own
from engine.diagnosis.curvature import largest_eigenvalue
from engine.diagnosis.finding import Finding, Kind
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.loss_curve import RECENT
from engine.diagnosis.wording import finite, short, told_loss
from engine.experiment.optimizer_specs import MomentumTraining, SgdTraining
from engine.formula.expression import Symbol
from engine.training.trainer import Trainer


def find(case: Case, before: Sequence[Finding]) -> Finding | None:
    """At the run's start, and if not exceeded there, at the step before the first rise."""
    own, losses = case.own, case.losses
    assert own is not None
    assert losses is not None
    beta = momentum(own)
    if beta is None or not (case.diverged or often_rises(case)):
        return None
    rate = own.experiment.train.learning_rate
    most = 2.0 * (1.0 + beta)
    step, curvature = 0, largest_eigenvalue(own.around_start.gradient, own.around_start.start)
    if not rate * curvature > most and losses.first_rise:
        weights = weights_after(own, losses.first_rise)
        if weights is not None:
            step = losses.first_rise
            around = own.at(weights)
            curvature = largest_eigenvalue(around.gradient, around.start)
    if not rate * curvature > most:
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
    text = (
        f"{where}, the largest curvature of the loss is {short(curvature)}: only a learning rate below "
        f"{short(stable)} is stable there, and {short(rate)} is {short(rate / stable)} times that. {follows}"
    )
    evidence = {
        "learning_rate": rate,
        "largest_stable": stable,
        "curvature": curvature,
        "times": rate / stable,
        "momentum": beta,
        "half": 1.0 / curvature,
        "loss_first": finite(losses.first),
        "loss_last": finite(losses.last),
    }
    return Finding(
        Kind.STEP_TOO_LONG,
        step,
        evidence,
        text,
        remedy=f"A learning rate of {short(1.0 / curvature)}.",
        change={"train.learning_rate": 1.0 / curvature},
    )


def momentum(own: Own) -> float | None:
    """β of the optimiser, 0 for plain descent; None for those whose step is not along the gradient."""
    match own.experiment.train:
        case SgdTraining():
            return 0.0
        case MomentumTraining(momentum=beta):
            return beta
        case _:
            return None


def often_rises(case: Case) -> bool:
    """Whether the loss of full batches went up in more than a third of the last steps."""
    losses = case.losses
    return losses is not None and losses.each_step and 3 * losses.rises > RECENT


def weights_after(own: Own, steps: int) -> Mapping[Symbol, Array] | None:
    """The weights that the run had after so many updates, by making it again; None where it cannot be."""
    if not own.unchanged:
        return None
    network = own.layers.astype(own.layers.dtype.name)
    for name, value in own.initial.items():
        network.parameters[name][...] = value
    trainer = Trainer(own.experiment, own.data, network)
    for _ in range(steps):
        trainer.step(measure=False)
    return None if trainer.problem else {name: value.copy() for name, value in network.parameters.items()}


RULE = Rule(Kind.STEP_TOO_LONG, frozenset({Needs.LOSSES, Needs.OWN}), find, of_loss=True)
