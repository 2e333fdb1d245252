"""unreachable-labels: a label lies outside what the output's activation can give."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.diagnosis.case import Case, Needs
from engine.diagnosis.finding import Finding, Kind
from engine.diagnosis.kinds.rule import Rule
from engine.diagnosis.words import finite, short

RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, math.inf)}
"""From where to where the values of an activation lie."""


def find(case: Case, before: Sequence[Finding]) -> Finding | None:
    """A shortcut adds its input to the activation's value: then every number can be reached."""
    own = case.own
    assert own is not None
    output = own.layers.layers[-1]
    if output.activation not in RANGES or output.residual:
        return None
    least, most = RANGES[output.activation]
    labels = np.asarray(own.data.Y, np.float64)
    outside = int(np.count_nonzero((labels < least) | (labels > most)))
    if not outside:
        return None
    lowest, highest = float(labels.min()), float(labels.max())
    reach = f"from {least:g} to {most:g}" if math.isfinite(most) else f"{least:g} or more"
    evidence = {
        "outside": outside,
        "labels": labels.size,
        "label_min": lowest,
        "label_max": highest,
        "reach_min": least,
        "reach_max": finite(most),
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
