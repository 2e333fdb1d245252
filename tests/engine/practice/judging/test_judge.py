"""Judging: equal formulas are right, others are not; each trap in which a judge may fall has a test of its own."""

from __future__ import annotations

import time

import numpy as np
import pytest

from engine.formula.expression import Sum, Symbol
from engine.practice.question.asked_question import ENOUGH
from engine.practice.question.comparison import compare
from engine.practice.question.path_factors import product_of_path
from engine.practice.question.random_networks import LARGEST_SUM, NetworkMaker
from engine.practice.reading.batched_evaluation import evaluate
from tests.engine.practice.questions import inline, judge_in, judge_on, network
from tests.engine.practice.random_questions import judge_of
from tests.engine.practice.rewrites import plant, rewritten

B = "(Y_hat[0,0]-Y[0,0])*W[2][1,0]*indicator(f[1][1,0]>0)*X[1,0]"
ONE_SAMPLE = inline([[1.0], [0.5], [-1.2]], [[1.0]])


def right(judge, text):
    verdict = judge.judge(text)
    assert verdict.verdict == "right", (text, verdict)
    return " ".join(verdict.remarks)


def wrong(judge, text):
    verdict = judge.judge(text)
    assert verdict.verdict == "wrong", (text, verdict)
    return verdict


# ── right and wrong at large ────────────────────────────────────────────────────────────────────────

FORMS = {
    ("tutorial-b", "W[1][1,1]"): [
        B,
        "X[1,0]*W[2][1,0]*(f[1][1,0] > 0)*(Y_hat[0,0]-Y[0,0])",
        "-(Y[0,0]-Y_hat[0,0])*W[2][1,0]*1{f[1][1,0]>0}*X[1,0]",
        "(-alpha*Y[0,0]/Y_hat[0,0]+beta*(1-Y[0,0])/(1-Y_hat[0,0]))*Y_hat[0,0]*(1-Y_hat[0,0])*W[2][1,0]*1{f[1][1,0]>0}*X[1,0]",
        "Y_hat[0,0]*W[2][1,0]*1{f[1][1,0]>0}*X[1,0] - Y[0,0]*W[2][1,0]*1{f[1][1,0]>0}*X[1,0]",
        "(1/(1+exp(-f[2][0,0])) - Y[0,0])*W[2][1,0]*1{f[1][1,0]>0}*X[1,0]",
        "dE/df[2][0,0]*W[2][1,0]*1{f[1][1,0]>0}*X[1,0]",
        "dE/df[1][1,0]*X[1,0]",
    ],
    ("tutorial-b", "W[1]"): [
        "X @ (W[2] @ (Y_hat - Y) * indicator(f[1] > 0)).T",
        "X @ ((f[1] > 0) * (W[2] @ (Y_hat - Y))).T",
        "X * (W[2] * (Y_hat - Y) * (f[1] > 0)).T",
        "(((f[1] > 0) * W[2] * (Y_hat - Y)) @ X.T).T",
        "np.outer(X, W[2] * (Y_hat - Y) * (f[1] > 0))",
        "X @ dE/df[1].T",
    ],
    ("tutorial-a-wine", "W[1]"): [
        "X @ (Y_hat - Y).T / n",
        "((Y_hat - Y) @ X.T).T / n",
        "sum(X*(Y_hat - Y), axis=1)/n",
        "sum over k (X[:,k]*(Y_hat[0,k]-Y[0,k])/n)",
        "X @ (sigmoid(W.T @ X) - Y).T / 1100",
    ],
    ("residual-fork", "a[2][0,0]"): [
        "dE/da[3][0,0] + dE/df[3][0,0]*W[3][0,0] + dE/df[3][1,0]*W[3][0,1]",
        "(W[4][0,0] + W[3][0,0]*1{f[3][0,0]>0}*W[4][0,0] + W[3][0,1]*1{f[3][1,0]>0}*W[4][1,0])*(Y_hat[0,0]-Y[0,0])/n",
    ],
    ("batch-norm", "h[1][0,1]"): ["(Y_hat[0,1]-Y[0,1])/n*W[2][0,0]*(1-tanh(h[1][0,1])**2)"],
}


