"""The gradients of somebody who updates the weights above before the gradient below is worked out with them.

W[2] ← W[2] − η ∂ℰ/∂W[2]     and only then     ∂ℰ/∂a[1] = W[2] ∂ℰ/∂f[2]     with the new W[2]
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.autodiff.graph import Array, Graph
from engine.formula.expression import Symbol

UPDATED_TOO_EARLY = (
    "it is worked out with the weights above after their update: all gradients are worked out "
    "before any weight changes"
)


def gradients_updated_too_early(graph: Graph, learning_rate: float) -> Mapping[Symbol, Array]:
    """The gradients of all nodes where every W has been updated by plain descent before it sends anything on.

    `graph` has gone forward and backward, and is left as it was.
    """
    weights = [node for node in graph.nodes.values() if node.op is None and node.symbol.name == "W"]
    kept = [node.value.copy() for node in weights]
    try:
        for node in weights:
            node.value -= learning_rate * node.grad
        graph.backward()
        return {name: np.array(node.grad) for name, node in graph.nodes.items()}
    finally:
        for node, value in zip(weights, kept, strict=True):
            np.copyto(node.value, value)
        graph.backward()
