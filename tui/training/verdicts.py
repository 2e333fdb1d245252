"""What the gradients screen says below its chart: the verdict with its reason, and the factor budget in decades."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.diagnosis.mean_field import PredictedProfile
from engine.diagnosis.verdict import judge
from engine.formula.text import signed
from engine.metrics.step_record import StepRecord
from tui.session.snapshot import RunSnapshot
from tui.training.gradient_charts import Metric

Floats = npt.NDArray[np.float64]


def verdict_lines(run: RunSnapshot, record: StepRecord) -> list[str]:
    """The verdict in a word or two, and its sentences.

    What is to blame comes before the numbers it follows from, as there may be room for little.
    """
    prediction = run.prediction
    known = prediction if isinstance(prediction, PredictedProfile) and record.step == 0 else None
    verdict = judge(record, run.activations, run.units, known, norms=run.norms, residuals=run.residuals)
    first, *others = verdict.sentences
    others.sort(key=lambda sentence: "to blame" not in sentence)
    return [verdict.kind.value.capitalize(), first, *others]


def compared(
    marked: Sequence[tuple[str, RunSnapshot, StepRecord]],
) -> tuple[list[tuple[str, str]], list[str]]:
    """Of several runs, each with its mark: all verdicts with their first sentence, and more of the first."""
    told = [(mark, verdict_lines(run, record)) for mark, run, record in marked]
    return [(f"{mark} {lines[0]}", lines[1]) for mark, lines in told], told[0][1][2:]


PLURALS = {"activation": "activations", "norm": "norms", "shortcut": "shortcuts"}
"""What a factor is called where all of its layers are summed."""


class Described(Protocol):
    """Whatever knows of each layer what the budget is shared out among."""

    @property
    def activations(self) -> tuple[str, ...]:
        """Their words."""

    @property
    def units(self) -> tuple[int, ...]:
        """Their widths."""

    @property
    def norms(self) -> tuple[str, ...]:
        """Their norms, "" for none."""

    @property
    def residuals(self) -> tuple[bool, ...]:
        """Whether they have a shortcut."""


def budget_lines(run: Described, record: StepRecord) -> list[str]:
    """log₁₀ of what became of δ on its way down, as the sum of what each of its factors made of it."""
    verdict = judge(record, run.activations, run.units, norms=run.norms, residuals=run.residuals)
    budget = verdict.budget
    depth = len(record.delta_l2)
    if budget.dead_below:
        return [
            "Somewhere on the way δ becomes exactly 0 or is not finite: there are no decades to share out."
        ]
    if not budget.gaps:
        return ["There is only one layer: δ has no way down."]
    parts = ", ".join(f"{PLURALS.get(name, name)} {signed(part, 2)}" for name, part in budget.parts.items())
    first = f"From layer {depth} down to layer 1, δ changes by {signed(budget.decades, 2)} decades: {parts}."
    blame = [line for line in verdict.sentences if "to blame" in line]
    return [first, *blame, *(line for line in verdict.sentences if "layer multiplies" in line)]


def predicted_profile(run: RunSnapshot, metric: Metric) -> Floats | None:
    """The predicted norms for the initial weights, hung on the measured one of the last hidden layer.

    None where the theory does not hold, for metrics that it does not speak of, and before the first step.
    """
    first, prediction = run.first, run.prediction
    if first is None or not isinstance(prediction, PredictedProfile):
        return None
    decades = {Metric.L2: prediction.weights, Metric.DELTA: prediction.delta}.get(metric)
    if decades is None:
        return None
    anchor = float(getattr(first, metric.value)[len(decades) - 1])
    return np.asarray(anchor * 10.0 ** np.array(decades))
