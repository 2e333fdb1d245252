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
from engine.autodiff.ops.cross_entropy import BinaryCrossEntropy
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.linear import ACTIVATION, BIAS, WEIGHT, Linear
from engine.autodiff.ops.loss import Loss
from engine.autodiff.ops.normalization import NormalizationMean, NormalizationStd
from engine.autodiff.ops.regression_losses import SquaredError
from engine.autodiff.ops.residual import ResidualAdd
from engine.autodiff.ops.softmax import Softmax
from engine.derivation.matrix_form import slopes
from engine.formula.expression import Symbol
from engine.formula.layout import one_line
from engine.practice.bug_hunt.slipping_backward_pass import Send, has_square_weight, sent
from engine.practice.verdict import Mistake, MistakeKind


@dataclass(frozen=True)
class Slip:
    """One way to be wrong: the ops and inputs it `fits`, what they then `send`, and its sentence.

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
        """What the op sends."""
        return self.slip.send(self.op, self.i, arriving)

    @property
    def mistake(self) -> Mistake:
        """The mistake in the names of this op."""
        return self.slip.mistake(self.op)


def places_for(graph: Graph, slips: tuple[Slip, ...] | None = None) -> Iterator[PlantedSlip]:
    """Every slip at every op of a graph that it fits."""
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


def _loss(op: Op, i: int) -> bool:
    return isinstance(op, Loss) and i == 0


def _mean_loss(op: Op, i: int) -> bool:
    return isinstance(op, Loss) and i == 0 and op.n > 1 and bool(op.scaled(Symbol("x")) != Symbol("x"))


def _weighted(op: Op, i: int) -> bool:
    return isinstance(op, BinaryCrossEntropy) and i == 0 and op.alpha != op.beta


def _squared(op: Op, i: int) -> bool:
    return isinstance(op, SquaredError) and i == 0


def _curved(op: Op, i: int) -> bool:
    return isinstance(op, Elementwise) and op.function.name not in ("linear", "step")


def _sigmoid(op: Op, i: int) -> bool:
    return isinstance(op, Elementwise) and op.function.name == "sigmoid"


def _tanh(op: Op, i: int) -> bool:
    return isinstance(op, Elementwise) and op.function.name == "tanh"


def _other_curved(op: Op, i: int) -> bool:
    return _curved(op, i) and not (_relu(op, i) or _sigmoid(op, i) or _tanh(op, i))


def _relu(op: Op, i: int) -> bool:
    return isinstance(op, Elementwise) and op.function.name == "relu"


def _leaky(op: Op, i: int) -> bool:
    return isinstance(op, Elementwise) and op.function.name == "leaky_relu"


def _square(op: Op, i: int) -> bool:
    return i == ACTIVATION and has_square_weight(op) and op.inputs[WEIGHT].shape[0] > 1


def _square_weight(op: Op, i: int) -> bool:
    return i == WEIGHT and has_square_weight(op) and op.inputs[WEIGHT].shape[0] > 1


def _weight(op: Op, i: int) -> bool:
    return isinstance(op, Linear) and i == WEIGHT


def _weight_over_samples(op: Op, i: int) -> bool:
    return _weight(op, i) and op.output.shape[1] > 1


def _weight_above_activation(op: Op, i: int) -> bool:
    if not _weight(op, i):
        return False
    made = op.inputs[ACTIVATION].op
    return isinstance(made, Elementwise) and made.function.name != "linear"


def _bias(op: Op, i: int) -> bool:
    return isinstance(op, Linear) and i == BIAS and (op.output.shape[1] > 1)


def _wide_bias(op: Op, i: int) -> bool:
    return isinstance(op, Linear) and i == BIAS and op.output.shape[0] > 1


def _shortcut(op: Op, i: int) -> bool:
    return isinstance(op, ResidualAdd) and i == 1


def _second_at_fork(op: Op, i: int) -> bool:
    """Whether another op has already sent to this input when this one does."""
    node = op.inputs[i]
    return len(node.consumers) > 1 and node.consumers[0][0] is op and node.op is not None


def _mean(op: Op, i: int) -> bool:
    return isinstance(op, NormalizationMean)


def _std(op: Op, i: int) -> bool:
    return isinstance(op, NormalizationStd)


def _softmax(op: Op, i: int) -> bool:
    return isinstance(op, Softmax)


# ── what they send ──────────────────────────────────────────────────────────────────────────────────


def _times(factor: Callable[[Op], float]) -> Send:
    return lambda op, i, arriving: sent(op, i, arriving) * factor(op)


def _n(op: Op) -> float:
    assert isinstance(op, Loss)
    return float(op.n)


def _with_weights(op: Op, alpha: float, beta: float) -> Array:
    assert isinstance(op, BinaryCrossEntropy)
    prediction, label = (node.value for node in op.inputs)
    return np.asarray((-alpha * label / prediction + beta * (1 - label) / (1 - prediction)) / op.divisor)


def _weights_swapped(op: Op, i: int, arriving: Array) -> Array:
    assert isinstance(op, BinaryCrossEntropy)
    return np.asarray(_with_weights(op, op.beta, op.alpha) * arriving[0, 0])


def _mask_of_gradient(op: Op, i: int, arriving: Array) -> Array:
    return arriving * (arriving > 0)


def _mask_inverted(op: Op, i: int, arriving: Array) -> Array:
    return arriving * (op.inputs[0].value <= 0)


def _slope(op: Op) -> Array:
    assert isinstance(op, Elementwise)
    return slopes(op)


def _slope_of_activation(op: Op, i: int, arriving: Array) -> Array:
    assert isinstance(op, Elementwise)
    a = op.output.value
    again, out = np.empty_like(a), np.empty_like(a)
    op.function.value(a, again)
    op.function.derivative(a, again, out)
    return arriving * out


def _transposed_weights(op: Op, i: int, arriving: Array) -> Array:
    weight = op.inputs[WEIGHT]
    right = sent(op, i, arriving)
    other = weight.value.T @ arriving
    # Whichever way W is kept, the other one is wrong.
    return np.asarray(other if not np.allclose(other, right) else weight.value @ arriving)


def _wrong_axis(op: Op, i: int, arriving: Array) -> Array:
    units, n = arriving.shape
    over_units = arriving.sum(axis=0)
    return np.asarray(over_units.reshape(units, 1) if units == n else np.full((units, 1), arriving.sum()))


def _from_before(op: Op, i: int, arriving: Array) -> Array:
    below = op.inputs[ACTIVATION]
    assert below.op is not None
    kept = below.value
    try:
        below.value = below.op.inputs[0].value
        return sent(op, i, arriving)
    finally:
        below.value = kept


def _first_sample(op: Op, i: int, arriving: Array) -> Array:
    only = np.zeros_like(arriving)
    only[:, 0] = arriving[:, 0]
    return sent(op, i, only)


def _nothing(op: Op, i: int, arriving: Array) -> Array:
    return np.zeros_like(op.inputs[i].value)


SLIPS: tuple[Slip, ...] = (
    Slip(
        "mean-forgotten",
        "missing",
        "1/n",
        None,
        "1/n is missing: the loss is the mean over the samples",
        _mean_loss,
        _times(_n),
    ),
    Slip(
        "loss-sign",
        "sign",
        "-1",
        None,
        "the sign is wrong: ∂ℰ/∂Ŷ has been turned round",
        _loss,
        _times(lambda op: -1.0),
    ),
    Slip("weights-swapped", "swapped", "beta", "alpha", "α and β are exchanged", _weighted, _weights_swapped),
    Slip(
        "weights-forgotten",
        "missing",
        "alpha",
        None,
        "the class weights α and β are missing",
        _weighted,
        lambda op, i, arriving: _with_weights(op, 1.0, 1.0) * arriving[0, 0],
    ),
    Slip(
        "half-forgotten",
        "extra",
        "2",
        None,
        "there is a 2 too many: the ½ of the loss cancels it",
        _squared,
        _times(lambda op: 2.0),
    ),
    Slip(
        "mask-forgotten",
        "missing",
        "indicator({f} > 0)",
        None,
        "the mask of {f} is missing: a ReLU that is off passes nothing back",
        _relu,
        lambda op, i, arriving: arriving,
    ),
    Slip(
        "sigmoid-slope-forgotten",
        "missing",
        "{a}*(1 - {a})",
        None,
        "the slope of the sigmoid between {f} and {a} is missing",
        _sigmoid,
        lambda op, i, arriving: arriving,
    ),
    Slip(
        "tanh-slope-forgotten",
        "missing",
        "1 - {a}**2",
        None,
        "the slope of tanh between {f} and {a} is missing",
        _tanh,
        lambda op, i, arriving: arriving,
    ),
    Slip(
        "slope-forgotten",
        "missing",
        "g'({f})",
        None,
        "the slope of the activation between {f} and {a} is missing",
        _other_curved,
        lambda op, i, arriving: arriving,
    ),
    Slip(
        "sigmoid-for-slope",
        "swapped",
        "{a}",
        "{a}*(1 - {a})",
        "{a} stands where its slope belongs: σ(f) for σ′(f)",
        _sigmoid,
        lambda op, i, arriving: arriving * op.output.value,
    ),
    Slip(
        "tanh-for-slope",
        "swapped",
        "{a}",
        "1 - {a}**2",
        "{a} stands where its slope belongs: tanh(f) for 1 − tanh²(f)",
        _tanh,
        lambda op, i, arriving: arriving * op.output.value,
    ),
    Slip(
        "slope-of-activation",
        "swapped",
        "g'({a})",
        "g'({f})",
        "the slope is taken at {a} instead of {f}",
        _curved,
        _slope_of_activation,
    ),
    Slip(
        "slope-twice",
        "extra",
        "g'({f})",
        None,
        "the slope between {f} and {a} is there twice",
        _curved,
        lambda op, i, arriving: sent(op, i, arriving) * _slope(op),
    ),
    Slip(
        "mask-of-gradient",
        "swapped",
        "indicator(dE/d{a} > 0)",
        "indicator({f} > 0)",
        "the mask is where the gradient is positive instead of where {f} is",
        _relu,
        _mask_of_gradient,
    ),
    Slip(
        "mask-inverted",
        "swapped",
        "indicator({f} <= 0)",
        "indicator({f} > 0)",
        "the mask of {f} is the wrong way round",
        _relu,
        _mask_inverted,
    ),
    Slip(
        "leak-forgotten",
        "missing",
        "slope",
        None,
        "the leak of {f} is missing: where it is negative the slope is not 0",
        _leaky,
        lambda op, i, arriving: arriving * (op.inputs[0].value > 0),
    ),
    Slip(
        "weights-transposed",
        "transposed",
        "{W}.T",
        "{W}",
        "{W} is transposed on the way back",
        _square,
        _transposed_weights,
    ),
    Slip(
        "weights-left-out",
        "missing",
        "{W}",
        None,
        "{W} is missing on the way back",
        _square,
        lambda op, i, arriving: arriving,
    ),
    Slip(
        "gradient-transposed",
        "transposed",
        "dE/d{W}.T",
        "dE/d{W}",
        "the gradient of {W} is transposed",
        _square_weight,
        lambda op, i, arriving: np.asarray(sent(op, i, arriving).T),
    ),
    Slip(
        "before-activation",
        "swapped",
        "{before}",
        "{a}",
        "{before} stands where {a} belongs: the input of this layer is the activation",
        _weight_above_activation,
        _from_before,
    ),
    Slip(
        "first-sample-only",
        "reduction",
        "sample 0",
        "all samples",
        "only the first sample is there: the sum over the samples is missing",
        _weight_over_samples,
        _first_sample,
    ),
    Slip(
        "accumulated",
        "extra",
        "2",
        None,
        "the gradient of {W} is added to what an earlier pass left there, and not set",
        _weight,
        _times(lambda op: 2.0),
    ),
    Slip(
        "bias-mean",
        "reduction",
        "mean",
        "sum",
        "the gradient of {b} is a mean where it is a sum over the samples",
        _bias,
        lambda op, i, arriving: arriving.mean(axis=1, keepdims=True),
    ),
    Slip(
        "bias-wrong-axis",
        "reduction",
        "sum over units",
        "sum over samples",
        "the gradient of {b} is summed over the wrong axis",
        _wide_bias,
        _wrong_axis,
    ),
    Slip(
        "branch-forgotten",
        "path",
        "{a}",
        None,
        "a branch of the fork is forgotten: the shortcut sends the gradient back as well",
        _shortcut,
        _nothing,
    ),
    Slip(
        "set-not-added",
        "path",
        "{f}",
        None,
        "at the fork the gradient is set where it should be added to what is there",
        _second_at_fork,
        sent,
        True,
    ),
    Slip(
        "mean-branch-forgotten",
        "path",
        "{a}",
        None,
        "the way back through the mean is forgotten",
        _mean,
        _nothing,
    ),
    Slip(
        "std-branch-forgotten",
        "path",
        "{a}",
        None,
        "the way back through the standard deviation is forgotten",
        _std,
        _nothing,
    ),
    Slip(
        "softmax-diagonal",
        "missing",
        "the other outputs",
        None,
        "softmax is taken entry by entry: every Ŷ depends on every f of its sample",
        _softmax,
        lambda op, i, arriving: arriving * op.output.value * (1 - op.output.value),
    ),
)
"""Every slip, by the op it belongs to."""
