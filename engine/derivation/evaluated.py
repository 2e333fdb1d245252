"""An experiment evaluated: its data, its network, and a graph that has gone forward and backward once.

    experiment ──> data + network ──> graph ──> values and gradients, as they are before any training

Everything that is shown of one pass (`grads`, `explain`) reads this; `check` measures beside it, on a copy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.autodiff.graph import Graph
from engine.derivation.chain_rule import find_target
from engine.derivation.gradcheck import EntryCheck, check_entry
from engine.experiment.datasets import DataSet, load_data
from engine.experiment.errors import UNNAMED
from engine.experiment.spec import Experiment
from engine.formula.expression import Symbol
from engine.model.network import Network, X, Y


@dataclass(frozen=True, eq=False)
class EvaluatedExperiment:
    """One forward and one backward pass of an experiment on all of its samples."""

    experiment: Experiment
    data: DataSet
    network: Network
    graph: Graph

    @classmethod
    def of(cls, experiment: Experiment, source: str = UNNAMED) -> EvaluatedExperiment:
        """Evaluates an experiment. Raises ExperimentError, in the name of `source`, for data that cannot be used."""
        data = load_data(experiment, source=source)
        network = Network.initialised(experiment, data.X.shape[0])
        graph = network.graph(data.X, data.Y)
        graph.forward()
        graph.backward()
        return cls(experiment, data, network, graph)

    def check(self, target: Symbol) -> EntryCheck:
        """The central difference at one entry of any node, always in float64. Raises TargetError."""
        return check_target(self.network, self.graph, target)


def check_target(network: Network, graph: Graph, target: Symbol) -> EntryCheck:
    """Checks one entry on a float64 twin of `graph`, which is itself left alone. Raises TargetError.

    The twin has its own copy of the samples as well, so that the inputs can be moved too.
    """
    samples = [np.array(graph.nodes[name].value, np.float64) for name in (X, Y)]
    twin = network.astype("float64").graph(*samples)
    twin.forward()
    twin.backward()
    return check_entry(twin, find_target(twin, target))
