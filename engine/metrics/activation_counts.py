"""What the activations of equal layers are counted for: zeros, quiet units, saturated entries.

    a, (layers, units · n)  ──  ≠ 0  ──>  entries that are 0, a layer
                                   └── any over the samples ──>  units that fired, and so those that were quiet
                            ──  < low or > high  ──>  saturated entries, a layer

Most layers are asked for what they do not have. Two looks, for the smallest and for the largest entry of all, say
that nothing is saturated, and then a sigmoid has no zero either; where no layer has as many zeros as there are
samples, no unit can be quiet.
"""

from __future__ import annotations

import math

import numpy as np

from engine.autodiff.graph import Array
from engine.experiment.activation_traits import ActivationTraits
from engine.metrics.l2_norms import FEW
from engine.metrics.step_record import Floats
from engine.metrics.unit_deaths import Mask


def fires(values: Array, activation: ActivationTraits) -> Mask:
    """Whether each unit fires for each sample: where it passes a gradient.

    That is where a is not 0; of a leaky unit where f > 0, as a ReLU would; of one with tails where it is not in one.
    """
    if activation.unsaturated is not None:
        low, high = (values.dtype.type(bound) for bound in activation.unsaturated)
        inside: Mask = (values >= low) & (values <= high)
        return inside
    return values > 0 if activation.default_slope is not None else values != 0


FEW_UNITS = 4
"""So many units are counted faster one by one than all together and then each of them."""


class UnitCounts:
    """Counts zero and saturated activations and quiet units of one group of layers, (layers, units · n).

    The shares of entries that are zero and saturated go to `shares`, (layers,) each; the saturated ones are NaN where
    a layer cannot be saturated. `fired` (layers · units) holds for every unit whether it is other than 0 for any
    sample. `scratch` has two entries for each of the activations.
    """

    def __init__(
        self,
        rows: Array,
        n: int,
        activation: ActivationTraits,
        shares: tuple[Floats, Floats],
        fired: Mask,
        scratch: Mask,
    ) -> None:
        self._layers, self._size = rows.shape
        self._n = n
        self._activation = activation
        self._values = rows.reshape(-1)
        self._units = self._size // n
        self._zero_fraction, self._saturated = shares
        self._zero_fraction.fill(0.0)
        bounds = activation.unsaturated
        self._outside = bounds and tuple(rows.dtype.type(bound).item() for bound in bounds)
        self._saturated.fill(0.0 if self._outside else math.nan)
        self._zero_only_if_saturated = 0.0 not in activation.values  # σ is never 0, but rounds to it
        self._zero = np.zeros((), rows.dtype)
        self._true, self._also_true = scratch[: rows.size], scratch[rows.size : 2 * rows.size]
        self._true_by_layer = list(self._true.reshape(rows.shape))
        self._true_by_unit = self._true.reshape(-1, n)
        self._fired = fired
        self._fired_by_layer = list(fired.reshape(self._layers, self._units))
        self._few = rows.size <= FEW and self._layers == 1
        self._one_by_one = []
        if self._layers == 1 and self._units <= FEW_UNITS and not self._few:
            self._one_by_one = list(self._true_by_unit)
        self._none = [0] * self._layers
        self._zeros = self._none
        self._any_saturated = False
        self._fired_before = [True] * self._size if self._few else []
        self.quiet = self._none
        """How many units of each layer are 0 for every sample."""

    def measure(self) -> None:
        """Counts the saturated activations, the zeros and the quiet units of the last forward pass."""
        if self._few and self._n == 1:
            self._count_one_sample(self._values.tolist())
            return
        if self._outside is not None:
            self._count_saturated(*self._outside)
            if self._zero_only_if_saturated and not self._any_saturated:
                self._enter_zeros(self._none)
                return
        if self._one_by_one:
            self._count_one_by_one()
            return
        zeros = self._count_zeros()
        self._enter_zeros(zeros)
        if zeros is not self._none and max(zeros) >= self._n:  # a quiet unit has as many
            self.quiet = self._count_quiet(zeros)

    def _count_one_sample(self, numbers: list[float]) -> None:
        """All counts where a unit that is 0 is quiet; most often it is the same units as before."""
        fired = [*map(bool, numbers)]
        if fired != self._fired_before:
            self._fired_before = fired
            zeros = fired.count(False)
            self._zero_fraction[0] = zeros / self._size
            self._fired[:] = fired
            self.quiet = [zeros]
        if self._outside is not None:
            self._count_saturated(*self._outside)

    def _nothing_saturated(self) -> None:
        if self._any_saturated:
            self._any_saturated = False
            self._saturated.fill(0.0)

    def _enter_zeros(self, zeros: list[int]) -> None:
        """Sets the shares, and every unit to fired until it is known that one has not."""
        if self._zeros != zeros:
            self._zeros = zeros
            if self._layers == 1:
                self._zero_fraction[0] = zeros[0] / self._size
            else:
                self._zero_fraction[:] = [count / self._size for count in zeros]
        if self.quiet is not self._none:
            self._fired.fill(True)
            self.quiet = self._none

    def _count_saturated(self, low: float, high: float) -> None:
        """Entries whose derivative is below a hundredth of its largest value."""
        values = self._values
        if self._few:
            numbers = values.tolist()
            if low <= min(numbers) and max(numbers) <= high:  # or NaN is the first
                self._nothing_saturated()
                return
        elif low <= values.item(values.argmin()) and values.item(values.argmax()) <= high:
            self._nothing_saturated()
            return
        np.less(values, low, out=self._true)
        np.greater(values, high, out=self._also_true)
        np.logical_or(self._true, self._also_true, out=self._true)
        self._saturated[:] = [int(np.count_nonzero(one)) / self._size for one in self._true_by_layer]
        self._any_saturated = True

    def _count_zeros(self) -> list[int]:
        """Entries that are exactly 0; leaves which are not in `_true`, unless they are few."""
        if self._few:
            zeros = self._values.tolist().count(0.0)
            return [zeros] if zeros else self._none
        np.not_equal(self._values, self._zero, out=self._true)
        zeros = self._values.size - int(np.count_nonzero(self._true))
        if not zeros:
            return self._none
        if self._layers == 1:
            return [zeros]
        return [self._size - int(np.count_nonzero(one)) for one in self._true_by_layer]

    def _count_one_by_one(self) -> None:
        """The zeros of each unit, and so which of them is quiet."""
        np.not_equal(self._values, self._zero, out=self._true)
        counts = [int(np.count_nonzero(unit)) for unit in self._one_by_one]
        self._enter_zeros([self._size - sum(counts)])
        if 0 in counts:
            self._fired[:] = counts
            self.quiet = [counts.count(0)]

    def _count_quiet(self, zeros: list[int]) -> list[int]:
        """Units that are 0 for every sample; enters in `fired` those that are not."""
        if self._n == 1:
            np.copyto(self._fired, self._true)
            return zeros
        if self._few:
            np.not_equal(self._values, self._zero, out=self._true)
        np.logical_or.reduce(self._true_by_unit, axis=1, out=self._fired)
        quiet = [self._units - int(np.count_nonzero(one)) for one in self._fired_by_layer]
        return quiet if any(quiet) else self._none

    def firing_rates(self) -> list[Floats]:
        """The firing rate of each unit, layer by layer: the share of the samples for which it fires."""
        fired = fires(self._values.reshape(self._layers, self._units, self._n), self._activation)
        return list(fired.mean(axis=2))
