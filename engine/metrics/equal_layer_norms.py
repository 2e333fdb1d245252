"""How large ∂ℰ/∂W[l] and W[l] are, for one layer or for several equal ones at once.

    ∂ℰ/∂W  (layers, entries)  ──  | |  ──>  max, mean, L2        W  ──>  L2        a number for each layer

For several layers every line of this is one array call for a batch of them, and what the sum of squares cannot say
(it is 0, or infinite, or some squares may have vanished) is asked again, layer by layer, in the way that can: see
`engine.metrics.l2_norms`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from engine.autodiff.array_memory import BLOCK, aligned_zeros
from engine.autodiff.graph import Array, Kernel, Node
from engine.metrics.l2_norms import FEW, Norm, magnitudes_of, norm_of, norm_of_few, trusted
from engine.metrics.layer_groups import groups_of, rows_of
from engine.metrics.pass_table import PassTableRows
from engine.metrics.step_record import Floats

BATCH = BLOCK // 2
"""So many entries of equal layers are looked at in one go, when the backward pass has just been there."""

Places = tuple[Floats, Floats, Floats, Floats]
"""Where max, mean and L2 of the gradients go, and the L2 of the weights: (layers,) each."""


class Batch(NamedTuple):
    """A kernel that measures rows of gradients as soon as the backward pass has left those from `first` on."""

    first: int
    measure: Kernel


def norms_in_batches(weights: Sequence[Node], rows: PassTableRows, norm: Norm) -> Iterator[Batch]:
    """Measures the norms of W[l] and its gradient for every layer l during the backward pass.

    All batches have to be run, the last layers first; `first` of a batch counts all layers, from 0.
    """
    total = sum(node.value.size for node in weights)
    scratch, ones = (aligned_zeros((min(BLOCK, total),), weights[0].value.dtype) for _ in range(2))
    ones.fill(1.0)
    for group in groups_of([node.grad for node in weights], most=math.inf, each=BATCH // 2):
        nodes, here = weights[group.here], group.here
        gradients, values = rows_of([node.grad for node in nodes]), rows_of([node.value for node in nodes])
        places = (rows.grad_max[here], rows.grad_mean[here], rows.grad_l2[here], rows.weight_l2[here])
        if len(nodes) == 1:
            yield Batch(group.first, norms_of_one_layer(gradients[0], values[0], places, norm, scratch, ones))
            continue
        for first, measure in norms_of_equal_layers(gradients, values, places, norm, scratch, ones):
            yield Batch(group.first + first, measure)


def norms_of_one_layer(
    gradient: Array, weight: Array, places: Places, norm: Norm, scratch: Array, ones: Array
) -> Kernel:
    """Measures the norms of one layer's gradient and weights, flat both."""
    if gradient.size <= FEW:
        return _of_few(gradient, weight, places)
    magnitudes = magnitudes_of(gradient, norm, scratch, ones)
    l2_of_weight = norm_of(weight, norm)
    largest, mean, gradient_l2, weight_l2 = places

    def measure() -> None:
        largest[0], mean[0], gradient_l2[0] = magnitudes()
        weight_l2[0] = l2_of_weight()

    return measure


def _of_few(gradient: Array, weight: Array, places: Places) -> Kernel:
    """What `magnitudes_of` and `norm_of` do with few numbers, without asking them."""
    largest, mean, gradient_l2, weight_l2 = places
    numbers_of_gradient, numbers_of_weight = gradient.tolist, weight.tolist
    hypot, size = math.hypot, gradient.size

    def measure() -> None:
        sizes = [*map(abs, numbers_of_gradient())]
        total = sum(sizes)
        if total == total:
            largest[0], mean[0], gradient_l2[0] = max(sizes), total / size, hypot(*sizes)
        else:  # max and hypot would not always pass NaN on
            largest[0] = mean[0] = gradient_l2[0] = total
        weight_l2[0] = norm_of_few(numbers_of_weight())

    return measure


def norms_of_equal_layers(
    gradients: Array, weights: Array, places: Places, norm: Norm, scratch: Array, ones: Array
) -> list[Batch]:
    """Measures the norms of the rows of two matrices, (layers, entries), that are written again and again.

    `scratch`, and `ones` full of them, have BLOCK entries, or at least the matrices' size.
    """
    layers, size = gradients.shape
    largest, mean, gradient_l2, weight_l2 = places
    found = np.empty((4, layers), gradients.dtype)
    maxima, totals, gradient_squares, weight_squares = found
    squares = found[2:].reshape(-1)
    least, most = trusted(gradients.dtype)

    def finish() -> None:
        np.copyto(largest, maxima)
        np.divide(totals, size, out=mean, dtype=np.float64)  # what float32 cannot halve, float64 can
        np.sqrt(gradient_squares, out=gradient_l2, dtype=np.float64)
        np.sqrt(weight_squares, out=weight_l2, dtype=np.float64)
        # The smallest and the largest are NaN if any is.
        if not (least < squares.item(squares.argmin()) and squares.item(squares.argmax()) <= most):
            carefully()

    def carefully() -> None:
        for layer, (square, weight_square) in enumerate(
            zip(gradient_squares.tolist(), weight_squares.tolist(), strict=True)
        ):
            if not least < square <= most:
                gradient_l2[layer] = norm(gradients[layer])
            if not least < weight_square <= most:
                weight_l2[layer] = norm(weights[layer])

    places_found = maxima, totals, gradient_squares, weight_squares
    return [*_batches_of_squares(gradients, weights, places_found, scratch, ones), Batch(0, finish)]


def _batches_of_squares(
    gradients: Array, weights: Array, places: tuple[Array, ...], scratch: Array, ones: Array
) -> list[Batch]:
    """Totals in place of means and squares in place of norms, in the dtype given."""
    layers, size = gradients.shape
    together = max(1, BATCH // size)

    def batch(first: int) -> Batch:
        here = slice(first, first + together)
        some, theirs = gradients[here], weights[here]
        rows = len(some)
        maxima, totals, *squares = (place[here] for place in places)
        flat = scratch[: rows * size]
        sizes, as_many_ones = flat.reshape(rows, size), ones[:size]
        starts = np.arange(0, flat.size, size)
        # Vector times vector, for every layer: a dot product each.
        of_gradients, of_weights = (one.reshape(rows, 1, 1) for one in squares)
        lying, standing = sizes.reshape(rows, 1, size), sizes.reshape(rows, size, 1)
        their_lying, their_standing = theirs.reshape(rows, 1, size), theirs.reshape(rows, size, 1)

        def look() -> None:
            np.abs(some, out=sizes)
            np.maximum.reduceat(flat, starts, out=maxima)  # passes NaN on
            np.matmul(sizes, as_many_ones, out=totals)
            np.matmul(lying, standing, out=of_gradients)
            np.matmul(their_lying, their_standing, out=of_weights)

        return Batch(first, look)

    return [batch(first) for first in reversed(range(0, layers, together))]
