"""What is said about an answer: right, wrong, cannot tell or unreadable, with remarks and named mistakes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from engine.formula.course_notation import CourseNames
from engine.formula.expression import Expr

VerdictName = Literal["right", "wrong", "unclear", "unreadable"]
MistakeKind = Literal["missing", "extra", "swapped", "sign", "path", "transposed", "reduction", "unknown"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake of an answer: `what` stands in it (or is missing from it), `instead` is what belongs there."""

    kind: MistakeKind
    what: str
    instead: str | None
    text: str

    def record(self) -> dict[str, Any]:
        """The mistake as a JSON object."""
        return {"kind": self.kind, "what": self.what, "instead": self.instead, "text": self.text}

    @property
    def tag(self) -> str:
        """The mistake as a word for tables and filters: ``missing:1/n``."""
        return f"{self.kind}:{self.what}" if self.what else self.kind


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A counterexample: one network at which the answer is not the truth, with the two numbers."""

    yours: float | list[list[float]] | None
    true: float | list[list[float]] | None

    def record(self) -> dict[str, Any]:
        """The counterexample as a JSON object."""
        return {"yours": self.yours, "true": self.true}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one answer.

    `right_factors` of `factors` are right (None for matrices and several paths); `problem` says what cannot be
    read, with the `column` where it shows.
    """

    verdict: VerdictName
    understood: str | None = None
    expr: Expr | None = None
    remarks: tuple[str, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    right_factors: int | None = None
    factors: int | None = None
    counterexample: Counterexample | None = None
    problem: str | None = None
    column: int | None = None
    line: int | None = field(default=None)

    @property
    def status(self) -> int:
        """The exit status of a verdict: 0 right, 1 wrong, 2 unreadable or cannot tell."""
        return {"right": 0, "wrong": 1}.get(self.verdict, 2)

    @property
    def share(self) -> float:
        """The share of the points by right factors: 1 where it is right."""
        if self.verdict == "right":
            return 1.0
        if self.verdict != "wrong" or not self.factors or self.right_factors is None:
            return 0.0
        return self.right_factors / self.factors

    def said_in(self, names: CourseNames) -> Verdict:
        """The same verdict, its sentences in an experiment's own letters."""
        if not names:
            return self
        return replace(
            self,
            remarks=tuple(map(names.said, self.remarks)),
            mistakes=tuple(replace(one, text=names.said(one.text)) for one in self.mistakes),
            problem=None if self.problem is None else names.said(self.problem),
        )

    def record(self) -> dict[str, Any]:
        """The verdict as a JSON object."""
        found: dict[str, Any] = {
            "verdict": self.verdict,
            "understood": self.understood,
            "remarks": list(self.remarks),
            "mistakes": [mistake.record() for mistake in self.mistakes],
            "right_factors": self.right_factors,
            "factors": self.factors,
            "counterexample": None if self.counterexample is None else self.counterexample.record(),
        }
        if self.problem is not None:
            found |= {"problem": self.problem, "column": self.column}
        if self.line is not None:
            found["line"] = self.line
        return found


def sentences_of(verdict: Verdict) -> list[str]:
    """A verdict in sentences, one a line."""
    marks = {
        "right": "✓ Right.",
        "wrong": "✗ Wrong.",
        "unclear": "? Cannot tell.",
        "unreadable": "? Cannot be read.",
    }
    start = marks[verdict.verdict]
    if verdict.line is not None and verdict.verdict != "right":
        start += f" Line {verdict.line} is the first that breaks."
    if verdict.verdict == "wrong" and verdict.factors and verdict.right_factors is not None:
        start += f" {verdict.right_factors} of {verdict.factors} factors are right."
    lines = [start]
    if verdict.problem is not None:
        lines.append(verdict.problem)
    lines += [f"- {one.text}" for one in verdict.mistakes]
    lines += [f"- {remark}" for remark in verdict.remarks]
    found = verdict.counterexample
    if found is not None and isinstance(found.yours, float) and isinstance(found.true, float):
        lines.append(
            f"For example, at a random network: yours is {found.yours:.6g}, the gradient is {found.true:.6g}."
        )
    return lines
