"""Why a plateau holds two samples at the wrong answer: the hidden layers say the same of both, and both pull alike.

sample 2, label 1 ──> a[1] = (0.0004, 0.0000) ──┐        ∂ℰ/∂W of the one      −0.031
                                                ├─> ½    ∂ℰ/∂W of the other    +0.031
sample 3, label 0 ──> a[1] = (0.0000, 0.0003) ──┘        together               0.00007
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.autodiff.graph import Array
from engine.diagnosis.case import Own
from engine.diagnosis.whole_data import norm
from engine.diagnosis.wording import short
from engine.formula.expression import Symbol
from engine.model.network import trainable

MOST_COMPARED = 200
"""So many of the samples that are furthest off are compared with each other."""

ALIKE = 0.02
"""Of the largest difference that any two of all samples have in that layer: closer ones are as good as one."""

CANCELS = 0.1
"""Of the longer of two gradients: if their sum is shorter, each takes back what the other one does."""


def told_apart_by_nothing(own: Own, evidence: dict[str, float]) -> str:
    """Two samples far off that the last hidden layer does not tell apart, though their labels differ; or nothing."""
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
    alone, together = _gradients(own, one, other)
    if not together < CANCELS * alone:
        return ""
    evidence.update(alike=one, alike_too=other, alike_apart=apart, alone=alone, together=together)
    row = int(np.abs(labels[:, one] - labels[:, other]).argmax())
    wanted = f"{short(float(labels[row, one]))} and {short(float(labels[row, other]))}"
    return (
        f"Layer {depth - 1} says nearly the same of samples {one} and {other}, whose labels are {wanted} (no "
        f"activation differs by more than {short(apart)}): the output can hardly tell them apart, and what one asks of "
        f"the weights the other takes back (gradients {short(alone)} long alone, {short(together)} together)."
    )


def _closest(own: Own, far: npt.NDArray[np.intp], labels: Array) -> tuple[int, int, float] | None:
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


def _gradients(own: Own, one: int, other: int) -> tuple[float, float]:
    """The length of ∂ℰ/∂θ that comes of each of two samples alone (the shorter one), and that of both together."""
    n = own.data.X.shape[1] if own.layers.loss.samples == "mean" else 1
    parts = []
    for sample in (one, other):
        columns = slice(sample, sample + 1)
        graph = own.network.graph(
            np.ascontiguousarray(own.data.X[:, columns]), np.ascontiguousarray(own.data.Y[:, columns])
        )
        graph.forward()
        graph.backward()
        grads = [np.asarray(graph.nodes[name].grad, np.float64).ravel() for name in trainable(own.layers)]
        parts.append(np.concatenate(grads) / n)
    first, second = parts
    return min(norm(first), norm(second)), norm(first + second)
