"""A network: parameters made from layer specifications, and the graphs that compute with them.

    X ─ f[1] ─ (mean[1], std[1], h[1], u[1]) ─ g[1] ─ (+ a[0]) ─ a[1] ─ … ─ f[L] ─ Y_hat ─ E
         │          with norm                 with residual
        W[1], b[1]

The parameters are allocated once and shared: a graph for a mini-batch and a graph for the whole data set see
the same weights. In parentheses are the nodes that a layer has only with norm or residual; without residual
the activation's output is a[l] itself, and the last layer's is Y_hat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.autodiff.graph import Array, Graph, Node
from engine.autodiff.ops.activation_functions import activation_op
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.l2_penalty import L2Penalty, Total
from engine.autodiff.ops.linear import Linear
from engine.autodiff.ops.loss_registry import make_loss
from engine.autodiff.ops.normalization import (
    SAMPLES,
    UNITS,
    NormalizationAffine,
    NormalizationMean,
    NormalizationStd,
    Standardize,
)
from engine.autodiff.ops.residual import ResidualAdd
from engine.experiment.expanded_layers import expanded_layers
from engine.experiment.loss_specs import LossSpec
from engine.experiment.spec import Experiment, LayerSpec, Orientation
from engine.formula.expression import Symbol
from engine.model.initializers import initial_bias, initial_weights

X, Y, PREDICTION, LOSS = Symbol("X"), Symbol("Y"), Symbol("Y_hat"), Symbol("E")
FIT, PENALTY = Symbol("fit"), Symbol("penalty")
"""The two parts of the loss, where there is a penalty on large weights."""

WEIGHTS_STREAM = 1
BIASES_STREAM = 2
"""Which of the seed's independent random streams the weights and the biases come from (the data use another)."""


@dataclass
class Network:
    """A network: its layers and their parameters, by name.

    `W[l]` is (fan_in, fan_out), or (fan_out, fan_in) where `weights` is "out_in"; `b[l]`, `scale[l]` and `shift[l]`,
    where a layer has them, are (fan_out, 1).
    """

    layers: Sequence[LayerSpec]
    parameters: dict[Symbol, Array]
    loss: LossSpec
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype("float64"))
    weights: Orientation = "in_out"

    @classmethod
    def initialised(cls, experiment: Experiment, features: int) -> Network:
        """The network as it is before training: given weights as they are given, the others drawn by the seed."""
        layers = expanded_layers(experiment)
        dtype = np.dtype(experiment.dtype)
        parameters: dict[Symbol, Array] = {}
        fan_in = features
        for number, layer in enumerate(layers, start=1):
            parameters[Symbol("W", number)] = np.ascontiguousarray(
                _weights(experiment, number, layer, fan_in), dtype
            )
            if experiment.network.has_bias(layer):
                bias = _bias(experiment, number, layer, fan_in)
                parameters[Symbol("b", number)] = np.ascontiguousarray(bias[:, None], dtype)
            if layer.affine:
                parameters[Symbol("scale", number)] = _column(layer.scale, 1.0, layer.units, dtype)
                parameters[Symbol("shift", number)] = _column(layer.shift, 0.0, layer.units, dtype)
            fan_in = layer.units
        return cls(layers, parameters, experiment.loss, dtype, experiment.network.weights)

    def in_out(self, number: int) -> Array:
        """A layer's weights as (fan_in, fan_out), whichever way they are written: a view."""
        weights = self.parameters[Symbol("W", number)]
        return weights.T if self.weights == "out_in" else weights

    def largest_product(self, n: int) -> int:
        """The floating-point operations of the largest matrix product of a pass with n samples."""
        return 2 * n * max(value.size for name, value in self.parameters.items() if name.name == "W")

    @property
    def features(self) -> int:
        """The number of features, which are the rows of X."""
        return len(self.in_out(1))

    def astype(self, dtype: str) -> Network:
        """A copy of the network with its own parameters in another precision."""
        copies = {name: value.astype(dtype) for name, value in self.parameters.items()}
        return Network(self.layers, copies, self.loss, np.dtype(dtype), self.weights)

    def predict(self, inputs: Array) -> Array:
        """The prediction Ŷ (outputs, n) for X (features, n), with the present parameters."""
        outputs = self.layers[-1].units
        graph = self.graph(inputs, np.zeros((outputs, inputs.shape[1]), self.dtype), gradients=False)
        graph.forward()
        return graph.nodes[PREDICTION].value.copy()

    def graph(
        self,
        inputs: Array,
        labels: Array,
        *,
        training: bool = False,
        gradients: bool = True,
        into: Mapping[Symbol, Array] | None = None,
        transient: bool = False,
        of: Symbol | None = None,
    ) -> Graph:
        """The computation graph of the network for the samples X (features, n) and Y (outputs, n).

        With `training` it uses them without copying and leaves out what only a reader wants: the gradients of X
        and of Y_hat where the loss does not need them. With `gradients=False` it can only go forward. `into` gives
        arrays for the gradients of the parameters. With `transient` f[l] and a[l] share memory where they can:
        after the forward pass the value of f[l] is a[l]'s, after the backward pass only the gradients of parameters
        are there, and what the activation functions return lies side by side. With `of`, one entry of a computed
        matrix, that entry is differentiated in place of the loss, and what it does not depend on is left out.
        """
        builder = _Builder(self, inputs, labels, training, into or {})
        return builder.build(gradients, transient, of)


