"""A description: what the term panel says about one position. A heading, equations that are values, and remarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tui.stepper.equation import Equation

Note = tuple[Literal["remark", "plain", "faint"], str]


@dataclass(frozen=True, slots=True)
class Description:
    """The description of one position: heading, equations and notes.

    `backward` tells gradients from values; a sum of more than `max_terms` terms is shortened. `before` are the
    equations of the positions that lead here, the first one first and each made when it is asked for (of a hundred
    few have room), and `together` what they make with this one.
    """

    heading: str
    equations: tuple[Equation, ...]
    notes: tuple[Note, ...]
    backward: bool
    max_terms: int = 6
    before: Sequence[Callable[[], Equation]] = ()
    together: Equation | None = None