@pytest.mark.parametrize("place", FORMS, ids=" ".join)
def test_equivalent_forms_are_right(place):
    judge = judge_on(*place)
    for text in FORMS[place]:
        right(judge, text)


def test_two_hundred_rewritten_answers_are_right_and_two_hundred_spoiled_ones_wrong():
    """Judged at one set of networks a question; that a verdict says the same is looked at for the first of each."""
    rights = wrongs = number = 0
    while rights < 200 or wrongs < 200:
        rng = np.random.default_rng([7, number])
        number += 1
        judge = judge_of(rng, int(rng.integers(1, 3)))
        if not judge.question.paths:
            continue
        evidence = judge.question.maker_again().evidence("hard")

        def agrees(text, judge=judge, evidence=evidence):
            return compare(evaluate(judge.question.read(text).expr, evidence.names), evidence.truth).agrees

        terms = [product_of_path(path) for path in judge.question.paths]
        answer = Sum(tuple(terms)) if len(terms) > 1 else terms[0]
        right(judge, answer.plain())
        for _ in range(16):
            text = rewritten(answer, rng, int(rng.integers(1, 6))).plain()
            assert agrees(text), text
            rights += 1
        linear = any(layer.activation == "linear" for layer in judge.question.evaluated.network.layers)
        if len(judge.question.paths) == 1 and not linear:  # there f in place of a is no mistake
            for turn in range(40):
                text = rewritten(plant(judge.question.paths[0], rng, 1)[0], rng, 2).plain()
                assert not agrees(text), text
                wrongs += 1
                if not turn:
                    wrong(judge, text)


def test_a_formula_that_fits_one_number_is_wrong():
    judge = judge_on("tutorial-b", "W[1][1,1]")
    for text in ("0.19222", "0.39*X[1,0]", "-0.24*W[2][1,0]", "X[1,0] - 0.30778"):
        wrong(judge, text)


# ── the traps ───────────────────────────────────────────────────────────────────────────────────────


def test_a_truth_of_zero_does_not_make_everything_right():
    """With random weights alone, a path through fifty ReLUs of one unit each is on with a probability of 2⁻⁵⁰."""
    layers = [{"units": 1, "activation": "relu"} for _ in range(5)]
    judge = judge_in(
        "W[1][0,0]",
        data=inline([[1.0]], [[0.0]]),
        network=network(*layers, {"units": 1, "activation": "linear"}, bias=True),
        loss={"kind": "squared_error"},
    )
    evidence = judge.question.maker.evidence("hard")
    assert (np.abs(evidence.truth).max(axis=(1, 2)) > 0).sum() >= ENOUGH
    assert evidence.relu_off.sum() >= 8
    wrong(judge, "0")
    weights = "*".join(f"W[{layer}][0,0]" for layer in range(2, 7))
    masks = "*".join(f"indicator(f[{layer}][0,0] > 0)" for layer in range(1, 6))
    right(judge, f"(Y_hat - Y)*{weights}*{masks}*X[0,0]")
    for layer in range(1, 6):  # each missing indicator is found
        fewer = masks.replace(f"indicator(f[{layer}][0,0] > 0)", "1")
        wrong(judge, f"(Y_hat - Y)*{weights}*{fewer}*X[0,0]")


def test_below_a_step_function_zero_is_right_with_the_reason():
    judge = judge_on("step-activation", "W[1][0,0]")
    assert "step function" in right(judge, "0")
    right(judge, "X[0,0] - X[0,0]")
    wrong(judge, "X[0,0]")


def test_labels_are_hard_and_soft_ones_decide_a_remark_only():
    judge = judge_on("tutorial-a", "f[1][0,0]")
    assert "labels are 0 or 1" in right(judge, "(Y_hat[0,0] - Y[0,0])*(1 + Y[0,0]*(1 - Y[0,0]))")
    assert "labels" not in right(judge, "Y_hat[0,0] - Y[0,0]")


def test_soft_labels_count_where_the_experiment_has_them():
    tables = {"network": network({"units": 1, "activation": "sigmoid"}), "loss": {"kind": "bce"}}
    judge = judge_in("f[1][0,0]", data=inline([[1.0], [2.0]], [[0.3]]), **tables)
    wrong(judge, "(Y_hat[0,0] - Y[0,0])*(1 + Y[0,0]*(1 - Y[0,0]))")
    right(judge, "Y_hat[0,0] - Y[0,0]")


