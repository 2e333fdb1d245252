"""What the gradients screen says below its chart: the verdict with its reason, and the factor budget in decades."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.mean_field import PredictedProfile
from engine.step_record import StepRecord
from engine.verdict import judge
from tui.live import LaneView
from tui.magnitudes import Metric

Floats = npt.NDArray[np.float64]


def verdict_lines(lane: LaneView, record: StepRecord) -> list[str]:
    """The verdict in a word or two, and its sentences."""
    prediction = lane.prediction()
    known = prediction if isinstance(prediction, PredictedProfile) and record.step == 0 else None
    verdict = judge(record, lane.activations, lane.units, known)
    return [verdict.kind.value.capitalize(), *verdict.sentences]


def budget_lines(lane: LaneView, record: StepRecord) -> list[str]:
    """log₁₀ of what became of δ on its way down, as the sum of what the weights and the activations made of it."""
    with np.errstate(all="ignore"):
        weights, activation = np.log10(record.weight_gain), np.log10(record.activation_gain)
        total = float(np.log10(record.delta_l2[0] / record.delta_l2[-1]))
    depth = len(record.delta_l2)
    if not np.isfinite(total) or not np.isfinite(weights).all() or not np.isfinite(activation).all():
        return [
            "Somewhere on the way δ becomes exactly 0 or is not finite: there are no decades to share out."
        ]
    first = (
        f"From layer {depth} down to layer 1, δ changes by {total:+.2f} decades: "
        f"weights {weights.sum():+.2f}, activations {activation.sum():+.2f}."
    )
    verdict = judge(record, lane.activations, lane.units)
    blame = [line for line in verdict.sentences if "to blame" in line]
    return [first, *blame, *(line for line in verdict.sentences if "layer multiplies" in line)]


def predicted_profile(lane: LaneView, metric: Metric) -> Floats | None:
    """The predicted norms for the initial weights, hung on the measured one of the last hidden layer.

    None where the theory does not hold, for metrics that it does not speak of, and before the first step.
    """
    first, prediction = lane.history.first, lane.prediction()
    if first is None or not isinstance(prediction, PredictedProfile):
        return None
    decades = {Metric.L2: prediction.weights, Metric.DELTA: prediction.delta}.get(metric)
    if decades is None:
        return None
    anchor = float(getattr(first, metric.value)[len(decades) - 1])
    return np.asarray(anchor * 10.0 ** np.array(decades))
