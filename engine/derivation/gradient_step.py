"""One step of gradient descent, followed through the network (tutorial A2).

    W ← W - η ∂ℰ/∂W          and then f, Ŷ and ℰ change with it

To first order the loss changes by -η times the squared length of the gradient; how far the real change is from
that says how curved the loss is there, or that η is too large.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from engine.autodiff.graph import Array, Graph
from engine.formula.expression import Expr, Partial, Symbol
from engine.model.network import Network, trainable


@dataclass(frozen=True, slots=True)
class Change:
    """One scalar before and after an update."""

    symbol: Symbol
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Update:
    """What one step did: to the loss, and to the scalars that were watched. `predicted` is -η Σ (∂ℰ/∂W)²."""

    learning_rate: float
    loss: Change
    predicted: float
    watched: tuple[Change, ...]


def update_formula(parameter: Symbol) -> Expr:
    """W - η ∂ℰ/∂W for one entry of a parameter."""
    return parameter - Symbol("eta") * Partial(Symbol("E"), parameter)


def gradient_step(
    network: Network, graph: Graph, learning_rate: float, watch: Collection[Symbol] = ()
) -> Update:
    """Moves every trainable parameter against its gradient, in place, and runs the graph forward and backward again.

    `graph` must have gone forward and backward with the network's present parameters.
    """
    loss_before = graph.value_of(graph.loss.symbol)
    before = {symbol: graph.value_of(symbol) for symbol in watch}
    predicted = 0.0
    with np.errstate(all="ignore"):  # what overflows is shown, not warned of
        for name in trainable(network):
            gradient: Array = graph.nodes[name].grad
            predicted -= learning_rate * float((gradient * gradient).sum())
            network.parameters[name] -= learning_rate * gradient
    graph.forward()
    graph.backward()
    watched = tuple(Change(symbol, value, graph.value_of(symbol)) for symbol, value in before.items())
    loss = Change(graph.loss.symbol, loss_before, graph.value_of(graph.loss.symbol))
    return Update(learning_rate, loss, predicted, watched)
