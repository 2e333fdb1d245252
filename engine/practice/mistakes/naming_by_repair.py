"""Names a mistake by mending it: the one small change of what was typed that makes it right.

    (W[51] @ dE/df[51]) * indicator(f[49] > 0)     with f[50] in place of f[49] it is right
    -Y/Y_hat + 1/(1 - Y_hat)                       with 1 − Y as a factor of the second term
    W[2] @ (m * dE/da[2]) - dE/da[2]               with + in place of −

A backward pass that slips knows what can go wrong with a gradient; this knows what can go wrong with a formula: an
index, a layer, a sign inside a sum, a factor that belongs to another term, the slope of another activation. Each
change is computed at a few random networks; the first that makes the answer right is the mistake.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from engine.formula.expression import Expr
from engine.practice.mistakes.answers_to_another_question import (
    for_one_label,
    of_another_output,
    undifferentiated,
    updated_parameter,
)
from engine.practice.mistakes.formula_edits import flattened, places_of
from engine.practice.mistakes.formula_repairs import FormulaRepairs
from engine.practice.question.comparison import CLOSE
from engine.practice.question.nearby_matrices import near_matrices
from engine.practice.question.random_networks import NetworkEvidence
from engine.practice.reading.batched_evaluation import evaluate
from engine.practice.reading.unreadable import UnreadableError
from engine.practice.verdict import Mistake

if TYPE_CHECKING:
    from engine.practice.question.asked_question import AskedQuestion
    from engine.practice.reading.answer_reader import Answer

LARGEST_MADE = 10_000
"""A repair that makes a matrix of more entries, and larger than any there is, is none: an n×n of a row and a column."""
PATIENCE = 0.25
"""Seconds of processor time that the search may take: what is found depends on no other program."""
MOST_PLACES = 80
"""Subexpressions of an answer that are looked at: a longer formula has no one place that is easily found."""


def name_by_repair(question: AskedQuestion, answer: Answer) -> Mistake | None:
    """Names the mistake whose repair makes a formula right, or None."""
    evidence = question.evidence(answer, question.labels)
    return (
        undifferentiated(question, answer.expr, evidence)
        or updated_parameter(question, answer.expr, evidence)
        or of_another_output(question, answer.expr, evidence)
        or mended(question, answer, evidence)
        or for_one_label(question, answer.expr, evidence)
    )


def mended(question: AskedQuestion, answer: Answer, evidence: NetworkEvidence) -> Mistake | None:
    """Names the mistake whose repair makes an answer equal to the evidence's truth, or None."""
    expr = flattened(answer.expr)
    if sum(1 for _ in places_of(expr)) > MOST_PLACES:
        return None
    near = [
        symbol
        for symbol in near_matrices(question.graph, [*expr.symbols(), question.target.wrt])
        if symbol in evidence.names
    ]
    deadline = time.thread_time() + PATIENCE
    for repair in FormulaRepairs(question, near, evidence).of(expr):
        if _is_right(repair.expr, evidence):
            return repair.mistake
        if time.thread_time() > deadline:
            return None
    return None


def _is_right(expr: Expr, evidence: NetworkEvidence) -> bool:
    """Whether a formula is the truth wherever it has a value, at one network first and then at all."""
    few = {name: values[:1] for name, values in evidence.names.items()}
    largest = max(LARGEST_MADE, *(values[0].size for values in evidence.names.values()))
    for names, truth in ((few, evidence.truth[:1]), (evidence.names, evidence.truth)):
        try:
            with np.errstate(all="ignore"):
                value = evaluate(expr, names, largest)
        except (KeyError, ValueError, UnreadableError):
            return False
        if value.ndim != 3 or value.shape[1:] not in (truth.shape[1:], (1, 1)):
            return False
        if value.shape[1:] == (1, 1) and truth.shape[1:] != (1, 1):
            return False
        error = np.abs(value - truth).max(axis=(1, 2))
        if not (error <= CLOSE * np.abs(truth).max(axis=(1, 2))).all():
            return False
    return bool(evidence.truth.any())
