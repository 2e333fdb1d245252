"""A derivation as lines, one below the other, each an expression that should be equal to the one before.

(-Y/Y_hat + (1-Y)/(1-Y_hat)) * Y_hat*(1-Y_hat) * X[1,0]        right
(-Y*(1-Y_hat) + (1-Y)*Y_hat) * X[1,0]                          equal
(Y - Y_hat) * X[1,0]                                           the first line that breaks: the sign
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.practice.judging import Judge
from engine.practice.verdict import Verdict

LARGEST_DERIVATION = 200
"""Lines."""


def lines_of(text: str) -> list[tuple[int, str]]:
    """The lines that hold an expression, with their numbers; a leading = and what follows a # are left out."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        expression = line.partition("#")[0].strip().removeprefix("&").strip().removeprefix("=").strip()
        expression = expression.removesuffix("\\\\").strip()
        if expression:
            found.append((number, expression))
    return found


def judge_derivation(judge: Judge, lines: Sequence[tuple[int, str]]) -> Verdict:
    """The verdict on a derivation: that of its last line, or of the first line that breaks.

    Each line is compared with the gradient itself: a chain of equal lines is right where its last line is, and the
    first line that is not the gradient, after one that was, is the one that breaks.
    """
    if not lines:
        return Verdict("unreadable", problem="expected a line with an expression, found none", column=1)
    if len(lines) > LARGEST_DERIVATION:
        return Verdict("unreadable", problem=f"expected at most {LARGEST_DERIVATION} lines", column=1)
    verdict = Verdict("unreadable")
    for number, text in lines:
        verdict = judge.judge(text)
        if verdict.verdict != "right":
            return replace(verdict, line=number)
    return verdict
