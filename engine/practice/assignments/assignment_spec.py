"""What stands in an assignment file, key by key."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from engine.experiment.spec import Spec

QuestionKind = Literal["formula", "number", "shape", "bug"]

LARGEST_FILE = 4 * 2**20
"""Bytes of a file that is read, be it of questions or of answers."""


class QuestionSpec(Spec, frozen=True, kw_only=True):
    """One question of an assignment file.

    docs/assignment.md says what each key means. For a number without `wrt` the value of `of` is asked for, with `after`
    that after so many steps of training; `measure` and `bound` are other numbers. `given` names matrices whose
    gradients may be used as earlier results; `seed` says which bug is planted in a question of kind bug.
    """

    id: str
    experiment: str | dict[str, Any]
    text: str = ""
    wrt: str | None = None
    sample: int | None = None
    of: str | None = None
    factor: str | None = None
    update: bool = False  # the parameter after one step of gradient descent, in place of its gradient
    after: int | None = None  # steps of training before a number is read
    measure: str | None = None  # a measure of the training, such as recall[1]
    bound: str | None = None  # how large the slopes from one matrix to another can be: "a[2] / f[1]"
    kind: QuestionKind = "formula"
    points: float = 1.0
    partial: float | bool = False  # false is 0, true is 1
    tolerance: float | None = None
    attempts: int | None = None
    hint: str | list[str] = ""
    given: list[str] = msgspec.field(default_factory=list)
    accepted: list[str] = msgspec.field(
        default_factory=list
    )  # forms known to be right; the first is the solution
    item: str = ""  # the numbered item of the tutorials that it belongs to
    seed: int = 0


class AssignmentSpec(Spec, frozen=True, kw_only=True):
    """An assignment file."""

    title: str = ""
    question: list[QuestionSpec] = msgspec.field(default_factory=list)