class _Builder:
    """Builds one graph, layer by layer."""

    def __init__(
        self, network: Network, inputs: Array, labels: Array, training: bool, into: Mapping[Symbol, Array]
    ) -> None:
        self.network = network
        self.into = into
        self.n = inputs.shape[1]
        self.graph = Graph(self.n, network.dtype, constants={"n": float(self.n)})
        self.training = training
        self.activated: list[Node] = []
        if not training:  # central differences move single entries of X
            inputs, labels = inputs.copy(), labels.copy()
        self.label = self.graph.leaf(Y, labels, needs_gradient=False, per_sample=True)
        self.current = self.graph.leaf(X, inputs, needs_gradient=not training, per_sample=True)

    def build(self, gradients: bool, transient: bool, of: Symbol | None = None) -> Graph:
        for number, layer in enumerate(self.network.layers, start=1):
            self._layer(number, layer)
        self._loss()
        if of is not None:
            self.graph.cut(of)
        if not transient:
            return self.graph.finish(gradients=gradients)
        return self.graph.finish(gradients=gradients, passing=self._passing(), together=self.activated)

    def _passing(self) -> list[Node]:
        """The nodes between one op and one other, where no statistic and no shortcut looks again."""
        return [
            op.output
            for op in self.graph.ops
            if isinstance(op, Linear | Elementwise) and len(op.output.consumers) == 1
        ]

    def _layer(self, number: int, layer: LayerSpec) -> None:
        before = self.current
        self.pre_activation = self._linear(number, layer.units)
        if layer.norm is not None:
            self.pre_activation = self._normalised(number, layer)
        last = number == len(self.network.layers)
        output = PREDICTION if last else Symbol("a", number)
        activated = Symbol("g", number) if layer.residual else output
        self.current = self._activated(activated, layer)
        if layer.residual:
            result = self.graph.result(output, before.shape, (self.current, before))
            self.current = self.graph.add(ResidualAdd((self.current, before), result))

    def _linear(self, number: int, units: int) -> Node:
        inputs = [self._parameter(Symbol("W", number)), self.current]
        if Symbol("b", number) in self.network.parameters:
            inputs.append(self._parameter(Symbol("b", number)))
        result = self.graph.result(Symbol("f", number), (units, self.n), inputs)
        return self.graph.add(Linear(inputs, result, self.network.weights == "out_in"))

    def _parameter(self, name: Symbol) -> Node:
        return self.graph.leaf(name, self.network.parameters[name], grad=self.into.get(name))

    def _normalised(self, number: int, layer: LayerSpec) -> Node:
        graph, f = self.graph, self.pre_activation
        axis = SAMPLES if layer.norm == "batch" else UNITS
        units, n = f.shape
        shape = (units, 1) if axis == SAMPLES else (1, n)
        per_sample = axis == UNITS
        mean = graph.result(Symbol("mean", number), shape, (f,), per_sample=per_sample)
        graph.add(NormalizationMean(axis, (f,), mean))
        std = graph.result(Symbol("std", number), shape, (f,), per_sample=per_sample)
        unbiased = layer.norm_variance == "unbiased"
        graph.add(NormalizationStd(axis, f, mean, std, epsilon=layer.norm_eps, unbiased=unbiased))
        inputs = (f, mean, std)
        h = graph.result(Symbol("h", number), f.shape, inputs)
        graph.add(Standardize(axis, inputs, h, layer.norm_eps))
        if not layer.affine:
            return h
        scale, shift = (self._parameter(Symbol(name, number)) for name in ("scale", "shift"))
        return graph.add(
            NormalizationAffine(
                (h, scale, shift), graph.result(Symbol("u", number), h.shape, (h, scale, shift))
            )
        )

    def _activated(self, output: Symbol, layer: LayerSpec) -> Node:
        result = self.graph.result(output, self.pre_activation.shape, (self.pre_activation,))
        self.activated.append(result)
        return self.graph.add(activation_op(layer.activation, layer.slope, self.pre_activation, result))

    def _loss(self) -> None:
        graph, spec, output = self.graph, self.network.loss, self.network.layers[-1]
        name = FIT if spec.l2 else LOSS
        fit = graph.result(name, (1, 1), (self.current,), per_sample=False, scalar=True)
        # A shortcut comes between the activation and the prediction: then there is nothing to multiply out.
        activation = "" if output.residual else output.activation
        loss = make_loss(spec, self.current, self.label, fit, self.pre_activation, activation)
        graph.constants.update(loss.constants)
        graph.add(loss)
        if loss.fuses:  # it sends ∂ℰ/∂f itself, so training has no use for ∂ℰ/∂Ŷ
            self.current.needs_gradient = not self.training
        if spec.l2:
            self._penalty(spec.l2, fit)

    def _penalty(self, strength: float, fit: Node) -> None:
        graph = self.graph
        weights = [node for name, node in graph.nodes.items() if name.name == "W"]
        penalty = graph.result(PENALTY, (1, 1), weights, per_sample=False, scalar=True)
        graph.add(L2Penalty(strength, weights, penalty))
        total = graph.result(LOSS, (1, 1), (fit, penalty), per_sample=False, scalar=True)
        graph.add(Total((fit, penalty), total))


