"""What holds of a wrong answer whose mistake has no name: its sign, its right parts, what it depends on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.formula.expression import Function
from engine.formula.layout import one_line
from engine.practice.mistakes.formula_edits import places_of
from engine.practice.question.asked_question import AskedAttempt, AskedQuestion
from engine.practice.question.comparison import CLOSE
from engine.practice.reading.answer_reader import Answer
from engine.practice.reading.batched_evaluation import Stack
from engine.practice.reading.gradient_names import is_gradient
from engine.practice.verdict import Mistake

LARGEST_TRIED = 50_000
"""In networks of more numbers than this it is not tried out what the gradient depends on."""


def unnamed_mistake(
    question: AskedQuestion, answer: Answer, attempt: AskedAttempt, here: Sequence[str]
) -> Mistake:
    """The mistake of a wrong answer that has no name: its sign, its right parts, what it depends on."""
    evidence, value, compared = attempt.evidence, attempt.value, attempt.compared
    value = np.broadcast_to(value, evidence.truth.shape)
    says = []
    undefined = (
        compared.counts & ~np.isfinite(value).all(axis=(1, 2)) & np.isfinite(evidence.truth).all(axis=(1, 2))
    )
    if undefined.any():
        says.append("it has no value at some networks at which the gradient has one")
    both = compared.nonzero & ~undefined
    if not compared.nonzero.any():
        text = f"the gradient is 0 here: {question.why_zero().removeprefix('0 is right: ')}"
        return Mistake("unknown", answer.expr.plain(), "0", text)
    if not value.any():
        return Mistake("unknown", answer.expr.plain(), None, "it is 0, and the gradient is not")
    if not any(True for _ in answer.expr.symbols()):
        says = ["it is a number, and a formula is asked for, in the names of the network"]
        return Mistake("unknown", answer.expr.plain(), None, "; ".join([*says, *here]))
    same_sign = np.sign(value[both]) == np.sign(evidence.truth[both])
    if both.any() and same_sign.all():
        says.append("its sign is right everywhere")
    elif both.any() and not same_sign.any():
        says.append("its sign is wrong everywhere")
    elif both.any():
        says.append("its sign is right at some networks and wrong at others")
    says += _right_parts(value, evidence.truth, compared.counts)
    says += here
    says += _dependence(question, answer)
    logarithms = [
        part
        for part, _ in places_of(answer.expr)
        if isinstance(part, Function) and part.name == "log" and any(True for _ in part.symbols())
    ]
    if logarithms:
        text = f"{one_line(logarithms[0])} is not differentiated: the derivative of log x is 1/x"
        return Mistake("extra", logarithms[0].plain(), None, "; ".join([text, *says]))
    text = "; ".join(["it is none of the usual mistakes", *says])
    return Mistake("unknown", answer.expr.plain(), None, text)


def _dependence(question: AskedQuestion, answer: Answer) -> list[str]:
    """Which leaves the truth depends on and the answer does not, or the other way round."""
    if sum(node.value.size for node in question.graph.nodes.values()) > LARGEST_TRIED:
        return []
    wanted = question.maker_again().dependence()
    found = _leaves_of(question, answer)
    if any(is_gradient(symbol) for symbol in answer.expr.symbols()):
        found |= wanted  # an earlier result depends on all that lies above
    missing, extra = sorted(wanted - found), sorted(found - wanted)
    says = []
    if missing:
        says.append(f"the gradient depends on {', '.join(missing[:4])}, and the answer does not")
    if extra:
        says.append(f"the answer depends on {', '.join(extra[:4])}, and the gradient does not")
    return says


def _leaves_of(question: AskedQuestion, answer: Answer) -> set[str]:
    """The leaves that an answer changes with: those it names, and those that what it names is computed from."""
    found: set[str] = set()
    waiting = [
        question.graph.nodes[symbol.matrix]
        for symbol in answer.expr.symbols()
        if symbol.matrix in question.graph.nodes
    ]
    while waiting:
        node = waiting.pop()
        if node.op is None:
            found.add(node.symbol.plain())
        else:
            waiting += node.op.inputs
    return found


def _right_parts(value: Stack, truth: Stack, counts: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[str]:
    """Which rows or columns of a wrong matrix are right at every network."""
    with np.errstate(all="ignore"):
        right = (np.abs(value - truth) <= CLOSE * np.abs(truth).max(axis=(1, 2), keepdims=True))[counts].all(
            axis=0
        )
    for name, rows in (("row", right.all(axis=1)), ("column", right.all(axis=0))):
        places = [str(place) for place in np.flatnonzero(rows)[:4]]
        if len(rows) > 1 and places:
            one = len(places) == 1
            return [f"its {name}{'' if one else 's'} {', '.join(places)} {'is' if one else 'are'} right"]
    return []
