"""A student works through both tutorials: every wrong answer that one is likely to give is answered with the reason."""

from __future__ import annotations

import pytest

from engine.practice.assignments.assignment import AssignmentQuestion, load_assignment
from engine.practice.assignments.grading import judge_question

QUESTIONS: dict[str, AssignmentQuestion] = {one.id: one for one in load_assignment("tutorials").questions}

SAID = {
    "c1-bound": {"0.5^50": "sigmoid itself where it is steepest"},
    "a0": {
        "0.857": "this takes log Ŷ for every sample",
        "0.15": "the mean of |Ŷ − Y|",
        "0.8": "this is 1 − Ŷ₀₀",
        "0.3285": "sum over the 2 samples",
        "-0.16425": "the sign is wrong",
        "0.0713": "not that to base 10",
        "1.956": "Y and 1 − Y are exchanged",
        "0.1642": "cut off, not rounded",
        "log(0.8)+log(0.9)": "minus the sum over the 2 samples",
    },
    "a1a": {
        "-log(Y_hat)": "log(Ŷ) is not differentiated",
        "Y/Y_hat + (1-Y)/(1-Y_hat)": "the sign of the first term",
        "-Y/Y_hat": "the term (1−Y₀₀)/(1−Ŷ₀₀) is missing",
        "Y/Y_hat": "the term (1−Y₀₀)/(1−Ŷ₀₀) is missing from −Y₀₀/Ŷ₀₀ + (1−Y₀₀)/(1−Ŷ₀₀); the sign is wrong",
        "-Y*log(Y_hat)-(1-Y)*log(1-Y_hat)": "ℰ itself, and not its derivative",
        "-Y/Y_hat + 1/(1-Y_hat)": "the factor (1 − Y) is missing",
        "-Y/Y_hat + (1-Y)/Y_hat": "Ŷ stands where 1 − Ŷ belongs",
    },
    "a1a-0": {
        "1.549": "the sign is wrong as well",
        "-1.549": "this is for Y = 1, and here Y is 0",
        "-2.822": "the sign is wrong",
    },
    "a3-row": {"-Y/Y_hat + (1-Y)/(1-Y_hat)": "1/n is missing", "(Y_hat-Y)/n": "this is ∂ℰ/∂f⁽¹⁾"},
    "a1a-1": {
        "2.822": "this is for Y = 0, and here Y is 1",
        "1.549": "the sign is wrong",
        "-1.54": "cut off, not rounded",
    },
    "a1b-slope": {
        "Y_hat*(1-Y)": "Y stands where Ŷ belongs",
        "f*(1-f)": "f⁽¹⁾ stands where Ŷ belongs",
        "1-tanh(f[1])**2": "",
        "indicator(f[1]>0)": "1{f⁽¹⁾ > 0} stands where",
    },
    "a1b": {
        "-Y*(1-Y_hat)": "Ŷ₀₀ is missing from Ŷ₀₀ − Y₀₀",
        "Y-Y_hat": "the sign is wrong",
        "(Y_hat-Y)*Y_hat*(1-Y_hat)": "Ŷ₀₀(1−Ŷ₀₀) does not belong here",
    },
    "a1c": {
        "-eta*(Y_hat-Y)*X[2,0]": "η belongs to the update",
        "(Y_hat-Y)*X[2,0] + W[1][2,0]": "the term W⁽¹⁾₂₀ does not belong here",
        "Y_hat-Y": "the factor X₂₀ is missing",
        "(Y_hat-Y)*X": "its entry [2,0] is the right one",
    },
    "a2": {"(Y_hat-Y) @ X.T": "transpose", "2*X @ (Y_hat-Y).T": "the factor 2 does not belong here"},
    "a2-number": {"0.08107": "Ŷ(1 − Ŷ) is a factor too many", "-0.3543": "the sign is wrong"},
    "a3-entry": {"(Y_hat[0,0]-Y[0,0])/n": "sample 0 stands where sample 1 belongs"},
    "a3": {"Y_hat-Y": "1/n is missing", "Y_hat/n": "Ŷ stands where Ŷ − Y belongs"},
    "a3-weights": {
        "X*(Y_hat - Y)/n": "the sum over the samples is missing",
        "X @ Y_hat.T / n": "Ŷ stands where Ŷ − Y belongs",
    },
    "a3-jacobian": {"Y_hat[0,0]*(1-Y_hat[0,0])": "Ŷ₀₀ stands where Ŷ₀₁ belongs"},
    "a4-ratio": {"0.1": "upside down"},
    "a4-loss": {"0.16425": "the class weights α and β are missing", "1.2": "α and β"},
    "a4": {
        "(alpha*Y*(1-Y_hat)+beta*(1-Y)*Y_hat)/n": "the sign of",
        "(-beta*Y*(1-Y_hat)+alpha*(1-Y)*Y_hat)/n": "α and β are exchanged",
    },
    "b1-4": {"indicator(f[2][0,0]>0)": "stands where 1{f⁽¹⁾₁₀ > 0} belongs"},
    "b1": {
        "(Y_hat-Y)*W[2][1,0]*X[1,0]": "1{f⁽¹⁾₁₀ > 0} is missing",
        "(Y_hat-Y)*W[2][1,0]*a[1][1,0]*(1-a[1][1,0])*X[1,0]": "stands where 1{f⁽¹⁾₁₀ > 0} belongs",
        "(Y_hat-Y)*(W[2][0,0]+W[2][1,0])*1{f[1][1,0]>0}*X[1,0]": "the term W⁽²⁾₀₀ does not belong here",
        "(Y_hat[0,0]-Y[0,0])*W_{10}^{[2]}*1\\{f^{[1]}_{10}>0\\}*X_{00}": "X₀₀ stands where X₁₀ belongs",
        "0.1922": "a formula is asked for",
    },
    "b1-number": {"-0.1922": "the sign is wrong", "-0.2883": "∂ℰ/∂", "0.3844": "X₁₀ is missing"},
    "b3": {"X[0,0]": "the gradient is 0 here: the step function"},
    "b4": {"X @ (W[2] @ (Y_hat-Y)).T": "mask of f⁽¹⁾ is missing"},
    "b4-delta": {"(W[2] @ (Y_hat - Y)) * a[1]": "a⁽¹⁾"},
    "b4-given": {"X @ delta": "does not fit"},
    "c1-delta": {
        "dE/df[51]*a[50]*(1-a[50])": "the product with W⁽⁵¹⁾ is missing",
        "(W[51] @ dE/df[51])*a[49]*(1-a[49])": "a⁽⁴⁹⁾ stands where a⁽⁵⁰⁾ belongs",
    },
    "c2": {"(W[51] @ dE/df[51])*indicator(f[51]>0)": "stands where 1{f⁽⁵⁰⁾ > 0} belongs"},
    "c3-fork": {
        "W[2] @ (dE/da[2]*indicator(f[2]>0)) - dE/da[2]": "the sign of",
        "W[2] @ (dE/da[2]*indicator(f[2]>0)) + 2*dE/da[2]": "the factor 2 does not belong here",
        "W[2] @ dE/da[2] * indicator(f[2]>0) + dE/da[2]": "before the product with W⁽²⁾",
    },
    "d1": {"dE/da[3]*indicator(f[2]>0)": "f⁽²⁾ stands where f⁽³⁾ belongs"},
    "d2": {"0.3*dE/da[3]": "0.3 stands where", "dE/da[3]*indicator(f[3]>0)": "the leak"},
    "d3": {"W[1][0,:] @ W[2][:,0]": "W⁽¹⁾[0,:] stands where W⁽¹⁾[1,:] belongs"},
}
"""By question: what is typed, and what the sentence about it holds."""