def _weights(experiment: Experiment, number: int, layer: LayerSpec, fan_in: int) -> Array:
    """W[l] as the file gives it, or drawn: the same numbers in either orientation."""
    if layer.W is not None:
        return np.array(layer.W)
    init = experiment.network.init
    stream = np.random.SeedSequence(experiment.seed, spawn_key=(WEIGHTS_STREAM, number))
    drawn = initial_weights(
        init.scheme, fan_in, layer.units, np.random.default_rng(stream), gain=init.gain, std=init.std
    )
    return drawn.T if experiment.network.weights == "out_in" else drawn


def _column(given: list[float] | None, otherwise: float, units: int, dtype: np.dtype[Any]) -> Array:
    """A parameter of each unit, (units, 1): as the file gives it, or all the same."""
    return np.full((units, 1), otherwise, dtype) if given is None else np.array(given, dtype)[:, None]


def _bias(experiment: Experiment, number: int, layer: LayerSpec, fan_in: int) -> Array:
    if layer.b is not None:
        return np.array(layer.b)
    if not experiment.network.init.draws_biases:
        return np.zeros(layer.units)
    stream = np.random.SeedSequence(experiment.seed, spawn_key=(BIASES_STREAM, number))
    return initial_bias(fan_in, layer.units, np.random.default_rng(stream))


def values_and_gradients(graph: Graph) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
    """Every named matrix of a graph but the labels and the loss, by its plain name: its value and its gradient."""
    nodes = [node for node in graph.nodes.values() if node.symbol not in (Y, LOSS)]
    return {node.symbol.plain(): node.value for node in nodes}, {
        node.symbol.plain(): node.grad for node in nodes
    }


def trainable(network: Network) -> list[Symbol]:
    """The parameters that an update changes: all but the frozen ones."""
    return [
        name
        for name in network.parameters
        if name.layer is None or name.name not in network.layers[name.layer - 1].frozen
    ]


def layer_names(network: Network) -> tuple[str, ...]:
    """A network's layers by the names of their weights: ("W[1]", "W[2]", …)."""
    return tuple(Symbol("W", number).plain() for number in range(1, len(network.layers) + 1))


def activation_output(graph: Graph, network: Network, number: int) -> Node:
    """The node that layer `number`'s activation function fills: before a shortcut is added to it."""
    if network.layers[number - 1].residual:
        return graph.nodes[Symbol("g", number)]
    return graph.nodes[PREDICTION if number == len(network.layers) else Symbol("a", number)]


def forward_nodes(graph: Graph) -> tuple[Symbol, ...]:
    """The nodes that the forward pass computes, one by one, before what is differentiated."""
    computed = [op.output.symbol for op in graph.ops[:-1]]
    return tuple(symbol for symbol in computed if symbol not in (FIT, PENALTY))


def is_plain(network: Network) -> bool:
    """Whether a network has nothing but weights and activations: neither norms nor shortcuts."""
    return not any(layer.norm or layer.residual for layer in network.layers)
