"""What a log says of the steps before its first number that is not finite."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.diagnosis.sentence_parts import short
from engine.metrics.step_record import StepRecord, logged_loss, whole_gradient

GREW = 10.0
"""A loss or a gradient that grew so many times before the run broke had been running away."""


@dataclass(frozen=True)
class LogBeforeBreak:
    """The way to the first number that was not finite: `first` is the log's first line, `last` the last sound one."""

    step_first: int
    step_last: int
    loss_first: float | None
    loss_last: float | None
    gradient_first: float
    gradient_last: float
    learning_rate: float | None

    @property
    def grew(self) -> bool:
        """Whether the loss or the whole gradient had been running away."""
        if self.gradient_last > GREW * self.gradient_first > 0:
            return True
        return (
            self.loss_first is not None
            and self.loss_last is not None
            and self.loss_last > GREW * abs(self.loss_first) > 0
        )

    def sentences(self, dtype: str = "") -> list[str]:
        """Sentences on the way to the break, and on what it excludes."""
        before = (
            f"gradient {short(self.gradient_first)} to {short(self.gradient_last)} from step {self.step_first:,} "
            f"to step {self.step_last:,}"
        )
        if self.loss_first is not None and self.loss_last is not None:
            before = f"loss {short(self.loss_first)} to {short(self.loss_last)}, {before}"
        rate = "" if self.learning_rate is None else f" (learning rate {short(self.learning_rate)})"
        if self.step_first == self.step_last:
            return [
                f"There is one sound line before it (step {self.step_last:,}), too few to see what led there. Between "
                f"the two lie an update{rate} and another batch: a run with a far smaller learning rate tells which of "
                "them it was.",
            ]
        if self.grew:
            return [
                f"Before that it was running away: {before}.",
                f"The updates overshoot, each further than the last{rate}: a smaller learning rate is the first "
                "thing to try.",
            ]
        kind = f" The parameters are of type {dtype}." if dtype and dtype != "float32" else ""
        return [
            f"Before that nothing had been running away: {before}.",
            "So it came from within one forward or backward pass: an overflow, a division by 0, a logarithm or root "
            f"of what is not positive.{kind}",
        ]


def way_to_break(first: StepRecord, last: StepRecord) -> LogBeforeBreak:
    """The way from a log's first line to its last sound one before a number that is not finite."""
    rate = last.learning_rate if "learning_rate" in last.fields else math.nan
    return LogBeforeBreak(
        step_first=first.step,
        step_last=last.step,
        loss_first=logged_loss(first),
        loss_last=logged_loss(last),
        gradient_first=whole_gradient(first),
        gradient_last=whole_gradient(last),
        learning_rate=rate if math.isfinite(rate) else None,
    )
