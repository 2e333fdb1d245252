"""Equal layers whose arrays lie side by side in memory, seen as one matrix: a row each.

    W[1] | W[2] | W[3] | W[4] | b[1] …          one array
    └── 32 × 32 each ──┘ └32×1┘                 two groups: a matrix (3, 1024) and a matrix (1, 32)

A small array is read faster than it is asked for, so that a few calls for many layers cost less than many for one.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from engine.autodiff.array_memory import BLOCK

TOGETHER = BLOCK
"""At most so many entries are one group, so that they are still in the processor's cache; one layer may have more."""

Some = TypeVar("Some", bound=np.generic)


class LayerGroup(NamedTuple):
    """The layers `first` to `last`, counted from 0, that are measured together."""

    first: int
    last: int

    @property
    def here(self) -> slice:
        """The group's place in a list with an entry for every layer."""
        return slice(self.first, self.last + 1)


def groups_of(
    arrays: Sequence[npt.NDArray[Any]],
    kinds: Sequence[Hashable] | None = None,
    *,
    most: float = TOGETHER,
    each: float = math.inf,
) -> list[LayerGroup]:
    """Cuts the layers into groups that are measured together: of one shape, of one kind, side by side in memory.

    A group has at most `most` entries, and an array of more than `each` is a group by itself.
    """
    groups: list[LayerGroup] = []
    first = 0
    for last, array in enumerate(arrays):
        following = arrays[last + 1] if last + 1 < len(arrays) else None
        if (
            following is None
            or following.shape != array.shape
            or (kinds is not None and kinds[last + 1] != kinds[last])
            or not _follows(array, following)
            or (last + 2 - first) * array.size > most
            or array.size > each
        ):
            groups.append(LayerGroup(first, last))
            first = last + 1
    return groups


def rows_of(arrays: Sequence[npt.NDArray[Some]]) -> npt.NDArray[Some]:
    """The arrays of one group as the rows of a matrix, without copying."""
    first = arrays[0]
    if len(arrays) == 1:
        return first.reshape(1, -1)
    whole = _owner(first)
    start = (_address(first) - _address(whole)) // first.itemsize
    rows: npt.NDArray[Some] = whole.reshape(-1)[start : start + len(arrays) * first.size]
    return rows.reshape(len(arrays), first.size)


def _follows(array: npt.NDArray[Any], following: npt.NDArray[Any]) -> bool:
    return _owner(array) is _owner(following) and _address(following) == _address(array) + array.nbytes


def _owner(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return array if array.base is None else array.base


def _address(array: npt.NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])
