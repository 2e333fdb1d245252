"""Normalisation in three small steps, so that each can be looked at: mean, std, and h = (f - mean) / std.

    f ──┬── Mean ── mean ──┐
        ├── Std ─── std ───┼── Standardize ── h
        └──────────────────┘

Batch normalisation (Ioffe & Szegedy 2015) takes mean and std over the samples (axis 1), layer normalisation
(Ba et al. 2016) over the units (axis 0). f has three ways to the loss, and through mean and std one sample reaches all
others. The affine part that may follow, u = scale ⊙ h + shift, gives each unit a spread and a place of its own again.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from typing_extensions import override

from engine.autodiff.array_memory import ScratchMemory
from engine.autodiff.graph import EVERY_COLUMN, Array, Columns, Entries, Node, Op
from engine.formula.expression import Entry, Expr, Number, Sum, Symbol, Values, call

EPSILON = 1e-5
"""Added to the variance, so that a constant row divides by √EPSILON and not by 0."""

SAMPLES, UNITS = 1, 0
"""The axis that is averaged over: the samples (batch norm) or the units (layer norm)."""


def count_of(node: Node, axis: int) -> Expr:
    """The number of entries that a norm averages, as formulas write it: n for samples, a number for units."""
    size = node.shape[axis]
    return Symbol("n") if axis == SAMPLES and size > 1 else Number(float(size))


def _over(numerator: Expr, count: Expr) -> Expr:
    return numerator if count == Number(1.0) else numerator / count


class _NormalizationStatistic(Op):
    """What mean and std have in common: one number for each row (samples) or column (units)."""

    def __init__(self, axis: int, inputs: tuple[Node, ...], output: Node) -> None:
        super().__init__(inputs, output)
        self.axis = axis

    @override
    def prepare(self, scratch: ScratchMemory) -> None:
        self._scratch = scratch.like(self.inputs[0].value)
        self._small = np.empty(self.output.shape, self.output.value.dtype)
        self._count = self.inputs[0].shape[self.axis]

    @override
    def fan_out(self, i: int) -> int:
        """Its own row's (or column's) statistic."""
        return 1

    def place(self, entry: Entry) -> Entry:
        """Which entry of the statistic an entry of f belongs to."""
        return (entry[0], 0) if self.axis == SAMPLES else (0, entry[1])

    def _averaged(self, place: Entry) -> list[Entry]:
        """The entries of f that one entry of the statistic is taken over."""
        if self.axis == SAMPLES:
            return [(place[0], k) for k in range(self.inputs[0].shape[1])]
        return [(i, place[1]) for i in range(self.inputs[0].shape[0])]

    def _add_to_input(self, contribution: Array) -> None:
        """Adds (or writes) a gradient that broadcasts to f's shape."""
        target = self.inputs[0].grad
        if self.accumulates[0]:
            np.add(target, contribution, out=target)
        else:
            np.copyto(target, contribution)


class NormalizationMean(_NormalizationStatistic):
    """The mean of f (rows, n) over an axis: (rows, 1) over samples, (1, n) over units."""

    @override
    def forward(self) -> None:
        """(1/count) Σ f."""
        np.mean(self.inputs[0].value, axis=self.axis, keepdims=True, out=self.output.value)

    @override
    def backward(self) -> None:
        """Every entry gets an equal share of the mean's gradient."""
        if self.needs_grad[0]:
            np.divide(self.output.grad, self._count, out=self._small)
            self._add_to_input(self._small)

    @override
    def formula(self, entry: Entry) -> Expr:
        """(1/count) Σ f."""
        (node,) = self.inputs
        return _over(Sum(tuple(node.entry(one) for one in self._averaged(entry))), count_of(node, self.axis))

    @override
    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        """1/count."""
        return ((self.place(entry), _over(Number(1.0), count_of(self.inputs[0], self.axis))),)

    @override
    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        """-log count + beyond, the same for all that were averaged."""
        shape = self.inputs[0].value[:, columns].shape
        return np.broadcast_to(beyond - np.log(self._count), shape)

    @override
    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        return "share in the mean"


