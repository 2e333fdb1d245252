"""Compares an answer with the truth at many networks: at which of them it counts, and at which it is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.practice.reading.batched_evaluation import Stack

CLOSE = 1e-9
"""An answer is right where it differs from the truth by at most this share of it."""


@dataclass(frozen=True)
class Comparison:
    """The comparison of an answer with the truth: which networks count, and at which of them it is right."""

    counts: np.ndarray[tuple[int], np.dtype[np.bool_]]
    right: np.ndarray[tuple[int], np.dtype[np.bool_]]
    nonzero: np.ndarray[tuple[int], np.dtype[np.bool_]]

    @property
    def agrees(self) -> bool:
        """Whether the answer is right wherever it counts."""
        return bool(self.right[self.counts].all())


def compare(answer: Stack, truth: Stack) -> Comparison:
    """Compares an answer (networks or 1, rows, columns) with the truth (networks, rows, columns).

    Where both are undefined there is no evidence; an answer that is undefined where the truth is not is wrong.
    """
    answer = np.broadcast_to(answer, truth.shape)
    defined = np.isfinite(truth).all(axis=(1, 2))
    with np.errstate(all="ignore"):
        error = np.abs(answer - truth).max(axis=(1, 2))
        size = np.abs(truth).max(axis=(1, 2))
        right = error <= CLOSE * size
    both_undefined = ~defined & ~np.isfinite(answer).all(axis=(1, 2))
    return Comparison(
        np.asarray(~both_undefined), np.asarray(right & defined), np.asarray(defined & (size > 0))
    )
