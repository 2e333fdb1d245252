"""What is measured, layer by layer, in the arrays that one training step leaves behind.

    ∂ℰ/∂W[l]   max, mean, L2                       is anything left of the gradient here?
    W[l]       ‖ΔW‖ / ‖W‖                          does it move the weights?
    a[l]       zero fraction, quiet units          is the layer switched off?
    f[l]       share of saturated entries          is its derivative gone?
    δ[l]       ‖δ‖, and what the weights and the activation make of it on the way down

Definitions are those of `engine.step_record`. Nothing is allocated while measuring but the numbers themselves. δ is
looked at layer by layer, since its memory is used again further down; the rest for several equal layers at once, in
a few array calls, as soon as the backward pass has left the lowest of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from engine.dead_units import DeadUnits, Mask, activation_output
from engine.expression import Symbol
from engine.graph import Array, Graph, Kernel, Node, Op, aligned_zeros
from engine.network import PREDICTION, Network, Y
from engine.norms import norm_for
from engine.scores import Score, scorer
from engine.side_by_side import TOGETHER, groups_of, rows_of
from engine.step_record import Counts, Floats, read_only_counts
from engine.unit_counts import UnitCounts
from engine.weight_norms import weights_measurer


class Measurements(NamedTuple):
    """The per-layer arrays of a StepRecord, under the same names."""

    grad_max: Floats
    grad_mean: Floats
    grad_l2: Floats
    zero_fraction: Floats
    saturated: Floats
    delta_l2: Floats
    update_ratio: Floats
    weight_gain: Floats
    activation_gain: Floats
    quiet: Counts


class _Table:
    """The numbers of one backward pass: a row of `floats` for each float array of a record, and what ratios are of.

    One division makes all three ratios. An entry of a gap stands where the lower of its two layers would; the last
    entry of these rows means nothing.
    """

    def __init__(self, depth: int) -> None:
        self.floats: Floats = np.zeros((9, depth))
        self._parts: Floats = np.ones((3, depth))
        self._wholes: Floats = np.ones((3, depth))
        self.grad_max, self.grad_mean, self.grad_l2 = self.floats[:3]
        self.zero_fraction, self.saturated, self.delta_l2 = self.floats[3:6]
        self.ratios = self.floats[6:]
        """‖ΔW‖ / ‖W‖ and the two gains."""
        self.moved_l2, self.product_l2, self.passed_l2 = self._parts
        """‖ΔW[l]‖; ‖W[l+1] δ[l+1]‖; ‖v ⊙ g'‖, what the activation makes of what arrives at it."""
        self.weight_l2, self.delta_above_l2, self.sent_l2 = self._wholes
        """‖W[l]‖; ‖δ[l+1]‖; ‖v‖, which is ‖W[l+1] δ[l+1]‖ with what a shortcut adds to it."""
        self._places = [slice(row * depth, (row + 1) * depth) for row in range(7)]
        self._places += [slice(row * depth, (row + 1) * depth - 1) for row in (7, 8)]

    def copied(self) -> list[Floats]:
        """Divides, and returns the rows of `floats` as they are now, read-only."""
        np.divide(self._parts, self._wholes, out=self.ratios)
        floats = np.frombuffer(self.floats.tobytes())
        return [floats[place] for place in self._places]


