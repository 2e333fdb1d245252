"""A derivation as lines, one below the other, each an expression that should be equal to the one before.

(-Y/Y_hat + (1-Y)/(1-Y_hat)) * Y_hat*(1-Y_hat) * X[1,0]        right
(-Y*(1-Y_hat) + (1-Y)*Y_hat) * X[1,0]                          equal
(Y - Y_hat) * X[1,0]                                           the first line that breaks: the sign
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from engine.practice.judging.judge import Judge
from engine.practice.reading.unreadable import UnreadableError
from engine.practice.verdict import Verdict

LARGEST_DERIVATION = 200
"""Lines."""


def lines_of(text: str) -> list[tuple[int, str]]:
    """The lines of a typed derivation that hold an expression, with their numbers."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        expression = line.partition("#")[0].strip().removeprefix("&").strip().removeprefix("=").strip()
        expression = expression.removesuffix("\\\\").strip()
        if expression:
            found.append((number, expression))
    return found


def judge_derivation(judge: Judge, lines: Sequence[tuple[int, str]]) -> Verdict:
    """Judges a derivation line by line: the verdict on its last line, or on the first line that breaks.

    The first line is compared with the gradient, every other one with the line before it. As long as nothing breaks
    each line is the gradient; of the lines after the break the remarks say whether they follow from it, and where it
    breaks again.
    """
    if not lines:
        return Verdict("unreadable", problem="expected a line with an expression, found none", column=1)
    if len(lines) > LARGEST_DERIVATION:
        return Verdict("unreadable", problem=f"expected at most {LARGEST_DERIVATION} lines", column=1)
    verdict = Verdict("unreadable")
    for place, (number, text) in enumerate(lines):
        verdict = judge.judge(text)
        if verdict.verdict == "wrong":
            remarks = (*verdict.remarks, *_after_the_break(judge, lines, place))
            return replace(verdict, line=number, remarks=remarks)
        if verdict.verdict != "right":
            return replace(verdict, line=number)
    return verdict


def _after_the_break(judge: Judge, lines: Sequence[tuple[int, str]], broken: int) -> Iterator[str]:
    """What is said of the lines below the one that breaks, each compared with the one before it."""
    if broken:
        before = lines[broken - 1][0]
        yield f"line {before} is right, and line {lines[broken][0]} is not equal to it"
    follows: list[int] = []
    for (_, before_text), (number, text) in pairwise(lines[broken:]):
        try:
            same, mistake = judge.follows(before_text, text)
        except UnreadableError as error:
            yield f"line {number} cannot be read: {error.problem}"
            return
        if same:
            follows.append(number)
            continue
        why = "" if mistake is None else f": {mistake.text}"
        yield f"line {number} is not equal to the line before it{why}"
    if follows:
        subject = f"line {follows[0]} follows" if len(follows) == 1 else f"lines {_listed(follows)} follow"
        yield f"{subject} rightly from the line before"


def _listed(numbers: Sequence[int]) -> str:
    return f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
