"""What one step's record says about the gradients, in words, with the reason in numbers.

    StepRecord ──> judge ──> vanishing
                             The gradient of W[1] is 8.4e-26 times that of W[51].
                             Going down a layer multiplies δ by 0.316 on average: the sigmoid by 0.227, …
                             The sigmoid is to blame: the weights alone would enlarge δ.

Every number in a sentence is the record's own, or one step of arithmetic away from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

import numpy as np
import numpy.typing as npt

from engine.experiment import LayerSpec
from engine.mean_field import PredictedProfile
from engine.step_record import NEVER, Floats, StepRecord

FAR_APART = 1e4
"""First and last layer are worlds apart from this ratio on: what one does in a single step takes the other ten
thousand, more than a run of this size has. Healthy nets of 50 layers stay within 10³ either way (measured on the
presets, batch and layer norm being the widest)."""

MOSTLY_DEAD = 0.75
"""A layer is called dead from this share of dead units on. In a deep healthy ReLU network the samples grow alike,
and the share of units that are off for all of them tends to ½, but not beyond."""

UNDERFLOW = 1e-30
"""A δ below this that becomes exactly 0 in the next layer was rounded away: float32 ends at 1e-45. Above it, a
factor that is 0 has to be the cause."""


SPELLED = {
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU",
    "elu": "ELU",
    "selu": "SELU",
    "gelu": "GELU",
    "silu": "SiLU",
}
"""Activations whose name in a sentence is not their name in an experiment file."""


class Kind(StrEnum):
    """The verdict in a word or two."""

    DIVERGED = "diverged"
    NO_GRADIENT = "no gradient"
    DEAD = "dead"
    VANISHING = "vanishing"
    EXPLODING = "exploding"
    HEALTHY = "healthy"


@dataclass(frozen=True, slots=True)
class Factors:
    """What going down one layer multiplies ‖δ‖ by: geometric means over the gaps where both gains are above zero.

    `weights` times `activation` is the mean of the total; `gaps` is how many were averaged.
    """

    weights: float
    activation: float
    gaps: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict and what it rests on; layers are numbered from 1.

    `ratio` is ‖∂ℰ/∂W‖ of the first layer over that of the last, and `delta_ratio` the same of δ = ∂ℰ/∂f; NaN where
    one of the two is not finite, or both are 0. `decades_per_layer` is the slope of log10 ‖∂ℰ/∂W‖ towards the input
    (negative where gradients vanish), by least squares over the layers where that is a finite number. `blamed` is
    "weights" or "activation" where the gradients vanish or explode.
    """

    kind: Kind
    ratio: float
    delta_ratio: float
    decades_per_layer: float
    factors: Factors | None
    blamed: str | None
    zero_layers: tuple[int, ...]
    nonfinite_layers: tuple[int, ...]
    sentences: tuple[str, ...]


def layer_words(layers: Sequence[LayerSpec]) -> tuple[str, ...]:
    """Each layer's activation by name, with the norm and the shortcut that its gain includes."""
    return tuple(
        SPELLED.get(layer.activation, layer.activation)
        + (f" with {layer.norm} norm" if layer.norm else "")
        + (" and shortcut" if layer.norm and layer.residual else " with shortcut" if layer.residual else "")
        for layer in layers
    )


def decades_per_layer(magnitudes: Floats) -> float:
    """Slope of log10 of a magnitude per layer towards the input, by least squares; NaN with fewer than two layers.

    `magnitudes` is (layers,), layer 1 first. Zeros and numbers that are not finite have no logarithm and are left out.
    """
    usable = np.flatnonzero(np.isfinite(magnitudes) & (magnitudes > 0))
    if usable.size < 2:
        return math.nan
    return -float(np.polyfit(usable, np.log10(magnitudes[usable]), 1)[0])


def first_to_last(magnitudes: Floats) -> float:
    """The first layer's magnitude over the last layer's; NaN where either is not finite or both are 0."""
    first, last = float(magnitudes[0]), float(magnitudes[-1])
    if not (math.isfinite(first) and math.isfinite(last)) or first == last == 0:
        return math.nan
    return first / last if last else math.inf


def mean_factors(record: StepRecord) -> Factors | None:
    """The average gains of a record; None where no gap has both above zero."""
    weights, activation = record.weight_gain, record.activation_gain
    usable = np.isfinite(weights) & np.isfinite(activation) & (weights > 0) & (activation > 0)
    gaps = int(usable.sum())
    if not gaps:
        return None
    return Factors(_geometric_mean(weights[usable]), _geometric_mean(activation[usable]), gaps)


