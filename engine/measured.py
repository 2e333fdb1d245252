"""What one measured pass leaves behind: a small table of numbers, and the fields of a record that are made of it.

                     layer   1      2     …
    grad_l2               [ 0.3 ,  0.1 ,  … ]    written during the pass
    weight_l2             [ 1.7 ,  1.2 ,  … ]
       ⋮                     │ copied, once a step
       ▼                     ▼
    update_ratio = η · grad_l2 / weight_l2       made when somebody reads it

Most steps are never looked at: for those, copying a few bytes is all that a record costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.network import Network
from engine.scores import Found, Score
from engine.step_record import Counts, Floats, read_only_counts


class Rows(NamedTuple):
    """The rows of the table, an entry for each layer.

    In those of gaps, an entry stands where the lower of its two layers would, and the last one means nothing.
    Where `engine.squares` suffices, totals stand in place of means and squares in place of norms.
    """

    zero_fraction: Floats
    saturated: Floats
    grad_max: Floats
    grad_mean: Floats
    grad_l2: Floats
    """‖∂ℰ/∂W[l]‖"""
    delta_l2: Floats
    """‖δ[l]‖"""
    weight_l2: Floats
    """‖W[l]‖"""
    product_l2: Floats
    """Of a gap: ‖W[l+1] δ[l+1]‖"""
    move_l2: Floats
    """L2 of the direction that W[l] is moved along; not written where that is the gradient."""
    sent_l2: Floats
    """Of a gap: ‖v‖, which is W[l+1] δ[l+1] with what a shortcut adds to it; not written for plain networks."""
    passed_l2: Floats
    """Of a gap: ‖v ⊙ g'‖, what the activation makes of what arrives at it; not written for plain networks."""


def is_plain(network: Network) -> bool:
    """Whether nothing but weights and activations is between two layers: neither norms nor shortcuts."""
    return not any(layer.norm or layer.residual for layer in network.layers)


class Table:
    """The numbers of the pass under way."""

    def __init__(self, depth: int) -> None:
        numbers: Floats = np.ones((len(Rows._fields), depth))
        self.rows = Rows(*numbers)
        first, last = (Rows._fields.index(name) for name in ("grad_l2", "product_l2"))
        self.squares = numbers[first : last + 1]
        """Where `engine.squares` writes squares."""
        self.copied: Callable[[], bytes] = numbers.tobytes
        """All numbers as they are now."""


class Reader:
    """Makes fields of a StepRecord of what was copied in one step. It depends on nothing that training changes."""

    def __init__(
        self,
        sizes: Sequence[int],
        plain: bool,
        moves_along_gradient: bool,
        score_of: Callable[[Found], Score],
    ) -> None:
        """`sizes` says how many entries each W[l] has, `plain` whether `is_plain` holds."""
        self._plain = plain
        self._depth = len(sizes)
        self._sizes = np.array(sizes)
        self._moves_along_gradient = moves_along_gradient
        self._score_of = score_of

    def fields_of(
        self, copied: bytes, squared: bool, scale: float, quiet: Sequence[Sequence[int]], found: Found
    ) -> dict[str, Any]:
        """The fields that were measured; the step was `scale` times the direction.

        `squared` says that the table holds what `engine.squares` found; `quiet` are the quiet units of each layer,
        group by group, `found` is what the scorer found.
        """
        rows = Rows(*np.frombuffer(copied).reshape(-1, self._depth))
        if squared:
            rows = self._drawn(rows)
        if self._plain:
            rows = rows._replace(sent_l2=rows.product_l2, passed_l2=rows.delta_l2)
        gaps = slice(self._depth - 1)
        move_l2 = rows.grad_l2 if self._moves_along_gradient else rows.move_l2
        score = self._score_of(found)
        return {
            "accuracy": score.accuracy,
            "recall": score.recall,
            "grad_max": rows.grad_max,
            "grad_mean": rows.grad_mean,
            "grad_l2": rows.grad_l2,
            "update_ratio": _ratio(scale * move_l2, rows.weight_l2),
            "zero_fraction": rows.zero_fraction,
            "quiet": read_only_counts([count for counts in quiet for count in counts]),
            "saturated": rows.saturated,
            "delta_l2": rows.delta_l2,
            "weight_gain": _ratio(rows.product_l2[gaps], rows.delta_l2[1:]),
            "activation_gain": _ratio(rows.passed_l2[gaps], rows.sent_l2[gaps]),
        }

    def _drawn(self, rows: Rows) -> Rows:
        """Means of totals, norms of squares."""
        return rows._replace(
            grad_mean=_ratio(rows.grad_mean, self._sizes),
            grad_l2=_root(rows.grad_l2),
            weight_l2=_root(rows.weight_l2),
            delta_l2=_root(rows.delta_l2),
            product_l2=_root(rows.product_l2),
        )


def _root(squares: Floats) -> Floats:
    root: Floats = np.sqrt(squares)
    root.setflags(write=False)
    return root


def _ratio(parts: Floats, wholes: Floats | Counts) -> Floats:
    """Read-only, and NaN where both are 0."""
    with np.errstate(all="ignore"):  # it may be the thread that draws that reads
        ratio: Floats = np.divide(parts, wholes)
    ratio.setflags(write=False)
    return ratio
