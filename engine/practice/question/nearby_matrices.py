"""The matrices near those that a formula names: of the same layers and of the layers beside them."""

from __future__ import annotations

from collections.abc import Iterable

from engine.autodiff.graph import Graph
from engine.formula.expression import Symbol
from engine.model.network import PREDICTION, X, Y

NEAR = 1
"""Layers up and down that a name may be confused with."""


def near_matrices(graph: Graph, symbols: Iterable[Symbol]) -> list[Symbol]:
    """The matrices of the layers that some names belong to and of their neighbours; the prediction and the labels."""
    deepest = max((symbol.layer or 0 for symbol in graph.nodes), default=0)
    ends = {X: 0, PREDICTION: deepest, Y: deepest}
    layers = {
        ends.get(symbol.matrix, symbol.layer) for symbol in symbols if symbol.matrix in ends or symbol.layer
    }
    found = []
    for node in graph.nodes.values():
        layer = ends.get(node.symbol, node.symbol.layer)
        if node is graph.loss or node.scalar:
            continue
        if (
            layer is None
            or node.symbol in (PREDICTION, Y)
            or any(abs(layer - (one or 0)) <= NEAR for one in layers)
        ):
            found.append(node.symbol)
    return found
