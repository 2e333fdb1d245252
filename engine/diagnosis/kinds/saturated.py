"""saturated: a layer sits on the flat parts of its activation, where the slope is next to nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.diagnosis.diagnosed_run import DiagnosedRun, Needs, OwnRun
from engine.diagnosis.finding import Finding, Kind
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.sentence_parts import layers_in_words, short
from engine.experiment.spec import BceLoss

MOST = 0.9
"""From this share of a layer's (unit, sample) slopes on."""


def find(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds layers whose activations are saturated, but for a sigmoid output with bce, where the slope cancels."""
    own = case.own
    assert own is not None
    shares = own.whole.flat
    flat = tuple(
        number
        for number, share in enumerate(shares, start=1)
        if share > MOST and not (number == case.depth and _cancels(own))
    )
    if not flat:
        return None
    worst = max(flat, key=lambda number: float(shares[number - 1]))
    share = float(shares[worst - 1])
    name = own.layers.layers[worst - 1].activation
    text = (
        f"In {layers_in_words(flat)}, up to {short(100 * share)} % of the slopes (layer {worst}, {name}) are below one "
        "hundredth of the largest: f is so far from 0 that the gradient is multiplied by next to nothing."
    )
    evidence: dict[str, float | int | None] = {"share": share, "percent": 100 * share, "layer": worst}
    largest = float(np.abs(own.data.X).max())
    evidence["largest_input"] = largest
    return Finding(
        Kind.SATURATED,
        case.step,
        evidence,
        text,
        layers=flat,
        remedy="Smaller initial weights, standardised inputs, or a norm before the activation keep f near 0.",
    )


def _cancels(own: OwnRun) -> bool:
    """Whether the output activation's slope is no factor of the gradient."""
    return isinstance(own.layers.loss, BceLoss) and own.layers.layers[-1].activation == "sigmoid"


RULE = Rule(Kind.SATURATED, frozenset({Needs.OWN}), find, if_learned=False)