def judge(
    record: StepRecord,
    activations: Sequence[str] = (),
    units: Sequence[int] = (),
    prediction: PredictedProfile | None = None,
) -> Verdict:
    """The verdict on one record.

    `activations` are the layers' words (see `layer_words`) and `units` their widths, layer 1 first; either may be
    empty where they are not known. `prediction` is for the weights as they were drawn: give it at step 0 only.
    """
    return _Case(record, activations, units).verdict(prediction)


class _Case:
    """One record under judgement."""

    def __init__(self, record: StepRecord, activations: Sequence[str], units: Sequence[int]) -> None:
        self.record = record
        self.units = units
        self.activations = activations
        hidden = set(activations[:-1])
        self.activation = f"the {hidden.pop()}" if len(hidden) == 1 else "the activation"
        self.depth = len(record.grad_l2)
        self.zero = _numbers(record.grad_l2 == 0)
        self.nonfinite = _numbers(~np.isfinite(record.grad_l2))
        self.ratio = first_to_last(record.grad_l2)
        self.delta_ratio = first_to_last(record.delta_l2)
        self.slope = decades_per_layer(record.grad_l2)
        self.factors = mean_factors(record)

    def verdict(self, prediction: PredictedProfile | None) -> Verdict:
        kind, sentences = self._found()
        blamed = self._blamed(kind)
        if blamed is not None:
            sentences += self._blame(kind, blamed)
        if kind in (Kind.VANISHING, Kind.EXPLODING, Kind.HEALTHY):
            sentences += self._slope_sentence(prediction)
        return Verdict(
            kind=kind,
            ratio=self.ratio,
            delta_ratio=self.delta_ratio,
            decades_per_layer=self.slope,
            factors=self.factors,
            blamed=blamed,
            zero_layers=self.zero,
            nonfinite_layers=self.nonfinite,
            sentences=tuple(sentences),
        )

    def _found(self) -> tuple[Kind, list[str]]:
        """The verdict and its first reason. What makes the others meaningless comes first."""
        if self.record.nonfinite or self.nonfinite or not math.isfinite(self.record.loss):
            return Kind.DIVERGED, self._diverged()
        if self.zero:
            return self._without_gradient()
        dead = self._dead_layers()
        if dead:
            return Kind.DEAD, [self._dead_units(layer) for layer in dead]
        for ratio, reason in ((self.ratio, self._apart), (self.delta_ratio, self._delta_apart)):
            if ratio < 1 / FAR_APART:
                return Kind.VANISHING, reason()
            if ratio > FAR_APART:
                return Kind.EXPLODING, reason()
        return Kind.HEALTHY, self._apart()

    # ── reasons ─────────────────────────────────────────────────────────────────────────────────────

    def _diverged(self) -> list[str]:
        sentences = []
        if self.record.problem:
            sentences.append(_sentence(self.record.problem))
        elif not math.isfinite(self.record.loss):
            sentences.append("The loss is not a finite number.")
        if self.nonfinite:
            sentences.append(f"The gradients of {_layers(self.nonfinite)} are not finite.")
        if self.record.nonfinite:
            sentences.append(f"{self.record.nonfinite} numbers are NaN or infinite.")
        return sentences

    def _without_gradient(self) -> tuple[Kind, list[str]]:
        """Some layers get exactly 0: what made it so is the highest gap (or layer) at which something stops."""
        whole = len(self.zero) == self.depth
        sentence = (
            "Every layer's gradient is exactly 0."
            if whole
            else f"The gradient of {_layers(self.zero)} is exactly 0."
        )
        delta = self.record.delta_l2
        if delta[-1] == 0:
            return Kind.NO_GRADIENT, [sentence, "The loss sends none: δ of the last layer is 0."]
        # A hidden layer whose activations are all 0 stops the gradient of the weights above it, and δ below.
        silent = [layer for layer in _numbers(self.record.zero_fraction == 1) if layer < self.depth]
        if silent:
            reason = f"All activations of {_layers(silent)} are 0, for every sample of the batch."
            return Kind.DEAD, [sentence, reason]
        stopped = [gap for gap in range(self.depth - 1, 0, -1) if delta[gap - 1] == 0 < delta[gap]]
        if not stopped:
            return Kind.NO_GRADIENT, [sentence]
        gap = stopped[0]
        above = float(delta[gap])
        if above < UNDERFLOW:
            rounded = (
                f"δ is {_short(above)} at layer {gap + 1}, and below it too small for the number format."
            )
            return Kind.VANISHING, [sentence, rounded]
        if self.record.weight_gain[gap - 1] == 0:
            return Kind.NO_GRADIENT, [sentence, f"The weights W[{gap + 1}] multiply δ by exactly 0."]
        name = self.activations[gap - 1] if self.activations else "activation"
        return Kind.NO_GRADIENT, [sentence, f"The {name} of layer {gap} multiplies δ by exactly 0."]

    def _dead_layers(self) -> list[int]:
        if not self.units or self.record.dead_step == NEVER:
            return []
        share = self.record.dead[:-1] / np.array(self.units[:-1])
        return list(_numbers(share >= MOSTLY_DEAD))

    def _dead_units(self, layer: int) -> str:
        dead, units = int(self.record.dead[layer - 1]), self.units[layer - 1]
        return f"In layer {layer}, {dead} of {units} units are 0 for every sample of the data set."

    def _apart(self) -> list[str]:
        """How far the first layer's gradient is from the last one's."""
        if self.depth == 1:
            return ["There is only one layer, so there is no other to compare it with."]
        return [f"The gradient of W[1] is {_short(self.ratio)} times that of W[{self.depth}]."]

    def _delta_apart(self) -> list[str]:
        """The same of δ, where the weights' gradients do not show it."""
        return [
            f"δ[1] is {_short(self.delta_ratio)} times δ[{self.depth}].",
            f"The gradients of W hide it (that of W[1] is {_short(self.ratio)} times that of W[{self.depth}]), "
            "because the activations that δ is multiplied with change the other way.",
        ]

    # ── causes ──────────────────────────────────────────────────────────────────────────────────────

    def _blamed(self, kind: Kind) -> str | None:
        """The factor that is farther on the wrong side."""
        if self.factors is None or kind not in (Kind.VANISHING, Kind.EXPLODING):
            return None
        weights, activation = self.factors.weights, self.factors.activation
        if kind is Kind.VANISHING:
            return "weights" if weights < activation else "activation"
        return "weights" if weights > activation else "activation"

    def _blame(self, kind: Kind, blamed: str) -> list[str]:
        """The factor budget, and whether the other factor is innocent."""
        assert self.factors is not None
        weights, activation = (
            ("the weights", self.factors.weights),
            (self.activation, self.factors.activation),
        )
        (culprit, factor), (other, other_factor) = (
            (weights, activation) if blamed == "weights" else (activation, weights)
        )
        verb, opposite = ("shrink", "enlarge") if kind is Kind.VANISHING else ("enlarge", "shrink")
        accomplice = other_factor < 1 if kind is Kind.VANISHING else other_factor > 1
        reason = f"both {verb} δ, {other} less" if accomplice else f"{other} alone would {opposite} δ"
        if other_factor == 1:
            reason = f"{other} alone would leave δ as it is"
        return [
            f"Going down a layer multiplies δ by {_short(factor * other_factor)} on average: "
            f"{culprit} by {_short(factor)}, {other} by {_short(other_factor)}.",
            f"{culprit[0].upper()}{culprit[1:]} {'are' if blamed == 'weights' else 'is'} to blame: {reason}.",
        ]

    def _slope_sentence(self, prediction: PredictedProfile | None) -> list[str]:
        if math.isnan(self.slope):
            return []
        sentence = (
            f"The gradient's L2 norm changes by {_signed(self.slope)} decades a layer towards the input"
        )
        if prediction is not None:
            sentence += (
                f"; mean-field theory predicts {_signed(prediction.weights_slope)} for these random weights"
            )
        return [_sentence(sentence)]


# ── words ───────────────────────────────────────────────────────────────────────────────────────────


def _geometric_mean(values: Floats) -> float:
    return float(np.exp(np.log(values).mean()))


def _numbers(flags: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    """The layers, numbered from 1, for which a flag is set."""
    return tuple((np.flatnonzero(flags) + 1).tolist())


def _layers(numbers: Sequence[int]) -> str:
    """``layer 3``, ``layers 1 to 4 and 9``."""
    runs = []
    for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        members = [number for _, number in group]
        runs.append(f"{members[0]} to {members[-1]}" if len(members) > 1 else str(members[0]))
    listed = runs[0] if len(runs) == 1 else f"{', '.join(runs[:-1])} and {runs[-1]}"
    return f"layer{'' if len(numbers) == 1 else 's'} {listed}"


def _short(value: float) -> str:
    """Two or three digits, whatever the size: ``0.21``, ``1.41``, ``8.4e-26``."""
    return f"{value:.3g}" if 1e-2 <= abs(value) < 1e4 else f"{value:.1e}"


def _signed(value: float) -> str:
    """Three decimals and a sign; what rounds to zero has a plus."""
    return f"{round(value, 3) + 0.0:+.3f}"


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
