"""What there is to know of a kind of finding: what it reads, when it holds, why, and what helps.

A kind is one `Rule` in one file beside this one. To add one, write it, name it in `Kind`, and enter it in the
registry (`engine.diagnosis.kinds`) at its place in the order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.diagnosis.diagnosed_run import DiagnosedRun, Needs
from engine.diagnosis.finding import Finding, Kind

Find = Callable[[DiagnosedRun, Sequence[Finding]], Finding | None]
"""Looks at a case, knowing the findings that rank before; None where the kind does not hold."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of one kind of finding: what it needs to know, and when it holds.

    `find` is asked only where everything in `needs` is known. `of_loss` says that it judges the course of the loss;
    those, and `constant-output`, are not asked of a run that diverged (`if_diverged` says so), and `if_learned`
    is False for what means nothing once the network has learned.
    """

    kind: Kind
    needs: frozenset[Needs]
    find: Find
    of_loss: bool = False
    if_diverged: bool = True
    if_learned: bool = True
