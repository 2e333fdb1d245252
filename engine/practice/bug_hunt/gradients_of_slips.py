"""What an op that slips sends to its input in place of the gradient: times n, an inverted mask, the wrong axis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.autodiff.graph import Array, Op
from engine.autodiff.ops.cross_entropy import BinaryCrossEntropy
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.linear import ACTIVATION, WEIGHT
from engine.autodiff.ops.loss import Loss
from engine.derivation.matrix_form import slopes
from engine.practice.bug_hunt.slipping_backward_pass import Send, sent_by_op


def times(factor: Callable[[Op], float]) -> Send:
    """The right gradient times a factor that depends on the op."""
    return lambda op, i, arriving: sent_by_op(op, i, arriving) * factor(op)


def number_of_samples(op: Op) -> float:
    """The n that a loss divides by."""
    assert isinstance(op, Loss)
    return float(op.n)


def bce_gradient_with_weights(op: Op, alpha: float, beta: float) -> Array:
    """The gradient ∂ℰ/∂Ŷ of the binary cross-entropy with other class weights."""
    assert isinstance(op, BinaryCrossEntropy)
    prediction, label = (node.value for node in op.inputs)
    return np.asarray((-alpha * label / prediction + beta * (1 - label) / (1 - prediction)) / op.divisor)


def with_swapped_weights(op: Op, i: int, arriving: Array) -> Array:
    """The gradient with α and β exchanged."""
    assert isinstance(op, BinaryCrossEntropy)
    return np.asarray(bce_gradient_with_weights(op, op.beta, op.alpha) * arriving[0, 0])


def masked_by_gradient(op: Op, i: int, arriving: Array) -> Array:
    """The arriving gradient where it is positive itself, in place of where f is."""
    return arriving * (arriving > 0)


def with_inverted_mask(op: Op, i: int, arriving: Array) -> Array:
    """The arriving gradient where the ReLU is off."""
    return arriving * (op.inputs[0].value <= 0)


def slope_alone(op: Op) -> Array:
    """The activation's slope without the arriving gradient."""
    assert isinstance(op, Elementwise)
    return slopes(op)


def with_slope_at_activation(op: Op, i: int, arriving: Array) -> Array:
    """The arriving gradient times the slope at a in place of f."""
    assert isinstance(op, Elementwise)
    a = op.output.value
    again, out = np.empty_like(a), np.empty_like(a)
    op.function.value(a, again)
    op.function.derivative(a, again, out)
    return arriving * out


def with_transposed_weights(op: Op, i: int, arriving: Array) -> Array:
    """The product with W where its transpose belongs, or the other way round."""
    weight = op.inputs[WEIGHT]
    right = sent_by_op(op, i, arriving)
    other = weight.value.T @ arriving
    # Whichever way W is kept, the other one is wrong.
    return np.asarray(other if not np.allclose(other, right) else weight.value @ arriving)


def summed_over_wrong_axis(op: Op, i: int, arriving: Array) -> Array:
    """The gradient of a bias summed over the units in place of the samples."""
    units, n = arriving.shape
    over_units = arriving.sum(axis=0)
    return np.asarray(over_units.reshape(units, 1) if units == n else np.full((units, 1), arriving.sum()))


def with_input_before_activation(op: Op, i: int, arriving: Array) -> Array:
    """The gradient of W with f of the layer below in place of its a."""
    below = op.inputs[ACTIVATION]
    assert below.op is not None
    kept = below.value
    try:
        below.value = below.op.inputs[0].value
        return sent_by_op(op, i, arriving)
    finally:
        below.value = kept


def of_first_sample(op: Op, i: int, arriving: Array) -> Array:
    """The gradient of the first sample alone."""
    only = np.zeros_like(arriving)
    only[:, 0] = arriving[:, 0]
    return sent_by_op(op, i, only)


def nothing(op: Op, i: int, arriving: Array) -> Array:
    """Zeros: the gradient does not arrive at all."""
    return np.zeros_like(op.inputs[i].value)
