"""vanishing and exploding: the first layer's gradient is ten thousand times smaller, or larger, than the last one's."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.diagnosis.diagnosed_run import DiagnosedRun, Needs, OwnRun
from engine.diagnosis.factor_budget import ACTIVATION, WEIGHTS
from engine.diagnosis.finding import Change, Finding, Kind, finite_evidence
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.gradient_flow import GradientFlow, decades_per_layer, flow_of


def vanishing(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds vanishing gradients: the first layer's below 1e-4 of the last one's."""
    return _found(case, Kind.VANISHING)


def exploding(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds exploding gradients: the first layer's above 1e4 times the last one's."""
    return _found(case, Kind.EXPLODING)


def _found(case: DiagnosedRun, kind: Kind) -> Finding | None:
    if case.depth < 2 or not case.ordered:
        return None
    flow = flow_of(case)
    small = kind is Kind.VANISHING
    if not (flow.vanishes if small else flow.explodes):
        return None
    dominant, reasons = flow.cause(small)
    evidence: dict[str, float | int | None] = {
        "weights_ratio": finite_evidence(flow.ratio),
        "delta_ratio": finite_evidence(flow.delta_ratio),
        "decades_per_layer": finite_evidence(decades_per_layer(np.asarray(flow.record.grad_l2))),
    }
    if dominant is not None:
        evidence["factor_per_layer"] = flow.budget.mean_ratio
        evidence.update({f"{name}_per_layer": mean for name, mean in flow.budget.means.items()})
    if np.isnan(flow.record.delta_l2).all():  # a log of another program's training
        reasons = flow.way_told(small)
        evidence["gradient_per_layer"] = finite_evidence(flow.mean_step)
    remedy, change = _remedy(case, flow, dominant, small)
    untested = None if change is None else _other_weights(small)
    text = " ".join([flow.seen(small), *reasons])
    layers = _layers(flow, small)
    return Finding(kind, case.step, evidence, text, layers, remedy, change, untested=untested)


def _layers(flow: GradientFlow, small: bool) -> tuple[int, ...]:
    """Those whose gradient is that far from the last one's."""
    magnitudes = np.asarray(flow.record.grad_l2 if _by_weights(flow, small) else flow.record.delta_l2)
    with np.errstate(all="ignore"):
        ratios = magnitudes / magnitudes[-1]
    far = ratios < 1e-4 if small else ratios > 1e4
    return tuple((np.flatnonzero(far) + 1).tolist())


def _by_weights(flow: GradientFlow, small: bool) -> bool:
    return 0 < flow.ratio < 1e-4 if small else 1e4 < flow.ratio < math.inf


def _remedy(
    case: DiagnosedRun, flow: GradientFlow, dominant: str | None, small: bool
) -> tuple[str | None, Change | None]:
    """By the factor that is to blame."""
    if dominant == WEIGHTS:
        change = None if case.own is None else _balanced(case.own, flow)
        by = flow.budget.mean_ratio
        if not 1 / BELIEVABLE < by < BELIEVABLE or _by_decay(case):
            return _decayed(case), None
        times = f", by about {max(by, 1 / by):.3g} times" if change is not None else ""
        return _other_weights(small, times), change
    if dominant == ACTIVATION and small:
        return (
            "An activation whose slope is near 1 (ReLU with He's weights, tanh with Xavier's), a norm, or shortcuts."
        ), None
    return None, None


def _other_weights(small: bool, times: str = "") -> str:
    clip = "" if small else "; clipping (train.clip_norm) only bounds the step"
    return f"Initial weights that are {'larger' if small else 'smaller'}{times}{clip}."


BELIEVABLE = 1e3
"""No initialisation is wrong by more a layer: it is training that has made such weights."""


def _by_decay(case: DiagnosedRun) -> bool:
    """Whether weight decay has taken the weights of some layer to a hundredth of what they were."""
    own = case.own
    if own is None or not own.experiment.train.weight_decay:
        return False
    return any(
        np.linalg.norm(own.present[name]) < 0.01 * np.linalg.norm(value)
        for name, value in own.initial.items()
        if name.name == "W"
    )


def _decayed(case: DiagnosedRun) -> str | None:
    own = case.own
    if own is None or not _by_decay(case):
        return None
    return f"Less weight decay than {own.experiment.train.weight_decay:g}: it has taken the weights to next to nothing."


def _balanced(own: OwnRun, flow: GradientFlow) -> Change | None:
    """The initialisation with which the mean factor a layer becomes 1, where weights are drawn by size."""
    network = own.experiment.network
    init = network.init
    if any(layer.W is not None for layer in network.layers) or init.scheme == "zeros":
        return None
    factor = flow.budget.mean_ratio
    if init.std is not None and init.scheme not in ("uniform", "orthogonal"):
        return {"network.init.std": init.std / factor}
    return {"network.init.gain": init.gain / factor}


VANISHING = Rule(Kind.VANISHING, frozenset({Needs.GRADIENTS}), vanishing, if_learned=False)
EXPLODING = Rule(Kind.EXPLODING, frozenset({Needs.GRADIENTS}), exploding, if_learned=False)
