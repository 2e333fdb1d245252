"""A typed expression evaluated: its graph, gone forward and backward once, and checks beside it.

It answers what an evaluated experiment answers, with the names of the formula for parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from engine.autodiff.graph import Graph
from engine.derivation.gradcheck import EntryCheck, ParameterCheck, check_entry, check_parameter
from engine.derivation.targets import find_output, find_target
from engine.experiment.expression_spec import ExpressionExperiment
from engine.formula.expression import Symbol
from engine.model.expression_graph import TypedExpression, is_constant


@dataclass(frozen=True, eq=False)
class EvaluatedExpression:
    """One forward and one backward pass of an expression."""

    title: str
    expression: TypedExpression
    graph: Graph

    @classmethod
    def of(cls, experiment: ExpressionExperiment, source: str) -> EvaluatedExpression:
        """Evaluates an expression. Raises ExperimentError, in the name of `source`, for one that cannot be read."""
        table = experiment.expression
        expression = TypedExpression(table.formula, table.values, source)
        return cls(experiment.title, expression, _both_ways(expression.graph()))

    def differentiating(self, output: Symbol) -> EvaluatedExpression:
        """The expression with another of its results differentiated. Raises TargetError."""
        symbol = find_output(self.graph, output)
        return replace(self, graph=_both_ways(self.expression.graph(symbol)))

    @property
    def parameters(self) -> list[Symbol]:
        """The names that are given numbers and that the result depends on."""
        return [name for name in self.expression.variables if name in self.graph.nodes]

    @property
    def value(self) -> float:
        """The result of the expression."""
        return self.graph.value_of(self.graph.differentiated)

    def values(self) -> dict[str, float]:
        """The number of every name, given or computed."""
        nodes = [node for node in self.graph.nodes.values() if not is_constant(node)]
        return {node.symbol.plain(): float(node.value[0, 0]) for node in nodes}

    def gradients(self) -> dict[str, float]:
        """The gradient of every given name; 0 where the result does not depend on it."""
        nodes = self.graph.nodes
        return {
            name.plain(): float(nodes[name].grad[0, 0]) if name in nodes else 0.0
            for name in self.expression.variables
        }

    def check(self, target: Symbol) -> EntryCheck:
        """The central difference by one name or result of the expression. Raises TargetError."""
        return check_entry(self.graph, find_target(self.graph, target))

    def check_parameters(self) -> Iterator[ParameterCheck]:
        """The gradient check: backward against central differences, one name at a time."""
        generator = np.random.default_rng(0)
        for name in self.parameters:
            yield check_parameter(self.graph, self.graph.nodes[name], generator)


def _both_ways(graph: Graph) -> Graph:
    graph.forward()
    graph.backward()
    return graph
