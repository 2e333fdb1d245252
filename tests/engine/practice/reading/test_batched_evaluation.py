"""A formula at many networks at once: a row and a column do not spread to a matrix larger than is allowed."""

from __future__ import annotations

import numpy as np
import pytest

from engine.practice.reading.answer_reader import read_answer
from engine.practice.reading.batched_evaluation import evaluate
from engine.practice.reading.unreadable import UnreadableError
from tests.engine.practice.questions import judge_on

WINES = judge_on("tutorial-a-wine", "W[1]").question.scope


@pytest.mark.parametrize("text", ["Y_hat.T + Y", "Y_hat.T * Y", "Y_hat.T / Y", "Y_hat.T @ Y"])
def test_what_spreads_too_far_is_not_computed(text):
    formula = read_answer(text, WINES).expr
    names = {symbol.matrix: np.ones((2, 1, 1100)) for symbol in formula.symbols()}
    with pytest.raises(UnreadableError, match="takes too long"):
        evaluate(formula, names, largest=10_000)
    assert evaluate(formula, names).shape == (2, 1100, 1100)


def test_what_is_as_large_as_its_matrices_is_computed():
    formula = read_answer("(Y_hat - Y)*Y @ Y.T", WINES).expr
    names = {symbol.matrix: np.ones((2, 1, 1100)) for symbol in formula.symbols()}
    assert evaluate(formula, names, largest=1100).shape == (2, 1, 1)
