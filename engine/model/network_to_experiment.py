"""A network and its data as they are now, written back into the experiment: every weight given, none drawn."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.experiment.datasets import DataSet, divided
from engine.experiment.spec import Experiment, InlineData, LayerSpec
from engine.model.network import Network


def as_given(experiment: Experiment, network: Network, data: DataSet | None = None) -> Experiment:
    """The experiment with the network's present layers and parameters in place of drawn ones.

    With `data` its samples are written out as well; without, the experiment's own data stay. The result builds the same
    network, to the last bit.
    """
    layers = [
        msgspec.structs.replace(layer, repeat=1, **_parameters(network, number))
        for number, layer in enumerate(network.layers, start=1)
    ]
    given = msgspec.structs.replace(
        experiment, network=msgspec.structs.replace(experiment.network, layers=layers)
    )
    return given if data is None else msgspec.structs.replace(given, data=inline(experiment, data))


def _parameters(network: Network, number: int) -> dict[str, list[float] | list[list[float]]]:
    """The keys of a layer that give its parameters: matrices as rows, vectors as lists."""
    given: dict[str, list[float] | list[list[float]]] = {}
    for symbol, value in network.parameters.items():
        if symbol.layer == number and symbol.name in LayerSpec.__struct_fields__:
            numbers = value.astype(np.float64)
            given[symbol.name] = numbers.tolist() if symbol.name == "W" else numbers[:, 0].tolist()
    return given


def inline(experiment: Experiment, data: DataSet) -> InlineData:
    """The data as an inline table: all samples, those that are held out in their places between the others.

    A row of ones that is still one is asked for, not written.
    """
    X, Y = _undivided(experiment, data)
    ones_row = experiment.data.ones_row and bool((X[0] == 1.0).all())
    if ones_row:
        X = X[1:]
    layout = experiment.data.layout if isinstance(experiment.data, InlineData) else "columns"
    if layout == "rows":
        X, Y = X.T, Y.T
    share = 0.0 if data.held_out is None else experiment.data.test_share
    return InlineData(X=X.tolist(), Y=Y.tolist(), layout=layout, ones_row=ones_row, test_share=share)


def _undivided(experiment: Experiment, data: DataSet) -> list[NDArray[np.float64]]:
    """X and Y of every sample, in such an order that the same are held out when they are read."""
    if data.held_out is None:
        return [data.X.astype(np.float64), data.Y.astype(np.float64)]
    n = data.X.shape[1] + data.held_out.X.shape[1]
    learned, held_out = divided(n, experiment)
    whole = []
    for mine, others in ((data.X, data.held_out.X), (data.Y, data.held_out.Y)):
        rows = np.empty((len(mine), n))
        rows[:, learned], rows[:, held_out] = mine, others
        whole.append(rows)
    return whole
