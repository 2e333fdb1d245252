"""Normalisation in three small steps, so that each can be looked at: mean, std, and h = (f - mean) / std.

    f ──┬── Mean ── mean ──┐
        ├── Std ─── std ───┼── Standardize ── h
        └──────────────────┘

Batch normalisation (Ioffe & Szegedy 2015) takes mean and std over the samples (axis 1), layer normalisation
(Ba et al. 2016) over the units (axis 0); neither has an affine part here. f has three ways to the loss, and
through mean and std one sample reaches all others.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from typing_extensions import override

from engine.autodiff.graph import EVERY_COLUMN, Array, Columns, Node, Op, Scratch
from engine.formula.expression import Entry, Expr, Number, Sum, Symbol, call

EPSILON = 1e-5
"""Added to the variance, so that a constant row divides by √EPSILON and not by 0."""

SAMPLES, UNITS = 1, 0
"""The axis that is averaged over: the samples (batch norm) or the units (layer norm)."""


def count_of(node: Node, axis: int) -> Expr:
    """How many entries are averaged, as it is written in formulas: n for samples, a number for units."""
    size = node.shape[axis]
    return Symbol("n") if axis == SAMPLES and size > 1 else Number(float(size))


def _over(numerator: Expr, count: Expr) -> Expr:
    return numerator if count == Number(1.0) else numerator / count


class _Statistic(Op):
    """What mean and std have in common: one number for each row (samples) or column (units)."""

    def __init__(self, axis: int, inputs: tuple[Node, ...], output: Node) -> None:
        super().__init__(inputs, output)
        self.axis = axis

    @override
    def prepare(self, scratch: Scratch) -> None:
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


class Mean(_Statistic):
    """mean of f (rows, n) over an axis: (rows, 1) over samples, (1, n) over units."""

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


class Std(_Statistic):
    """std = √(variance + EPSILON) of f about its mean.

    The mean node is read but is not an input: ∂std/∂mean is 0, because deviations from the mean sum to 0.
    """

    def __init__(self, axis: int, node: Node, mean: Node, output: Node) -> None:
        super().__init__(axis, (node,), output)
        self.mean = mean

    @property
    @override
    def reads(self) -> tuple[Node, ...]:
        """The mean."""
        return (self.mean,)

    @override
    def forward(self) -> None:
        """√((1/count) Σ (f - mean)² + EPSILON)."""
        np.subtract(self.inputs[0].value, self.mean.value, out=self._scratch)
        np.multiply(self._scratch, self._scratch, out=self._scratch)
        output = self.output.value
        np.mean(self._scratch, axis=self.axis, keepdims=True, out=output)
        np.add(output, EPSILON, out=output)
        np.sqrt(output, out=output)

    @override
    def backward(self) -> None:
        """∂ℰ/∂f += (f - mean) / (count std) ∂ℰ/∂std."""
        if self.needs_grad[0]:
            np.divide(self.output.grad, self.output.value, out=self._small)
            np.divide(self._small, self._count, out=self._small)
            np.subtract(self.inputs[0].value, self.mean.value, out=self._scratch)
            np.multiply(self._scratch, self._small, out=self._scratch)
            self._add_to_input(self._scratch)

    @override
    def formula(self, entry: Entry) -> Expr:
        """√((1/count) Σ (f - mean)² + EPSILON)."""
        (node,) = self.inputs
        mean = self.mean.entry(entry)
        squares = Sum(tuple((node.entry(one) - mean) ** 2 for one in self._averaged(entry)))
        return call("sqrt", _over(squares, count_of(node, self.axis)) + EPSILON)

    @override
    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        """(f - mean) / (count std)."""
        (node,) = self.inputs
        place = self.place(entry)
        count, std = count_of(node, self.axis), self.output.entry(place)
        deviation = node.entry(entry) - self.mean.entry(place)
        return ((place, deviation / (std if count == Number(1.0) else count * std)),)

    @override
    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        """log|f - mean| - log(count std) + beyond."""
        here = columns if self.axis == UNITS else EVERY_COLUMN
        mean, std = self.mean.value[:, here], self.output.value[:, here]
        deviation = np.abs(self.inputs[0].value[:, columns] - mean)
        result: Array = np.log(deviation) - np.log(self._count * std) + beyond
        return result

    @override
    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        return "share in the standard deviation"


VALUE, MEAN, STD = range(3)


class Standardize(Op):
    """h = (f - mean) / std; f (rows, n), mean and std broadcast over the samples or the units."""

    def __init__(self, axis: int, inputs: tuple[Node, Node, Node], output: Node) -> None:
        super().__init__(inputs, output)
        self.axis = axis

    @override
    def prepare(self, scratch: Scratch) -> None:
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
        """One for f, all of the row or column for its mean and std."""
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
        """A row that is constant has only EPSILON to divide by."""
        place = self._statistics(output_entry)[0]
        variance = float(self.inputs[STD].value[place]) ** 2
        if variance < 2 * EPSILON:
            return f"almost no spread here: std is little more than √{EPSILON:g}"
        return None
