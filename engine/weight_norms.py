"""How large ∂ℰ/∂W[l] and W[l] are, for one layer or for several equal ones at once.

    ∂ℰ/∂W  (layers, entries)  ──  | |  ──>  max, mean, L2        W  ──>  L2        a number for each layer

For several layers every line of this is one array call, and what the sum of squares cannot say (it is 0, or infinite,
or some squares may have vanished) is asked again, layer by layer, in the way that can: see `engine.norms`.
"""

from __future__ import annotations

import numpy as np

from engine.graph import Array, Kernel
from engine.norms import Norm, magnitudes_of, trusted
from engine.step_record import Floats

Places = tuple[Floats, Floats, Floats, Floats]
"""Where max, mean and L2 of the gradients go, and the L2 of the weights: (layers,) each."""


def weights_measurer(
    gradients: Array, weights: Array, places: Places, norm: Norm, scratch: Array, ones: Array
) -> Kernel:
    """Measures the rows of two matrices, (layers, entries), that are written again and again.

    `scratch`, and `ones` full of them, have the matrices' size; for a single layer see `magnitudes_of`.
    """
    if len(gradients) == 1:
        return _of_one(gradients[0], weights[0], places, norm, scratch, ones)
    return _of_several(gradients, weights, places, norm, scratch, ones)


def _of_one(
    gradient: Array, weight: Array, places: Places, norm: Norm, scratch: Array, ones: Array
) -> Kernel:
    magnitudes = magnitudes_of(gradient, norm, scratch, ones)
    largest, mean, gradient_l2, weight_l2 = places

    def measure() -> None:
        largest[0], mean[0], gradient_l2[0] = magnitudes()
        weight_l2[0] = norm(weight)

    return measure


def _of_several(
    gradients: Array, weights: Array, places: Places, norm: Norm, scratch: Array, ones: Array
) -> Kernel:
    layers, size = gradients.shape
    largest, mean, gradient_l2, weight_l2 = places
    flat = scratch[: gradients.size]
    sizes, as_many_ones = flat.reshape(gradients.shape), ones[:size]
    starts = np.arange(0, gradients.size, size)
    maxima, totals, gradient_squares, weight_squares = found = np.empty((4, layers), gradients.dtype)
    squares = found[2:].reshape(-1)
    # Vector times vector, for every layer: a dot product each.
    gradient_factors = sizes.reshape(layers, 1, size), sizes.reshape(layers, size, 1)
    weight_factors = weights.reshape(layers, 1, size), weights.reshape(layers, size, 1)
    of_gradients, of_weights = (one.reshape(layers, 1, 1) for one in (gradient_squares, weight_squares))
    least, most = trusted(gradients.dtype)

    def measure() -> None:
        np.abs(gradients, out=sizes)
        np.maximum.reduceat(flat, starts, out=maxima)  # passes NaN on
        np.matmul(sizes, as_many_ones, out=totals)
        np.matmul(*gradient_factors, out=of_gradients)
        np.matmul(*weight_factors, out=of_weights)
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

    return measure
