"""The quick way to measure a deep network of small layers: squares only, and no number looked at on the way.

    δ[l] · δ[l]   ──>  a cell of the table        (the monitor's own way: a norm, checked, there and then)

A sum of squares may have vanished or overflowed where a norm has not. So all of them are looked at once, after the
backward pass; if one cannot be trusted, the passes are run again in the monitor's own way, from then on for good.
Roots are drawn by who reads the record. For networks of float64 without norms and shortcuts, of no tiny layers (for
which `math.hypot` is quicker) and no large ones (for which calls cost nothing).
"""

from __future__ import annotations

import numpy as np

from engine.autodiff.graph import BLOCK, Array, Graph, Kernel, Op
from engine.formula.expression import Symbol
from engine.metrics.norms import FEW, trusted
from engine.metrics.pass_table import Table, is_plain
from engine.metrics.step_record import Floats
from engine.metrics.weight_norms import batches_of_squares, in_batches
from engine.model.network import Network


class Squares:
    """The kernels of the backward pass, by the op that each follows, and the look at what they found."""

    def __init__(self, network: Network, graph: Graph, table: Table) -> None:
        self.after: dict[Op, list[Kernel]] = {}
        self._rows, self._graph = table.rows, graph
        numbers = range(1, len(network.layers) + 1)
        self._weights = [graph.nodes[Symbol("W", number)] for number in numbers]
        self._sums = [graph.nodes[Symbol("f", number)] for number in numbers]
        self._watch_weights()
        for i in range(len(self._sums)):
            self._watch_delta(i)
        self._found = table.squares.reshape(-1)
        self._least, self._most = trusted(self._found.dtype)

    @staticmethod
    def suffice_for(network: Network, graph: Graph) -> bool:
        """Whether a network is of the kind described above."""
        numbers = range(1, len(network.layers) + 1)
        sizes = [graph.nodes[Symbol(name, number)].value.size for name in "Wf" for number in numbers]
        return network.dtype == np.float64 and is_plain(network) and min(sizes) > FEW and max(sizes) <= BLOCK

    def can_be_trusted(self) -> bool:
        """Whether every square is right; then everything squared was finite, too."""
        found = self._found
        # The smallest and the largest are NaN if any is.
        return self._least < found.item(found.argmin()) and found.item(found.argmax()) <= self._most

    def _run_after(self, i: int, kernel: Kernel) -> None:
        op = self._sums[i].op
        assert op is not None
        self.after.setdefault(op, []).append(kernel)

    def _watch_weights(self) -> None:
        for batch in in_batches(self._weights, self._rows, batches_of_squares):
            self._run_after(batch.first, batch.measure)

    def _watch_delta(self, i: int) -> None:
        delta, dot = self._sums[i].grad.reshape(-1), np.dot
        of_delta = _cell(self._rows.delta_l2, i)

        def measure_delta() -> None:
            dot(delta, delta, of_delta)

        if i == 0:
            self._run_after(i, measure_delta)
            return
        sent = self._graph.nodes[Symbol("a", i)].grad.reshape(-1)
        of_sent = _cell(self._rows.product_l2, i - 1)

        def measure_both() -> None:
            dot(delta, delta, of_delta)
            dot(sent, sent, of_sent)

        self._run_after(i, measure_both)


def _cell(row: Floats, i: int) -> Array:
    """One entry as an array that can be written to."""
    return row[i : i + 1].reshape(())
