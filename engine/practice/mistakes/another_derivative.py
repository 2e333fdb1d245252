"""A formula that is right, but for another derivative of the same network: another entry, or what lies above it.

    asked: ∂ℰ/∂Ŷ₀₀       answered: Ŷ₀₀ − Y₀₀      this is ∂ℰ/∂f⁽²⁾₀₀
    asked: ∂ℰ/∂W⁽¹⁾₀₀    answered with unit 1      this is ∂ℰ/∂W⁽¹⁾₀₁

Found at the experiment's own numbers first, which costs one look, and then judged as an answer to that question.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from engine.derivation.targets import TargetError
from engine.formula.expression import Partial, Symbol
from engine.formula.layout import one_line
from engine.practice.question.asked_target import AskedTarget
from engine.practice.question.comparison import CLOSE
from engine.practice.question.graph_values import graph_values
from engine.practice.question.random_networks import TooLargeError
from engine.practice.reading.batched_evaluation import evaluate
from engine.practice.verdict import Mistake

if TYPE_CHECKING:
    from engine.practice.question.asked_question import AskedQuestion
    from engine.practice.reading.answer_reader import Answer

MOST_ENTRIES = 256
"""Entries that are looked at; in a larger network one agrees by chance, and is judged in vain."""

MOST_JUDGED = 2


def another_derivative(question: AskedQuestion, answer: Answer) -> Mistake | None:
    """The mistake of an answer that is another derivative of the same network, where it is one."""
    target = question.target
    if target.is_matrix or target.update or target.sample is not None or not any(answer.expr.symbols()):
        return None
    asked = (
        target.plain()
        if target.of is not None
        else one_line(Partial(question.evaluated.graph.loss.symbol, target.wrt))
    )
    for symbol in islice(_that_agree_here(question, answer), MOST_JUDGED):
        if _is_right(question, symbol, answer):
            name = one_line(Partial(question.evaluated.graph.loss.symbol, symbol))
            text = f"what stands there is {name}, and {asked} is asked for"
            return Mistake("swapped", name, target.plain(), text)
    return None


def _is_right(question: AskedQuestion, symbol: Symbol, answer: Answer) -> bool:
    try:
        return question.about(AskedTarget(symbol)).is_right(answer)
    except (TargetError, TooLargeError):
        return False


def _that_agree_here(question: AskedQuestion, answer: Answer) -> Iterator[Symbol]:
    """The entries whose derivative is the answer's value at the experiment's own numbers."""
    graph = question.evaluated.graph
    nodes = [node for node in graph.nodes.values() if node.needs_gradient and node is not graph.loss]
    if sum(node.value.size for node in nodes) > MOST_ENTRIES:
        return
    value = np.asarray(evaluate(answer.expr, graph_values(graph, gradients=True)), np.float64)
    if value.size != 1 or not np.isfinite(value).all() or not value.any():
        return
    number = float(value.reshape(-1)[0])
    for node in nodes:
        if node.grad.shape != node.value.shape:
            continue
        for row, column in np.argwhere(np.abs(node.grad - number) <= CLOSE * abs(number)).tolist():
            symbol = node.entry((row, column))
            if symbol != question.target.wrt or question.target.of is not None:
                yield symbol
