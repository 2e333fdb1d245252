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

from engine.metrics.classification_score import Found, Score
from engine.metrics.step_record import Counts, Floats, read_only_counts


class PassTableRows(NamedTuple):
    """The rows of the pass table, an entry for each layer.

    In those of gaps, an entry stands where the lower of its two layers would, and the last one means nothing.
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


class PassTable:
    """The numbers that are measured in the pass under way, as one array."""

    def __init__(self, depth: int) -> None:
        numbers: Floats = np.ones((len(PassTableRows._fields), depth))
        self.rows = PassTableRows(*numbers)
        self.copied: Callable[[], bytes] = numbers.tobytes
        """All numbers as they are now."""


class UnreadPass:
    """The measured numbers of one step, still to be read: called, it makes the fields of a StepRecord.

    The step was `scale` times the direction; `quiet` are the quiet units of each layer, group by group, and `found`
    is what the scorer found.
    """

    __slots__ = ("copied", "found", "quiet", "reader", "scale")

    def __init__(
        self,
        reader: PassTableReader,
        copied: bytes,
        scale: float,
        quiet: Sequence[Sequence[int]],
        found: Found,
    ) -> None:
        self.reader, self.copied, self.scale = reader, copied, scale
        self.quiet, self.found = quiet, found

    def __call__(self) -> dict[str, Any]:
        """The fields."""
        return self.reader.fields_of(self)


class PassTableReader:
    """Makes fields of a StepRecord of what was copied in one step. It depends on nothing that training changes."""

    def __init__(
        self,
        depth: int,
        plain: bool,
        moves_along_gradient: bool,
        scores_of: Callable[[Sequence[Found]], list[Score]],
    ) -> None:
        """`depth` is the number of layers, `plain` says whether `is_plain` holds."""
        self._plain = plain
        self._depth = depth
        self._moves_along_gradient = moves_along_gradient
        self._scores_of = scores_of

    def fields_of(self, unread: UnreadPass) -> dict[str, Any]:
        """The fields of one step's StepRecord, from its pass table."""
        numbers = np.frombuffer(unread.copied).reshape(-1, self._depth)
        (score,) = self._scores_of([unread.found])
        return {
            "accuracy": score.accuracy,
            "recall": score.recall,
            "quiet": read_only_counts(_flat(unread.quiet)),
            **self._norms_and_shares(numbers, unread.scale),
        }

    def columns_of(self, several: Sequence[UnreadPass]) -> dict[str, Any]:
        """The fields of several steps at once, (steps, …) each, from their pass tables."""
        joined = np.frombuffer(b"".join([one.copied for one in several]))
        numbers = joined.reshape(len(several), -1, self._depth).transpose(1, 0, 2)
        scales = np.array([[one.scale] for one in several])
        scores = self._scores_of([one.found for one in several])
        return {
            "accuracy": [score.accuracy for score in scores],
            "recall": [score.recall for score in scores],
            "quiet": [_flat(one.quiet) for one in several],
            **self._norms_and_shares(numbers, scales),
        }

    def _norms_and_shares(self, numbers: Floats, scale: float | Floats) -> dict[str, Floats]:
        """What the table holds, (rows, depth) or (rows, steps, depth)."""
        with np.errstate(all="ignore"):  # a step that broke is read, too, and by the thread that draws
            return self._shown(PassTableRows(*numbers), scale)

    def _shown(self, rows: PassTableRows, scale: float | Floats) -> dict[str, Floats]:
        if self._plain:
            rows = rows._replace(sent_l2=rows.product_l2, passed_l2=rows.delta_l2)
        gaps = slice(self._depth - 1)
        move_l2 = rows.grad_l2 if self._moves_along_gradient else rows.move_l2
        return {
            "grad_max": rows.grad_max,
            "grad_mean": rows.grad_mean,
            "grad_l2": rows.grad_l2,
            "update_ratio": _ratio(scale * move_l2, rows.weight_l2),
            "zero_fraction": rows.zero_fraction,
            "saturated": rows.saturated,
            "delta_l2": rows.delta_l2,
            "weight_gain": _ratio(rows.product_l2[..., gaps], rows.delta_l2[..., 1:]),
            "activation_gain": _ratio(rows.passed_l2[..., gaps], rows.sent_l2[..., gaps]),
        }


def _flat(groups: Sequence[Sequence[int]]) -> list[int]:
    return [count for group in groups for count in group]


def _ratio(parts: Floats, wholes: Floats | Counts) -> Floats:
    """Read-only, and NaN where both are 0."""
    ratio: Floats = np.divide(parts, wholes)
    ratio.setflags(write=False)
    return ratio