class NormalizationStd(_NormalizationStatistic):
    """The standard deviation of f about its mean, √(variance + ε).

    The mean node is read but is not an input: ∂std/∂mean is 0, because deviations from the mean sum to 0.
    """

    def __init__(
        self,
        axis: int,
        node: Node,
        mean: Node,
        output: Node,
        *,
        epsilon: float = EPSILON,
        unbiased: bool = False,
    ) -> None:
        super().__init__(axis, (node,), output)
        self.mean = mean
        self.epsilon, self.unbiased = epsilon, unbiased

    @override
    def prepare(self, scratch: ScratchMemory) -> None:
        super().prepare(scratch)
        self._divisor = self._count - 1 if self.unbiased else self._count

    def _over_divisor(self, numerator: Expr, factor: Expr | None = None) -> Expr:
        """Divided by what the variance divides by, and by a further factor."""
        count = count_of(self.inputs[0], self.axis)
        divisor: Expr = Number(count.value - 1) if self.unbiased and isinstance(count, Number) else count
        if self.unbiased and not isinstance(count, Number):
            divisor = count - 1
        if factor is None:
            return _over(numerator, divisor)
        return numerator / (factor if divisor == Number(1.0) else divisor * factor)

    @property
    @override
    def reads(self) -> tuple[Node, ...]:
        """The mean, which the standard deviation is computed about."""
        return (self.mean,)

    @override
    def forward(self) -> None:
        """√((1/count) Σ (f - mean)² + EPSILON)."""
        np.subtract(self.inputs[0].value, self.mean.value, out=self._scratch)
        np.multiply(self._scratch, self._scratch, out=self._scratch)
        output = self.output.value
        if self.unbiased:
            np.sum(self._scratch, axis=self.axis, keepdims=True, out=output)
            np.divide(output, self._divisor, out=output)
        else:
            np.mean(self._scratch, axis=self.axis, keepdims=True, out=output)
        np.add(output, self.epsilon, out=output)
        np.sqrt(output, out=output)

    @override
    def backward(self) -> None:
        """∂ℰ/∂f += (f - mean) / (count std) ∂ℰ/∂std."""
        if self.needs_grad[0]:
            np.divide(self.output.grad, self.output.value, out=self._small)
            np.divide(self._small, self._divisor, out=self._small)
            np.subtract(self.inputs[0].value, self.mean.value, out=self._scratch)
            np.multiply(self._scratch, self._small, out=self._scratch)
            self._add_to_input(self._scratch)

    @override
    def formula(self, entry: Entry) -> Expr:
        """√((1/count) Σ (f - mean)² + EPSILON)."""
        (node,) = self.inputs
        mean = self.mean.entry(entry)
        squares = Sum(tuple((node.entry(one) - mean) ** 2 for one in self._averaged(entry)))
        return call("sqrt", self._over_divisor(squares) + self.epsilon)

    @override
    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        """(f - mean) / (count std)."""
        (node,) = self.inputs
        place = self.place(entry)
        deviation = node.entry(entry) - self.mean.entry(place)
        return ((place, self._over_divisor(deviation, self.output.entry(place))),)

    @override
    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        """log|f - mean| - log(count std) + beyond."""
        here = columns if self.axis == UNITS else EVERY_COLUMN
        mean, std = self.mean.value[:, here], self.output.value[:, here]
        deviation = np.abs(self.inputs[0].value[:, columns] - mean)
        result: Array = np.log(deviation) - np.log(self._divisor * std) + beyond
        return result

    @override
    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        return "share in the standard deviation"


VALUE, MEAN, STD = range(3)


