"""Where the gradient goes on its way down: each layer's share, taken apart into named factors.

    ‖δ[l]‖ / ‖δ[l+1]‖  =  ‖Wδ‖/‖δ‖  ·  ‖v‖/‖Wδ‖  ·  ‖v⊙g'‖/‖v‖  ·  ‖δ[l]‖/‖v⊙g'‖
                          weights      shortcut     activation      norm

with δ[l] = ∂ℰ/∂f[l], W and δ of layer l+1, and v = ∂ℰ/∂a[l]: it is Wδ unless layer l+1 adds its input back. In a
plain network the shortcut's and the norm's factor are 1, and the product of the other two is the ratio itself. The
logarithms of all factors of all layers add up to that of ‖δ[1]‖/‖δ[L]‖: the tutorial's "what causes this", in numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from engine.network import Network
from engine.step_record import StepRecord

WEIGHTS, ACTIVATION = "weights", "activation"


@dataclass(frozen=True, slots=True)
class Gap:
    """From layer `layer`+1 down to `layer`: `ratio` is ‖δ[l]‖/‖δ[l+1]‖ and the product of the three factors.

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
        """Every factor with its name."""
        yield WEIGHTS, self.weights
        yield ACTIVATION, self.activation
        if self.other_name:
            yield self.other_name, self.other


@dataclass(frozen=True, slots=True)
class FactorBudget:
    """The gaps, layer 1 first, of one step.

    `decades` is log10 of the product of all ratios, `parts` how much of it each named factor has: they add up. A δ
    that is exactly 0 leaves nothing to take apart: `gaps` then begin above `dead_below`, the highest layer whose
    δ is 0, or NaN or infinite; otherwise it is 0.
    """

    gaps: tuple[Gap, ...]
    dead_below: int

    @property
    def decades(self) -> float:
        """log10(‖δ[lowest]‖/‖δ[L]‖), by adding up the ratios' logarithms, which cannot underflow."""
        return math.fsum(math.log10(gap.ratio) for gap in self.gaps)

    @property
    def parts(self) -> dict[str, float]:
        """For each named factor, the sum of its log10 over all gaps, in decades."""
        terms: dict[str, list[float]] = {}
        for gap in self.gaps:
            for name, factor in gap.parts():
                terms.setdefault(name, []).append(math.log10(factor))
        return {name: math.fsum(logs) for name, logs in terms.items()}

    @property
    def to_blame(self) -> str | None:
        """The factor that does most in the direction of the whole; None where nothing changes."""
        decades = self.decades
        parts = {name: part for name, part in self.parts.items() if part * decades > 0}
        return max(parts, key=lambda name: abs(parts[name])) if parts else None


def factor_budget(record: StepRecord, network: Network) -> FactorBudget:
    """The budget of a measured step; `network` tells which layers have a norm or a shortcut."""
    delta = record.delta_l2
    depth = len(delta)
    dead_below = max(
        (number for number in range(1, depth) if not _positive(float(delta[number - 1]))), default=0
    )
    if not _positive(float(delta[-1])):
        dead_below = depth
    gaps = []
    for layer in range(dead_below + 1, depth):
        ratio = float(delta[layer - 1] / delta[layer])
        # Where Wδ is 0 and δ[l] is not, all of it comes through the shortcut.
        weights = float(record.weight_gain[layer - 1]) or 1.0
        activation = float(record.activation_gain[layer - 1])
        other = ratio / weights / activation
        gaps.append(Gap(layer, ratio, weights, activation, other, _other(network, layer)))
    return FactorBudget(tuple(gaps), dead_below)


def _other(network: Network, layer: int) -> str:
    below, above = network.layers[layer - 1], network.layers[layer]
    names = [
        *(["shortcut"] if above.residual else []),
        *(["norm"] if below.norm is not None else []),
    ]
    return " and ".join(names)


def _positive(number: float) -> bool:
    return math.isfinite(number) and number > 0.0
