"""What is measured, layer by layer, in the arrays that one training step leaves behind.

    ∂ℰ/∂W[l]   max, mean, L2                       is anything left of the gradient here?
    W[l]       ‖ΔW‖ / ‖W‖                          does it move the weights?
    a[l]       zero fraction, quiet units          is the layer switched off?
    f[l]       share of saturated entries          is its derivative gone?
    δ[l]       ‖δ‖, and what the weights and the activation make of it on the way down

Definitions are those of `engine.metrics.step_record`. Nothing is allocated while measuring but the numbers themselves.
Everything is looked at where it has just been made, and is still in the processor's cache: activations in the forward
pass, gradients in the backward pass. δ is looked at layer by layer, since its memory is used again further down; the
rest for several equal layers at once, in a few array calls, as soon as the pass has left the last of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from engine.autodiff.graph import Array, Graph, Kernel, Node, Op, Passes
from engine.experiment.activation_traits import ACTIVATION_TRAITS
from engine.formula.expression import Symbol
from engine.metrics.activation_counts import UnitCounts
from engine.metrics.classification_score import scorer
from engine.metrics.equal_layer_norms import norms_in_batches
from engine.metrics.l2_norms import norm_for, norm_of
from engine.metrics.layer_groups import groups_of, rows_of
from engine.metrics.pass_table import PassTable, PassTableReader, UnreadPass
from engine.metrics.step_record import Floats
from engine.metrics.unit_deaths import Mask, UnitDeaths
from engine.model.network import PREDICTION, Network, Y, activation_output, is_plain


class _Kernels:
    """Everything that measures, to be run during the two passes, each directly after an op's turn."""

    def __init__(self, network: Network, graph: Graph, fired: list[Mask]) -> None:
        numbers = range(1, len(network.layers) + 1)
        self.after_forward: dict[Op, list[Kernel]] = {}
        self.after_backward: dict[Op, list[Kernel]] = {}
        self.table = PassTable(len(numbers))
        self._rows = self.table.rows
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
            if not is_plain(network):
                self._watch_way_down(number)
        self._watch_weights()
        self._watch_units(fired)

    def _run_after(self, node: Node, kernel: Kernel) -> None:
        """Has a kernel run as soon as the backward pass is through with the op that computes a node."""
        assert node.op is not None
        self.after_backward.setdefault(node.op, []).append(kernel)

    def _gradient(self, node: Node) -> Array:
        """A node's gradient as a vector: the same object for nodes that share the memory, as it is then at hand."""
        return self._vectors.setdefault(id(node.grad), node.grad.reshape(-1))

    def _watch_delta(self, number: int) -> None:
        """‖δ‖ and what is sent to the layer below."""
        i, delta_l2, product_l2 = number - 1, self._rows.delta_l2, self._rows.product_l2
        norm_of_delta = norm_of(self._gradient(self._sums[i]), self.norm)
        if i == 0:

            def measure() -> None:
                delta_l2[0] = norm_of_delta()

        else:
            norm_of_sent = norm_of(self._gradient(self._graph.nodes[Symbol("a", i)]), self.norm)

            def measure() -> None:
                delta_l2[i] = norm_of_delta()
                product_l2[i - 1] = norm_of_sent()

        self._run_after(self._sums[i], measure)

    def _watch_way_down(self, number: int) -> None:
        """‖v ⊙ g'‖, and the norms of a gap apart: only norms and shortcuts make them others than ‖δ‖ and ‖Wδ‖."""
        i, norm, rows = number - 1, self.norm, self._rows
        passed_l2, product_l2, sent_l2 = rows.passed_l2, rows.product_l2, rows.sent_l2
        activation = self._outputs[i].op
        assert activation is not None
        passed = self._gradient(activation.inputs[0])

        def measure_passed() -> None:
            passed_l2[i] = norm(passed)

        # Where no norm follows, this is δ, which a loss may have written in place of the activation.
        self._run_after(self._outputs[i] if self._network.layers[i].norm else self._sums[i], measure_passed)
        if i == 0:
            return
        sent, shortcut = self._sent_down(number)
        difference = self._difference[: sent.size]

        def measure_gap() -> None:
            sent_l2[i - 1] = product_l2[i - 1]
            if shortcut is not None:
                np.subtract(sent, shortcut, out=difference)  # Wδ by itself, as exactly as the sum kept it
                product_l2[i - 1] = norm(difference)

        self._run_after(self._sums[i], measure_gap)

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
        for batch in norms_in_batches(self._weights, self._rows, self.norm):
            self._run_after(self._sums[batch.first], batch.measure)

    def _watch_units(self, fired: list[Mask]) -> None:
        """The activations."""
        values = [node.value for node in self._outputs]
        kinds = [ACTIVATION_TRAITS[layer.activation] for layer in self._network.layers]
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
                (self._rows.zero_fraction[here], self._rows.saturated[here]),
                rows_of(fired[here]).reshape(-1),
                scratch,
            )
            self.units.append(counts)
            last = self._outputs[group.last].op
            assert last is not None
            self.after_forward.setdefault(last, []).append(counts.measure)


