"""Layers as rows: one each, or one for a folded block of neighbours, such as all parameters of ``layers.0``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One row of the list of layers: a layer, or a block of them. `folded` is None for a layer."""

    label: str
    members: tuple[int, ...]
    folded: bool | None = None
    inside: bool = False


def block_of(name: str) -> str:
    """The block that a layer belongs to: ``layers.0`` of ``layers.0.attn.q.weight``, ``embed`` of ``embed.weight``."""
    parts = name.split(".")
    for place, part in enumerate(parts[:-1]):
        if part.isdecimal():
            return ".".join(parts[: place + 1])
    return ".".join(parts[:-1]) or name


def layer_rows(names: Sequence[str], shown: Sequence[int], unfolded: Collection[str]) -> list[LayerRow]:
    """The rows for the layers `shown`, in their order; neighbours of one block together."""
    rows: list[LayerRow] = []
    place = 0
    while place < len(shown):
        block = block_of(names[shown[place]])
        end = place
        while end < len(shown) and block_of(names[shown[end]]) == block:
            end += 1
        members = tuple(shown[place:end])
        if len(members) == 1:
            rows.append(LayerRow(names[members[0]], members))
        else:
            folded = block not in unfolded
            rows.append(LayerRow(block, members, folded))
            if not folded:
                rows += [
                    LayerRow(names[one].removeprefix(f"{block}."), (one,), inside=True) for one in members
                ]
        place = end
    return rows


def row_of(rows: Sequence[LayerRow], layer: int) -> int:
    """The row of the list that shows a layer: its own, or that of its block; the first where none does."""
    own = [place for place, row in enumerate(rows) if layer in row.members]
    return own[-1] if own else 0


def row_value(row: LayerRow, values: Floats, column: str) -> float:
    """The number of a row: a layer's, or of a block the largest, the mean, or the norm of all of it."""
    numbers = values[list(row.members)]
    if len(numbers) == 1:
        return float(numbers[0])
    with np.errstate(all="ignore"):
        if column == "grad_max":
            return float(numbers.max())
        if column == "grad_mean":
            return float(numbers.mean())
        return float(np.linalg.norm(numbers))
