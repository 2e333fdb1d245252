"""Room for kernels that need more than their output to compute in: allocated at first use, then used again.

Each thread has its own, so that two networks may train side by side.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from engine.autodiff.graph import Array


class Workspace(threading.local):
    """One array for each dtype and slot, as large as was ever asked for."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[np.dtype[Any], int], Array] = {}

    def like(self, array: Array, slot: int = 0) -> Array:
        """An array of the same shape and dtype, whose contents last until the next call for this slot."""
        key = (array.dtype, slot)
        kept = self._arrays.get(key)
        if kept is None or kept.size < array.size:
            kept = self._arrays[key] = np.empty(array.size, array.dtype)
        return kept[: array.size].reshape(array.shape)


workspace = Workspace()
