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

from engine.diagnosis.factor_budget import ACTIVATION, WEIGHTS, FactorBudget, factor_budget
from engine.diagnosis.mean_field import PredictedProfile
from engine.experiment.activations import ACTIVATION_TRAITS
from engine.experiment.spec import LayerSpec
from engine.formula.text import signed
from engine.metrics.step_record import NEVER, Floats, StepRecord

FAR_APART = 1e4
"""First and last layer are worlds apart from this ratio on: what one does in a single step takes the other ten
thousand, more than a run of this size has. Healthy nets of 50 layers stay within 10³ either way (measured on the
presets, batch and layer norm being the widest)."""

MOSTLY_DEAD = 0.75
"""A layer is called dead from this share of dead units on. In a deep healthy ReLU network the samples grow alike,
and the share of units that are off for all of them tends to ½, but not beyond."""

REACHED = 1e-3
"""A cross-entropy below this may have labels that Ŷ has reached to the last digit."""

UNDERFLOW = 1e-30
"""A δ below this that becomes exactly 0 in the next layer was rounded away: float32 ends at 1e-45. Above it, a
factor that is 0 has to be the cause."""


class Kind(StrEnum):
    """The verdict in a word or two."""

    DIVERGED = "diverged"
    NO_GRADIENT = "no gradient"
    DEAD = "dead"
    VANISHING = "vanishing"
    EXPLODING = "exploding"
    HEALTHY = "healthy"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict and what it rests on; layers are numbered from 1.

    `ratio` is ‖∂ℰ/∂W‖ of the first layer over that of the last, and `delta_ratio` the same of δ = ∂ℰ/∂f; NaN where
    one of the two is not finite, or both are 0. `decades_per_layer` is the slope of log10 ‖∂ℰ/∂W‖ towards the input
    (negative where gradients vanish), by least squares over the layers where that is a finite number. `dominant` is
    the factor of `budget` that δ vanishes or explodes by, where that is what the gradients of W do it by.
    """

    kind: Kind
    ratio: float
    delta_ratio: float
    decades_per_layer: float
    budget: FactorBudget
    dominant: str | None
    zero_layers: tuple[int, ...]
    nonfinite_layers: tuple[int, ...]
    sentences: tuple[str, ...]


def layer_words(layers: Sequence[LayerSpec]) -> tuple[str, ...]:
    """Each layer's activation by name, with the norm and the shortcut that its gain includes."""
    return tuple(
        ACTIVATION_TRAITS[layer.activation].words
        + (f" with {layer.norm} norm" if layer.norm else "")
        + (" and shortcut" if layer.norm and layer.residual else " with shortcut" if layer.residual else "")
        for layer in layers
    )


