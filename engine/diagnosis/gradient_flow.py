"""How the gradient fares on its way down: the first layer's against the last one's, and which factor is to blame.

    ‖∂ℰ/∂W[1]‖ / ‖∂ℰ/∂W[L]‖ = 8.4e-26     Going down a layer multiplies δ by 0.316 on average: the sigmoid by 0.227, …
    ‖δ[1]‖ / ‖δ[L]‖         = 9.6e-26     The sigmoid is to blame: the weights alone would enlarge δ.

Every number in a sentence is the record's own, or one step of arithmetic away from it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.diagnosis.diagnosed_run import DiagnosedRun
from engine.diagnosis.factor_budget import ACTIVATION, WEIGHTS, FactorBudget, factor_budget
from engine.diagnosis.mean_field import MeanFieldProfile
from engine.diagnosis.sentence_parts import sentence, short
from engine.experiment.layer_info import LayerInfo
from engine.formula.numbers_in_words import signed
from engine.metrics.step_record import Floats, StepRecord

FAR_APART = 1e4
"""First and last layer are worlds apart from this ratio on: what one does in a single step takes the other ten
thousand, more than a run of this size has. Healthy nets of 50 layers stay within 10³ either way (measured on the
presets, batch and layer norm being the widest)."""


def decades_per_layer(magnitudes: Floats) -> float:
    """The slope of log10 of a magnitude per layer towards the input, by least squares.

    `magnitudes` is (layers,), layer 1 first. Zeros and numbers that are not finite have no logarithm and are left out.
    """
    usable = np.flatnonzero(np.isfinite(magnitudes) & (magnitudes > 0))
    if usable.size < 2:
        return math.nan
    return -float(np.polyfit(usable, np.log10(magnitudes[usable]), 1)[0])


def first_to_last(magnitudes: Floats) -> float:
    """The ratio of the first layer's gradient magnitude to the last layer's; NaN where it has none."""
    first, last = float(magnitudes[0]), float(magnitudes[-1])
    if not (math.isfinite(first) and math.isfinite(last)) or first == last == 0:
        return math.nan
    if not first or not last:
        return math.inf if first else 0.0
    # Of two numbers that are there the ratio is one too, however far apart they are.
    return min(max(first / last, sys.float_info.min), sys.float_info.max)


@dataclass(frozen=True)
class GradientFlow:
    """How the gradient changes from layer to layer in one record; `layers` may be empty where nothing is known.

    `ratio` is ‖∂ℰ/∂W‖ of the first layer over that of the last, and `delta_ratio` the same of δ = ∂ℰ/∂f.
    """

    record: StepRecord
    layers: Sequence[LayerInfo] = ()

    @cached_property
    def ratio(self) -> float:
        """The first layer's weight gradient over the last one's; NaN where both are 0 or one is not finite."""
        return first_to_last(self.record.grad_l2)

    @cached_property
    def delta_ratio(self) -> float:
        """The first layer's ‖δ‖ over the last one's."""
        return first_to_last(self.record.delta_l2)

    @cached_property
    def budget(self) -> FactorBudget:
        """The factor budget: what each factor makes of δ."""
        return factor_budget(self.record, self.layers)

    @property
    def depth(self) -> int:
        """The number of layers."""
        return len(self.record.grad_l2)

    @property
    def vanishes(self) -> bool:
        """Whether the gradient vanishes: either ratio is far below 1, and both of its ends above 0."""
        return any(0 < ratio < 1 / FAR_APART for ratio in (self.ratio, self.delta_ratio))

    @property
    def explodes(self) -> bool:
        """Whether the gradient explodes: either ratio is far above 1, and both of its ends above 0."""
        return any(FAR_APART < ratio < math.inf for ratio in (self.ratio, self.delta_ratio))

    @property
    def balanced(self) -> bool:
        """Whether there is a gradient in every layer, and none far from the others."""
        ends = (self.ratio, self.delta_ratio)
        norms = np.asarray(self.record.grad_l2)
        arrives = bool(((norms > 0) & np.isfinite(norms)).all())
        return arrives and not any(
            math.isfinite(one) and not 1 / FAR_APART <= one <= FAR_APART for one in ends
        )

    @property
    def _ends(self) -> tuple[str, str]:
        """What the first and the last layer's weights are called."""
        return (self.layers[0].name, self.layers[-1].name) if self.layers else ("W[1]", f"W[{self.depth}]")

    # ── sentences ───────────────────────────────────────────────────────────────────────────────────

    def apart(self) -> str:
        """A sentence on how far the first layer's gradient is from the last one's."""
        if self.depth == 1:
            return "There is only one layer, so there is no other to compare it with."
        return f"The gradient of {self._ends[0]} is {short(self.ratio)} times that of {self._ends[1]}."

    def delta_told(self) -> str:
        """A clause on how far apart the first and the last layer's δ are."""
        return f"δ[1] is {short(self.delta_ratio)} times δ[{self.depth}]"

    def seen(self, vanishing: bool) -> str:
        """A sentence on which gradients are far apart: the weights', or δ where the weights' hide it."""
        far = self.ratio < 1 / FAR_APART if vanishing else self.ratio > FAR_APART
        if far:
            return self.apart()
        if not math.isfinite(self.ratio) or self.ratio == 0:
            return f"{self.delta_told()}."
        return (
            f"{self.delta_told()}; the gradients of W hide it (that of {self._ends[0]} is {short(self.ratio)} "
            f"times that of {self._ends[1]}), because the activations that δ is multiplied with change the other way."
        )

    @cached_property
    def mean_step(self) -> float:
        """What going down a layer multiplies the weights' gradient by, on the geometric mean; NaN where unknown."""
        if self.depth < 2 or not (math.isfinite(self.ratio) and self.ratio > 0):
            return math.nan
        return float(self.ratio ** (1 / (self.depth - 1)))

    def way_told(self, vanishing: bool) -> list[str]:
        """Where on the way down it happens, of a run of which only the weights' gradients are known."""
        norms = np.asarray(self.record.grad_l2, np.float64)
        if self.depth < 3 or not ((norms > 0) & np.isfinite(norms)).all():
            return []
        steps = np.log10(norms[:-1] / norms[1:])
        whole = float(steps.sum())
        place = int(steps.argmin() if vanishing else steps.argmax())
        names = [layer.name for layer in self.layers] or [
            f"W[{number}]" for number in range(1, self.depth + 1)
        ]
        if abs(steps[place]) > abs(whole) / 2:
            return [
                f"Most of that is made in one place: from {names[place + 1]} down to {names[place]} it changes by "
                f"{short(10 ** float(steps[place]))} times."
            ]
        makes = (
            "small weights make that, and activations with small slopes (a sigmoid's is never above 0.25)"
            if vanishing
            else "large weights make that"
        )
        return [f"Going down a layer multiplies it by {short(self.mean_step)} on average: {makes}."]

    def cause(self, vanishing: bool) -> tuple[str | None, list[str]]:
        """The dominant factor and why, or that it is not δ that vanishes or explodes.

        ∂ℰ/∂W[l] is δ[l] times a[l-1]: a factor of δ is to blame only if δ does at least half of it, in decades.
        """
        if not (math.isfinite(self.delta_ratio) and self.delta_ratio > 0):
            return None, []
        decades = math.log10(self.delta_ratio)
        whole = math.log10(self.ratio) if math.isfinite(self.ratio) and self.ratio > 0 else decades
        if decades == 0 or (decades < 0) is not vanishing:
            verb, does = ("shrink", "shrinks") if vanishing else ("grow", "grows")
            return None, [
                f"{self.delta_told()}: δ does not {verb} on its way down; what it is multiplied with, "
                f"a[l-1] or X, {does}."
            ]
        if (whole < 0) is vanishing and abs(decades) < abs(whole) / 2:
            return None, [
                f"{self.delta_told()}: most of it is due to what δ is multiplied with, a[l-1] or X."
            ]
        dominant = self.budget.dominant
        if dominant is None or self.budget.dead_below:
            return None, []
        return dominant, self._dominant_in_words(vanishing, dominant)

    def _dominant_in_words(self, vanishing: bool, dominant: str) -> list[str]:
        """The factor budget a layer, the culprit first, and whether the others are innocent."""
        means = self.budget.means
        culprit, others = self.called(dominant), [name for name in means if name != dominant]
        listing = ", ".join(f"{self.called(name)} by {short(means[name])}" for name in (dominant, *others))
        verb, opposite = ("shrink", "enlarge") if vanishing else ("enlarge", "shrink")
        helpers = [name for name in others if (means[name] < 1) is vanishing and means[name] != 1]
        rivals = [name for name in others if name not in helpers and means[name] != 1]
        if len(others) > 1:
            reasons = [
                *([f"{self._all(helpers, verb)} δ too, but less"] if helpers else []),
                *([f"{self._all(rivals, opposite)} it"] if rivals else []),
            ]
            reason = "; ".join(reasons) or "the others leave δ as it is"
        elif helpers:
            reason = f"both {verb} δ, {self.called(helpers[0])} less"
        elif rivals:
            reason = f"{self.called(rivals[0])} alone would {opposite} δ"
        else:
            reason = f"{self.called(others[0])} alone would leave δ as it is"
        return [
            f"Going down a layer multiplies δ by {short(self.budget.mean_ratio)} on average: {listing}.",
            f"{culprit[0].upper()}{culprit[1:]} {'are' if dominant == WEIGHTS else 'is'} to blame: {reason}.",
        ]

    def called(self, factor: str) -> str:
        """A factor of the budget in a sentence: the activation by its name."""
        if factor != ACTIVATION:
            return f"the {factor}"
        # Its norm and its shortcut are factors of their own.
        hidden = {layer.activation for layer in self.layers[:-1]}
        name = (hidden.pop() if len(hidden) == 1 else None) or "activation"
        return f"the {name} activation" if name == "linear" else f"the {name}"

    def _all(self, factors: Sequence[str], verb: str) -> str:
        """``the ReLU and the weights shrink``, ``the norm shrinks``."""
        many = len(factors) > 1 or factors[0] == WEIGHTS
        return f"{' and '.join(map(self.called, factors))} {verb}{'' if many else 's'}"

    def slope_told(self, prediction: MeanFieldProfile | None = None) -> str:
        """The slope of the profile, beside what theory predicts for the initial weights; empty for one layer."""
        slope = decades_per_layer(self.record.grad_l2)
        if math.isnan(slope):
            return ""
        said = f"The gradient's L2 norm changes by {signed(slope, 3)} decades a layer towards the input"
        if prediction is not None:
            said += (
                f"; mean-field theory predicts {signed(prediction.weights_slope, 3)} for these random weights"
            )
        return sentence(said)

    def balance_told(self) -> str:
        """A sentence that the gradients are balanced, and in which ratio; empty where they are not."""
        if self.depth == 1 or not self.balanced:
            return ""
        return f"Gradients: balanced. {self.apart()}"


def flow_of(case: DiagnosedRun) -> GradientFlow:
    """The gradient flow of a run's last record."""
    assert case.record is not None
    return GradientFlow(case.record, case.layers)
