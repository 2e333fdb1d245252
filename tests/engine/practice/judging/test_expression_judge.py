"""Formulas for derivatives of expressions are judged at random values, and their mistakes named."""

from __future__ import annotations

import pytest

from engine.derivation.chain_rule import explain
from engine.experiment.loading import load_any
from engine.experiment.presets import EXPRESSION_PRESETS
from engine.formula.parser import parse_symbol
from engine.model.expression_graph import TypedExpression
from engine.practice.judging.expression_judge import ExpressionJudge
from engine.practice.prediction import Prediction
from engine.practice.question.asked_target import AskedTarget


def judge(formula, values, wrt):
    expression = TypedExpression(formula, values, "x")
    return ExpressionJudge(expression, expression.graph().loss.symbol, AskedTarget(parse_symbol(wrt)))


def test_a_formula_that_is_right_elsewhere_too_is_right():
    verdict = judge("(x+y)*z", {"x": -2, "y": 5, "z": -4}, "x").judge("z")
    assert verdict.verdict == "right"


def test_a_formula_that_is_right_only_at_these_numbers_is_wrong():
    verdict = judge("x*y", {"x": 2, "y": 2}, "x").judge("x")
    assert verdict.verdict == "wrong"
    verdict = judge("x**2 + y", {"x": 2, "y": 1}, "x").judge("3*y + 1")
    assert "right for the numbers given here" in verdict.mistakes[0].text


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("-z", "the sign is wrong"),
        ("2*z", "the factor 2 does not belong here"),
        ("y", "y stands where z belongs"),
        ("1", "the factor z is missing"),
    ],
)
def test_a_mistake_is_named(answer, said):
    verdict = judge("(x+y)*z", {"x": -2, "y": 5, "z": -4}, "x").judge(answer)
    assert [one.text for one in verdict.mistakes] == [said]


def test_a_branch_that_was_forgotten_at_a_fork_is_named():
    verdict = judge("h = sin(x); f = h*y + h**2", {"x": 0.5, "y": 2}, "x").judge("y*cos(x)")
    assert verdict.verdict == "wrong"
    assert "missing" in verdict.mistakes[0].text


def test_a_name_that_is_not_there_is_said_of_the_expression():
    verdict = judge("x*y", {"x": 2, "y": 3}, "x").judge("w")
    assert verdict.verdict == "unreadable"
    assert "in this expression; it has q1, x, y" in verdict.problem


def test_outside_of_where_it_has_a_value_there_is_no_evidence():
    verdict = judge("log(x)*y", {"x": 2, "y": 3}, "x").judge("y/x")
    assert verdict.verdict == "right"


@pytest.mark.parametrize("name", EXPRESSION_PRESETS)
def test_every_solution_of_a_preset_is_right(name):
    table = load_any(name).expression
    expression = TypedExpression(table.formula, table.values, name)
    for variable in expression.variables:
        graph = expression.graph()
        graph.forward()
        graph.backward()
        prediction = Prediction.of_expression(expression, explain(graph, variable))
        for place, asked in enumerate(prediction.questions):
            if (solution := prediction.solution(asked)) is not None:
                assert prediction.judge(place, solution.plain()).verdict == "right", (asked.name, solution)