class Standardize(Op):
    """The standardised sums h = (f - mean) / std; mean and std broadcast over the samples or the units."""

    def __init__(
        self, axis: int, inputs: tuple[Node, Node, Node], output: Node, epsilon: float = EPSILON
    ) -> None:
        super().__init__(inputs, output)
        self.axis, self.epsilon = axis, epsilon

    @override
    def prepare(self, scratch: ScratchMemory) -> None:
        self._scratch = scratch.like(self.output.value)
        self._product = scratch.like(self.output.value, slot=1)
        self._small = np.empty(self.inputs[MEAN].shape, self.output.value.dtype)

    @override
    def forward(self) -> None:
        """(f - mean) / std."""
        value, mean, std = (node.value for node in self.inputs)
        np.subtract(value, mean, out=self.output.value)
        np.divide(self.output.value, std, out=self.output.value)

    @override
    def backward(self) -> None:
        """∂ℰ/∂f = ∂ℰ/∂h / std; ∂ℰ/∂mean = -Σ ∂ℰ/∂h / std; ∂ℰ/∂std = -Σ h ∂ℰ/∂h / std."""
        value, _, std = self.inputs
        direct = self._scratch
        np.divide(self.output.grad, std.value, out=direct)
        np.multiply(direct, self.output.value, out=self._product)
        if self.needs_grad[VALUE] and self.accumulates[VALUE]:
            np.add(value.grad, direct, out=value.grad)
        elif self.needs_grad[VALUE]:
            np.copyto(value.grad, direct)
        self._send_minus_sum(MEAN, direct)
        self._send_minus_sum(STD, self._product)

    def _send_minus_sum(self, i: int, terms: Array) -> None:
        """Sends the mean or the std, which reach all of a row or column, minus the sum of `terms` over it."""
        target = self.inputs[i].grad
        if self.needs_grad[i] and self.accumulates[i]:
            np.sum(terms, axis=self.axis, keepdims=True, out=self._small)
            np.subtract(target, self._small, out=target)
        elif self.needs_grad[i]:
            np.sum(terms, axis=self.axis, keepdims=True, out=target)
            np.negative(target, out=target)

    def _statistics(self, entry: Entry) -> tuple[Entry, Expr, Expr]:
        place = (entry[0], 0) if self.axis == SAMPLES else (0, entry[1])
        return place, self.inputs[MEAN].entry(place), self.inputs[STD].entry(place)

    @override
    def formula(self, entry: Entry) -> Expr:
        """(f - mean) / std."""
        _, mean, std = self._statistics(entry)
        return (self.inputs[VALUE].entry(entry) - mean) / std

    @override
    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        """1/std for f; -1/std for the mean and -(f - mean)/std² for the std, to all that they standardise."""
        if i == VALUE:
            yield entry, 1 / self._statistics(entry)[2]
            return
        rows, n = self.output.shape
        reached = (
            [(entry[0], k) for k in range(n)]
            if self.axis == SAMPLES
            else [(j, entry[1]) for j in range(rows)]
        )
        for one in reached:
            _, mean, std = self._statistics(one)
            deviation = self.inputs[VALUE].entry(one) - mean
            yield one, -(1 / std) if i == MEAN else -(deviation / std**2)

    @override
    def fan_out(self, i: int) -> int:
        """How many entries of h one entry reaches: one for f, all of the row or column for its mean and std."""
        return 1 if i == VALUE else self.output.shape[self.axis]

    @override
    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        """-log std + beyond, plus log|h| for the std; the best of the row or column for mean and std."""
        here = columns if self.axis == UNITS else EVERY_COLUMN
        continued: Array = beyond - np.log(self.inputs[STD].value[:, here])
        if i == VALUE:
            return continued
        if i == STD:
            continued = continued + np.log(np.abs(self.output.value[:, columns]))
        best: Array = continued.max(axis=self.axis, keepdims=True)
        return best

    @override
    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        return (
            "divided by the standard deviation",
            "the mean is subtracted",
            "the standard deviation divides",
        )[i]

    @override
    def remark(self, i: int, entry: Entry, output_entry: Entry) -> str | None:
        """The remark on a row that is constant: it has only EPSILON to divide by."""
        place = self._statistics(output_entry)[0]
        variance = float(self.inputs[STD].value[place]) ** 2
        if variance < 2 * self.epsilon:
            return f"almost no spread here: std is little more than √{self.epsilon:g}"
        return None


STANDARDISED, SCALE, SHIFT = range(3)


