"""How much memory an experiment would take, in closed form: asked before anything is allocated.

    the program       imported, with nothing open
    the data          as drawn or read, as used, and the stepper's own copy
    the stepper       parameters, values, and a gradient for each; updates that can be undone
    the training      parameters, gradients, the optimiser's state; values of one batch; moments to go back to
    a check           the stepper once more in float64, where the experiment is float32
    a diagnosis       the initial and the present weights, and a pass of so many samples at once

Everything here is arithmetic on Python's unbounded integers, so a network of 10^18 units or a layer repeated
10^18 times is answered as fast as a small one. Measured beside it: `python -m benchmarks.scaling`.
"""

from __future__ import annotations

from pathlib import Path

from engine.experiment.data_shape import DataShape
from engine.experiment.spec import Experiment, LayerSpec

MOST_CHECKPOINTS, FEWEST_CHECKPOINTS = 64, 4
CHECKPOINT_BYTES = 256 * 2**20
"""Moments of a training kept for going back in time: fewer where many would not fit into so many bytes."""

UNDO_BYTES = 64 * 2**20
"""Updates that can be undone: as many as fit into so many bytes, but always one."""

DIAGNOSED_AT_ONCE = 4096
"""So many samples go together through the network that a diagnosis measures, unless they are coupled."""

PROGRAM_BYTES = 80_000_000
BYTES_PER_LAYER = 20_000  # the Python objects of a layer: its nodes, ops and views
BYTES_PER_NAME = 100  # the name of one feature or class
BYTES_PER_ITEM = {"float64": 8, "float32": 4}
DRAFT_BYTES = 8  # data are drawn in float64 before they take the experiment's dtype
CHECK_BYTES = 8  # gradients are checked in float64
COPIES_OF_DATA = 3  # the data set, the stepper's own copy, and the gradient of its inputs
STEPPER_COPIES = 2  # of a parameter and of a value: itself and its gradient
TRAINING_COPIES_OF_A_PARAMETER = 3  # value, gradient, and direction or the array that it was copied from
TRAINING_COPIES_OF_A_VALUE = 1  # f and a share memory and so do passing gradients; masks of what fires
DIAGNOSED_COPIES_OF_A_PARAMETER = 2  # the initial and the present ones
CURVATURE_COPIES_OF_A_PARAMETER = 8  # of one loss and then of another, gradients and directions; in float64
DIAGNOSED_COPIES_OF_AN_OUTPUT = 2  # with the initial and with the present weights
COPIES_OF_AN_OUTPUT = 4  # what the loss and the count of right classes work in
FALLBACK_LIMIT = 4 * 2**30  # where the system does not say how much memory it has


def memory_by_key(experiment: Experiment, shape: DataShape) -> dict[str, int]:
    """The bytes each part of the experiment would take at most, by the key that asks for them.

    What is not known yet (the samples of a CSV file) counts as one. The program itself comes on top, and the copies of
    all parameters that a diagnosis makes: nobody has asked for those.
    """
    item = BYTES_PER_ITEM[experiment.dtype]
    twin = 0 if item == CHECK_BYTES else STEPPER_COPIES * CHECK_BYTES
    n = shape.n or 1
    batch = experiment.train.batch
    in_a_step = n if batch == "full" else min(batch, n)
    layers = experiment.network.layers
    coupled = experiment.loss.samples == "sum" or any(layer.norm == "batch" for layer in layers)
    diagnosed = n if coupled else min(n, DIAGNOSED_AT_ONCE)
    features = shape.features or 1
    outputs = shape.outputs or 1
    rows = features + outputs
    samples = n + shape.held_out
    needed = {"data": rows * (samples * (COPIES_OF_DATA * item + DRAFT_BYTES + twin) + BYTES_PER_NAME)}
    needed["data"] += outputs * n * DIAGNOSED_COPIES_OF_AN_OUTPUT * item
    parameters = _parameters(experiment, features)
    last = len(layers) - 1
    for index, layer in enumerate(layers):
        entries = layer.repeat * layer.units * _values_named(layer)
        needed[f"network.layers[{index}]"] = (
            parameters[index] * ((STEPPER_COPIES + TRAINING_COPIES_OF_A_PARAMETER) * item + twin)
            + entries * (n + diagnosed) * STEPPER_COPIES * item
            + entries * n * twin
            + entries * in_a_step * TRAINING_COPIES_OF_A_VALUE * item
            + (outputs * (n + diagnosed) * COPIES_OF_AN_OUTPUT * item if index == last else 0)
            + layer.repeat * BYTES_PER_LAYER
        )
    # What is kept of all parameters together is said of the layer that is largest anyway.
    largest = max((key for key in needed if key != "data"), key=needed.__getitem__)
    needed[largest] += _kept(sum(parameters) * item, experiment.train.remembers)
    return needed


def _parameters(experiment: Experiment, features: int) -> list[int]:
    """How many parameters each entry of network.layers has, with all its repetitions."""
    counts, fan_in = [], features
    for layer in experiment.network.layers:
        # Only the first of the repeated layers sees another width below it.
        weights = (fan_in + (layer.repeat - 1) * layer.units) * layer.units
        vectors = experiment.network.has_bias(layer) + 2 * layer.affine
        counts.append(weights + layer.repeat * layer.units * vectors)
        fan_in = layer.units
    return counts


def _kept(parameters: int, state: int) -> int:
    """The optimiser's state in stepper and training, the moments of a training, and updates that can be undone."""
    moment = parameters * (1 + state)
    moments = max(min(MOST_CHECKPOINTS * moment, CHECKPOINT_BYTES), FEWEST_CHECKPOINTS * moment)
    undo = max(min(MOST_CHECKPOINTS * moment, UNDO_BYTES), moment)
    directed = (2 * state + 2) * parameters if state else 0
    return directed + moments + undo


def memory_needed(experiment: Experiment, shape: DataShape) -> int:
    """The memory that an experiment would take with the program, in bytes."""
    item = BYTES_PER_ITEM[experiment.dtype]
    copies = DIAGNOSED_COPIES_OF_A_PARAMETER * item + CURVATURE_COPIES_OF_A_PARAMETER * CHECK_BYTES
    diagnosis = sum(_parameters(experiment, shape.features or 1)) * copies
    return PROGRAM_BYTES + sum(memory_by_key(experiment, shape).values()) + diagnosis


def memory_limit() -> int:
    """The memory that an experiment may take: what the system has to give now, in bytes; less in a container."""
    import psutil  # asked only for experiments that are not small

    available = int(psutil.virtual_memory().available) or FALLBACK_LIMIT
    return min(available, _room_in_container() or available)


SMALL = 256 * 2**20
"""An experiment of no more than this is let in unasked: finding out takes longer than opening it."""


def _room_in_container(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """What a control group (version 2) leaves; None where there is no such limit."""
    try:
        most, used = (
            (folder / name).read_text(encoding="ascii") for name in ("memory.max", "memory.current")
        )
        return max(int(most) - int(used), 0)
    except (OSError, ValueError):  # ValueError: "max", which is no limit
        return None


def _values_named(layer: LayerSpec) -> int:
    """How many (units, n) arrays a layer has: f and its activation, h with a norm, u if affine, g with a residual."""
    return 2 + (layer.norm is not None) + layer.affine + layer.residual
