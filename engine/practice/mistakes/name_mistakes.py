"""Names the mistakes of a wrong formula: by its paths, by a slipping backward pass, or by one change that mends it."""

from __future__ import annotations

import numpy as np

from engine.practice.mistakes.answers_to_another_question import name_missing_half_of_the_loss
from engine.practice.mistakes.constant_factors import PathConstants
from engine.practice.mistakes.naming_by_backward_slips import name_by_backward_slips
from engine.practice.mistakes.naming_by_repair import name_by_repair
from engine.practice.mistakes.naming_on_paths import NamedOnPath, name_on_path, name_on_paths
from engine.practice.mistakes.naming_updates import name_update
from engine.practice.mistakes.one_factor_off import name_one_factor_off
from engine.practice.question.asked_question import AskedQuestion
from engine.practice.question.comparison import CLOSE
from engine.practice.question.path_factors import atoms_of, symbols_of
from engine.practice.question.random_networks import NetworkEvidence
from engine.practice.reading.answer_reader import Answer
from engine.practice.reading.batched_evaluation import evaluate
from engine.practice.verdict import Mistake

MANY_PATHS = 4
"""Of more ways than these the one small change is looked for first."""


def name_mistakes(question: AskedQuestion, answer: Answer) -> NamedOnPath | None:
    """Names the mistakes of a wrong formula, where they can be named."""
    if question.target.update:
        return name_update(question, answer, name_mistakes)
    constants = PathConstants({**question.graph.constants, "2": 2.0}, _n_too_many(question, answer))
    named = [symbol for symbol in dict.fromkeys(answer.expr.symbols()) if symbol.index is not None]
    if half := name_missing_half_of_the_loss(question, answer):
        return NamedOnPath((half,))
    mistake: Mistake | None = None
    if (
        question.paths is not None and len(question.paths) > MANY_PATHS
    ):  # to mend it is quicker than to take it apart
        mistake = name_by_repair(question, answer)
        if mistake is not None:
            return NamedOnPath(((mistake,),))
    if question.paths is not None and question.paths:
        evidence = _naming_evidence(question, answer)
        value = np.broadcast_to(evaluate(answer.expr, evidence.names), evidence.truth.shape)
        single = len(question.paths) == 1
        found = (
            name_on_path(question.paths[0], value, evidence, constants, named)
            if single
            else name_on_paths(question.paths, value, evidence, constants, named)
        )
        if found is not None:
            return found
    found = name_by_backward_slips(question, answer, constants)
    if found is None:
        mistake = name_by_repair(question, answer)
    if found is None and mistake is None and question.paths is not None and len(question.paths) > 1:
        mistake = name_one_factor_off(question, answer)
    return NamedOnPath(((mistake,),)) if mistake is not None else found


def _naming_evidence(question: AskedQuestion, answer: Answer) -> NetworkEvidence:
    """Networks for the regression: soft labels, and at least twice as many as there are columns."""
    assert question.paths is not None
    named = {symbol.matrix for symbol in answer.expr.symbols()}
    columns = len(dict.fromkeys(atom for path in question.paths for atom in atoms_of(path)))
    for path in question.paths:
        named |= symbols_of(path)
    columns += len(set(answer.expr.symbols()))
    # Whoever writes an input that is always 1 has a reason: then it is told apart from others.
    ones = not any(
        symbol.name == "X" and (symbol.index is None or symbol.index[0] in question.maker.ones)
        for symbol in answer.expr.symbols()
    )
    return question.maker_again().evidence("soft", named, count=2 * columns + 24, ones=ones)


def _n_too_many(question: AskedQuestion, answer: Answer) -> int | None:
    """How many n the answer has too many as a factor, found by changing n alone; None where that says nothing."""
    if question.graph.n == 1 or question.target.of is not None or not question.divides_by_n:
        return None
    named = {symbol.matrix for symbol in answer.expr.symbols()}
    evidence = question.maker_again().evidence("soft", named, count=8, off=False)
    once = evaluate(answer.expr, evidence.names)
    more = evaluate(answer.expr, evidence.constant("n", 2.0 * question.graph.n).names)
    usable = np.isfinite(once) & np.isfinite(more) & (once != 0.0)
    if not usable.any():
        return None
    with np.errstate(all="ignore"):
        powers = np.log2(np.abs(np.broadcast_to(more, once.shape)[usable] / once[usable]))
    power = float(np.rint(powers[0]))
    return int(power) + 1 if np.abs(powers - power).max() < CLOSE else None