class NormalizationAffine(Op):
    """A norm's scale and shift: u = scale ⊙ h + shift, the same for all samples."""

    @override
    def prepare(self, scratch: ScratchMemory) -> None:
        self._scratch = scratch.like(self.output.value)
        self._small = np.empty(self.inputs[SCALE].shape, self.output.value.dtype)

    @override
    def forward(self) -> None:
        """scale ⊙ h + shift."""
        h, scale, shift = (node.value for node in self.inputs)
        np.multiply(h, scale, out=self.output.value)
        np.add(self.output.value, shift, out=self.output.value)

    @override
    def backward(self) -> None:
        """∂ℰ/∂h = scale ⊙ ∂ℰ/∂u; ∂ℰ/∂scale = Σ h ∂ℰ/∂u and ∂ℰ/∂shift = Σ ∂ℰ/∂u over the samples."""
        h, scale, _ = self.inputs
        gradient = self.output.grad
        if self.needs_grad[SCALE]:
            np.multiply(gradient, h.value, out=self._scratch)
            self._send_sum(SCALE, self._scratch)
        if self.needs_grad[SHIFT]:
            self._send_sum(SHIFT, gradient)
        if self.needs_grad[STANDARDISED] and self.accumulates[STANDARDISED]:
            np.multiply(gradient, scale.value, out=self._scratch)
            np.add(h.grad, self._scratch, out=h.grad)
        elif self.needs_grad[STANDARDISED]:
            np.multiply(gradient, scale.value, out=h.grad)

    def _send_sum(self, i: int, terms: Array) -> None:
        target = self.inputs[i].grad
        if self.accumulates[i]:
            np.add.reduce(terms, axis=1, keepdims=True, out=self._small)
            np.add(target, self._small, out=target)
        else:
            np.add.reduce(terms, axis=1, keepdims=True, out=target)

    @override
    def formula(self, entry: Entry) -> Expr:
        """scale h + shift."""
        h, scale, shift = self.inputs
        unit = (entry[0], 0)
        return scale.entry(unit) * h.entry(entry) + shift.entry(unit)

    @override
    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        """scale for h; h of every sample for the scale, 1 for the shift."""
        if i == STANDARDISED:
            return ((entry, self.inputs[SCALE].entry((entry[0], 0))),)
        reached = [(entry[0], k) for k in range(self.output.shape[1])]
        if i == SCALE:
            return ((one, self.inputs[STANDARDISED].entry(one)) for one in reached)
        return ((one, Number(1.0)) for one in reached)

    @override
    def local_values(self, i: int, entry: Entry, values: Values) -> tuple[Entries, Array]:
        """The local derivatives as numbers: a row of h for a scale, ones for a shift."""
        unit, n = entry[0], self.output.shape[1]
        if i == STANDARDISED:
            return (np.array([unit]), np.array([entry[1]])), self.inputs[SCALE].value[unit]
        row = self.inputs[STANDARDISED].value[unit] if i == SCALE else np.ones(n)
        return (np.full(n, unit), np.arange(n)), row

    @override
    def local_at(self, i: int, entry: Entry, output_entry: Entry) -> Expr:
        if i == SCALE:
            return self.inputs[STANDARDISED].entry(output_entry)
        return Number(1.0) if i == SHIFT else self.inputs[SCALE].entry((entry[0], 0))

    @override
    def fan_out(self, i: int) -> int:
        """How many entries of u one entry reaches: one for h, every sample for scale and shift."""
        return 1 if i == STANDARDISED else self.output.shape[1]

    @override
    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        """log|scale| + beyond; log|h| + beyond or beyond alone, of the best sample."""
        if i == STANDARDISED:
            onwards: Array = np.log(np.abs(self.inputs[SCALE].value)) + beyond
            return onwards
        if i == SCALE:
            beyond = np.log(np.abs(self.inputs[STANDARDISED].value[:, columns])) + beyond
        best: Array = beyond.max(axis=1, keepdims=True)
        return best

    @override
    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        return ("scaled again", "the standardised sum", "the shift enters as it is")[i]
