"""A finding: one thing that is to be said of a run, with the numbers it rests on and what helps.

    kind       vanishing
    layers     (1, 2, 3)
    step       200                                     the weights of that very step
    evidence   {"weights_ratio": 8.4e-26, …}           everything that the sentences say
    text       The gradient of W[1] is 8.4e-26 times that of W[51]. …
    remedy     …                                       None where the cause is not established
    change     {"train.learning_rate": 0.01}           what the remedy says in the experiment file

A diagnosis is a list of findings, the most serious first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

Evidence: TypeAlias = Mapping[str, float | int | None]
Change: TypeAlias = Mapping[str, float | int | str | bool]


class Kind(StrEnum):
    """Every kind of finding, in the order in which most are told (see `engine.diagnosis.kinds`)."""

    DIVERGED = "diverged"
    LEARNED = "learned"
    STEP_TOO_SHORT = "step-too-short"
    ZERO_WEIGHTS = "zero-weights"
    CONSTANT_INPUTS = "constant-inputs"
    UNREACHABLE_LABELS = "unreachable-labels"
    DEAD_UNITS = "dead-units"
    IDENTICAL_UNITS = "identical-units"
    UNSCALED_INPUTS = "unscaled-inputs"
    SATURATED = "saturated"
    NO_GRADIENT = "no-gradient"
    VANISHING = "vanishing"
    EXPLODING = "exploding"
    CONSTANT_OUTPUT = "constant-output"
    STEP_TOO_LONG = "step-too-long"
    OSCILLATING = "oscillating"
    PLATEAU = "plateau"
    LEARNING = "learning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; `layers` are numbered from 1, `step` is the number of updates its weights have had.

    `evidence` holds every number of `text` and `remedy`, None for one that is not finite. `change` has keys of the
    experiment file ("train.learning_rate") with the values that follow the remedy. `called` is a headline in place
    of the kind's name, where that would say too much or too little: "Some units dead", "Learning, but exploding".
    """

    kind: Kind
    step: int
    evidence: Evidence
    text: str
    layers: tuple[int, ...] = ()
    remedy: str | None = None
    change: Change | None = None
    called: str = ""
    untested: str | None = None
    """The remedy without its number, for where a trial of the change does not help."""

    @property
    def title(self) -> str:
        """The finding's title as a headline: ``Step too long``."""
        return self.called or self.kind.value.replace("-", " ").capitalize()

    def record(self) -> dict[str, Any]:
        """The finding as a JSON object."""
        return {
            "kind": self.kind.value,
            "layers": list(self.layers),
            "step": self.step,
            "evidence": dict(self.evidence),
            "text": self.text,
            "remedy": self.remedy,
            "change": None if self.change is None else dict(self.change),
        }


def finite_evidence(value: float) -> float | None:
    """A number as evidence in JSON: None where it is not finite."""
    return float(value) if math.isfinite(value) else None
