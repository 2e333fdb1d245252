"""What the gradients screen says of the factor budget, and what theory predicts for the chart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.diagnosis.gradient_flow import GradientFlow
from engine.diagnosis.mean_field import MeanFieldProfile
from engine.experiment.layer_info import LayerInfo
from engine.formula.numbers_in_words import signed
from engine.metrics.step_record import StepRecord
from tui.session.training_snapshot import RunSnapshot
from tui.training.gradient_charts import DELTA, L2, Metric

Floats = npt.NDArray[np.float64]


PLURALS = {"activation": "activations", "norm": "norms", "shortcut": "shortcuts"}
"""What a factor is called where all of its layers are summed."""


def budget_lines(layers: Sequence[LayerInfo], record: StepRecord) -> list[str]:
    """The factor budget in words: log₁₀ of what became of δ on its way down, factor by factor."""
    flow = GradientFlow(record, layers)
    budget = flow.budget
    if budget.dead_below:
        return [
            "Somewhere on the way δ becomes exactly 0 or is not finite: there are no decades to share out."
        ]
    if not budget.gaps:
        return ["There is only one layer: δ has no way down."]
    parts = ", ".join(f"{PLURALS.get(name, name)} {signed(part, 2)}" for name, part in budget.parts.items())
    first = (
        f"From layer {flow.depth} down to layer 1, δ changes by {signed(budget.decades, 2)} decades: {parts}."
    )
    reasons = flow.cause(flow.vanishes)[1] if flow.vanishes or flow.explodes else []
    return [first, *reversed(reasons)]


def predicted_profile(run: RunSnapshot, metric: Metric) -> Floats | None:
    """The predicted gradient norms for the initial weights, hung on the measured one of the last hidden layer.

    None where the theory does not hold, for metrics that it does not speak of, and before the first step.
    """
    first, prediction = run.first, run.prediction
    if first is None or not isinstance(prediction, MeanFieldProfile):
        return None
    decades = {L2: prediction.weights, DELTA: prediction.delta}.get(metric)
    if decades is None:
        return None
    anchor = float(getattr(first, metric.field)[len(decades) - 1])
    return np.asarray(anchor * 10.0 ** np.array(decades))
