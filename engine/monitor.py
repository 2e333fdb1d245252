"""What is measured, layer by layer, in the arrays that one training step leaves behind.

    ∂ℰ/∂W[l]   max, mean, L2                       is anything left of the gradient here?
    W[l]       ‖ΔW‖ / ‖W‖                          does it move the weights?
    a[l]       zero fraction, quiet units          is the layer switched off?
    f[l]       share of saturated entries          is its derivative gone?
    δ[l]       ‖δ‖, and what the weights and the activation make of it on the way down

Definitions are those of `engine.step_record`. Nothing is allocated while measuring but the numbers themselves, and
the cost is a few array calls a layer.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from struct import Struct
from typing import NamedTuple

import numpy as np

from engine.dead_units import DeadUnits, Mask, activation_output
from engine.expression import Symbol
from engine.flat_parameters import BLOCK
from engine.graph import Array, Graph, Kernel, Op
from engine.network import PREDICTION, Network, Y
from engine.norms import FEW, magnitudes_of, norm_for
from engine.ops.activation import SATURATED_OUTSIDE
from engine.scores import Score, scorer
from engine.step_record import Counts, Floats, read_only_counts


class Measurements(NamedTuple):
    """The per-layer arrays of a StepRecord, under the same names."""

    grad_max: Floats
    grad_mean: Floats
    grad_l2: Floats
    update_ratio: Floats
    zero_fraction: Floats
    saturated: Floats
    delta_l2: Floats
    weight_gain: Floats
    activation_gain: Floats
    quiet: Counts


class _Layer:
    """Measures one layer in one graph, in two moments of the backward pass, while its arrays are at hand.

    After the activation's turn: ‖v ⊙ g'‖, where a norm is still to come. After the weighted sum's turn, when
    ∂ℰ/∂W[l] and ∂ℰ/∂a[l-1] are there: all the rest. `found` and `quiet` keep it until the next pass.
    """

    def __init__(
        self,
        network: Network,
        graph: Graph,
        number: int,
        move: Array | None,
        above: _Layer | None,
        shared: _Shared,
    ) -> None:
        layer, nodes, name = network.layers[number - 1], graph.nodes, Symbol("W", number)
        weighted_sum = nodes[Symbol("f", number)]
        activation = activation_output(graph, network, number)
        assert weighted_sum.op is not None
        assert activation.op is not None
        self.after: dict[Op, Kernel] = {weighted_sum.op: self.measure}
        self.found: tuple[float, ...] = ()
        self.quiet = 0
        self.move = move
        self._norm = shared.norm
        self._weights = nodes[name].value.reshape(-1)
        self._magnitudes = magnitudes_of(
            nodes[name].grad.reshape(-1), shared.norm, shared.magnitudes, shared.ones
        )
        self._delta = weighted_sum.grad.reshape(-1)
        self._sent, self._shortcut = _sent_down(network, graph, number)
        self._difference = shared.difference[: 0 if self._sent is None else self._sent.size]
        self._sent_l2 = self._passed_l2 = math.nan
        self._above = above
        self._has_norm = layer.norm is not None
        if self._has_norm:
            self.after[activation.op] = self.measure_passed
            self._passed = activation.op.inputs[0].grad.reshape(-1)

        self._units, self._n = activation.shape
        self._size = activation.value.size
        self._activations = activation.value.reshape(-1)
        self._zero = np.zeros((), network.dtype)
        bounds = SATURATED_OUTSIDE.get(layer.activation)
        self._saturated_outside = bounds and tuple(network.dtype.type(bound).item() for bound in bounds)
        self._zero_only_if_saturated = layer.activation == "sigmoid"  # σ is never 0, but rounds to it
        self._both_true = shared.true[: 2 * self._size]
        self._true, self._also_true = self._both_true[: self._size], self._both_true[self._size :]
        self._true_by_unit = self._true.reshape(self._units, self._n)
        self._fired = shared.fired[number - 1]

    def measure_passed(self) -> None:
        """‖v ⊙ g'‖ where a norm is still to come: without one it is ‖δ‖."""
        self._passed_l2 = self._norm(self._passed)

    def measure(self) -> None:
        """Gradient, weights, δ, what is sent to the layer below, and the activations."""
        norm, size = self._norm, self._size
        largest, mean, gradient_l2 = self._magnitudes()
        weight_l2 = norm(self._weights)
        delta_l2 = norm(self._delta)
        weight_gain = activation_gain = math.nan
        if self._sent is not None:
            self._sent_l2 = product_l2 = norm(self._sent)
            if self._shortcut is not None:  # Wδ by itself, as exactly as the sum kept it
                np.subtract(self._sent, self._shortcut, out=self._difference)
                product_l2 = norm(self._difference)
            weight_gain = ratio(product_l2, delta_l2)
        if self._above is not None:
            activation_gain = ratio(self._passed_l2 if self._has_norm else delta_l2, self._above._sent_l2)
        saturated = math.nan if self._saturated_outside is None else self._count_saturated()
        zeros = 0 if saturated == 0 and self._zero_only_if_saturated else self._count_zeros()
        if zeros >= self._n:  # a quiet unit has as many
            self.quiet = self._count_quiet(zeros)
        elif self.quiet:
            self._fired.fill(True)
            self.quiet = 0
        self.found = (
            gradient_l2,
            weight_l2,
            largest,
            mean,
            zeros / size,
            saturated / size,
            delta_l2,
            weight_gain,
            activation_gain,
        )

    def _count_saturated(self) -> int:
        """Entries whose derivative is below a hundredth of its largest value."""
        assert self._saturated_outside is not None
        low, high = self._saturated_outside
        values = self._activations
        if low <= values.item(values.argmin()) and values.item(values.argmax()) <= high:
            return 0
        np.less(values, low, out=self._true)
        np.greater(values, high, out=self._also_true)
        return int(np.count_nonzero(self._both_true))

    def _count_zeros(self) -> int:
        """Entries that are exactly 0; leaves which are not in `_true`, unless they are few."""
        if self._size <= FEW:
            return self._activations.tolist().count(0.0)
        np.not_equal(self._activations, self._zero, out=self._true)
        return self._size - int(np.count_nonzero(self._true))

    def _count_quiet(self, zeros: int) -> int:
        """Units that are 0 for every sample; enters in `fired` those that are not."""
        if self._size <= FEW:
            np.not_equal(self._activations, self._zero, out=self._true)
        if self._n == 1:
            np.copyto(self._fired, self._true)
            return zeros
        np.logical_or.reduce(self._true_by_unit, axis=1, out=self._fired)
        return self._units - int(np.count_nonzero(self._fired))

    def firing_rate(self) -> Floats:
        """For each unit, the share of the samples for which it is not 0."""
        fired = self._activations.reshape(self._units, self._n) != 0
        rate: Floats = fired.mean(axis=1)
        return rate