class _Kernels:
    """Everything that measures, to be run during the backward pass, each directly after an op's turn."""

    def __init__(self, network: Network, graph: Graph, fired: list[Mask]) -> None:
        numbers = range(1, len(network.layers) + 1)
        self.after: dict[Op, list[Kernel]] = {}
        self.table = _Table(len(numbers))
        self._network, self._graph = network, graph
        self._sums = [graph.nodes[Symbol("f", number)] for number in numbers]
        self._outputs = [activation_output(graph, network, number) for number in numbers]
        self._weights = [graph.nodes[Symbol("W", number)] for number in numbers]
        largest = max(node.value.size for node in self._outputs)
        self.norm = norm_for(network.dtype, max(largest, *(node.value.size for node in self._weights)))
        self._difference: Array = np.empty(largest, network.dtype)
        self._vectors: dict[int, Array] = {}
        for number in numbers:
            self._watch_delta(number)
        self._watch_weights()
        self._watch_units(fired)

    def _run_after(self, node: Node, kernel: Kernel) -> None:
        """Has a kernel run as soon as the backward pass is through with the op that computes a node."""
        assert node.op is not None
        self.after.setdefault(node.op, []).append(kernel)

    def _gradient(self, node: Node) -> Array:
        """A node's gradient as a vector: the same object for nodes that share the memory, as it is then at hand."""
        return self._vectors.setdefault(id(node.grad), node.grad.reshape(-1))

    def _watch_delta(self, number: int) -> None:
        """‖δ‖, ‖v ⊙ g'‖ and what is sent to the layer below."""
        i, norm, table, weighted_sum = number - 1, self.norm, self.table, self._sums[number - 1]
        delta_l2, passed_l2, delta_above_l2 = table.delta_l2, table.passed_l2, table.delta_above_l2
        product_l2, sent_l2 = table.product_l2, table.sent_l2
        delta = self._gradient(weighted_sum)
        passed_is_delta = self._network.layers[i].norm is None
        if not passed_is_delta:
            activation = self._outputs[i].op
            assert activation is not None
            passed = self._gradient(activation.inputs[0])

            def measure_passed() -> None:
                passed_l2[i] = norm(passed)

            self._run_after(self._outputs[i], measure_passed)

        def measure() -> None:
            l2 = delta_l2[i] = norm(delta)
            if passed_is_delta:
                passed_l2[i] = l2
            if i:
                delta_above_l2[i - 1] = l2
                product_l2[i - 1] = sent_l2[i - 1] = norm(sent)
                if shortcut is not None:
                    np.subtract(sent, shortcut, out=difference)  # Wδ by itself, as exactly as the sum kept it
                    product_l2[i - 1] = norm(difference)

        self._run_after(weighted_sum, measure)
        if i == 0:
            return
        sent, shortcut = self._sent_down(number)
        difference = self._difference[: sent.size]

    def _sent_down(self, number: int) -> tuple[Array, Array | None]:
        """∂ℰ/∂a[l-1], and the part of it that comes through a shortcut around layer l; None without a shortcut."""
        nodes = self._graph.nodes
        sent = self._gradient(nodes[Symbol("a", number - 1)])
        if not self._network.layers[number - 1].residual:
            return sent, None
        output = PREDICTION if number == len(self._network.layers) else Symbol("a", number)
        return sent, self._gradient(nodes[output])

    def _watch_weights(self) -> None:
        """∂ℰ/∂W[l] and W[l]."""
        dtype, table = self._network.dtype, self.table
        scratch = aligned_zeros((min(TOGETHER, sum(node.value.size for node in self._weights)),), dtype)
        ones = aligned_zeros(scratch.shape, dtype)
        ones.fill(1.0)
        for group in groups_of([node.grad for node in self._weights]):
            nodes, here = self._weights[group.here], group.here
            kernel = weights_measurer(
                rows_of([node.grad for node in nodes]),
                rows_of([node.value for node in nodes]),
                (table.grad_max[here], table.grad_mean[here], table.grad_l2[here], table.weight_l2[here]),
                self.norm,
                scratch,
                ones,
            )
            self._run_after(self._sums[group.first], kernel)

    def _watch_units(self, fired: list[Mask]) -> None:
        """The activations."""
        values = [node.value for node in self._outputs]
        kinds = [layer.activation for layer in self._network.layers]
        groups = groups_of(values, kinds)
        most = max(sum(one.size for one in values[group.here]) for group in groups)
        scratch: Mask = np.empty(2 * most, np.bool_)
        self.units = []
        for group in groups:
            here = group.here
            counts = UnitCounts(
                rows_of(values[here]),
                self._graph.n,
                kinds[group.first],
                (self.table.zero_fraction[here], self.table.saturated[here]),
                rows_of(fired[here]).reshape(-1),
                scratch,
            )
            self.units.append(counts)
            self._run_after(self._sums[group.first], counts.measure)


class Monitor:
    """Measures every layer during the backward pass of one graph of a network.

    `kernels` are that pass with the measuring in it; then come `looks_finite` and, after the update, `measurements`.
    `moves` are the optimiser's directions, flat, by the weights' names; frozen weights have none. `places` says where
    each layer's units are in `fired`, which holds for every unit whether any sample of the batch made it other than 0.
    """

    def __init__(
        self, network: Network, graph: Graph, moves: Mapping[Symbol, Array], places: DeadUnits
    ) -> None:
        depth = len(network.layers)
        self.fired: Mask = np.ones(sum(layer.units for layer in network.layers), np.bool_)
        measuring = _Kernels(network, graph, places.by_layer(self.fired))
        self.kernels = graph.backward_kernels(measuring.after)
        self._table = measuring.table
        self._units = measuring.units
        self._scorer = scorer(network.loss, graph.nodes[PREDICTION].value, graph.nodes[Y].value)
        self._norm = measuring.norm
        names = [Symbol("W", number) for number in range(1, depth + 1)]
        self._moves = [moves.get(name) for name in names]
        self._moves_along_gradient = all(
            move is not None and np.shares_memory(move, graph.nodes[name].grad)
            for name, move in zip(names, self._moves, strict=True)
        )
        self._scale: Array = np.zeros(())  # an array: NumPy takes longer over a number
        self._quiet: list[list[int]] = []
        self._quiet_counts: Counts = np.empty(0, np.int64)

    def looks_finite(self) -> bool:
        """Whether every W[l] and ∂ℰ/∂W[l] of the last backward pass is, unless their squares are too large."""
        return math.isfinite(self._table.grad_l2.dot(self._table.weight_l2))

    def read_labels(self) -> None:
        """To be called when the batch has other labels than before."""
        self._scorer.read_labels()

    def score(self) -> Score:
        """Accuracy and recall of the last forward pass."""
        return self._scorer.score()

    def measurements(self, scale: float) -> Measurements:
        """What the last backward pass found, with the ratios of an update by -scale · direction."""
        table = self._table
        if self._moves_along_gradient:
            self._scale[()] = scale
            np.multiply(table.grad_l2, self._scale, out=table.moved_l2)
        else:  # weights without a direction are frozen
            norm = self._norm
            table.moved_l2[:] = [0.0 if move is None else scale * norm(move) for move in self._moves]
        grad_max, grad_mean, grad_l2, zeros, saturated, delta_l2, moved, weight_gain, activation_gain = (
            table.copied()
        )
        return Measurements(
            grad_max,
            grad_mean,
            grad_l2,
            zeros,
            saturated,
            delta_l2,
            moved,
            weight_gain,
            activation_gain,
            self._count_quiet(),
        )

    def _count_quiet(self) -> Counts:
        """The quiet units of each layer: the same array as long as they are the same."""
        quiet = [units.quiet for units in self._units]
        if quiet != self._quiet:
            self._quiet = quiet
            self._quiet_counts = read_only_counts([count for counts in quiet for count in counts])
        return self._quiet_counts

    def firing_rates(self) -> tuple[Floats, ...]:
        """For each layer and unit, the share of the batch's samples for which it is not 0."""
        return tuple(rate for units in self._units for rate in units.firing_rates())
