"""What the gradients screen says where no finding is: that the gradients are balanced, and how their profile slopes."""

from __future__ import annotations

from engine.diagnosis.diagnosis import Diagnosis
from engine.diagnosis.gradient_flow import GradientFlow
from engine.diagnosis.mean_field import MeanFieldProfile
from engine.metrics.step_record import StepRecord
from tui.session.training_snapshot import RunSnapshot


def flow_lines(run: RunSnapshot, record: StepRecord, diagnosis: Diagnosis) -> list[str]:
    """The lines on the gradient flow: that it is balanced, where it is, and its slope beside theory."""
    if len(record.grad_l2) < 2:
        return []
    prediction = run.prediction
    known = prediction if isinstance(prediction, MeanFieldProfile) and record.step == 0 else None
    flow = GradientFlow(record, run.described)
    return [line for line in (diagnosis.gradients, flow.slope_told(known)) if line]