MORE = {
    "a1a": {
        "-1/Y_hat + 1/(1-Y_hat)": "the factors Y and 1 − Y of the two terms are missing",
        "-Y/Y_hat^2 + (1-Y)/(1-Y_hat)^2": "the squares do not belong here",
        "-1/Y_hat": "this is right where Y = 1, and not where Y = 0",
    },
    "a1a-1": {"0.4375": "this is ℰ itself", "-0.3543": "this is ∂ℰ/∂W⁽¹⁾₀₀"},
    "a1b-slope": {
        "exp(f)/(1+exp(-f))**2": "exp(f⁽¹⁾) stands where exp(−f⁽¹⁾) belongs",
        "Y_hat-Y": "this is ∂ℰ/∂f⁽¹⁾: asked for is the one factor",
    },
    "a1c": {
        "Y_hat-Y*X[2,0]": "brackets are missing: X₂₀ belongs to all of Ŷ − Y",
        "(Y_hat-Y)+X[2,0]": "are multiplied, not added",
        "(Y_hat-Y)*(X[0,0]+X[1,0]+X[2,0])": "only X₂₀ belongs here",
        "W[1][2,0] - 0.1*(Y_hat-Y)*X[2,0]": "this is W⁽¹⁾₂₀ after a step",
    },
    "a2": {
        "X": "the factor (Ŷ − Y) is missing",
        "X*Y_hat*(1-Y_hat)": "Ŷ(1−Ŷ) is the slope alone",
        "W*X": "W⁽¹⁾ stands where Ŷ − Y belongs",
    },
    "a2-number": {
        "0.2646": "this is W⁽¹⁾₂₀ after a step",
        "-0.7087": "this is ∂ℰ/∂W⁽¹⁾₁₀",
        "0.2288": "this is one factor alone",
    },
    "a2-update": {
        "W - eta*(Y_hat-Y)": "the factor X is missing",
        "W - eta*sum(X)*(Y_hat-Y)": "there is no sum here",
        "W - eta*X": "the factor (Ŷ − Y) is missing",
    },
    "a2-sum": {
        "0.6354": "changed alone: the step changes all parameters",
        "2.726": "the factor η is missing",
        "0.6927": "this is Ŷ₀₀ after 1 step",
    },
    "a2-loss": {"0.1595": "not that to base 10", "0.3622": "that the gradient alone lets expect"},
    "a3-row": {
        "Y_hat-Y": "this is ∂ℰ/∂f⁽¹⁾, one factor away from ∂ℰ/∂Ŷ",
        "-Y/Y_hat/n": "the term (1−Y)/(1−Ŷ) is missing",
        "-(Y*log(Y_hat)+(1-Y)*log(1-Y_hat))/n": "this is ℰ itself",
    },
    "a3-entry": {"sum(Y_hat-Y)/n": "there is no sum here"},
    "a3": {"Y_hat - Y/n": "brackets are missing", "(Y_hat-Y)/1000": "1000 stands where n = 1100 belongs"},
    "a3-beside": {"Y_hat[0,0]*(1-Y_hat[0,0])": "f⁽¹⁾₀₁ belongs to sample 1 and Ŷ₀₀ to sample 0"},
    "a3-jacobian": {"0": "it is 0, and the gradient is not"},
    "a4": {
        "(alpha+beta)*(Y_hat-Y)/n": "α + β stands where αY + β(1−Y) belongs",
        "(-alpha*Y*(1-Y_hat)+beta*(1-Y)*Y_hat)/(alpha+beta)": "α + β stands where n = 2 belongs",
    },
    "a4-ratio": {"100": "how many samples have Y = 1", "0.0909": "the share of the samples with Y = 1"},
    "a4-loss": {"1.6425": "α multiplies the term of Y = 1 alone"},
    "a4-found": {"0.957": "this is the precision", "0.0409": "this is over all 1100 samples"},
    "a4-accuracy": {"0.8095": "the mean of both recalls", "0.948": "this is without class weights"},
    "b1-number": {"0.01922": "the decimal point is not", "0.2883": "∂ℰ/∂W⁽¹⁾₀₀ with the sign wrong"},
    "b2": {"(Y_hat-Y)*a[1][1,0]*1{f[2][0,0]>0}": "the factor 1{f⁽²⁾₀₀ > 0} does not belong here"},
    "b4-output": {"1{f[1]>0}*(Y_hat-Y)": "the factor a⁽¹⁾ is missing"},
    "b4-delta": {"W[2] + (Y_hat-Y)*1{f[1]>0}": "are multiplied, not added"},
    "b4": {"X @ 1{f[1]>0}.T*(Y_hat-Y)": "the factor W⁽²⁾ is missing"},
    "c1-delta": {"W[51]*a[50]*(1-a[50])": "the factor dE/df⁽⁵¹⁾ is missing"},
    "c2": {"W[51] @ (dE/df[51]*indicator(f[51]>0))": "belongs after it"},
    "c3-fork": {
        "W[2] @ (dE/da[2]*indicator(f[2]>0) + dE/da[2])": "belongs to the term",
        "(W[2] @ dE/da[2] + dE/da[2])*indicator(f[2]>0)": "alone, and not to",
        "W[2]*(dE/da[2]*indicator(f[2]>0)) + dE/da[2]": "are multiplied as matrices",
    },
    "c3-norm-ways": {
        "1 - 1/n - h[1][0,1]**2/n": "the factor 1/std⁽¹⁾₀₀ is missing from all of it",
        "1/std[1][0,0]": "the term −1/std⁽¹⁾₀₀ · 1/n is missing from the sum",
        "(1 - 1/n + h[1][0,1]**2/n)/std[1][0,0]": "has the wrong sign",
        "(1 - 1/n)/std[1][0,0]": "is missing from the sum",
    },
    "b2-kink": {"1": "the slope right of 0", "0.5": "the mean of both slopes"},
    "c3-explodes": {"1.6e-6": "the sign of the exponent is wrong"},
    "d2": {
        "dE/da[3]*0.3*indicator(f[3]<=0)": "stands where 1{f⁽³⁾ > 0} + 0.3·1{f⁽³⁾ ≤ 0} belongs",
        "dE/da[3]*(1+0.3*indicator(f[3]<=0))": "stands where 1{f⁽³⁾ > 0} + 0.3·1{f⁽³⁾ ≤ 0} belongs",
    },
}
"""The same, of what is put together wrongly: brackets, sums for products, factors of the whole; and of numbers."""

