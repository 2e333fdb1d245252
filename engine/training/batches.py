"""Which samples each step sees: all of them, or a deck dealt out a batch at a time, shuffled or as it is.

    one pass over the data:   [ n samples ][ n samples ] … [ the remainder ]      then shuffled anew

The order comes from the experiment's seed, from a stream of its own: another optimiser or initialisation sees the
same batches. Arrays are made once; dealing copies samples into them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.autodiff.graph import Array
from engine.experiment.optimizer_specs import Order

BATCH_STREAM = 0xBA7C
"""Which of the seed's independent random streams the order comes from."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The input and label arrays that mini-batches of one size are copied into: (features, n) and (outputs, n)."""

    inputs: Array
    labels: Array


@dataclass(frozen=True, slots=True, eq=False)
class BatchPosition:
    """A place in the sequence of mini-batches: the shuffling generator and the next sample."""

    generator: Mapping[str, Any]
    start: int


class Batches:
    """Deals out the samples X (features, N) and Y (outputs, N) in mini-batches of `size`.

    `kinds` holds one Batch for each size that occurs: the asked one, and the remainder's where there is one.
    """

    def __init__(self, X: Array, Y: Array, size: int, seed: int, order: Order = "shuffled") -> None:
        self._shuffled = order == "shuffled"
        samples = X.shape[1]
        self.full = size >= samples
        self._size = min(size, samples)
        self._generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(BATCH_STREAM,)))
        if self.full:
            self.kinds = [Batch(X, Y)]
            return
        self._samples = np.ascontiguousarray(X.T)  # (N, features): a sample is copied in one piece
        self._labels = Y
        remainder = samples % self._size
        self.kinds = [_empty_batch(X, Y, n) for n in (self._size, remainder) if n]
        self._order = np.arange(samples)
        self._in_order = np.arange(samples)
        self._shuffle()

    def _shuffle(self) -> None:
        """Begins a new pass; its order depends on nothing but the generator's state."""
        self._before_shuffling = self._generator.bit_generator.state
        np.copyto(self._order, self._in_order)
        if self._shuffled:
            self._generator.shuffle(self._order)
        self._start = 0

    def deal(self) -> int:
        """Fills the arrays of a mini-batch with the next samples, and says which: its index in `kinds`."""
        if self.full:
            return 0
        if self._start == self._order.size:
            self._shuffle()
        chosen = self._order[self._start : self._start + self._size]
        self._start += chosen.size
        kind = int(chosen.size != self._size)
        batch = self.kinds[kind]
        # `clip` is never needed, but spares `take` a buffer.
        self._samples.take(chosen, axis=0, out=batch.inputs.T, mode="clip")
        self._labels.take(chosen, axis=1, out=batch.labels, mode="clip")
        return kind

    def position(self) -> BatchPosition:
        """The position of the next mini-batch, for a checkpoint."""
        if self.full:
            return BatchPosition({}, 0)
        return BatchPosition(self._before_shuffling, self._start)

    def go_to(self, position: BatchPosition) -> None:
        """Goes back to a position in the sequence of mini-batches: the same batches follow again."""
        if not self.full:
            self._generator.bit_generator.state = position.generator
            self._shuffle()
            self._start = position.start


def _empty_batch(X: Array, Y: Array, n: int) -> Batch:
    # Stored a sample after the other, like the samples it is filled with; BLAS reads either order.
    inputs = np.empty((n, len(X)), X.dtype).T
    return Batch(inputs, np.empty((len(Y), n), Y.dtype))
