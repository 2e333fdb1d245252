"""The loss and the accuracy on samples that were held out: what the network makes of what it has never seen.

    data ─┬─ most of it ──> learned from
          └─ test_share ──> one graph that only goes forward, with the network's own parameters ──> loss, accuracy

The loss is without a penalty on large weights, since that is of no sample. A batch norm takes these samples'
statistics.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.experiment.datasets import Samples
from engine.metrics.classification_score import scorer
from engine.model.network import FIT, LOSS, PREDICTION, Network


@dataclass(frozen=True, slots=True)
class HeldOutScore:
    """Loss and accuracy of all held-out samples."""

    loss: float
    accuracy: float | None


class HeldOut:
    """Runs a network forward over the held-out samples, to score it."""

    def __init__(self, network: Network, samples: Samples) -> None:
        self.n: int = samples.X.shape[1]
        self.graph = network.graph(samples.X, samples.Y, training=True, gradients=False)
        nodes = self.graph.nodes
        self._loss = nodes[FIT if FIT in nodes else LOSS].value
        self._prediction = nodes[PREDICTION].value
        self._scorer = scorer(network.loss, self._prediction, samples.Y)

    def measure(self) -> HeldOutScore:
        """The loss and accuracy of the held-out samples with the present parameters."""
        self.graph.forward()
        loss = self._loss.item(0)
        if not math.isfinite(loss) and not np.isfinite(self._prediction).all():
            return HeldOutScore(loss, None)
        return HeldOutScore(loss, self._scorer.accuracy_of(self._scorer.compare()))
