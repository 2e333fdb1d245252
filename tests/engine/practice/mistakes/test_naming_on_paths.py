"""Naming mistakes: a planted one is named as what it is, an ambiguous one as all that it may be."""

from __future__ import annotations

import numpy as np
import pytest

from engine.practice.judging.judge import Judge
from tests.engine.practice.matrix_answers import (
    is_named,
    random_generator,
    random_matrix_answer,
    random_sum,
    spoiled_sum,
)
from tests.engine.practice.questions import inline, judge_in, judge_on, named, network
from tests.engine.practice.random_questions import random_question
from tests.engine.practice.rewrites import change, plant

E, W, MASK, X = "(Y_hat[0,0]-Y[0,0])", "W[2][1,0]", "indicator(f[1][1,0]>0)", "X[1,0]"
LOSS = "(-Y[0,0]/Y_hat[0,0]+(1-Y[0,0])/(1-Y_hat[0,0]))"
SLOPE = "sigmoid(f[2][0,0])*(1 - sigmoid(f[2][0,0]))"


@pytest.mark.parametrize(("mistakes", "least"), [(1, 0.95), (2, 0.90)])
def test_planted_mistakes_are_named_exactly(mistakes, least):
    """Random networks of one to three layers; benchmarks/answers.py does a thousand of each."""
    exact = wrong = number = 0
    while wrong < 25:
        rng = np.random.default_rng([11, mistakes, number])
        number += 1
        judge = Judge(*random_question(rng))
        if not judge.question.paths or len(judge.question.paths) != 1:
            continue
        formula, planted = plant(judge.question.paths[0], rng, mistakes)
        verdict = judge.judge(formula.plain())
        if verdict.verdict == "right":  # f for a where the activation is linear, or two that undo each other
            continue
        wrong += 1
        exact += change(planted) == change([(one.kind, one.what, one.instead) for one in verdict.mistakes])
    assert exact >= least * wrong, f"{exact} of {wrong}"


@pytest.mark.parametrize(("mistakes", "least"), [(1, 0.95), (2, 0.90)])
def test_planted_mistakes_in_whole_matrices_are_named_exactly(mistakes, least):
    named_exactly = wrong = number = 0
    while wrong < 25:
        answer = random_matrix_answer(random_generator(5, mistakes, number), mistakes)
        number += 1
        if answer is None:
            continue
        verdict = answer.judge.judge(answer.text())
        if verdict.verdict == "right":
            continue
        wrong += 1
        named_exactly += is_named(list(answer.planted.values()), verdict)
    assert named_exactly >= least * wrong, f"{named_exactly} of {wrong}"


def test_whole_matrices_without_a_mistake_are_right():
    for number in range(12):
        answer = random_matrix_answer(random_generator(6, number), 0)
        assert answer is not None
        assert answer.judge.judge(answer.text()).verdict == "right", answer.text()


def test_planted_mistakes_in_sums_over_several_ways_are_named_exactly():
    named_exactly = wrong = number = 0
    while wrong < 10:
        rng = random_generator(7, number)
        number += 1
        if (asked := random_sum(rng)) is None:
            continue
        judge, paths = asked
        text, planted = spoiled_sum(paths, rng)
        verdict = judge.judge(text)
        if verdict.verdict == "right":
            continue
        wrong += 1
        named_exactly += change(planted) == change(
            [(one.kind, one.what, one.instead) for one in verdict.mistakes]
        )
    assert named_exactly >= 0.9 * wrong, f"{named_exactly} of {wrong}"


@pytest.mark.parametrize(
    ("text", "mistakes", "right_factors"),
    [
        (f"-{E}*{W}*{MASK}*{X}", [("sign", "-1", None)], 4),
        (f"{E}*{W}*{X}", [("missing", "indicator(f[1][1,0] > 0)", None)], 4),
        (f"{E}*{W}*{MASK}", [("missing", "X[1,0]", None)], 4),
        (f"{E}*W[2][0,0]*{MASK}*{X}", [("swapped", "W[2][0,0]", "W[2][1,0]")], 4),
        (f"{E}*{W}*{MASK}*X[2,0]", [("swapped", "X[2,0]", "X[1,0]")], 4),
        (
            f"{E}*{W}*indicator(f[1][0,0]>0)*{X}",
            [("swapped", "indicator(f[1][0,0] > 0)", "indicator(f[1][1,0] > 0)")],
            4,
        ),
        (
            f"{E}*{W}*indicator(f[1][1,0]<=0)*{X}",
            [("swapped", "indicator(f[1][1,0] <= 0)", "indicator(f[1][1,0] > 0)")],
            4,
        ),
        (f"2*{E}*{W}*{MASK}*{X}", [("extra", "2", None)], 4),
        (f"{LOSS}*{W}*{MASK}*{X}", [("missing", SLOPE, None)], 4),
        (f"{LOSS}*sigmoid(f[2][0,0])*{W}*{MASK}*{X}", [("swapped", "sigmoid(f[2][0,0])", SLOPE)], 4),
        (
            f"{E}*Y_hat[0,0]*(1-Y_hat[0,0])*{W}*{MASK}*{X}",
            [("extra", "Y_hat[0,0]*(1 - Y_hat[0,0])", None)],
            4,
        ),
        (f"{LOSS.replace('+(1', '-(1')}*{SLOPE}*{W}*{MASK}*{X}", [("sign", "(1 - Y)/(1 - Y_hat)", None)], 4),
        (f"{E}*{W}*{MASK}*W[1][1,1]", [("swapped", "W[1][1,1]", "X[1,0]")], 4),
        (f"Y_hat[0,0]*{W}*{MASK}*{X}", [("swapped", "Y_hat[0,0]", "Y_hat[0,0] - Y[0,0]")], 3),
        (
            f"-{E}*W[2][0,0]*{X}",
            [
                ("missing", "indicator(f[1][1,0] > 0)", None),
                ("sign", "-1", None),
                ("swapped", "W[2][0,0]", "W[2][1,0]"),
            ],
            2,
        ),
    ],
)
def test_mistakes_with_the_weight_of_tutorial_b(text, mistakes, right_factors):
    verdict = judge_on("tutorial-b", "W[1][1,1]").judge(text)
    assert named(verdict) == sorted(mistakes, key=str)
    assert verdict.factors == 5
    assert verdict.right_factors == right_factors
    assert verdict.counterexample is not None
    assert verdict.counterexample.yours != verdict.counterexample.true


