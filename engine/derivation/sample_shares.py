"""What each sample adds to one gradient, and along how many paths: arrays, of which entries are looked at one by one.

∂ℰ/∂W[1][1,1] = −0.3 (sample 0) + 0.1 (sample 1) + …        a million samples take a moment, not seconds
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from engine.autodiff.graph import Graph, Node, Op
from engine.derivation.entry_ref import EntryRef
from engine.derivation.paths import PathCounts


@dataclass(frozen=True, slots=True)
class SampleShare:
    """The share of one sample in the target's gradient, and along how many paths."""

    sample: int
    value: float
    paths: int


@dataclass(frozen=True, eq=False)
class SampleShares(Sequence[SampleShare]):
    """The share of each sample in a gradient, in the order of the samples.

    `samples` and `values` are arrays (k,); the number of paths of a sample is Σ edges[c, k] · further[c] over the ops c
    that the target feeds: how many edges lead into them, and how many paths on from each. Such numbers may be longer
    than any array holds.
    """

    samples: npt.NDArray[np.intp]
    values: npt.NDArray[np.float64]
    edges: npt.NDArray[Any]
    further: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.samples)

    @overload
    def __getitem__(self, index: int) -> SampleShare: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[SampleShare, ...]: ...
    def __getitem__(self, index: int | slice) -> SampleShare | tuple[SampleShare, ...]:
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        paths = sum(int(edges) * on for edges, on in zip(self.edges[:, index], self.further, strict=True))
        return SampleShare(int(self.samples[index]), float(self.values[index]), paths)

    def of(self, sample: int) -> SampleShare | None:
        """The share of one sample in the gradient; None where it has none."""
        place = self.place_of(sample)
        return None if place is None else self[place]

    def place_of(self, sample: int) -> int | None:
        """The place of a sample among those with a share; None where it has none."""
        place = int(np.searchsorted(self.samples, sample))
        return place if place < len(self) and self.samples[place] == sample else None

    @property
    def largest(self) -> int:
        """The sample that adds most to the gradient, the first of equals; NaN is less than anything."""
        sizes = np.abs(self.values)
        return int(self.samples[int(np.where(np.isnan(sizes), -1.0, sizes).argmax())])


def sample_of(target: EntryRef, above: Node, column: int) -> int | None:
    """The sample that an edge from the target into a column of `above` belongs to; None where it belongs to all."""
    if target.node.per_sample:
        return target.entry[1]
    return column if above.per_sample else None


def consumers_by_sample(node: Node) -> list[tuple[Op, int]]:
    """The consumers through which samples add to a node's gradient: all, unless some belong to no sample."""
    return [(op, i) for op, i in node.consumers if node.per_sample or op.output.per_sample] or node.consumers


@dataclass(frozen=True, slots=True)
class SharedTerm:
    """The part of a target's gradient that no sample brings, and along how many paths: the penalty's."""

    value: float
    paths: int


def shared_term(graph: Graph, target: EntryRef) -> SharedTerm | None:
    """The part of a gradient that no sample brings, the penalty's; None where the samples bring all of it."""
    by_sample = consumers_by_sample(target.node)
    rest = [consumer for consumer in target.node.consumers if consumer not in by_sample]
    if not rest:
        return None
    counts, value, paths = PathCounts(graph), 0.0, 0
    for op, i in rest:
        for entry, formula in op.local(i, target.entry):
            value += formula.evaluate(graph.value_of) * float(op.output.grad[entry])
            paths += counts.at(op.output, entry)
    return SharedTerm(value, paths)


def sample_shares(graph: Graph, target: EntryRef) -> SampleShares:
    """The share of each sample in a target's gradient; a target that belongs to one sample has only that one."""
    counts = PathCounts(graph)
    n = max(graph.n, 1)
    values = np.zeros(n)
    edges: list[npt.NDArray[Any]] = []
    further: list[int] = []
    for op, i in consumers_by_sample(target.node):
        (rows, columns), locals_ = op.local_values(i, target.entry, graph.value_of)
        leading = counts.leading(op.output, rows, columns)  # not beside the entry that is differentiated
        if not leading.all():
            rows, columns, locals_ = rows[leading], columns[leading], locals_[leading]
        with np.errstate(all="ignore"):
            contributions = locals_ * op.output.grad[rows, columns]
        samples = columns if sample_of(target, op.output, 0) is not None else np.zeros_like(columns)
        if target.node.per_sample:
            samples = np.full_like(columns, target.entry[1])
        values += np.bincount(samples, weights=contributions, minlength=n)
        if counts.uniform:
            edges.append(np.bincount(samples, minlength=n))
            further.append(counts.at(op.output, (0, 0)))
        else:
            number = np.zeros(n, dtype=object)
            for sample, row, column in zip(samples.tolist(), rows.tolist(), columns.tolist(), strict=True):
                number[sample] += counts.at(op.output, (row, column))
            edges.append(number)
            further.append(1)
    every = np.array(edges) if edges else np.zeros((0, n), np.intp)
    there = np.flatnonzero(every.any(axis=0))
    values = values[there]
    if target.node.per_sample:  # its own gradient is stable where the product of two factors is not
        values[:] = target.gradient
    return SampleShares(there, values, every[:, there], tuple(further))
