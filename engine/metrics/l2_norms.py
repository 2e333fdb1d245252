"""L2 norms that neither overflow nor vanish while the numbers themselves do not.

The square of 10⁻²⁰⁰ is 0, and a gradient of a deep network may well be that small. One dot product is nearly
always enough; where its result is outside the range in which it can be trusted, the entries are divided by the
largest of them first. `math.hypot` does so by itself, and for a few numbers it is quicker than any array call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.autodiff.array_memory import in_blocks
from engine.autodiff.graph import Array

FEW = 16
"""Up to so many numbers are looked at one by one."""

Norm = Callable[[Array], float]
"""‖v‖ of a flat, contiguous array: infinite or NaN only where the array itself has such an entry."""


def trusted(dtype: np.dtype[Any]) -> tuple[float, float]:
    """The bounds between which a sum of squares is right: below, some may have vanished; above, it is infinite."""
    limits = np.finfo(dtype)
    return float(limits.tiny) / float(limits.eps), float(limits.max)


def norm_of_few(numbers: Sequence[float]) -> float:
    """The L2 norm of a few numbers; NaN where any is, even if another is infinite."""
    norm = math.hypot(*numbers)
    return norm if norm < math.inf else sum(map(abs, numbers))


def norm_for(dtype: np.dtype[Any], size: int) -> Norm:
    """The L2 norm as a function for arrays of one dtype and size, which allocates nothing when called."""
    least, most = trusted(dtype)
    scratch: Array = np.empty(size, dtype)

    def norm(vector: Array) -> float:
        if vector.size <= FEW:
            return norm_of_few(vector.tolist())
        square = float(vector.dot(vector))
        return math.sqrt(square) if least < square <= most else carefully(vector)

    def carefully(vector: Array) -> float:
        if not np.count_nonzero(vector):
            return 0.0
        # Both are NaN if any entry is.
        largest = max(float(np.maximum.reduce(vector)), -float(np.minimum.reduce(vector)))
        if not math.isfinite(largest):
            return largest
        scaled = scratch[: vector.size]
        np.divide(vector, largest, out=scaled)
        return math.sqrt(float(scaled.dot(scaled))) * largest

    return norm


def norm_of(vector: Array, norm: Norm) -> Callable[[], float]:
    """The L2 norm of one array that is written again and again, as a function without arguments."""
    least, most = trusted(vector.dtype)
    dot, tolist = vector.dot, vector.tolist

    def of_few() -> float:
        return norm_of_few(tolist())

    def of_many() -> float:
        square = float(dot(vector))
        return math.sqrt(square) if least < square <= most else norm(vector)

    return of_few if vector.size <= FEW else of_many


Magnitudes = Callable[[], tuple[float, float, float]]
"""max |v|, mean |v| and ‖v‖ of an array as it is now; NaN where any entry is."""


def magnitudes_of(vector: Array, norm: Norm, scratch: Array, ones: Array) -> Magnitudes:
    """Measures max |g|, mean |g| and L2 norm of one flat array that is written again and again.

    `scratch`, and `ones` full of them, have BLOCK entries, or at least the array's size.
    """
    size = vector.size
    least, most = trusted(vector.dtype)
    tolist = vector.tolist
    cut = [(part, scratch[: part.size], ones[: part.size]) for part in in_blocks(vector)]

    def of_few() -> tuple[float, float, float]:
        sizes = [*map(abs, tolist())]
        total = sum(sizes)
        if total != total:  # max and hypot would not always pass NaN on
            return total, total, total
        return max(sizes), total / size, math.hypot(*sizes)

    def of_many() -> tuple[float, float, float]:
        largest = total = square = 0.0
        for part, sizes, as_many_ones in cut:
            np.abs(part, out=sizes)
            here = sizes.item(sizes.argmax())  # argmax finds NaN before any number
            if not here <= largest:
                largest = here
            total += float(sizes.dot(as_many_ones))
            square += float(sizes.dot(sizes))
        l2 = math.sqrt(square) if least < square <= most else norm(vector)
        return (largest if total == total else math.nan), total / size, l2

    return of_few if size <= FEW else of_many


def careful_norm(array: npt.NDArray[Any]) -> float:
    """The L2 norm of an array, also where squares would be too small or too large for float64."""
    largest = float(np.abs(array).max(initial=0.0))
    if largest == 0.0 or not math.isfinite(largest):
        return largest
    return largest * float(np.linalg.norm((array / largest).ravel()))