class StepMonitor:
    """Measures every layer during the passes of one graph of a network.

    `passes` are the graph's with the measuring in them. After them comes `looks_finite` and, after the update, `found`.
    `moves` are the optimiser's directions, flat, by the weights' names; frozen weights have none. `places` says where
    each layer's units are in `fired`, which holds for every unit whether any sample of the batch made it other than 0.
    """

    def __init__(
        self, network: Network, graph: Graph, moves: Mapping[Symbol, Array], places: UnitDeaths
    ) -> None:
        depth = len(network.layers)
        self.fired: Mask = np.ones(sum(layer.units for layer in network.layers), np.bool_)
        measuring = _Kernels(network, graph, places.by_layer(self.fired))
        self.passes = Passes(
            graph.forward_kernels(measuring.after_forward), graph.backward_kernels(measuring.after_backward)
        )
        self._rows = rows = measuring.table.rows
        self._grad_l2_dot, self._weight_l2 = rows.grad_l2.dot, rows.weight_l2
        self._copied = measuring.table.copied
        self._units = measuring.units
        self._scorer = scorer(network.loss, graph.nodes[PREDICTION].value, graph.nodes[Y].value)
        self._norm = measuring.norm
        names = [Symbol("W", number) for number in range(1, depth + 1)]
        self._moves = [moves.get(name) for name in names]
        self._moves_along_gradient = all(
            move is not None and np.shares_memory(move, graph.nodes[name].grad)
            for name, move in zip(names, self._moves, strict=True)
        )
        self._reader = PassTableReader(
            depth, is_plain(network), self._moves_along_gradient, self._scorer.scores_of
        )

    def looks_finite(self) -> bool:
        """Whether every W[l] and ∂ℰ/∂W[l] of the last backward pass is finite, unless their squares are too large."""
        return math.isfinite(self._grad_l2_dot(self._weight_l2))

    def read_labels(self) -> None:
        """Takes in the labels of a batch that has other ones than before."""
        self._scorer.read_labels()

    def found(self, scale: float) -> UnreadPass:
        """The fields of a StepRecord that the last passes gave, with the ratios of an update by -scale · direction.

        They are as they are now whenever they are asked for.
        """
        if not self._moves_along_gradient:  # weights without a direction are frozen
            norm = self._norm
            self._rows.move_l2[:] = [0.0 if move is None else norm(move) for move in self._moves]
        quiet = [units.quiet for units in self._units]
        return UnreadPass(self._reader, self._copied(), scale, quiet, self._scorer.compare())

    def firing_rates(self) -> tuple[Floats, ...]:
        """The firing rate of each unit, layer by layer: the share of the batch's samples for which it is not 0."""
        return tuple(rate for units in self._units for rate in units.firing_rates())
