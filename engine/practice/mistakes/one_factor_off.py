"""A sum of several ways that is off by one factor as a whole: another number of the network, or one over it.

    1 − 1/n − h²/n   for   (1 − 1/n − h²/n)/std      the factor 1/std⁽¹⁾₀₀ is missing

It is looked for among all numbers of the network, at many random ones; where two of them fit, none is named.
"""

from __future__ import annotations

import numpy as np

from engine.formula.expression import Symbol
from engine.formula.layout import one_line
from engine.practice.question.asked_question import AskedQuestion
from engine.practice.question.comparison import CLOSE
from engine.practice.reading.answer_reader import Answer
from engine.practice.reading.batched_evaluation import evaluate
from engine.practice.verdict import Mistake

MOST_NUMBERS = 300
"""In a network of more numbers one of them is easily met by chance, and it takes long."""
TRIED_AT = 24


def name_one_factor_off(question: AskedQuestion, answer: Answer) -> Mistake | None:
    """The one number of the network that an answer has too many, or too few, as a factor; None where none is sure."""
    nodes = [node for node in question.graph.nodes.values() if node is not question.graph.loss]
    if question.target.is_matrix or sum(node.value.size for node in nodes) > MOST_NUMBERS:
        return None
    named = {symbol.matrix for symbol in answer.expr.symbols()} | {node.symbol for node in nodes}
    evidence = question.maker_again().evidence("soft", named, count=TRIED_AT, off=False)
    value = np.broadcast_to(evaluate(answer.expr, evidence.names), evidence.truth.shape)[:, 0, 0]
    truth = evidence.truth[:, 0, 0]
    usable = np.isfinite(value) & np.isfinite(truth) & (value != 0.0) & (truth != 0.0)
    if usable.sum() < TRIED_AT // 2:
        return None
    ratio = truth[usable] / value[usable]
    found: list[tuple[Symbol, bool]] = []
    for node in nodes:
        if node.scalar:
            continue
        for index in np.ndindex(*node.shape):
            entry = node.entry((index[0], index[1]))
            numbers = evidence.names[node.symbol][:, index[0], index[1]][usable]
            if np.ptp(numbers) == 0.0:  # a row of ones is a factor of everything
                continue
            with np.errstate(all="ignore"):
                missing = np.abs(ratio / numbers - 1.0).max() < CLOSE
                extra = np.abs(ratio * numbers - 1.0).max() < CLOSE
            if missing or extra:
                found.append((entry, bool(missing)))
    if len(found) != 1:
        return None
    entry, missing = found[0]
    name = one_line(entry)
    if missing:
        return Mistake("missing", entry.plain(), None, f"the factor {name} is missing, from all of it")
    text = f"the factor 1/{name} is missing from all of it, or {name} is one too many"
    return Mistake("extra", entry.plain(), None, text)
