"""How much memory an experiment would take, in closed form: asked before anything is allocated.

Everything here is arithmetic on Python's unbounded integers, so a network of 10^18 units or a layer repeated
10^18 times is answered as fast as a small one.
"""

from __future__ import annotations

import os

from engine.experiment.spec import DataShape, Experiment, LayerSpec

COPIES_OF_A_PARAMETER = 5  # value, gradient, and Adam's two moments and direction
COPIES_OF_A_VALUE = 2  # value and gradient
BYTES_PER_LAYER = 20_000  # the Python objects of a layer: its nodes, ops and views
BYTES_PER_NAME = 100  # the name of one feature or class
BYTES_PER_ITEM = {"float64": 8, "float32": 4}
DRAFT_BYTES = 8  # data are drawn in float64 before they take the experiment's dtype
FALLBACK_LIMIT = 8 * 2**30  # where the system does not say how much memory it has


def memory_by_key(experiment: Experiment, shape: DataShape) -> dict[str, int]:
    """The bytes each part of the experiment would take, by the key that asks for them.

    What is not known yet (the samples of a CSV file) counts as one.
    """
    item = BYTES_PER_ITEM[experiment.dtype]
    n = shape.n or 1
    features = shape.features or 1
    rows = features + (shape.outputs or 1)
    needed = {
        "data": rows * ((n + shape.held_out) * (COPIES_OF_A_VALUE * item + DRAFT_BYTES) + BYTES_PER_NAME)
    }
    fan_in = features
    for index, layer in enumerate(experiment.network.layers):
        # Only the first of the repeated layers sees another width below it.
        weights = (fan_in + (layer.repeat - 1) * layer.units) * layer.units
        biases = layer.repeat * layer.units if experiment.network.has_bias(layer) else 0
        values = layer.repeat * layer.units * n * _values_named(layer)
        needed[f"network.layers[{index}]"] = (
            (weights + biases) * COPIES_OF_A_PARAMETER * item
            + values * COPIES_OF_A_VALUE * item
            + layer.repeat * BYTES_PER_LAYER
        )
        fan_in = layer.units
    return needed


def memory_limit() -> int:
    """The most that an experiment may take: half of this machine's memory, in bytes."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return FALLBACK_LIMIT // 2


def bytes_in_words(size: int) -> str:
    """``12 bytes``, ``3.4 GB``: three digits and a unit, for any size however large."""
    if size < 1000:
        return f"{size} bytes"
    for unit in ("kB", "MB", "GB", "TB", "PB", "EB"):
        tenths = size * 10 // 1000  # integers all the way: a float would overflow
        size //= 1000
        if size < 1000:
            return f"{tenths // 10}.{tenths % 10} {unit}" if size < 100 else f"{size} {unit}"
    return "more than 1000 EB"


def _values_named(layer: LayerSpec) -> int:
    """How many (units, n) arrays a layer has: f and its activation, h with a norm, g with a residual."""
    return 2 + (layer.norm is not None) + layer.residual
