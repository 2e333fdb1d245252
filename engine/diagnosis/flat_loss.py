"""The loss over all data as a function of one vector of parameters: what curvature is measured on."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from engine.autodiff.graph import Array
from engine.diagnosis.whole_data import Floats, samples_at_once
from engine.experiment.datasets import DataSet
from engine.formula.expression import Symbol
from engine.model.network import Network


class FlatLoss:
    """The loss over all data and its gradient as functions of one vector of all trainable parameters."""

    def __init__(self, network: Network, data: DataSet, parameters: Mapping[Symbol, Array]) -> None:
        """`parameters` are the trainable ones, at the point to begin with; always in float64."""
        self._network = network.astype("float64")
        self._names = list(parameters)
        for name, value in parameters.items():
            self._network.parameters[name][...] = value
        self.start: Floats = np.concatenate([np.asarray(v, np.float64).ravel() for v in parameters.values()])
        n = data.X.shape[1]
        size = samples_at_once(network, n)
        self._graphs = [
            self._network.graph(
                data.X[:, start : start + size].astype(np.float64),
                data.Y[:, start : start + size].astype(np.float64),
                training=True,
            )
            for start in range(0, n, size)
        ]
        self._n = n

    def release(self) -> None:
        """Ends the use of the loss, as `Graph.release` does."""
        for graph in self._graphs:
            graph.release()

    def _go_to(self, point: Floats) -> None:
        begin = 0
        for name in self._names:
            value = self._network.parameters[name]
            value[...] = point[begin : begin + value.size].reshape(value.shape)
            begin += value.size

    def value(self, point: Floats) -> float:
        """The loss ℰ at a vector of all parameters."""
        self._go_to(point)
        return math.fsum(float(graph.forward()) * graph.n / self._n for graph in self._graphs)

    def gradient(self, point: Floats) -> Floats:
        """The gradient ∂ℰ/∂θ at a vector of all parameters, (parameters,)."""
        self._go_to(point)
        total = np.zeros(point.size)
        for graph in self._graphs:
            graph.forward()
            graph.backward()
            begin = 0
            for name in self._names:  # one by one: together they take as much memory as the network
                part = graph.nodes[name].grad.ravel()
                with np.errstate(all="ignore"):
                    total[begin : begin + part.size] += part * (graph.n / self._n)
                begin += part.size
        return total