@dataclass(frozen=True, slots=True)
class Layers:
    """What the verdict and the budget have to know of the layers of a network, layer 1 first."""

    activations: tuple[str, ...]
    """See `layer_words`."""
    units: tuple[int, ...]
    norms: tuple[str, ...]
    """The norm's name, empty without one."""
    residuals: tuple[bool, ...]

    @classmethod
    def of(cls, layers: Sequence[LayerSpec]) -> Layers:
        """The layers of an experiment."""
        return cls(
            activations=layer_words(layers),
            units=tuple(layer.units for layer in layers),
            norms=tuple(layer.norm or "" for layer in layers),
            residuals=tuple(layer.residual for layer in layers),
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


def judge(
    record: StepRecord,
    activations: Sequence[str] = (),
    units: Sequence[int] = (),
    prediction: PredictedProfile | None = None,
    *,
    norms: Sequence[str | None] = (),
    residuals: Sequence[bool] = (),
) -> Verdict:
    """The verdict on one record.

    `activations` are the layers' words (see `layer_words`), `units` their widths, and `norms` and `residuals` what
    `engine.diagnosis.factor_budget` needs, layer 1 first; any may be empty where they are not known. `prediction` is
    for the weights as they were drawn: give it at step 0 only.
    """
    return _Case(record, activations, units, factor_budget(record, norms, residuals)).verdict(prediction)


class _Case:
    """One record under judgement."""

    def __init__(
        self, record: StepRecord, activations: Sequence[str], units: Sequence[int], budget: FactorBudget
    ) -> None:
        self.record = record
        self.budget = budget
        self.units = units
        self.activations = activations
        # Its norm and its shortcut are factors of their own.
        hidden = {words.partition(" with ")[0] for words in activations[:-1]}
        self.activation = hidden.pop() if len(hidden) == 1 else "activation"
        self.depth = len(record.grad_l2)
        self.zero = _numbers(record.grad_l2 == 0)
        self.nonfinite = _numbers(~np.isfinite(record.grad_l2))
        self.ratio = first_to_last(record.grad_l2)
        self.delta_ratio = first_to_last(record.delta_l2)
        self.slope = decades_per_layer(record.grad_l2)

    def verdict(self, prediction: PredictedProfile | None) -> Verdict:
        kind, sentences = self._found()
        dominant = None
        if kind in (Kind.VANISHING, Kind.EXPLODING):
            dominant, reasons = self._cause(kind)
            sentences += reasons
        if kind in (Kind.VANISHING, Kind.EXPLODING, Kind.HEALTHY):
            sentences += self._slope_sentence(prediction)
        return Verdict(
            kind=kind,
            ratio=self.ratio,
            delta_ratio=self.delta_ratio,
            decades_per_layer=self.slope,
            budget=self.budget,
            dominant=dominant,
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
            kind = _far_apart(ratio)
            if kind is not None:
                return kind, reason()
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
            return Kind.NO_GRADIENT, [sentence, self._nothing_sent()]
        # A hidden layer whose activations are all 0 stops the gradient of the weights above it, and δ below.
        silent = [layer for layer in _numbers(self.record.zero_fraction == 1) if layer < self.depth]
        if silent:
            reason = f"All activations of {_layers(silent)} are 0, for every sample of the batch."
            return Kind.DEAD, [sentence, reason]
        stopped = [gap for gap in range(self.depth - 1, 0, -1) if delta[gap - 1] == 0 < delta[gap]]
        if not stopped:
            return self._cancelled(sentence)
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

    def _cancelled(self, sentence: str) -> tuple[Kind, list[str]]:
        """δ arrives in every layer: it is the samples' shares of ∂ℰ/∂W that add up to 0, as with equal classes and
        an output that has become the same for all."""
        sentences = [sentence, "δ arrives there, but what the samples add to the gradient cancels out."]
        kind = _far_apart(self.delta_ratio)
        if kind is None:
            return Kind.NO_GRADIENT, sentences
        return kind, [f"{self._delta_told()}.", *sentences]

    def _nothing_sent(self) -> str:
        """Why δ of the last layer is 0: the loss has reached its least value, or the output lets nothing through.

        Softmax and the sigmoid's cross-entropy have δ = Ŷ - Y itself, 0 where Ŷ is right to the last digit (at a loss
        of 1e-7 in float32), or where it is the soft label. A squared error above 0 always sends something: then the
        output activation has the derivative 0, as a sigmoid far out in its tails, which `saturated` tells.
        """
        none = "The loss sends none: δ of the last layer is 0."
        if self.record.loss == 0:
            return none
        if not self.activations:
            return (
                "δ of the last layer is 0: the loss sends none, or the output activation lets none through."
            )
        output = self.activations[-1]
        tails = float(self.record.saturated[-1]) == 1 and self.record.loss > REACHED
        if output == "softmax" or (output == "sigmoid" and not tails):
            return none
        return f"The {output} of the output layer multiplies what the loss sends by exactly 0."

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

    def _delta_told(self) -> str:
        return f"δ[1] is {_short(self.delta_ratio)} times δ[{self.depth}]"

    def _delta_apart(self) -> list[str]:
        """The same of δ, where the weights' gradients do not show it."""
        return [
            f"{self._delta_told()}.",
            f"The gradients of W hide it (that of W[1] is {_short(self.ratio)} times that of W[{self.depth}]), "
            "because the activations that δ is multiplied with change the other way.",
        ]

    # ── causes ──────────────────────────────────────────────────────────────────────────────────────

    def _cause(self, kind: Kind) -> tuple[str | None, list[str]]:
        """The dominant factor and why, or that it is not δ that vanishes or explodes.

        ∂ℰ/∂W[l] is δ[l] times a[l-1]: a factor of δ is to blame only if δ does at least half of it, in decades.
        """
        if not (math.isfinite(self.delta_ratio) and self.delta_ratio > 0):
            return None, []
        vanishing = kind is Kind.VANISHING
        decades = math.log10(self.delta_ratio)
        whole = math.log10(self.ratio) if math.isfinite(self.ratio) and self.ratio > 0 else decades
        delta = self._delta_told()
        if decades == 0 or (decades < 0) is not vanishing:
            verb, does = ("shrink", "shrinks") if vanishing else ("grow", "grows")
            return None, [
                f"{delta}: δ does not {verb} on its way down; what it is multiplied with, a[l-1] or X, {does}."
            ]
        if (whole < 0) is vanishing and abs(decades) < abs(whole) / 2:
            return None, [f"{delta}: most of it is due to what δ is multiplied with, a[l-1] or X."]
        dominant = self.budget.dominant
        if dominant is None or self.budget.dead_below:
            return None, []
        return dominant, self._dominance(kind, dominant)

    def _dominance(self, kind: Kind, dominant: str) -> list[str]:
        """The factor budget a layer, the culprit first, and whether the others are innocent."""
        means = self.budget.means
        culprit, others = self._called(dominant), [name for name in means if name != dominant]
        listed = ", ".join(f"{self._called(name)} by {_short(means[name])}" for name in (dominant, *others))
        verb, opposite = ("shrink", "enlarge") if kind is Kind.VANISHING else ("enlarge", "shrink")
        helpers = [
            name for name in others if (means[name] < 1) is (kind is Kind.VANISHING) and means[name] != 1
        ]
        rivals = [name for name in others if name not in helpers and means[name] != 1]
        if len(others) > 1:
            reasons = [
                *([f"{self._all(helpers, verb)} δ too, but less"] if helpers else []),
                *([f"{self._all(rivals, opposite)} it"] if rivals else []),
            ]
            reason = "; ".join(reasons) or "the others leave δ as it is"
        elif helpers:
            reason = f"both {verb} δ, {self._called(helpers[0])} less"
        elif rivals:
            reason = f"{self._called(rivals[0])} alone would {opposite} δ"
        else:
            reason = f"{self._called(others[0])} alone would leave δ as it is"
        return [
            f"Going down a layer multiplies δ by {_short(self.budget.mean_ratio)} on average: {listed}.",
            f"{culprit[0].upper()}{culprit[1:]} {'are' if dominant == WEIGHTS else 'is'} to blame: {reason}.",
        ]

    def _called(self, factor: str) -> str:
        """A factor of the budget in a sentence: the activation by its name."""
        return f"the {self.activation if factor == ACTIVATION else factor}"

    def _all(self, factors: Sequence[str], verb: str) -> str:
        """``the ReLU and the weights shrink``, ``the norm shrinks``."""
        many = len(factors) > 1 or factors[0] == WEIGHTS
        return f"{' and '.join(map(self._called, factors))} {verb}{'' if many else 's'}"

    def _slope_sentence(self, prediction: PredictedProfile | None) -> list[str]:
        if math.isnan(self.slope):
            return []
        sentence = (
            f"The gradient's L2 norm changes by {signed(self.slope, 3)} decades a layer towards the input"
        )
        if prediction is not None:
            sentence += (
                f"; mean-field theory predicts {signed(prediction.weights_slope, 3)} for these random weights"
            )
        return [_sentence(sentence)]


# ── words ───────────────────────────────────────────────────────────────────────────────────────────


def _far_apart(ratio: float) -> Kind | None:
    """What a first layer's magnitude over the last one's makes of the gradient; None where it is neither, or NaN."""
    if ratio < 1 / FAR_APART:
        return Kind.VANISHING
    return Kind.EXPLODING if ratio > FAR_APART else None


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


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
