"""Why a plateau holds two samples at the wrong answer: the hidden layers say the same of both, and both pull alike.

sample 2, label 1 ──> a[1] = (0.0004, 0.0000) ──┐        ∂ℰ/∂f[2] of the one    −0.031
                                                ├─> ½    of the other           +0.031
sample 3, label 0 ──> a[1] = (0.0000, 0.0003) ──┘        below, σ′ is 0.0004: nearly nothing arrives

What the two ask of the output's parameters cancels out. What is left could still move the layers below, so that it is
said as well why it does not: their pulls cancel out there too, or the last hidden layer is saturated for both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.autodiff.graph import Array
from engine.autodiff.ops.elementwise import Elementwise
from engine.diagnosis.diagnosed_run import OwnRun
from engine.diagnosis.sentence_parts import short
from engine.diagnosis.whole_data import FLAT
from engine.experiment.activation_traits import ACTIVATION_TRAITS
from engine.formula.expression import Symbol
from engine.metrics.l2_norms import careful_norm
from engine.model.network import activation_output, trainable

MOST_COMPARED = 200
"""So many of the samples that are furthest off are compared with each other."""

ALIKE = 0.02
"""Of the largest difference that any two of all samples have in that layer: closer ones are as good as one."""

CANCELS = 0.1
"""Of the smaller of two gradients: if their sum is smaller, each takes back what the other one does."""


def told_apart_by_nothing(own: OwnRun, evidence: dict[str, float]) -> str:
    """Two samples that the last hidden layer does not tell apart, though their labels differ; or none."""
    depth = len(own.layers.layers)
    if depth < 2 or any(layer.norm == "batch" for layer in own.layers.layers):
        return ""
    said, labels = np.asarray(own.whole.prediction, np.float64), np.asarray(own.data.Y, np.float64)
    error = np.abs(said - labels).max(axis=0)
    far = np.flatnonzero(error > error.max() / 2)
    far = far[np.argsort(-error[far], kind="stable")][:MOST_COMPARED]
    pair = _closest(own, far, labels)
    if pair is None:
        return ""
    one, other, apart = pair
    row = int(np.abs(labels[:, one] - labels[:, other]).argmax())
    pulls = [_pull(own, sample, row) for sample in (one, other)]
    if not abs(pulls[0].output + pulls[1].output) < CANCELS * min(abs(pull.output) for pull in pulls):
        return ""
    held = _what_holds_the_layers_below(depth - 1, pulls, evidence)
    if not held:
        return ""
    size = min(abs(pull.output) for pull in pulls)
    evidence.update(alike=one, alike_too=other, alike_apart=apart, pull=size)
    wanted = f"{short(float(labels[row, one]))} and {short(float(labels[row, other]))}"
    return (
        f"Layer {depth - 1} says nearly the same of samples {one} and {other} (labels {wanted}; no activation differs "
        f"by more than {short(apart)}): what one asks of the output the other takes back (its weighted sum is pulled "
        f"up and down by about {short(size)}), and {held}."
    )


@dataclass(frozen=True, slots=True)
class _Pull:
    """What one sample asks for.

    `output` is ∂ℰ/∂f[L] of the output that is looked at, `below` the gradient of every parameter of the layers under
    the last one, and `slope` the largest |g′| of the last hidden layer (NaN where it cannot be saturated), beside
    `largest` of the activation.
    """

    output: float
    below: npt.NDArray[np.float64]
    slope: float
    largest: float


def _pull(own: OwnRun, sample: int, row: int) -> _Pull:
    """One sample alone, its share of the loss over all data."""
    n = own.data.X.shape[1] if own.layers.loss.samples == "mean" else 1
    columns, depth = slice(sample, sample + 1), len(own.layers.layers)
    graph = own.network.graph(
        np.ascontiguousarray(own.data.X[:, columns]), np.ascontiguousarray(own.data.Y[:, columns])
    )
    graph.forward()
    graph.backward()
    below = [name for name in trainable(own.layers) if name.layer is not None and name.layer < depth]
    grads = [np.asarray(graph.nodes[name].grad, np.float64).ravel() for name in below]
    hidden = activation_output(graph, own.network, depth - 1)
    slope, largest = math.nan, ACTIVATION_TRAITS[own.layers.layers[depth - 2].activation].largest_slope
    if isinstance(hidden.op, Elementwise) and largest is not None:
        slope = float(np.abs(hidden.op.slopes()).max())
    output = float(graph.nodes[Symbol("f", depth)].grad[row, 0]) / n
    return _Pull(
        output, np.concatenate([np.zeros(0), *grads]) / n, slope, math.nan if largest is None else largest
    )


def _what_holds_the_layers_below(hidden: int, pulls: Sequence[_Pull], evidence: dict[str, float]) -> str:
    """Why the layers under the last one do not move the two apart; nothing where that is not known."""
    slope = max(pull.slope for pull in pulls)
    if slope < FLAT * pulls[0].largest:
        evidence.update(slope=slope, largest_slope=pulls[0].largest)
        return (
            f"the layers below hardly feel it, because layer {hidden} is saturated for both (slopes of at most "
            f"{short(slope)}, where {short(pulls[0].largest)} is possible)"
        )
    alone, together = (
        min(careful_norm(pull.below) for pull in pulls),
        careful_norm(pulls[0].below + pulls[1].below),
    )
    if not together < CANCELS * alone:
        return ""
    evidence.update(alone=alone, together=together)
    return (
        f"in the layers below it cancels out as well (a gradient {short(alone)} long for one of them, "
        f"{short(together)} for both)"
    )


def _closest(own: OwnRun, far: npt.NDArray[np.intp], labels: Array) -> tuple[int, int, float] | None:
    """The two of those samples with different labels whose activations are closest, and by how much they differ."""
    depth = len(own.layers.layers)
    graph = own.network.graph(np.asarray(own.data.X), np.asarray(own.data.Y), gradients=False)
    graph.forward()
    hidden = np.asarray(graph.nodes[Symbol("a", depth - 1)].value, np.float64)
    widest = float((hidden.max(axis=1) - hidden.min(axis=1)).max())
    best: tuple[int, int, float] | None = None
    for place, one in enumerate(far[:-1].tolist()):
        others = far[place + 1 :]
        others = others[(np.abs(labels[:, others] - labels[:, [one]]) > 0.5 * np.ptp(labels)).any(axis=0)]
        if not len(others):
            continue
        apart = np.abs(hidden[:, others] - hidden[:, [one]]).max(axis=0)
        nearest = int(apart.argmin())
        if apart[nearest] <= ALIKE * widest and (best is None or apart[nearest] < best[2]):
            best = *sorted((one, int(others[nearest]))), float(apart[nearest])
    return best
