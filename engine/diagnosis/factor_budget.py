"""Where the gradient goes on its way down: each layer's share, taken apart into named factors.

    ‖δ[l]‖ / ‖δ[l+1]‖  =  ‖Wδ‖/‖δ‖  ·  ‖v‖/‖Wδ‖  ·  ‖v⊙g'‖/‖v‖  ·  ‖δ[l]‖/‖v⊙g'‖
                          weights      shortcut     activation      norm

with δ[l] = ∂ℰ/∂f[l], W and δ of layer l+1, and v = ∂ℰ/∂a[l]: it is Wδ unless layer l+1 adds its input back. In a
plain network the shortcut's and the norm's factor are 1, and the product of the other two is the ratio itself. A
record holds the weights' and the activation's factor; what is left of the ratio is the shortcut's and the norm's. The
logarithms of all factors of all layers add up to that of ‖δ[1]‖/‖δ[L]‖: the tutorial's "what causes this", in numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.experiment.layer_info import LayerInfo
from engine.metrics.step_record import StepRecord

WEIGHTS, ACTIVATION, NORM, SHORTCUT = "weights", "activation", "norm", "shortcut"

UNKNOWN = "norm or shortcut"
"""What the rest of the ratio is called where it is not known which of them there are."""

ROUNDING = 1e-3
"""Relative: a rest this close to 1 is rounding, where it is not known whether there is a norm or a shortcut."""


@dataclass(frozen=True, slots=True)
class BudgetGap:
    """The gap between two layers: ‖δ[l]‖/‖δ[l+1]‖ as the product of the factors that multiply δ.

    `other` is what a shortcut around layer l+1 and a norm in layer l make of it together, 1.0 (but for rounding)
    without either; `other_name` says which of them there are, "" for neither.
    """

    layer: int
    ratio: float
    weights: float
    activation: float
    other: float
    other_name: str

    def parts(self) -> Iterator[tuple[str, float]]:
        """Every factor of the gap with its name."""
        yield WEIGHTS, self.weights
        yield ACTIVATION, self.activation
        if self.other_name:
            yield self.other_name, self.other


@dataclass(frozen=True, slots=True)
class FactorBudget:
    """The factor budget of one step: what the weights and activations multiply ‖δ‖ by, from layer to layer.

    `decades` is log10 of the product of all ratios, `parts` how much of it each named factor has: they add up. A δ
    that is exactly 0 leaves nothing to take apart: `gaps` then begin above `dead_below`, the highest layer whose
    δ, or a factor of it, is 0, or NaN or infinite; otherwise it is 0.
    """

    gaps: tuple[BudgetGap, ...]
    dead_below: int

    @property
    def decades(self) -> float:
        """The decades by which δ changes on its way down, log10(‖δ[lowest]‖/‖δ[L]‖)."""
        return math.fsum(math.log10(gap.ratio) for gap in self.gaps)

    @property
    def parts(self) -> dict[str, float]:
        """The decades that each named factor contributes over all gaps."""
        terms: dict[str, list[float]] = {}
        for gap in self.gaps:
            for name, factor in gap.parts():
                terms.setdefault(name, []).append(math.log10(factor))
        return {name: math.fsum(logs) for name, logs in terms.items()}

    @property
    def means(self) -> dict[str, float]:
        """The mean of each named factor a layer: their product is the mean ratio.

        Geometric means over all gaps, with 1 where a gap does not have the factor.
        """
        return {name: 10.0 ** (part / len(self.gaps)) for name, part in self.parts.items()}

    @property
    def mean_ratio(self) -> float:
        """The mean ratio by which ‖δ‖ changes a layer downwards; 1.0 without gaps."""
        return 10.0 ** (self.decades / len(self.gaps)) if self.gaps else 1.0

    @property
    def dominant(self) -> str | None:
        """The dominant factor: the one that does most in the direction of the whole; None where nothing changes."""
        decades = self.decades
        parts = {name: part for name, part in self.parts.items() if part * decades > 0}
        return max(parts, key=lambda name: abs(parts[name])) if parts else None


def factor_budget(record: StepRecord, layers: Sequence[LayerInfo] = ()) -> FactorBudget:
    """The factor budget of a measured step.

    `layers`, layer 1 first, say whether there is a norm (which: it does not matter) and a shortcut. They may be empty,
    or not know that, as those of another program's run log.
    """
    delta = record.delta_l2
    depth = len(delta)
    gaps: list[BudgetGap] = []
    if not _positive(float(delta[-1])):
        return FactorBudget((), depth)
    for layer in range(depth - 1, 0, -1):
        gap = _gap(record, layer, layers)
        if gap is None:
            return FactorBudget(tuple(reversed(gaps)), layer)
        gaps.append(gap)
    return FactorBudget(tuple(reversed(gaps)), 0)


def _gap(record: StepRecord, layer: int, layers: Sequence[LayerInfo]) -> BudgetGap | None:
    """From `layer`+1, whose δ is above zero, down to `layer`; None where a factor is 0 or not finite."""
    below, above = float(record.delta_l2[layer - 1]), float(record.delta_l2[layer])
    # Where Wδ is 0 and δ[l] is not, all of it comes through the shortcut.
    weights = float(record.weight_gain[layer - 1]) or 1.0
    activation = float(record.activation_gain[layer - 1])
    if not (_positive(below) and _positive(weights) and _positive(activation)):
        return None
    ratio = below / above
    other = ratio / weights / activation
    if not (_positive(ratio) and _positive(other)):
        return None
    if all(one.norm is not None and one.residual is not None for one in layers) and layers:
        names = [*([SHORTCUT] if layers[layer].residual else []), *([NORM] if layers[layer - 1].norm else [])]
        other_name = " and ".join(names)
    else:
        other_name = "" if abs(other - 1.0) < ROUNDING else UNKNOWN
    return BudgetGap(layer, ratio, weights, activation, other, other_name)


def _positive(number: float) -> bool:
    return math.isfinite(number) and number > 0.0
