"""Graphs of scalars, written as Python arithmetic: ``circuit.output(x * y + x.exp())``."""

from __future__ import annotations

from itertools import count

import numpy as np

from engine.autodiff.graph import Graph, Node
from engine.autodiff.ops.arithmetic import FUNCTIONS, OPERATIONS, PairwiseArithmetic
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.residual import ResidualAdd
from engine.formula.expression import Symbol


class Circuit:
    """A graph of one sample whose nodes are scalars."""

    def __init__(self) -> None:
        self.graph = Graph(1, np.dtype("float64"))
        self._numbers = count(1)

    def input(self, name: str, value: float) -> Scalar:
        return Scalar(self, self.graph.leaf(Symbol(name), np.array([[float(value)]]), scalar=True))

    def constant(self, value: float) -> Scalar:
        name = Symbol(f"constant_{next(self._numbers)}")
        array = np.array([[float(value)]])
        return Scalar(self, self.graph.leaf(name, array, needs_gradient=False, scalar=True))

    def result(self, *inputs: Node) -> Node:
        name = Symbol(f"step_{next(self._numbers)}")
        return self.graph.result(name, (1, 1), inputs, per_sample=False, scalar=True)

    def output(self, scalar: Scalar) -> float:
        """Finishes the graph with `scalar`, the last that was made, as its loss; runs it both ways."""
        assert self.graph.loss is scalar.node
        self.graph.finish()
        self.graph.forward()
        self.graph.backward()
        return scalar.value

    def gradient(self, name: str) -> float:
        return float(self.graph.nodes[Symbol(name)].grad[0, 0])


class Scalar:
    """One node of a circuit."""

    def __init__(self, circuit: Circuit, node: Node) -> None:
        self.circuit, self.node = circuit, node

    @property
    def value(self) -> float:
        return float(self.node.value[0, 0])

    def _pair(self, operation: str, other: Scalar | float) -> Scalar:
        other = other if isinstance(other, Scalar) else self.circuit.constant(other)
        output = self.circuit.result(self.node, other.node)
        inputs = (self.node, other.node)
        op = (
            ResidualAdd(inputs, output)
            if operation == "add"
            else PairwiseArithmetic(OPERATIONS[operation], inputs, output)
        )
        return Scalar(self.circuit, self.circuit.graph.add(op))

    def apply(self, function: str) -> Scalar:
        output = self.circuit.result(self.node)
        return Scalar(
            self.circuit, self.circuit.graph.add(Elementwise(FUNCTIONS[function], self.node, output))
        )

    def relu(self) -> Scalar:
        return self.apply("relu")

    def maximum(self, other: Scalar | float) -> Scalar:
        return self._pair("maximum", other)

    def __add__(self, other: Scalar | float) -> Scalar:
        return self._pair("add", other)

    def __radd__(self, other: float) -> Scalar:
        return self.circuit.constant(other) + self

    def __sub__(self, other: Scalar | float) -> Scalar:
        return self._pair("subtract", other)

    def __mul__(self, other: Scalar | float) -> Scalar:
        return self._pair("multiply", other)

    def __rmul__(self, other: float) -> Scalar:
        return self.circuit.constant(other) * self

    def __truediv__(self, other: Scalar | float) -> Scalar:
        return self._pair("divide", other)

    def __rtruediv__(self, other: float) -> Scalar:
        return self.circuit.constant(other) / self

    def __pow__(self, other: float) -> Scalar:
        return self._pair("power", other)

    def __neg__(self) -> Scalar:
        return self.apply("negative")
