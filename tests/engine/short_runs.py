"""Small experiments to train in the tests, written as the user would write them."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.autodiff.graph import Array
from engine.experiment.datasets import DataSet
from engine.experiment.loading import parse_experiment
from engine.experiment.optimizer_specs import OPTIMIZER_SPECS
from engine.experiment.spec import Experiment, LayerSpec
from engine.formula.expression import Symbol
from engine.model.network import Network
from engine.training.trainer import Trainer


def experiment(
    layers: list[str],
    *,
    data: str = 'kind = "random"\nn = 12\nfeatures = 3',
    loss: str = 'kind = "bce"',
    network: str = "",
    train: str = "",
    seed: int = 0,
    dtype: str = "float64",
) -> Experiment:
    """An experiment whose layers are the bodies of their tables."""
    tables = "\n".join(f"[[network.layers]]\n{layer}" for layer in layers)
    return parse_experiment(
        f'seed = {seed}\ndtype = "{dtype}"\n[data]\n{data}\n[network]\n{network}\n{tables}\n'
        f"[loss]\n{loss}\n[train]\n{train}\n",
        "test",
    )


def layer(units: int, activation: str, more: str = "") -> str:
    return f'units = {units}\nactivation = "{activation}"\n{more}'


def given_network(
    weights: list[list[list[float]]], activations: list[str], X: Any, Y: Any, loss: Any, **train: Any
) -> Trainer:
    """A trainer for a network and samples written out in numbers."""
    from engine.experiment.spec import InlineData, NetworkSpec

    X, Y = np.array(X, dtype=float), np.array(Y, dtype=float)
    specs = [
        LayerSpec(units=len(W[0]), activation=activation, W=W)  # type: ignore[arg-type]
        for W, activation in zip(weights, activations, strict=True)
    ]
    made = Experiment(
        data=InlineData(X=X.tolist(), Y=Y.tolist()),
        network=NetworkSpec(layers=specs),
        loss=loss,
        train=OPTIMIZER_SPECS[train.pop("optimizer", "sgd")](**train),
    )
    return Trainer(made, DataSet(X, Y, (), ()))


def parameters(network: Network) -> dict[str, Array]:
    """A copy of every parameter by its plain name."""
    return {name.plain(): value.copy() for name, value in network.parameters.items()}


def copy_of(network: Network) -> Network:
    """The network as it is now, with parameters of its own."""
    return network.astype(network.dtype.name)


def weight(number: int) -> Symbol:
    return Symbol("W", number)
