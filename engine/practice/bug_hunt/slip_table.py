"""The ways in which a backward pass is commonly got wrong, one entry a slip.

    slope-forgotten      ∂ℰ/∂f = ∂ℰ/∂a           instead of   ∂ℰ/∂a ⊙ g′(f)
    weights-transposed   ∂ℰ/∂a = Wᵀ ∂ℰ/∂f        instead of   W ∂ℰ/∂f

Each knows which ops it fits, what such an op then sends, and how it is called. They are what matrix answers are
compared with, and what Find the bug plants. To add one, write an entry of `SLIPS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from engine.autodiff.graph import Array, Graph, Op
from engine.autodiff.ops.linear import ACTIVATION, BIAS, WEIGHT, Linear
from engine.formula.expression import Symbol
from engine.formula.layout import one_line
from engine.practice.bug_hunt.gradients_of_slips import (
    bce_gradient_with_weights,
    masked_by_gradient,
    nothing,
    number_of_samples,
    of_first_sample,
    slope_alone,
    summed_over_wrong_axis,
    times,
    with_input_before_activation,
    with_inverted_mask,
    with_slope_at_activation,
    with_swapped_weights,
    with_transposed_weights,
)
from engine.practice.bug_hunt.slip_places import (
    at_bias,
    at_curved,
    at_leaky_relu,
    at_loss,
    at_mean,
    at_mean_loss,
    at_other_curved,
    at_relu,
    at_second_of_fork,
    at_shortcut,
    at_sigmoid,
    at_softmax,
    at_square_layer,
    at_square_weight,
    at_squared_error,
    at_std,
    at_tanh,
    at_weight,
    at_weight_above_activation,
    at_weight_over_samples,
    at_weighted_loss,
    at_wide_bias,
)
from engine.practice.bug_hunt.slipping_backward_pass import Send, sent_by_op
from engine.practice.verdict import Mistake, MistakeKind


@dataclass(frozen=True)
class Slip:
    """One way to get a backward pass wrong: the ops and inputs it `fits`, what they then `send`, and its sentence.

    `what` and `instead` are the mistake's plain forms, with {f}, {a}, {W}, {b} for the names at the op.
    """

    name: str
    kind: MistakeKind
    what: str
    instead: str | None
    text: str
    fits: Callable[[Op, int], bool]
    send: Send
    overwrites: bool = False

    def mistake(self, op: Op) -> Mistake:
        """The mistake in the names of an op."""
        names = _names(op)
        shown = {key: one_line(symbol) for key, symbol in names.items()}
        plain = {key: symbol.plain() for key, symbol in names.items()}
        instead = None if self.instead is None else self.instead.format(**plain)
        return Mistake(self.kind, self.what.format(**plain), instead, self.text.format(**shown))


@dataclass(frozen=True)
class PlantedSlip:
    """A slip at one op of a graph."""

    slip: Slip
    op: Op
    i: int

    @property
    def overwrites(self) -> bool:
        """Whether it sets a gradient where it should add to it."""
        return self.slip.overwrites

    def send(self, arriving: Array) -> Array:
        """The wrong gradient that the op sends."""
        return self.slip.send(self.op, self.i, arriving)

    @property
    def mistake(self) -> Mistake:
        """The mistake in the names of this op."""
        return self.slip.mistake(self.op)


def places_for(graph: Graph, slips: tuple[Slip, ...] | None = None) -> Iterator[PlantedSlip]:
    """Every slip at every op of a graph that it fits, where a bug can be planted."""
    for op in graph.ops:
        for i, node in enumerate(op.inputs):
            if node.op is None and not node.needs_gradient:
                continue
            for slip in SLIPS if slips is None else slips:
                if slip.fits(op, i):
                    yield PlantedSlip(slip, op, i)


def _names(op: Op) -> dict[str, Symbol]:
    """The names at an op: its output f, the input it came from, W and b."""
    inputs = [node.symbol for node in op.inputs]
    if isinstance(op, Linear):
        below = op.inputs[ACTIVATION]
        before = below.op.inputs[0].symbol if below.op is not None else below.symbol
        return {
            "W": inputs[WEIGHT],
            "a": inputs[ACTIVATION],
            "f": op.output.symbol,
            "b": inputs[BIAS] if len(inputs) > BIAS else inputs[WEIGHT],
            "before": before,
        }
    return {"f": inputs[0], "a": op.output.symbol, "W": inputs[0], "b": inputs[0], "before": inputs[0]}


# ── which ops ───────────────────────────────────────────────────────────────────────────────────────


# ── what they send ──────────────────────────────────────────────────────────────────────────────────


SLIPS: tuple[Slip, ...] = (
    Slip(
        "mean-forgotten",
        "missing",
        "1/n",
        None,
        "1/n is missing: the loss is the mean over the samples",
        at_mean_loss,
        times(number_of_samples),
    ),
    Slip(
        "loss-sign",
        "sign",
        "-1",
        None,
        "the sign is wrong: ∂ℰ/∂Ŷ has been turned round",
        at_loss,
        times(lambda op: -1.0),
    ),
    Slip(
        "weights-swapped",
        "swapped",
        "beta",
        "alpha",
        "α and β are exchanged",
        at_weighted_loss,
        with_swapped_weights,
    ),
    Slip(
        "weights-forgotten",
        "missing",
        "alpha",
        None,
        "the class weights α and β are missing",
        at_weighted_loss,
        lambda op, i, arriving: bce_gradient_with_weights(op, 1.0, 1.0) * arriving[0, 0],
    ),
    Slip(
        "half-forgotten",
        "extra",
        "2",
        None,
        "there is a 2 too many: the ½ of the loss cancels it",
        at_squared_error,
        times(lambda op: 2.0),
    ),
    Slip(
        "mask-forgotten",
        "missing",
        "indicator({f} > 0)",
        None,
        "the mask of {f} is missing: a ReLU that is off passes nothing back",
        at_relu,
        lambda op, i, arriving: arriving,
    ),
    Slip(
        "sigmoid-slope-forgotten",
        "missing",
        "{a}*(1 - {a})",
        None,
        "the slope of the sigmoid between {f} and {a} is missing",
        at_sigmoid,
        lambda op, i, arriving: arriving,
    ),
    Slip(
        "tanh-slope-forgotten",
        "missing",
        "1 - {a}**2",
        None,
        "the slope of tanh between {f} and {a} is missing",
        at_tanh,
        lambda op, i, arriving: arriving,
    ),
    Slip(
        "slope-forgotten",
        "missing",
        "g'({f})",
        None,
        "the slope of the activation between {f} and {a} is missing",
        at_other_curved,
        lambda op, i, arriving: arriving,
    ),
    Slip(
        "sigmoid-for-slope",
        "swapped",
        "{a}",
        "{a}*(1 - {a})",
        "{a} stands where its slope belongs: σ(f) for σ′(f)",
        at_sigmoid,
        lambda op, i, arriving: arriving * op.output.value,
    ),
    Slip(
        "tanh-for-slope",
        "swapped",
        "{a}",
        "1 - {a}**2",
        "{a} stands where its slope belongs: tanh(f) for 1 − tanh²(f)",
        at_tanh,
        lambda op, i, arriving: arriving * op.output.value,
    ),
    Slip(
        "slope-of-activation",
        "swapped",
        "g'({a})",
        "g'({f})",
        "the slope is taken at {a} instead of {f}",
        at_curved,
        with_slope_at_activation,
    ),
    Slip(
        "slope-twice",
        "extra",
        "g'({f})",
        None,
        "the slope between {f} and {a} is there twice",
        at_curved,
        lambda op, i, arriving: sent_by_op(op, i, arriving) * slope_alone(op),
    ),
    Slip(
        "mask-of-gradient",
        "swapped",
        "indicator(dE/d{a} > 0)",
        "indicator({f} > 0)",
        "the mask is where the gradient is positive instead of where {f} is",
        at_relu,
        masked_by_gradient,
    ),
    Slip(
        "mask-inverted",
        "swapped",
        "indicator({f} <= 0)",
        "indicator({f} > 0)",
        "the mask of {f} is the wrong way round",
        at_relu,
        with_inverted_mask,
    ),
    Slip(
        "leak-forgotten",
        "missing",
        "slope",
        None,
        "the leak of {f} is missing: where it is negative the slope is not 0",
        at_leaky_relu,
        lambda op, i, arriving: arriving * (op.inputs[0].value > 0),
    ),
    Slip(
        "weights-transposed",
        "transposed",
        "{W}.T",
        "{W}",
        "{W} is transposed on the way back",
        at_square_layer,
        with_transposed_weights,
    ),
    Slip(
        "weights-left-out",
        "missing",
        "{W}",
        None,
        "{W} is missing on the way back",
        at_square_layer,
        lambda op, i, arriving: arriving,
    ),
    Slip(
        "gradient-transposed",
        "transposed",
        "dE/d{W}.T",
        "dE/d{W}",
        "the gradient of {W} is transposed",
        at_square_weight,
        lambda op, i, arriving: np.asarray(sent_by_op(op, i, arriving).T),
    ),
    Slip(
        "before-activation",
        "swapped",
        "{before}",
        "{a}",
        "{before} stands where {a} belongs: the input of this layer is the activation",
        at_weight_above_activation,
        with_input_before_activation,
    ),
    Slip(
        "first-sample-only",
        "reduction",
        "sample 0",
        "all samples",
        "only the first sample is there: the sum over the samples is missing",
        at_weight_over_samples,
        of_first_sample,
    ),
    Slip(
        "accumulated",
        "extra",
        "2",
        None,
        "the gradient of {W} is added to what an earlier pass left there, and not set",
        at_weight,
        times(lambda op: 2.0),
    ),
    Slip(
        "bias-mean",
        "reduction",
        "mean",
        "sum",
        "the gradient of {b} is a mean where it is a sum over the samples",
        at_bias,
        lambda op, i, arriving: arriving.mean(axis=1, keepdims=True),
    ),
    Slip(
        "bias-wrong-axis",
        "reduction",
        "sum over units",
        "sum over samples",
        "the gradient of {b} is summed over the wrong axis",
        at_wide_bias,
        summed_over_wrong_axis,
    ),
    Slip(
        "branch-forgotten",
        "path",
        "{a}",
        None,
        "a branch of the fork is forgotten: the shortcut sends the gradient back as well",
        at_shortcut,
        nothing,
    ),
    Slip(
        "set-not-added",
        "path",
        "{f}",
        None,
        "at the fork the gradient is set where it should be added to what is there",
        at_second_of_fork,
        sent_by_op,
        True,
    ),
    Slip(
        "mean-branch-forgotten",
        "path",
        "{a}",
        None,
        "the way back through the mean is forgotten",
        at_mean,
        nothing,
    ),
    Slip(
        "std-branch-forgotten",
        "path",
        "{a}",
        None,
        "the way back through the standard deviation is forgotten",
        at_std,
        nothing,
    ),
    Slip(
        "softmax-diagonal",
        "missing",
        "the other outputs",
        None,
        "softmax is taken entry by entry: every Ŷ depends on every f of its sample",
        at_softmax,
        lambda op, i, arriving: arriving * op.output.value * (1 - op.output.value),
    ),
)
"""Every slip, by the op it belongs to."""
