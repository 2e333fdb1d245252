"""Shapes as answers: rows first; n or its number; turned round, another matrix's, and half right are told."""

from __future__ import annotations

import pytest

from engine.experiment.errors import ExperimentError
from engine.formula.notation import Style
from engine.practice.assignments.assignment import load_assignment, parse_assignment
from engine.practice.assignments.grading import judge_question
from engine.practice.assignments.worksheet import FORMATS, worksheet

ASKED = load_assignment("tutorials")


@pytest.mark.parametrize("text", ["8×n", "8x1100", "(8, n)", "8 by n", "[8,N]", r"8 \times n"])
def test_a_shape_however_it_is_written(text):
    assert judge_question(ASKED.question("b4-shape-sum"), text).verdict == "right"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("b4-shape-sum", "n×8", "turned round"),
        ("b4-shape-sum", "3×8", "this is the shape of W⁽¹⁾"),
        ("b4-shape-delta", "1×n", "its n columns are right, its rows are not"),
        ("b4-shape-weights", "8×n", "a parameter's shape, and its gradient's, do not depend on it"),
        ("b4-shape-weights", "8×8", "its 8 rows are right"),
        ("b4-shape-weights", "2×2", "neither its rows nor its columns"),
    ],
)
def test_a_wrong_shape_is_told_by_what_it_is(name, text, said):
    verdict = judge_question(ASKED.question(name), text)
    assert verdict.verdict == "wrong"
    assert said in verdict.mistakes[0].text


def test_what_is_no_shape_costs_nothing():
    assert judge_question(ASKED.question("b4-shape-sum"), "eight").verdict == "unreadable"


@pytest.mark.parametrize("keys", ['wrt = "W[1]"\nof = "f[1]"', "", 'wrt = "W[1][0,0]"', 'of = "q"'])
def test_a_question_for_a_shape_names_one_whole_matrix(keys):
    with pytest.raises(ExperimentError, match="expected"):
        parse_assignment(f'[[question]]\nid = "s"\nexperiment = "tutorial-b"\nkind = "shape"\n{keys}', "mine")


@pytest.mark.parametrize("form", FORMATS)
def test_handouts_ask_for_shapes_and_solve_them(form):
    text = worksheet(ASKED.about("B4"), form, True, Style())
    assert "the shape of" in text
    assert "1100 here" in text
