"""The values and gradients of one graph by name, as a formula is evaluated with them."""

from __future__ import annotations

import numpy as np

from engine.autodiff.graph import Graph
from engine.formula.expression import Symbol
from engine.practice.reading.batched_evaluation import Stack
from engine.practice.reading.gradient_names import gradient_name


def graph_values(graph: Graph, *, gradients: bool = False) -> dict[Symbol, Stack]:
    """The values of a graph by name, as one network of evidence; with its gradients, as earlier results."""
    names: dict[Symbol, Stack] = {
        node.symbol: np.asarray(node.value[None], np.float64) for node in graph.nodes.values()
    }
    if gradients:
        names |= {
            gradient_name(node.symbol): np.asarray(node.grad[None], np.float64)
            for node in graph.nodes.values()
            if node.grad.shape == node.value.shape
        }
    names |= {Symbol(name): np.full((1, 1, 1), value) for name, value in graph.constants.items()}
    names[Symbol("ones")] = np.ones((1, graph.n, 1))
    return names