EACH = [
    (name, typed, said)
    for table in (SAID, MORE)
    for name, answers in table.items()
    for typed, said in answers.items()
]


@pytest.mark.parametrize(("name", "typed", "said"), EACH, ids=[f"{name} {typed}" for name, typed, _ in EACH])
def test_a_likely_answer_is_answered_with_the_reason(name, typed, said):
    verdict = judge_question(QUESTIONS[name], typed)
    assert verdict.verdict in ("wrong", "unreadable")
    sentences = "; ".join([*(one.text for one in verdict.mistakes), verdict.problem or ""])
    assert said in sentences
    assert said == "too far from 0" or "none of the numbers" not in sentences
    if said:
        assert "none of the usual mistakes" not in sentences or said in sentences


def test_what_is_right_at_the_networks_that_are_tried_is_not_named_by_a_guess():
    verdict = judge_question(QUESTIONS["b1"], "(Y_hat-Y)*W[2][1,0]*1{X[1,0]>0}*X[1,0]")
    assert "earlier pass" not in "; ".join(one.text for one in verdict.mistakes)


def test_an_earlier_result_is_divided_by_n_already():
    verdict = judge_question(QUESTIONS["b4-given"], "X @ dE/df[1].T / n")
    assert verdict.remarks == ("right because n = 1: the earlier result is divided by n already",)
    assert not judge_question(QUESTIONS["b4-given"], "X @ dE/df[1].T").remarks


def test_delta_is_the_earlier_result_that_the_question_gives():
    assert judge_question(QUESTIONS["b4-given"], "X @ delta.T").verdict == "right"
    assert judge_question(QUESTIONS["d1"], "delta * 1{f[3] > 0}").verdict == "right"


def test_plain_and_latex_names_may_stand_together():
    assert judge_question(QUESTIONS["a1c"], "(Y_hat[0,0] - Y[0,0])*X_{20}").verdict == "right"


def test_a_class_weight_of_one_may_be_left_out_and_is_remarked():
    verdict = judge_question(QUESTIONS["a4"], "(-alpha*Y*(1-Y_hat)+(1-Y)*Y_hat)/n")
    assert verdict.verdict == "right"
    assert any("β = 1" in remark for remark in verdict.remarks)