def test_what_cannot_be_told_apart_is_said_together():
    verdict = judge_on("tutorial-b", "W[1][1,1]").judge(f"{E}*{W}*a[1][1,0]*{X}")
    assert "or f⁽¹⁾₁₀" in verdict.mistakes[0].text


def test_nothing_fits_says_what_holds():
    judge = judge_on("tutorial-b", "W[1][1,1]")
    text = judge.judge(f"{X} + 3").mistakes[0].text
    assert "depends on W[1], W[2], Y" in text
    assert "it is 0" in judge.judge("0").mistakes[0].text
    assert (
        "right for the numbers of this experiment"
        in judge.judge(f"{E}*{W}*{MASK}*{X}*(1 + relu(f[1][0,0] - 1))*(1 + relu(f[1][1,0] - 0.6))")
        .mistakes[0]
        .text
    )


SAMPLES = "((Y_hat[0,0]-Y[0,0])*X[0,0] + (Y_hat[0,1]-Y[0,1])*X[0,1])"


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        (SAMPLES, "missing", "1/n"),
        ("(Y_hat[0,0]-Y[0,0])*X[0,0]/n", "path", "(Y_hat[0,1] - Y[0,1])/n*X[0,1]"),
        (f"-{SAMPLES}/n", "sign", "-1"),
        (SAMPLES.replace("+", "-") + "/n", "sign", "(Y_hat[0,1] - Y[0,1])/n*X[0,1]"),
        (SAMPLES.replace("X[0,1]", "X[0,0]") + "/n", "swapped", "X[0,0]"),
        (f"{SAMPLES}/n/n", "extra", "1/n"),
    ],
)
def test_mistakes_in_a_sum_over_samples(text, kind, what):
    (found,) = judge_on("tutorial-a-loss", "W[1][0,0]").judge(text).mistakes
    assert (found.kind, found.what) == (kind, what)


@pytest.mark.parametrize(
    ("wrt", "text", "kind", "what"),
    [
        ("W[1]", "X @ (W[2] @ (Y_hat - Y)).T/n", "missing", "indicator(f[1] > 0)"),
        ("W[1]", "X @ (W[2] @ (Y_hat - Y) * (f[1] > 0)).T", "missing", "1/n"),
        ("W[1]", "X @ (W[2] @ (Y - Y_hat) * (f[1] > 0)).T/n", "sign", "-1"),
        ("W[1]", "X @ (W[2] @ (Y_hat - Y) * (f[1] <= 0)).T/n", "swapped", "indicator(f[1] <= 0)"),
        ("W[2]", "f[1] @ (Y_hat - Y).T/n", "swapped", "f[1]"),
        ("f[1]", "W[2] @ (Y_hat - Y)/n", "swapped", "dE/da[1]"),
        ("b[1]", "sum(W[2] @ (Y_hat - Y) * (f[1] > 0), axis=1)/n/n", "extra", "1/n"),
    ],
)
def test_mistakes_in_whole_matrices(wrt, text, kind, what):
    judge = judge_in(
        wrt,
        data=inline([[1.0, 0.5, 0.1, 0.3], [2.0, -1.0, 0.4, -0.7]], [[0.0, 1.0, 1.0, 0.0]]),
        network=network({"units": 3, "activation": "relu"}, {"units": 1, "activation": "sigmoid"}, bias=True),
        loss={"kind": "bce"},
    )
    (found,) = judge.judge(text).mistakes
    assert (found.kind, found.what) == (kind, what)


def test_a_transposed_square_weight_is_named():
    judge = judge_in(
        "f[1]",
        data=inline([[1.0, 0.5], [2.0, -1.0]], [[0.3, 1.0], [0.1, 0.7]]),
        network=network({"units": 2, "activation": "tanh"}, {"units": 2, "activation": "linear"}),
        loss={"kind": "squared_error"},
    )
    (found,) = judge.judge("(W[2].T @ (Y_hat - Y)) * (1 - a[1]**2)/n").mistakes
    assert (found.kind, found.what, found.instead) == ("transposed", "W[2].T", "W[2]")


def test_in_a_deep_network_the_ops_near_the_target_are_looked_at():
    judge = judge_on("vanishing-sigmoid-50", "f[50]")
    (found,) = judge.judge("(W[51] @ dE/df[51]) * a[50]").mistakes
    assert (found.kind, found.what, found.instead) == ("swapped", "a[50]", "a[50]*(1 - a[50])")


def test_a_forgotten_branch_of_a_fork_is_named():
    (found,) = judge_on("residual-fork", "a[1]").judge("W[2] @ (dE/da[2] * (f[2] > 0))").mistakes
    assert found.kind == "path"
