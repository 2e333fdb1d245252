"""An experiment with one thing changed, for the keys that begin a training anew."""

from __future__ import annotations

import msgspec

from engine.experiment.spec import Experiment, Scheme

SATURATING = ("sigmoid", "tanh")

SCHEMES: tuple[Scheme, ...] = ("he", "xavier", "lecun", "orthogonal")
"""The ways to initialise that one key goes through."""


def differences(opened: Experiment, now: Experiment) -> str:
    """The differences of two experiments in few words: ``leaky_relu, he weights, seed 1``."""
    told: list[str] = []
    before, after = opened.network, now.network
    activations = [
        layer.activation
        for old, layer in zip(before.layers, after.layers, strict=False)
        if (old.activation, old.slope) != (layer.activation, layer.slope)
    ]
    told += dict.fromkeys(activations)
    if (before.init, [one.W for one in before.layers]) != (after.init, [one.W for one in after.layers]):
        told.append(f"{after.init.scheme} weights")
    if opened.seed != now.seed:
        told.append(f"seed {now.seed}")
    return ", ".join(told)


COUNTERPART = "counterpart"
"""How a command says that an experiment is compared with its counterpart."""


def counterpart(name: str, experiment: Experiment) -> tuple[str, Experiment]:
    """The counterpart that one key compares with: the same network with one word changed, and what to call it.

    sigmoid or tanh in the hidden layers become relu (tutorial C1 and C2), anything else becomes sigmoid; a network
    without hidden layers is compared with other random weights.
    """
    *hidden, output = experiment.network.layers
    if not hidden:
        return f"{name}, seed + 1", msgspec.structs.replace(experiment, seed=experiment.seed + 1)
    activation = "relu" if any(layer.activation in SATURATING for layer in hidden) else "sigmoid"
    changed = [msgspec.structs.replace(layer, activation=activation, slope=None) for layer in hidden]
    network = msgspec.structs.replace(experiment.network, layers=[*changed, output])
    return f"with {activation}", msgspec.structs.replace(experiment, network=network)


def with_relu_swapped(experiment: Experiment) -> Experiment | None:
    """The experiment with leaky ReLUs for ReLUs (tutorial D2), or the other way round."""
    layers = experiment.network.layers
    if not any(one.activation in ("relu", "leaky_relu") for one in layers):
        return None
    old, new = (
        ("relu", "leaky_relu") if any(one.activation == "relu" for one in layers) else ("leaky_relu", "relu")
    )
    changed = [
        msgspec.structs.replace(one, activation=new, slope=None) if one.activation == old else one
        for one in layers
    ]
    network = msgspec.structs.replace(experiment.network, layers=changed)
    return msgspec.structs.replace(experiment, network=network)


def with_next_init(experiment: Experiment) -> Experiment:
    """The experiment with weights drawn by the next of SCHEMES; given weights are drawn as well."""
    network = experiment.network
    place = SCHEMES.index(network.init.scheme) if network.init.scheme in SCHEMES else -1
    init = msgspec.structs.replace(
        network.init, scheme=SCHEMES[(place + 1) % len(SCHEMES)], gain=1.0, std=None
    )
    drawn = [msgspec.structs.replace(one, W=None) for one in network.layers]
    return msgspec.structs.replace(
        experiment, network=msgspec.structs.replace(network, layers=drawn, init=init)
    )
