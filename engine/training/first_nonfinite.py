"""Where a run broke: the first number that is NaN or infinite, in the order in which a step computes them.

parameters ──> forward, node by node ──> loss ──> backward, node by node ──> the next update
"Step 41: f[17] of layer 17 became infinite on the way forward, in 12 of 4096 entries; what it is computed
 from is finite, the largest magnitude there is 3.1e+306."
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.autodiff.graph import Array, Graph, Node
from engine.formula.expression import Entry, Symbol
from engine.model.network import Network


def count_nonfinite(loss: float, *arrays: Array) -> int:
    """How many of the loss and the entries of the arrays are NaN or infinite."""
    return int(not math.isfinite(loss)) + sum(_bad_entries(array) for array in arrays)


@dataclass(frozen=True, slots=True, eq=False)
class FirstNonfinite:
    """The first matrix of a step with a number that is NaN or infinite in it.

    `way` says how it was computed: by the "update" before, "forward" or "back". It is the value, or for "back" the
    gradient, of `node` in `graph`, which has gone forward and backward. `sentence` tells all that in words.
    """

    step: int
    way: Literal["update", "forward", "back"]
    node: Node
    graph: Graph
    sentence: str

    @property
    def array(self) -> Array:
        """The matrix with the numbers that are not finite."""
        return self.node.grad if self.way == "back" else self.node.value

    @property
    def entry(self) -> Entry:
        """The first entry of the matrix that is not finite, row by row."""
        row, column = np.argwhere(~np.isfinite(self.array))[0].tolist()
        return row, column


def first_nonfinite(network: Network, graph: Graph, step: int) -> FirstNonfinite:
    """The first matrix of a step that holds NaN or an infinity; `graph` has gone forward and backward.

    Raises ValueError when every number is finite.
    """
    for parameter, value in network.parameters.items():
        if _bad_entries(value):
            said = f"{_called(parameter)} is not finite since the update before: {_extent(value)}."
            sentence = f"Step {step}: {said} The step was too large."
            return FirstNonfinite(step, "update", graph.nodes[parameter], graph, sentence)
    for node in _forward(graph):
        if _bad_entries(node.value):
            inputs = [one.value for one in node.op.inputs] if node.op is not None else []
            sentence = f"Step {step}: {_said(_called(node.symbol), node.value, 'forward', inputs)}"
            return FirstNonfinite(step, "forward", node, graph, sentence)
    for node in _backward(graph):
        if _bad_entries(node.grad):
            name = f"∂{graph.loss.symbol.plain()}/∂{_called(node.symbol)}"
            above = [op.output.grad for op, _ in node.consumers]
            above += [op.inputs[1 - i].value for op, i in node.consumers if len(op.inputs) > 1]
            sentence = f"Step {step}: {_said(name, node.grad, 'back', above)}"
            return FirstNonfinite(step, "back", node, graph, sentence)
    raise ValueError("every number is finite")


def _forward(graph: Graph) -> Iterator[Node]:
    """Every node in the order in which it gets its value: the leaves, then what the ops fill."""
    yield from (node for node in graph.nodes.values() if node.op is None)
    yield from (op.output for op in graph.ops)


def _backward(graph: Graph) -> Iterator[Node]:
    """Every node with a gradient in the order in which the gradients are complete."""
    for op in reversed(graph.ops):
        for node in (op.output, *op.inputs):
            if node.grad.shape == node.value.shape:
                yield node


def _said(name: str, found: Array, way: str, computed_from: Iterable[Array]) -> str:
    sources = [array for array in computed_from if array.size]
    sentence = f"{name} became {_extent(found)} on the way {way}"
    if not sources or any(_bad_entries(array) for array in sources):
        return sentence + "."
    largest = max(float(np.abs(array).max()) for array in sources)
    return f"{sentence}; what it is computed from is finite, the largest magnitude there is {largest:.2g}."


def _extent(array: Array) -> str:
    """NaN or infinite, and how much of it."""
    kinds = " and ".join(
        kind for kind, found in (("NaN", np.isnan(array)), ("infinite", np.isinf(array))) if found.any()
    )
    return kinds if array.size == 1 else f"{kinds} in {_bad_entries(array)} of {array.size} entries"


def _bad_entries(array: Array) -> int:
    return int(array.size - np.count_nonzero(np.isfinite(array)))


def _called(symbol: Symbol) -> str:
    name = "the loss" if symbol == Symbol("E") else symbol.plain()
    return name if symbol.layer is None else f"{name} of layer {symbol.layer}"
