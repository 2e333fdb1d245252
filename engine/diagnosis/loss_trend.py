"""What the loss over all data does towards the end of the run.

falls      by 1 % or more over the last quarter
advances   it falls, and so does the median of the quarter, over 100 steps at least
stands     within 1 % over the second half
"""

from __future__ import annotations

from engine.diagnosis.diagnosed_run import DiagnosedRun, Needs
from engine.diagnosis.loss_curve import RECENT, LossCurvePoints

PERCENT = 0.01

LONG_ENOUGH = 200
"""From so many steps on, a run that nothing else was found in is a plateau or oscillates."""


def falls(losses: LossCurvePoints) -> bool:
    """Whether the loss falls by 1 % or more over the last quarter."""
    then = losses.three_quarters
    return losses.steps > 0 and then - losses.last >= PERCENT * abs(then) and losses.last < then


def advances(losses: LossCurvePoints) -> bool:
    """Whether the loss falls, and not by a lucky jump: the median of the last quarter falls as well.

    Over 100 steps at least: fewer show no course.
    """
    if losses.steps < RECENT or not falls(losses):
        return False
    half, three, end = (losses.step[0] + part * losses.steps for part in (0.5, 0.75, 1.0))
    then = losses.typical(half, three)
    return then - losses.typical(three, end) >= PERCENT * abs(then)


def stands_still(losses: LossCurvePoints) -> bool:
    """Whether the loss stands still: within 1 % over the second half, and over 100 steps at least."""
    window = max(losses.steps / 2, RECENT)
    if window > losses.steps:
        return False
    since = losses.step[0] + losses.steps - window
    low, high = losses.span(since)
    return high - low <= PERCENT * abs(losses.at(since))


OF_LOSSES = frozenset({Needs.LOSSES})


def often_rises(case: DiagnosedRun) -> bool:
    """Whether the loss of full batches went up in more than a third of the last steps."""
    losses = case.losses
    return losses is not None and losses.each_step and 3 * losses.rises > RECENT
