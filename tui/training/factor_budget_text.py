"""What the gradients screen says of the factor budget, and what theory predicts for the chart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.diagnosis.gradient_flow import GradientFlow
from engine.experiment.layer_info import LayerInfo
from engine.formula.numbers_in_words import signed
from engine.metrics.step_record import StepRecord

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
