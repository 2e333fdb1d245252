"""Many differences in one pass: copies of all samples side by side, in each of which one entry is moved.

    X     X  X  X  X       the same samples, once for each copy
    f[2]  ╷  ╷  ╷  ╷       computed with the moved entry, copy by copy
    a[2]  a  a  a  a  …    everything after it in one go, and the loss again copy by copy

Only where every sample is computed on its own: batch norm would mix the copies.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.autodiff.graph import Graph, Node, Op
from engine.autodiff.interruption import between_parts
from engine.autodiff.ops.loss import Loss
from engine.derivation.central_differences import kinked_nodes
from engine.formula.expression import Entry
from engine.model.network import Network, X, Y

MOST_COPIES = 256
MOST_ENTRIES = 2**20
"""So many numbers at most in all copies together (8 MiB): larger passes are long enough by themselves."""

Move = tuple[Entry, float]
"""An entry, and how far it is moved."""


class StackedDifferences:
    """Measures the loss of a network for many moves of entries of one parameter in a single forward pass."""

    def __init__(self, network: Network, graph: Graph, copies: int) -> None:
        """`graph` is the network's own and has gone forward; `copies` as `room_for` says."""
        self.base, self.copies = graph, copies
        samples = (np.tile(graph.nodes[name].value, copies) for name in (X, Y))
        self.graph = network.graph(*samples, training=True, gradients=False)
        self.graph.forward()
        self._settled: dict[Op, list[Op]] = {}

    @staticmethod
    def room_for(graph: Graph) -> int:
        """How many copies of a graph's samples are worth stacking; fewer than 4 are not."""
        if any(not op.output.per_sample for op in graph.ops[:-1]) or not isinstance(graph.ops[-1], Loss):
            return 0
        values = sum(op.output.value.size for op in graph.ops)
        return min(MOST_ENTRIES // values, MOST_COPIES)

    @staticmethod
    def can_move(node: Node) -> bool:
        """Whether an entry of this node acts by one op alone, so that its moves can be stacked."""
        return len(node.consumers) == 1 and node.consumers[0][0].output.per_sample

    def losses(
        self, node: Node, moves: Sequence[Move]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """The loss after each move, and whether a piecewise function is then on another piece."""
        between_parts()
        ((op, _),) = node.consumers
        stacked = self.graph.nodes[op.output.symbol].value
        n = self.base.n
        with np.errstate(all="ignore"):
            for place, (entry, offset) in enumerate(moves):
                kept = node.value[entry]
                node.value[entry] = kept + offset
                op.forward()
                node.value[entry] = kept
                stacked[:, place * n : (place + 1) * n] = op.output.value
            op.forward()
            for later in self._after(op):
                later.forward()
            return self._losses(len(moves)), self._on_other_pieces(op, len(moves))

    def settle(self, node: Node) -> None:
        """Takes all moves of a node back: to be called before those of another."""
        ((op, _),) = node.consumers
        np.copyto(self.graph.nodes[op.output.symbol].value, np.tile(op.output.value, self.copies))
        with np.errstate(all="ignore"):
            for later in self._after(op):
                later.forward()

    def _after(self, op: Op) -> list[Op]:
        """The ops of the stacked graph that depend on this op's output, without the loss."""
        if op not in self._settled:
            changed = {op.output.symbol}
            for later in self.base.ops:
                if any(node.symbol in changed for node in later.inputs):
                    changed.add(later.output.symbol)
            changed.remove(op.output.symbol)
            self._settled[op] = [later for later in self.graph.ops[:-1] if later.output.symbol in changed]
        return self._settled[op]

    def _losses(self, count: int) -> npt.NDArray[np.float64]:
        """By the loss of the network's own graph, which is handed one copy after the other."""
        loss = self.base.ops[-1]
        nodes = [loss.inputs[0]]
        if isinstance(loss, Loss) and loss.logits is not None:
            nodes.append(loss.logits)
        kept = [node.value.copy() for node in nodes]
        found = np.empty(count)
        n = self.base.n
        for place in range(count):
            for node in nodes:
                np.copyto(node.value, self.graph.nodes[node.symbol].value[:, place * n : (place + 1) * n])
            loss.forward()
            found[place] = loss.output.value.item(0)
        for node, value in zip(nodes, kept, strict=True):
            np.copyto(node.value, value)
        loss.forward()
        return found

    def _on_other_pieces(self, op: Op, count: int) -> npt.NDArray[np.bool_]:
        found = np.zeros(count, np.bool_)
        changed = {op.output.symbol, *(later.output.symbol for later in self._after(op))}
        n = self.base.n
        for node, kink in kinked_nodes(self.base):
            if node.symbol in changed:
                many = (
                    self.graph.nodes[node.symbol].value[:, : count * n].reshape(-1, count, n)
                    > kink[:, None, :]
                )
                found |= (many != (node.value > kink)[:, None, :]).any(axis=(0, 2))
        return found
