"""The terms of one step's sum, each made when it is looked at: a weight has one for every sample, perhaps a million.

∂ℰ/∂W[1][1,1] = Σ_k ∂ℰ/∂f[1][1,k] · X[1,k]        the numbers are arrays; formulas are made one at a time
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import overload

import numpy as np
import numpy.typing as npt

from engine.autodiff.graph import Array, Graph, Op
from engine.derivation.edges import Edge
from engine.derivation.entry_ref import EntryRef
from engine.derivation.paths import PathCounts
from engine.derivation.sample_shares import consumers_by_sample
from engine.formula.expression import Entry, Expr, Partial, Symbol


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a step's sum: ∂ℰ/∂via (`upstream`) times ∂via/∂node (`local`) is its `contribution`."""

    via: Symbol
    symbol: Partial
    formula: Expr
    substituted: Expr
    local: float
    upstream: float
    contribution: float
    remark: str | None


@dataclass(frozen=True, slots=True)
class _Consumer:
    """One op that an entry feeds: which of its output's entries, and the local derivatives there."""

    op: Op
    i: int
    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    locals: Array


class TermEdges(Sequence[Edge]):
    """The edges from one entry from which some path leads to the loss, consumer by consumer."""

    def __init__(self, graph: Graph, ref: EntryRef, counts: PathCounts) -> None:
        self.graph, self.ref = graph, ref
        self._consumers = []
        for op, i in ref.node.consumers:
            (rows, columns), locals_ = op.local_values(i, ref.entry, graph.value_of)
            leading = counts.leading(op.output, rows, columns)
            if not leading.all():
                rows, columns, locals_ = rows[leading], columns[leading], locals_[leading]
            self._consumers.append(_Consumer(op, i, rows, columns, locals_))
        self._ends = list(accumulate(len(one.rows) for one in self._consumers))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> Edge: ...
    @overload
    def __getitem__(self, index: slice) -> list[Edge]: ...
    def __getitem__(self, index: int | slice) -> Edge | list[Edge]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        start = 0
        for consumer, end in zip(self._consumers, self._ends, strict=True):
            if index < end:
                place = index - start
                above: Entry = int(consumer.rows[place]), int(consumer.columns[place])
                return Edge(consumer.op, consumer.i, self.ref, EntryRef(consumer.op.output, above))
            start = end
        raise IndexError(index)

    def place_of(self, edge: Edge) -> int:
        """The place of an edge among those of its entry. Raises ValueError where it is not among these."""
        start = 0
        row, column = edge.above.entry
        for consumer, end in zip(self._consumers, self._ends, strict=True):
            if consumer.op is edge.op and consumer.i == edge.i:
                found = np.flatnonzero((consumer.rows == row) & (consumer.columns == column))
                if found.size:
                    return start + int(found[0])
            start = end
        raise ValueError(edge)

    def into_sample(self, sample: int) -> list[Edge]:
        """The edges into one sample, and those into what belongs to all samples; not those of no sample."""
        by_sample = consumers_by_sample(self.ref.node)
        found: list[Edge] = []
        start = 0
        for consumer, end in zip(self._consumers, self._ends, strict=True):
            of_samples = (consumer.op, consumer.i) in by_sample
            wanted: Sequence[int] = range(end - start if of_samples else 0)
            if consumer.op.output.per_sample and not self.ref.node.per_sample:
                wanted = np.flatnonzero(consumer.columns == sample).tolist()
            found += [self[start + place] for place in wanted]
            start = end
        return found

    @property
    def contributions(self) -> npt.NDArray[np.float64]:
        """The contribution of each edge: ∂ℰ/∂above times its local derivative."""
        with np.errstate(all="ignore"):
            products = [one.locals * one.op.output.grad[one.rows, one.columns] for one in self._consumers]
        return np.concatenate(products).astype(np.float64) if products else np.zeros(0)


class Terms(Sequence[Term]):
    """The terms of a step's sum, one an edge, each made when it is asked for."""

    def __init__(self, edges: TermEdges) -> None:
        self._edges = edges

    def __len__(self) -> int:
        return len(self._edges)

    @overload
    def __getitem__(self, index: int) -> Term: ...
    @overload
    def __getitem__(self, index: slice) -> list[Term]: ...
    def __getitem__(self, index: int | slice) -> Term | list[Term]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        edge, value_of = self._edges[index], self._edges.graph.value_of
        below, above = edge.below.symbol, edge.above.symbol
        local = edge.formula.evaluate(value_of)
        upstream = edge.above.gradient
        return Term(
            via=above,
            symbol=Partial(above, below),
            formula=edge.formula,
            substituted=edge.formula.substitute(value_of),
            local=local,
            upstream=upstream,
            contribution=local * upstream,
            remark=edge.op.remark(edge.i, edge.below.entry, edge.above.entry),
        )

    @property
    def contributions(self) -> npt.NDArray[np.float64]:
        """The contribution of every term, without making the terms."""
        return self._edges.contributions
