"""unreachable-labels: a label lies outside what the output's activation can give."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.diagnosis.diagnosed_run import DiagnosedRun, Needs
from engine.diagnosis.finding import Finding, Kind, finite_evidence
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.sentence_parts import short
from engine.experiment.activation_traits import ACTIVATION_TRAITS


def find(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds labels that the output's activation can never give. With a shortcut, every number can be."""
    own = case.own
    assert own is not None
    output = own.layers.layers[-1]
    values = ACTIVATION_TRAITS[output.activation].values
    least, most = values.low, values.high
    if output.residual or not (math.isfinite(least) or math.isfinite(most)):
        return None
    labels = np.asarray(own.data.Y, np.float64)
    outside = int(np.count_nonzero((labels < least) | (labels > most)))
    if not outside:
        return None
    lowest, highest = float(labels.min()), float(labels.max())
    reach = f"from {least:g} to {most:g}"
    if not math.isfinite(least) or not math.isfinite(most):
        reach = f"{least:g} or more" if math.isfinite(least) else f"{most:g} or less"
    evidence = {
        "outside": outside,
        "labels": labels.size,
        "label_min": lowest,
        "label_max": highest,
        "reach_min": finite_evidence(least),
        "reach_max": finite_evidence(most),
    }
    text = (
        f"{outside:,} of {labels.size:,} labels lie outside what a {output.activation} output can give, {reach}: "
        f"they go from {short(lowest)} to {short(highest)}. The error there can never become 0."
    )
    return Finding(
        Kind.UNREACHABLE_LABELS,
        case.step,
        evidence,
        text,
        layers=(case.depth,),
        remedy='A linear output (activation = "linear" in the last layer) reaches every label.',
    )


RULE = Rule(Kind.UNREACHABLE_LABELS, frozenset({Needs.OWN}), find)
