"""no-gradient: everything that a layer could learn, its weights and its biases, gets exactly 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.diagnosis.diagnosed_run import DiagnosedRun, Needs
from engine.diagnosis.finding import Finding, Kind
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.sentence_parts import layers_in_words, short

REACHED = 1e-3
"""A loss below this may have labels that Ŷ has reached to the last digit: then it sends nothing indeed."""

UNDERFLOW = 1e-30
"""A δ below this that becomes exactly 0 in the next layer was rounded away: float32 ends at 1e-45. Above it, a
factor that is 0 has to be the cause."""


def find(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds parameters whose gradient is exactly 0, and the highest place at which something stops it."""
    record = case.record
    assert record is not None
    weights = np.asarray(record.grad_l2)
    if not np.isfinite(weights).any():
        return None
    biases = np.zeros(len(weights)) if case.bias_l2 is None else np.nan_to_num(np.asarray(case.bias_l2))
    zero = tuple((np.flatnonzero((weights == 0) & (biases == 0)) + 1).tolist())
    if not zero:
        return None
    whole = len(zero) == len(weights)
    what = "Every layer's gradient" if whole else f"The gradient of {case.called(zero)}"
    evidence: dict[str, float | int | None] = {"layers": len(zero), "of": len(weights), "gradient": 0}
    text = f"{what} is exactly 0: no update changes {'anything' if whole else 'it'}. {_reason(case, zero, evidence)}"
    return Finding(Kind.NO_GRADIENT, case.step, evidence, text.strip(), layers=zero)


def _reason(case: DiagnosedRun, zero: tuple[int, ...], evidence: dict[str, float | int | None]) -> str:
    """One sentence; empty where it is not known."""
    record = case.record
    assert record is not None
    delta = np.asarray(record.delta_l2)
    if delta.shape != np.asarray(record.grad_l2).shape or not np.isfinite(delta).all():
        return ""
    depth = len(delta)
    if delta[-1] == 0:
        return _nothing_sent(case)
    silent = [n for n in (np.flatnonzero(np.asarray(record.zero_fraction) == 1) + 1).tolist() if n < depth]
    if silent:
        return f"All activations of {layers_in_words(silent)} are 0, for every sample."
    stopped = [gap for gap in range(depth - 1, 0, -1) if delta[gap - 1] == 0 < delta[gap]]
    if not stopped:
        return "δ arrives there, but what the samples add to the gradient cancels out."
    gap = stopped[0]
    above = float(delta[gap])
    evidence["delta_above"], evidence["stopped_below"] = above, gap + 1
    if above < UNDERFLOW:
        return f"δ is {short(above)} at layer {gap + 1}, and below it too small for the number format."
    if record.weight_gain[gap - 1] == 0:
        return f"The weights W[{gap + 1}] multiply δ by exactly 0."
    name = case.layers[gap - 1].words or "activation"
    return f"The {name} of layer {gap} multiplies δ by exactly 0."


def _nothing_sent(case: DiagnosedRun) -> str:
    """Why δ of the last layer is 0: the output lets nothing through, or the loss sends nothing."""
    output = case.layers[-1]
    if output.words is None:
        return "δ of the last layer is 0: the loss sends none, or the output activation lets none through."
    traits = output.traits if output.bare else None
    stops = traits is not None and traits.can_die
    if stops and case.dead is not None and case.dead[-1] == output.units:
        return (
            f"The {output.words} of the output layer is off for every sample "
            "and multiplies what the loss sends by 0."
        )
    record = case.record
    assert record is not None
    has_tails = traits is not None and traits.unsaturated is not None
    tails = has_tails and float(record.saturated[-1]) == 1 and not record.loss <= REACHED
    if stops or tails:
        return f"The {output.words} of the output layer multiplies what the loss sends by exactly 0."
    return "The loss sends none: δ of the last layer is 0."


RULE = Rule(Kind.NO_GRADIENT, frozenset({Needs.GRADIENTS}), find, if_learned=False)
