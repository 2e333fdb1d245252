"""An experiment evaluated: its data, its network, and a graph that has gone forward and backward once.

    experiment ──> data + network ──> graph ──> values and gradients, as they are before any training

Everything that is shown of one pass (`grads`, `explain`) reads this; `check` measures beside it, on a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from engine.autodiff.graph import Graph
from engine.derivation.gradcheck import (
    EntryCheck,
    ParameterCheck,
    Told,
    check_graph,
)
from engine.derivation.gradcheck_in_float64 import check_matrix, check_target, graph_like
from engine.derivation.targets import find_output, resolve_target
from engine.experiment.datasets import DataSet, load_data
from engine.experiment.errors import UNNAMED
from engine.experiment.spec import Experiment
from engine.formula.course_notation import CourseNames
from engine.formula.expression import Symbol
from engine.model.network import Network


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

    def differentiating(self, output: Symbol) -> EvaluatedExperiment:
        """The experiment with one entry of a computed matrix differentiated in place of the loss.

        Raises TargetError.
        """
        symbol = find_output(self.graph, output)
        if symbol == self.graph.differentiated:
            return self
        graph = self.network.graph(self.data.X, self.data.Y, of=symbol)
        graph.forward()
        graph.backward()
        return replace(self, graph=graph)

    @property
    def names(self) -> CourseNames:
        """The letters that the experiment calls the quantities by."""
        return self.experiment.names

    @property
    def parameters(self) -> list[Symbol]:
        """The parameters that the differentiated number depends on."""
        return [name for name in self.network.parameters if name in self.graph.nodes]

    def check_parameters(
        self, seed: int = 0, *, every: bool = False, told: Told | None = None
    ) -> Iterator[ParameterCheck]:
        """The gradient check: backward against central differences in float64, one parameter at a time."""
        exact = self.network.astype("float64")
        twin = graph_like(exact, self.graph)
        return check_graph(exact, twin, self.parameters, seed, every=every, told=told)

    def check(self, target: Symbol) -> EntryCheck:
        """The central difference at one entry of any node, always in float64. Raises TargetError."""
        return check_target(self.network, self.graph, target)

    def check_matrix(self, target: Symbol) -> ParameterCheck:
        """The central differences of a whole matrix's entries. Raises TargetError."""
        return check_matrix(self.network, self.graph, resolve_target(self.graph, target))
