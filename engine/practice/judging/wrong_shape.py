"""The verdict on an answer of another shape than what is asked for: transposed, not summed, a matrix for an entry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.practice.question.asked_question import AskedQuestion
from engine.practice.question.comparison import compare
from engine.practice.reading.answer_reader import Answer
from engine.practice.reading.batched_evaluation import evaluate
from engine.practice.reading.shape_rules import shape_text
from engine.practice.verdict import Mistake, Verdict


def wrong_shape(question: AskedQuestion, answer: Answer, verdict: Verdict) -> Verdict:
    """The verdict on a formula of another shape than what is asked for."""
    found, wanted = (
        shape_text(answer.shape),
        shape_text(question.shape if question.target.is_matrix else None),
    )
    text = f"it is {found}, and {question.target.plain()} is {wanted}"
    factors = None if verdict.factors is None else 0
    if (
        answer.shape is not None
        and tuple(answer.shape) == tuple(question.shape[::-1])
        and question.target.is_matrix
    ):
        evidence = question.evidence(answer, question.labels)
        value = np.swapaxes(evaluate(answer.expr, evidence.names), 1, 2)
        if compare(value, evidence.truth).agrees:
            text += ": it is the transpose of the right one"
        mistake = Mistake("transposed", answer.expr.plain(), f"({answer.expr.plain()}).T", text)
    else:
        right = _what_is_right_in(question, answer)
        text, factors = text + right, None if right else factors  # its factors are right, all together
        mistake = Mistake("reduction", answer.expr.plain(), None, text)
    return replace(
        verdict,
        verdict="wrong",
        mistakes=(mistake,),
        right_factors=factors,
    )


def _what_is_right_in(question: AskedQuestion, answer: Answer) -> str:
    """Where a matrix holds the entry that is asked for, or becomes right when it is summed over the samples."""
    if answer.shape is None:
        return ""
    evidence = question.evidence(answer, question.labels)
    value = evaluate(answer.expr, evidence.names)
    if (index := question.target.wrt.index) is not None:
        row, column = index
        inside = row < value.shape[1] and column < value.shape[2]
        if inside and compare(value[:, row : row + 1, column : column + 1], evidence.truth).agrees:
            return f": its entry [{row},{column}] is the right one"
    elif question.shape == (value.shape[1], 1):
        summed = compare(value.sum(axis=2, keepdims=True), evidence.truth)
        return ": the sum over the samples is missing, sum(…, axis=1)" if summed.agrees else ""
    return ""
