"""Paths from one entry of the graph to the loss: how many there are, and which carry the most.

    W[1]_11 ── f[1]_10 ── a[1]_10 ─┬─ f[2]_00 ── a[2]_00 ── …
                                   └─ f[2]_10 ── a[2]_10 ── …        each edge ∂o/∂v; a path's value is their product

A gradient is the sum over all paths of the product of the local derivatives along each. There may be 64⁵⁰
of them, so nothing here enumerates. Paths are counted by one sweep backwards over the ops, and the strongest
continuation of every entry by another (`backward` with (max, +) on logarithms in place of (+, ×)); the
k strongest paths are then found best first, which with exact continuations expands little more than those paths.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.autodiff.graph import EVERY_COLUMN, Array, Columns, Graph, Node, Op
from engine.autodiff.interruption import between_parts
from engine.autodiff.ops.loss import loss_op
from engine.derivation.edges import Edge, Indices, edges_from
from engine.derivation.entry_ref import EntryRef
from engine.formula.expression import Entry

DIGITS_THAT_DIFFER = 9
"""Log-magnitudes that agree to this many decimals count as equal, so that ties do not multiply the search."""


def running_products(graph: Graph, downwards: Iterable[Edge]) -> Iterator[float]:
    """The product of the local derivatives along a path that begins at the loss, edge after edge.

    Where Ŷ has rounded and ∂ℰ/∂Ŷ · ∂Ŷ/∂f cannot be multiplied, or only with few digits, it goes on with what the loss
    knows of the two.
    """
    product = 1.0
    for edge in downwards:
        product *= edge.formula.evaluate(graph.value_of)
        if edge.op.fused and (not math.isfinite(product) or _has_rounded(graph, edge.above.entry)):
            product = _fused_product(graph, edge.above.entry, edge.below.entry)
        yield product


def _fused_product(graph: Graph, prediction: Entry, logit: Entry) -> float:
    loss = loss_op(graph)
    if loss is None:
        raise TypeError("only a loss fuses with an op")
    return loss.fused_product(prediction, logit)


def _has_rounded(graph: Graph, prediction: Entry) -> bool:
    loss = loss_op(graph)
    return loss is not None and loss.nearly_one(prediction)


def _log_magnitude(value: float) -> float:
    return math.log(abs(value)) if abs(value) > 0.0 else -math.inf  # NaN counts as 0


class PathCounts:
    """How many paths lead from an entry of a node to what is differentiated.

    To a loss, all entries of a node have equally many. To one entry of a matrix they have not: an entry of another
    sample or another unit may have none.
    """

    def __init__(self, graph: Graph) -> None:
        self._uniform = graph.loss.value.size == 1
        self._of_node = _counts_of(graph) if self._uniform else {}
        self._of_entry = {} if self._uniform else entry_counts(graph)

    @property
    def uniform(self) -> bool:
        """Whether all entries of a node have equally many paths to the loss."""
        return self._uniform

    def at(self, node: Node, entry: Entry) -> int:
        """The number of paths from one entry to the loss."""
        if self._uniform:
            return self._of_node.get(id(node), 0)
        counts = self._of_entry.get(id(node))
        return 0 if counts is None else int(counts[entry])

    def leading(self, node: Node, rows: Indices, columns: Indices) -> npt.NDArray[np.bool_]:
        """Which of these entries have a path to the loss at all."""
        counts = self._of_entry.get(id(node))
        if counts is None:
            return np.full(len(rows), self._of_node.get(id(node), 0) > 0)
        return np.asarray(counts[rows, columns] > 0, dtype=bool)


def entry_counts(graph: Graph) -> dict[int, npt.NDArray[Any]]:
    """The number of paths from each entry of each computed node (by `id`) to what is differentiated."""
    counts = {id(graph.loss): np.zeros(graph.loss.shape, dtype=object)}
    counts[id(graph.loss)][graph.seed] = 1
    for op in reversed(graph.ops):
        beyond = counts.get(id(op.output))
        for i, node in enumerate(op.inputs):
            if beyond is None or node.op is None:
                continue
            found = counts.setdefault(id(node), np.zeros(node.shape, dtype=object))
            for entry in _entries_to_count(node, op.output, beyond):
                (rows, columns), _ = op.local_values(i, entry, graph.value_of)
                found[entry] += beyond[rows, columns].sum()
    return counts


def _entries_to_count(node: Node, output: Node, beyond: npt.NDArray[Any]) -> Iterator[Entry]:
    """The entries from which some path may lead on: of samples by themselves, only those that have one."""
    columns: Iterable[int] = range(node.shape[1])
    if node.per_sample and output.per_sample:
        columns = np.flatnonzero(beyond.any(axis=0)).tolist()
    return ((row, column) for column in columns for row in range(node.shape[0]))


def path_counts(graph: Graph) -> dict[int, int]:
    """The number of paths from any one entry of each node (by `id`) to the loss, a single number a node."""
    counts = {id(graph.loss): 1}
    for op in reversed(graph.ops):
        beyond = counts.get(id(op.output), 0)
        for i, node in enumerate(op.inputs):
            counts[id(node)] = counts.get(id(node), 0) + op.fan_out(i) * beyond
    return counts


def _counts_of(graph: Graph) -> dict[int, int]:
    """`path_counts`, once for each graph: they depend on its shape alone."""
    key = f"paths through {len(graph.ops)} ops"
    if key not in graph.known:
        graph.known[key] = path_counts(graph)
    counts: dict[int, int] = graph.known[key]
    return counts


class StrongestPaths:
    """The paths from entries above `start` to the loss, by magnitude, for the values of the last forward pass.

    With `sample` given, only its column is looked at, unless samples are coupled (batch norm).
    """

    def __init__(self, graph: Graph, start: Node, sample: int | None) -> None:
        self.graph = graph
        coupled = any(not op.output.per_sample and not op.output.scalar for op in graph.ops)
        self.columns: Columns = EVERY_COLUMN if sample is None or coupled else slice(sample, sample + 1)
        self.counts = PathCounts(graph)
        self._beyond: dict[int, Array] = {id(graph.loss): self._at_the_end()}
        with np.errstate(all="ignore"):
            for op, i, node in _swept(graph, start):
                between_parts()
                self._sweep(op, i, node)

    def _at_the_end(self) -> Array:
        """log 1 for the entry that is differentiated, log 0 for those beside it."""
        end = np.full(self.graph.loss.shape, -math.inf)
        end[self.graph.seed] = 0.0
        return end[:, self.columns] if self.graph.loss.per_sample else end

    def _sweep(self, op: Op, i: int, node: Node) -> None:
        beyond = self._beyond
        strongest = op.strongest(i, beyond[id(op.output)], self.columns)
        if op.fused:  # ∞·0 where Ŷ has rounded: the loss knows the product of the two
            first_column = self.columns.start or 0
            for row, column in np.argwhere(np.isnan(strongest) | np.isposinf(strongest)).tolist():
                strongest[row, column] = self._fused(op, i, (row, first_column + column))[1].max()
        known = beyond.get(id(node))
        beyond[id(node)] = strongest if known is None else np.fmax(known, strongest)

    def _fused(self, op: Op, i: int, entry: Entry) -> tuple[list[Entry], Array]:
        """Where an op's input leads to, and log|∂ℰ/∂output · ∂output/∂input| for each, by the loss's own account."""
        reached = [above for above, _ in op.local(i, entry)]
        return reached, np.array(
            [_log_magnitude(_fused_product(self.graph, above, entry)) for above in reached]
        )

    def beyond(self, ref: EntryRef) -> float:
        """The log-magnitude of the strongest path from an entry to the loss; -inf where every path is 0."""
        row, column = ref.entry
        strongest = float(self._beyond[id(ref.node)][row, self._column(ref.node, column)])
        return -math.inf if math.isnan(strongest) else strongest

    def _column(self, node: Node, column: Any) -> Any:
        """Where a node's column (or columns) stands in the arrays, which may hold only the sample's."""
        return column - self.columns.start if node.per_sample and self.columns != EVERY_COLUMN else column

    def from_ref(self, ref: EntryRef, first: Edge | None = None) -> list[Edge]:
        """The strongest path from an entry to the loss, its first edge prescribed or not.

        Where every path is 0, it goes on along whatever is strongest after the 0.
        """
        path = [] if first is None else [first]
        ref = ref if first is None else first.above
        with np.errstate(all="ignore"):
            while ref.node is not self.graph.loss:
                edge = self._strongest_edge(ref, EVERY_COLUMN)
                path.append(edge)
                ref = edge.above
        return path

    def strongest_edge(self, ref: EntryRef, columns: Columns = EVERY_COLUMN) -> Edge:
        """The edge that the strongest path from an entry takes, the first of equals.

        `columns` restricts the choice to edges into those samples, where a weight reaches every sample.
        """
        with np.errstate(all="ignore"):
            return self._strongest_edge(ref, columns)

    def _strongest_edge(self, ref: EntryRef, columns: Columns) -> Edge:
        if len(ref.node.consumers) == 1:
            op, i = ref.node.consumers[0]
            if op.fan_out(i) == 1:
                return self._edge(op, i, ref, op.only_entry(i, ref.entry))
            if columns == EVERY_COLUMN and self.counts.uniform and not op.fused:
                found = op.strongest_entry(i, ref.entry, self._beyond[id(op.output)], self.columns)
                if found is not None:
                    return self._edge(op, i, ref, found)
        best, best_total = None, -math.inf
        of_samples = [(op, i) for op, i in ref.node.consumers if op.output.per_sample]
        for op, i in of_samples if columns != EVERY_COLUMN and of_samples else ref.node.consumers:
            if op.fused:
                entries, totals = self._fused(op, i, ref.entry)
                place = int(totals.argmax())
                return self._edge(op, i, ref, entries[place])
            (rows, reached), values = op.local_values(i, ref.entry, self.graph.value_of)
            if columns != EVERY_COLUMN and op.output.per_sample:
                rows, reached, values = rows[columns], reached[columns], values[columns]
            leading = np.flatnonzero(self.counts.leading(op.output, rows, reached))
            if not leading.size:
                continue
            beyond = self._beyond[id(op.output)][rows, self._column(op.output, reached)]
            totals = np.fmax(np.log(np.abs(values)) + beyond, -np.inf)  # NaN counts as -inf
            place = int(leading[totals[leading].argmax()])
            if best is None or totals[place] > best_total:
                best, best_total = (op, i, (int(rows[place]), int(reached[place]))), float(totals[place])
        if best is None:
            raise ValueError(f"{ref.symbol.plain()} does not reach {self.graph.differentiated.plain()}")
        return self._edge(best[0], best[1], ref, best[2])

    def _edge(self, op: Op, i: int, ref: EntryRef, above: Entry) -> Edge:
        return Edge(op, i, ref, EntryRef(op.output, above))

    def best(self, starts: list[Edge], k: int) -> list[list[Edge]]:
        """The `k` strongest paths that begin with one of these edges, strongest first, those of value 0 left out."""
        return list(islice(self._best_first(starts), k))

    def _best_first(self, starts: list[Edge]) -> Iterator[list[Edge]]:
        order = count()  # breaks ties between equally strong, equally long paths by who came first
        queue: list[tuple[float, int, int, float, _Trail]] = []

        def push(before: float, trail: _Trail) -> None:
            edge = trail.edge
            if edge.op.fused:  # counts for itself and for the last edge after it
                total = magnitude = before + _log_magnitude(
                    _fused_product(self.graph, edge.above.entry, edge.below.entry)
                )
            elif trail.before is not None and trail.before.edge.op.fused:
                total = magnitude = before
            else:
                magnitude = before + _log_magnitude(edge.formula.evaluate(self.graph.value_of))
                total = magnitude + self.beyond(edge.above)
            if total > -math.inf:
                key = -round(total, DIGITS_THAT_DIFFER)
                heapq.heappush(queue, (key, -trail.length, next(order), magnitude, trail))

        for edge in starts:
            push(0.0, _Trail(edge, None, 1))
        while queue:
            *_, magnitude, trail = heapq.heappop(queue)
            if trail.edge.above.node is self.graph.loss:
                yield trail.edges()
                continue
            for edge in edges_from(trail.edge.above):
                push(magnitude, _Trail(edge, trail, trail.length + 1))


@dataclass(frozen=True, slots=True)
class _Trail:
    """The beginning of a path, as its last edge and the trail before it: many trails share their beginnings."""

    edge: Edge
    before: _Trail | None
    length: int

    def edges(self) -> list[Edge]:
        """The edges from the first to the last."""
        found = []
        trail: _Trail | None = self
        while trail is not None:
            found.append(trail.edge)
            trail = trail.before
        return found[::-1]


def _swept(graph: Graph, start: Node) -> list[tuple[Op, int, Node]]:
    """What is swept for the paths from `start`: each op's inputs that depend on it, the loss first. Once a graph."""
    key = f"swept from {start.symbol.plain()} through {len(graph.ops)} ops"
    if key not in graph.known:
        above, reached = _descendants(graph, start), {id(graph.loss)}
        found: list[tuple[Op, int, Node]] = []
        for op in reversed(graph.ops):
            if id(op.output) in above and id(op.output) in reached:
                inputs = [(op, i, node) for i, node in enumerate(op.inputs) if id(node) in above]
                found += inputs
                reached |= {id(node) for _, _, node in inputs}
        graph.known[key] = found
    swept: list[tuple[Op, int, Node]] = graph.known[key]
    return swept


def _descendants(graph: Graph, start: Node) -> set[int]:
    """The nodes (by `id`) that depend on `start`, itself left out."""
    found = {id(start)}
    for op in graph.ops:
        if any(id(node) in found for node in op.inputs):
            found.add(id(op.output))
    return found - {id(start)}
