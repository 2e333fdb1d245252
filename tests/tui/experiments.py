"""Experiments that the presets do not cover: a deep network, a wide one, and random small ones as sessions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hypothesis import strategies as st

from engine.autodiff.graph import Graph
from engine.derivation.chain_rule import explain
from engine.experiment.datasets import load_data
from engine.experiment.loading import parse_experiment
from engine.formula.expression import Symbol
from tests.engine.networks import SMALL_PRESETS, cases
from tui.session.network_session import NetworkSession
from tui.stepper.traversal import Detail, Position, Traversal

DEEP = """
title = "Fifty layers of sigmoid"
[data]
kind = "random"
n = 3
features = 4
[network]
[[network.layers]]
units = 4
activation = "sigmoid"
repeat = 50
[[network.layers]]
units = 1
activation = "sigmoid"
[loss]
kind = "bce"
"""

WIDE = """
title = "A wide layer"
[data]
kind = "random"
n = 3
features = 100
outputs = 10
[network]
bias = true
[[network.layers]]
units = 64
activation = "relu"
[[network.layers]]
units = 10
activation = "softmax"
[loss]
kind = "cross_entropy"
"""

OWN = {"deep": DEEP, "wide": WIDE}
READABLE = (*SMALL_PRESETS, *OWN)


def session(name: str) -> NetworkSession:
    """A preset, or one of the experiments above, freshly opened."""
    if name not in OWN:
        return NetworkSession.open(name)
    return session_of(OWN[name], name)


def session_of(text: str, name: str = "lab") -> NetworkSession:
    """The session of an experiment file's text."""
    experiment = parse_experiment(text, name)
    return NetworkSession(name, experiment, load_data(experiment, source=name))


def written(name: str, folder: Path) -> str:
    """The path of a file that holds one of the experiments above."""
    path = folder / f"{name}.toml"
    path.write_text(OWN[name], "utf-8")
    return str(path)


def targets(graph: Graph) -> list[Symbol]:
    """Everything that a gradient can be asked of, entry by entry."""
    return [
        node.entry((row, column))
        for node in graph.nodes.values()
        if node.needs_gradient and node is not graph.loss
        for row in range(node.shape[0])
        for column in range(node.shape[1])
    ]


@st.composite
def traversals(draw: st.DrawFn) -> Traversal:
    """A walk through a random network with forks, norms and several samples, to a random target."""
    graph = draw(cases(max_depth=3, max_width=3, max_n=3)).graph()
    return Traversal(explain(graph, draw(st.sampled_from(targets(graph)))))


def positions_of(traversal: Traversal) -> Iterator[Position]:
    """Every position, term by term, from the first to the last."""
    position = traversal.first()
    while True:
        yield position
        following = traversal.move(position, 1, Detail.TERM)
        if following == position:
            return
        position = following
