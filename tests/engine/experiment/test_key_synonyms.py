"""Whoever comes from another program is asked whether our word for it is meant."""

from __future__ import annotations

from typing import get_args

import pytest

from engine.experiment.file_schema import file_schema
from engine.experiment.key_synonyms import OTHER_NAMES
from engine.experiment.optimizer_specs import OPTIMIZER_SPECS
from engine.experiment.spec import Activation, Scheme
from tests.engine.experiment_texts import SMALLEST, refusal


def test_every_one_of_our_words_is_a_key_or_a_value_of_the_file():
    tables = file_schema()["$defs"]
    known = {key for table in tables.values() for key in table.get("properties", {})}
    kinds = {
        kind
        for table in tables.values()
        for kind in table.get("properties", {}).get("kind", {}).get("enum", ())
    }
    words = known | kinds | {*get_args(Activation), *get_args(Scheme), *OPTIMIZER_SPECS}
    assert {*OTHER_NAMES} <= words


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("[train]\nlr = 0.1", "learning_rate"),
        ('[train]\noptimizer = "SGD"', "sgd"),
        ("[train]\nepochs = 3", "steps"),
        ('[network.init]\nscheme = "Kaiming"', "he"),
    ],
)
def test_another_program_s_word_is_understood_as_ours(line: str, meant: str):
    assert f'did you mean "{meant}"?' in refusal(f"{SMALLEST}\n{line}\n").problem


@pytest.mark.parametrize(
    ("found", "meant"), [("mse", "squared_error"), ("BCELoss", "bce"), ("NLLLoss", "cross_entropy")]
)
def test_another_program_s_loss_is_understood_as_ours(found: str, meant: str):
    text = '[data]\nkind = "xor"\n[[network.layers]]\nunits = 1\n[loss]\nkind = "{}"\n'
    assert f'did you mean "{meant}"?' in refusal(text.format(found)).problem


@pytest.mark.parametrize(
    ("X", "W", "hint"),
    [
        ("[0.5, -0.2]", "[[1.0], [2.0]]", "a matrix is a list of rows"),
        ("[[0.5], [-0.2]]", "[1.0, 2.0]", "a matrix is a list of rows"),
        ("[[0.5], [-0.2]]", "[[1.0, 2.0]]", 'weights = "out_in" in [network]'),
        ("[[0.5, -0.2]]", "[[1.0], [2.0]]", 'layout = "rows" has one sample a row'),
        ("[[0.5], [-0.2]]", "[[1.0], [2.0]]\nb = [[0.1]]", "a vector is one list"),
    ],
)
def test_numbers_the_other_way_round_are_told_the_key_that_turns_them(X: str, W: str, hint: str):
    text = (
        f'[data]\nkind = "inline"\nX = {X}\nY = [[1.0]]\n[[network.layers]]\nunits = 1\nW = {W}\n'
        '[loss]\nkind = "squared_error"\n'
    )
    assert hint in refusal(text).problem


def test_class_numbers_are_told_from_rows_of_classes():
    text = (
        '[data]\nkind = "inline"\nlayout = "rows"\nX = [[1], [2]]\nY = [[0], [2]]\n[[network.layers]]\nunits = 3\n'
        'activation = "softmax"\n[loss]\nkind = "cross_entropy"\n'
    )
    assert "not the class's number" in refusal(text).problem