def test_labels_of_a_squared_error_are_any_number():
    tables = {"network": network({"units": 1, "activation": "linear"}), "loss": {"kind": "squared_error"}}
    judge = judge_in("f[1][0,0]", data=inline([[1.0], [2.0]], [[1.0]]), **tables)
    wrong(judge, "Y_hat[0,0] - Y[0,0]**2")


def test_a_row_of_ones_may_be_left_out_with_a_remark():
    judge = judge_on("tutorial-a", "W[1][0,0]")
    assert "X[0,k] is 1" in right(judge, "Y_hat[0,0] - Y[0,0]")
    assert "X[0,k]" not in right(judge, "(Y_hat[0,0] - Y[0,0])*X[0,0]")
    wrong(judge_on("tutorial-a", "W[1][1,0]"), "Y_hat[0,0] - Y[0,0]")


def test_one_sample_hides_the_mean_and_the_remark_says_so():
    judge = judge_on("tutorial-a", "W[1][1,0]")
    assert "n = 1" in right(judge, "(Y_hat[0,0] - Y[0,0])*X[1,0]")
    assert "n = 1" not in right(judge, "(Y_hat[0,0] - Y[0,0])*X[1,0]/n")
    wrong(judge_on("tutorial-a-loss", "f[1][0,0]"), "Y_hat[0,0] - Y[0,0]")


def test_equal_class_weights_hide_alpha_and_beta():
    judge = judge_on("tutorial-b", "f[2][0,0]")
    assert "α = β = 1" in right(judge, "Y_hat[0,0] - Y[0,0]")
    general = "-alpha*Y[0,0]*(1-Y_hat[0,0]) + beta*(1-Y[0,0])*Y_hat[0,0]"
    assert "α" not in right(judge, general)
    weighted = judge_on("tutorial-a-loss-weighted", "f[1]")
    wrong(weighted, "(Y_hat - Y)/n")
    right(weighted, "(-alpha*Y*(1-Y_hat) + beta*(1-Y)*Y_hat)/n")


def test_a_slope_of_one_hides_the_activation():
    judge = judge_on("leaky-slope-1", "f[1]")
    assert "slope is 1" in right(judge, "W[2] @ dE/df[2]")
    other = "(W[2] @ dE/df[2])*(indicator(f[1] > 0) + indicator(f[1] <= 0))"
    assert "slope is 1" in right(judge, other)


def test_both_sides_of_a_leaky_relu_count():
    judge = judge_on("dying-relu-leaky", "f[3]")
    right(judge, "dE/da[3]*((f[3] > 0) + 0.3*(f[3] <= 0))")
    wrong(judge, "dE/da[3]*(f[3] > 0)")
    wrong(judge, "dE/da[3]")


def test_an_answer_without_a_value_where_the_truth_has_one_is_wrong():
    verdict = wrong(judge_on("tutorial-a", "f[1][0,0]"), "(Y_hat[0,0] - Y[0,0])*Y[0,0]/Y[0,0]")
    assert verdict.verdict == "wrong"


def test_where_both_are_undefined_there_is_no_evidence():
    nan = np.full((64, 1, 1), np.nan)
    compared = compare(nan, nan)
    assert not compared.counts.any()


def test_too_little_evidence_is_never_right():
    """One sample under batch norm: h is 0 whatever the weights are, and so is the gradient at some networks only."""
    judge = judge_on("tutorial-b", "W[1][1,1]")
    evidence = judge.question.evidence(judge.question.read(B), "hard")
    few = evidence.truth.copy()
    few[ENOUGH - 4 :] = np.nan
    assert compare(few, few).nonzero.sum() < ENOUGH


@pytest.mark.parametrize(
    ("name", "wrt"), [("tutorial-b", "W[1]"), ("residual-fork", "W[1][0,0]"), ("xor", "W[1]")]
)
def test_networks_are_drawn_as_they_should_be(name, wrt):
    judge = judge_on(name, wrt)
    evidence = NetworkMaker(judge.question.evaluated, judge.question.target).evidence("hard")
    for symbol, values in evidence.names.items():
        if symbol.name == "f":
            assert np.abs(values).max() <= LARGEST_SUM * (1 + 1e-12)
    weights = evidence.names[Symbol("W", 1)]
    assert (weights > 0).any()
    assert (weights < 0).any()
    assert len(np.unique(np.abs(weights).round(9))) == weights.size
    again = NetworkMaker(judge.question.evaluated, judge.question.target).evidence("hard")
    assert np.array_equal(evidence.truth, again.truth)


