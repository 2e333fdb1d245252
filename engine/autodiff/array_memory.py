"""Where arrays come from: aligned for the processor, in blocks that fit its cache, and scratch that kernels share."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]

LINE = 64
"""Bytes that the processor reads at once: vectors that begin at a multiple of it are read quickest."""


def aligned_zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An array of zeros that begins at a multiple of LINE, where np.zeros begins at any multiple of 16."""
    size = math.prod(shape)
    spare: Array = np.zeros(size + LINE // dtype.itemsize, dtype)
    start = -int(spare.__array_interface__["data"][0]) % LINE // dtype.itemsize
    return spare[start : start + size].reshape(shape)


BLOCK = 32_768
"""Entries that are taken through several array calls together, so that they stay in the processor's cache."""


def in_blocks(array: Array) -> list[Array]:
    """A flat array cut into views of at most BLOCK entries."""
    return [array[start : start + BLOCK] for start in range(0, array.size, BLOCK)]


class ScratchMemory:
    """Working arrays that kernels share: one for each shape and slot, however many ops there are."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._arrays: dict[tuple[tuple[int, ...], int], Array] = {}

    def like(self, array: Array, slot: int = 0) -> Array:
        """A working array of the same shape, whose contents last only until the kernel that uses it ends."""
        key = (array.shape, slot)
        if key not in self._arrays:
            self._arrays[key] = aligned_zeros(array.shape, self._dtype)
        return self._arrays[key]


class WorkingMemory(threading.local):
    """One array for each dtype and slot, as large as was ever asked for."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[np.dtype[Any], int], Array] = {}

    def like(self, array: Array, slot: int = 0) -> Array:
        """A working array of the same shape and dtype, whose contents last until the next call for this slot."""
        key = (array.dtype, slot)
        kept = self._arrays.get(key)
        if kept is None or kept.size < array.size:
            kept = self._arrays[key] = np.empty(array.size, array.dtype)
        return kept[: array.size].reshape(array.shape)


workspace = WorkingMemory()
