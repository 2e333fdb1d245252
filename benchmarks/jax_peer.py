"""JAX, the whole step compiled into one program by jit: the same network, bare."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from benchmarks.cases import LEARNING_RATE, Case
from engine.experiment.datasets import load_data
from engine.formula.expression import Symbol
from engine.model.network import Network

jax.config.update("jax_enable_x64", True)


def bare(case: Case) -> Callable[[], float]:
    experiment = case.experiment()
    data = load_data(experiment)
    network = Network.initialised(experiment, case.features)
    inputs, labels = jnp.asarray(data.X.T), jnp.asarray(data.Y.T)
    depth = len(network.layers)
    weights = [jnp.array(network.parameters[Symbol("W", number)]) for number in range(1, depth + 1)]
    activation = jax.nn.sigmoid if case.activation == "sigmoid" else jax.nn.relu

    def loss_of(weights: list[jax.Array]) -> jax.Array:
        a = inputs
        for matrix in weights[:-1]:
            a = activation(a @ matrix)
        logits = a @ weights[-1]
        if case.outputs == 1:
            return jnp.mean(labels * jax.nn.softplus(-logits) + (1 - labels) * jax.nn.softplus(logits))
        return -jnp.mean(jnp.sum(labels * jax.nn.log_softmax(logits), axis=1))

    @jax.jit
    def update(weights: list[jax.Array]) -> tuple[list[jax.Array], jax.Array]:
        loss, gradients = jax.value_and_grad(loss_of)(weights)
        return [w - LEARNING_RATE * g for w, g in zip(weights, gradients, strict=True)], loss

    def step() -> float:
        nonlocal weights
        weights, loss = update(weights)
        return float(loss)

    return step
