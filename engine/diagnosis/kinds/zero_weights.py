"""zero-weights: a layer above the first multiplies by nothing but zeros, so no gradient passes it downwards."""

from __future__ import annotations

from collections.abc import Sequence

from engine.diagnosis.diagnosed_run import DiagnosedRun, Needs, OwnRun
from engine.diagnosis.finding import Change, Finding, Kind
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.sentence_parts import layers_in_words
from engine.diagnosis.usual_initialization import usual_scheme
from engine.formula.expression import Symbol


def find(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds layers whose weights are all 0, through which no gradient passes: ∂ℰ/∂a[l-1] = W[l] ∂ℰ/∂f[l].

    A shortcut around the layer lets it through.
    """
    own = case.own
    assert own is not None
    zero = tuple(
        number
        for number, layer in enumerate(own.layers.layers, start=1)
        if number > 1 and not layer.residual and not own.present[Symbol("W", number)].any()
    )
    if not zero:
        return None
    highest = zero[-1]
    text = (
        f"All weights of {layers_in_words(zero)} are exactly 0. On its way down the gradient is multiplied by them: "
        f"∂ℰ/∂a[{highest - 1}] = W[{highest}] ∂ℰ/∂f[{highest}] is 0, and nothing below layer {highest} learns."
    )
    change = _drawn(own)
    return Finding(
        Kind.ZERO_WEIGHTS,
        case.step,
        {"layers": len(zero), "highest": highest, "below": highest - 1, "value": 0},
        text,
        layers=zero,
        remedy="Begin with weights that are drawn at random, each from another number.",
        change=change,
    )


def _drawn(own: OwnRun) -> Change | None:
    """The usual initialisation of the hidden activation, where the file lets weights be drawn at all."""
    network = own.experiment.network
    if network.init.scheme != "zeros" or any(layer.W is not None for layer in network.layers):
        return None
    return {"network.init.scheme": usual_scheme(own)}


RULE = Rule(Kind.ZERO_WEIGHTS, frozenset({Needs.OWN}), find)