# ── shapes, samples, other outputs ──────────────────────────────────────────────────────────────────


def test_another_shape_is_wrong_and_a_transpose_is_called_one():
    judge = judge_on("tutorial-b", "W[1]")
    verdict = wrong(judge, "(W[2] @ (Y_hat - Y) * (f[1] > 0)) @ X.T")
    assert verdict.mistakes[0].kind == "transposed"
    assert wrong(judge, "X").mistakes[0].kind == "reduction"
    assert wrong(judge_on("tutorial-b", "W[1][1,1]"), "X").right_factors == 0


def test_one_sample_of_several():
    judge = judge_on("tutorial-a-loss", "W[1][0,0]", None, 1)
    right(judge, "(Y_hat[0,1] - Y[0,1])*X[0,1]/n")
    wrong(judge, "(Y_hat[0,0] - Y[0,0])*X[0,0]/n")
    matrix = judge_on("tutorial-b-wine", "W[2]", None, 3)
    right(matrix, "a[1][:,3]*(-alpha*Y[0,3]*(1-Y_hat[0,3]) + beta*(1-Y[0,3])*Y_hat[0,3])/n")


def test_the_derivative_of_another_output():
    judge = judge_on("tutorial-b", "W[1][1,1]", "Y_hat[0,0]")
    right(judge, "Y_hat[0,0]*(1-Y_hat[0,0])*W[2][1,0]*1{f[1][1,0]>0}*X[1,0]")
    wrong(judge, "W[2][1,0]*1{f[1][1,0]>0}*X[1,0]")
    right(judge_on("tutorial-b", "W[1]", "f[2][0,0]"), "X @ (W[2]*(f[1] > 0)).T")


def test_one_factor():
    judge = judge_on("tutorial-b", "f[2][0,0] / a[1][1,0]")
    assert judge.judge("W[2][1,0]").factors == 1
    wrong(judge, "W[2][0,0]")


def test_softmax_and_cross_entropy():
    judge = judge_in(
        "f[1][1,0]",
        data=inline([[1.0], [2.0]], [[0.0], [1.0], [0.0]]),
        network=network({"units": 3, "activation": "softmax"}),
        loss={"kind": "cross_entropy"},
    )
    right(judge, "Y_hat[1,0] - Y[1,0]")
    wrong(judge, "Y_hat[1,0]")
    matrix = judge_in(
        "W[1]",
        data=inline([[1.0, 0.5], [2.0, -1.0]], [[0.0, 1.0], [1.0, 0.0]]),
        network=network({"units": 2, "activation": "softmax"}, bias=True),
        loss={"kind": "cross_entropy"},
    )
    right(matrix, "X @ (softmax(f) - Y).T/n")
    wrong(matrix, "X @ (softmax(f) - Y).T")


def test_biases():
    tables = {
        "data": inline([[1.0, 0.5, 0.1], [2.0, -1.0, 0.4]], [[0.0, 1.0, 1.0]]),
        "network": network(
            {"units": 2, "activation": "tanh"}, {"units": 1, "activation": "sigmoid"}, bias=True
        ),
        "loss": {"kind": "bce"},
    }
    judge = judge_in("b[1]", **tables)
    right(judge, "sum(W[2] @ (Y_hat - Y) * (1 - a[1]**2), axis=1)/n")
    right(judge, "(W[2] @ (Y_hat - Y) * (1 - a[1]**2)) @ ones / n")
    wrong(judge, "sum(W[2] @ (Y_hat - Y) * (1 - a[1]**2), axis=1)")


def test_a_verdict_comes_within_two_tenths_of_a_second():
    """Of the processor's time, whatever else the machine is doing."""
    judge = judge_on("tutorial-b", "W[1][1,1]")
    seconds = []
    for text in (B, "-" + B, B.replace("W[2][1,0]", "W[2][0,0]"), B.replace("*X[1,0]", "")):
        start = time.process_time()
        judge.judge(text)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.2