def _sent_down(network: Network, graph: Graph, number: int) -> tuple[Array | None, Array | None]:
    """∂ℰ/∂a[l-1], and the part of it that comes through a shortcut around layer l; None where there is none."""
    if number == 1:
        return None, None
    sent = graph.nodes[Symbol("a", number - 1)].grad.reshape(-1)
    if not network.layers[number - 1].residual:
        return sent, None
    output = PREDICTION if number == len(network.layers) else Symbol("a", number)
    return sent, graph.nodes[output].grad.reshape(-1)


class _Shared:
    """Working arrays for all layers of a graph, each as large as the largest needs it."""

    def __init__(self, network: Network, graph: Graph, fired: list[Mask]) -> None:
        weights = max(value.size for value in network.parameters.values())
        activations = max(layer.units for layer in network.layers) * graph.n
        self.norm = norm_for(network.dtype, max(weights, activations))
        self.magnitudes: Array = np.empty(min(weights, BLOCK), network.dtype)
        self.ones: Array = np.ones_like(self.magnitudes)
        self.difference: Array = np.empty(activations, network.dtype)
        self.true: Mask = np.empty(2 * activations, np.bool_)
        self.fired = fired


class Monitor:
    """Measures every layer during the backward pass of one graph of a network.

    `kernels` are that pass with the measuring in it; then come `collect` and, after the update, `measurements`. `moves`
    are the optimiser's directions, flat, by the weights' names; frozen weights have none. `places` says where
    each layer's units are in `fired`, which holds for every unit whether any sample of the batch made it other than 0.
    """

    def __init__(
        self, network: Network, graph: Graph, moves: Mapping[Symbol, Array], places: DeadUnits
    ) -> None:
        depth = len(network.layers)
        self.fired: Mask = np.ones(sum(layer.units for layer in network.layers), np.bool_)
        shared = _Shared(network, graph, places.by_layer(self.fired))
        self._layers: list[_Layer] = []
        above = None
        for number in range(depth, 0, -1):
            above = _Layer(network, graph, number, moves.get(Symbol("W", number)), above, shared)
            self._layers.insert(0, above)
        self.kernels = graph.backward_kernels(
            {op: kernel for layer in self._layers for op, kernel in layer.after.items()}
        )
        self._scorer = scorer(network.loss, graph.nodes[PREDICTION].value, graph.nodes[Y].value)
        self._norm = shared.norm
        gradients = [graph.nodes[Symbol("W", number)].grad for number in range(1, depth + 1)]
        self._moves_along_gradient = all(
            one.move is not None and np.shares_memory(one.move, gradient)
            for one, gradient in zip(self._layers, gradients, strict=True)
        )
        self._pack = Struct(f"{9 * depth}d").pack
        self._quiet: list[int] = []
        self._quiet_counts: Counts = np.empty(0, np.int64)

    def collect(self) -> bool:
        """Gathers what the layers found in the last backward pass, and says whether it looks finite.

        It does when every W[l] and ∂ℰ/∂W[l] is, unless their squares are too large.
        """
        self._gradient_l2, self._weight_l2, *self._rows = zip(
            *[one.found for one in self._layers], strict=True
        )
        return math.isfinite(sum(self._gradient_l2) + sum(self._weight_l2))

    def read_labels(self) -> None:
        """To be called when the batch has other labels than before."""
        self._scorer.read_labels()

    def score(self) -> Score:
        """Accuracy and recall of the last forward pass."""
        return self._scorer.score()

    def measurements(self, scale: float) -> Measurements:
        """What was collected last, with the ratios of an update by -scale · direction."""
        numbers = itertools.chain(self._gradient_l2, self._moved(scale), *self._rows)
        floats = np.frombuffer(self._pack(*numbers)).reshape(9, -1)  # over bytes: read-only
        grad_l2, update_ratio, grad_max, grad_mean, zeros, saturated, delta_l2, *gains = floats
        return Measurements(
            grad_max,
            grad_mean,
            grad_l2,
            update_ratio,
            zeros,
            saturated,
            delta_l2,
            gains[0][1:],
            gains[1][:-1],
            self._count_quiet(),
        )

    def _moved(self, scale: float) -> list[float]:
        """‖ΔW‖ / ‖W‖ of each layer; weights without a direction are frozen."""
        if self._moves_along_gradient:
            moved = [scale * l2 for l2 in self._gradient_l2]
        else:
            norm = self._norm
            moved = [0.0 if one.move is None else scale * norm(one.move) for one in self._layers]
        return list(map(ratio, moved, self._weight_l2))

    def _count_quiet(self) -> Counts:
        """The quiet units of each layer: the same array as long as they are the same."""
        quiet = [layer.quiet for layer in self._layers]
        if quiet != self._quiet:
            self._quiet, self._quiet_counts = quiet, read_only_counts(quiet)
        return self._quiet_counts

    def firing_rates(self) -> tuple[Floats, ...]:
        """For each layer and unit, the share of the batch's samples for which it is not 0."""
        return tuple(layer.firing_rate() for layer in self._layers)


def ratio(part: float, whole: float) -> float:
    """part / whole; infinite where only the whole is 0, NaN where both are."""
    if whole:
        return part / whole
    return math.inf if part else math.nan
