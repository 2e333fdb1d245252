"""Gradient checks in float64, whatever dtype a network computes in: on its graph, or on a twin of it."""

from __future__ import annotations

import numpy as np

from engine.autodiff.graph import Graph
from engine.derivation.gradcheck import (
    EntryCheck,
    ParameterCheck,
    check_entry,
    check_parameter,
)
from engine.derivation.targets import find_target
from engine.formula.expression import Symbol
from engine.model.network import LOSS, Network, X, Y


def check_target(network: Network, graph: Graph, target: Symbol) -> EntryCheck:
    """The gradient check of one entry, in float64: on the graph itself, which is left as it was, or on a twin.

    Raises TargetError.

    While it runs the graph's numbers are others, so nobody may read them.
    """
    if graph.dtype == np.float64:
        return check_entry(graph, find_target(graph, target))
    twin = float64_twin(network, graph)
    try:
        return check_entry(twin, find_target(twin, target))
    finally:
        twin.release()


def check_matrix(network: Network, graph: Graph, target: Symbol) -> ParameterCheck:
    """The gradient check of a whole matrix (of a large one, a random choice) on a float64 twin of `graph`."""
    twin = float64_twin(network, graph)
    try:
        return check_parameter(twin, twin.nodes[target], np.random.default_rng(0))
    finally:
        twin.release()


def float64_twin(network: Network, graph: Graph) -> Graph:
    """A copy of the graph in float64, with its own copy of the samples, so that the inputs can be moved too."""
    return graph_like(network.astype("float64"), graph)


def graph_like(exact: Network, graph: Graph) -> Graph:
    """A graph of the float64 network `exact` on the samples of `graph`, gone forward and backward."""
    # What is differentiated may know nothing of the inputs or of the labels.
    shapes = {X: (exact.features, graph.n), Y: (exact.layers[-1].units, graph.n)}
    samples = [
        np.array(graph.nodes[name].value, np.float64) if name in graph.nodes else np.zeros(shape)
        for name, shape in shapes.items()
    ]
    of = None if graph.differentiated == LOSS else graph.differentiated
    twin = exact.graph(*samples, of=of)
    twin.forward()
    twin.backward()
    return twin
