"""Names in one breath, layers raised or in parentheses, commas and per cent: what a student types without thinking."""

from __future__ import annotations

import pytest

from engine.practice.reading.answer_reader import read_answer
from engine.practice.reading.joined_names import JoinedName, taken_apart
from engine.practice.reading.names_in_scope import Scope
from engine.practice.reading.typed_number import TypedNumber
from engine.practice.reading.unreadable import UnreadableError
from tests.engine.practice.questions import judge_on

ONE_NEURON = judge_on("tutorial-a", "W[1][2,0]").question.scope
WINES = judge_on("tutorial-a-wine", "W[1]").question.scope
TWO_LAYERS = judge_on("tutorial-b", "W[1][1,1]").question.scope
SLOPE = judge_on("tutorial-b", "f[2][0,0]", "Y_hat[0,0]").question.scope


def plain(text: str, scope: Scope = TWO_LAYERS) -> str:
    return read_answer(text, scope).expr.plain()


def problem(text: str, scope: Scope = TWO_LAYERS) -> str:
    with pytest.raises(UnreadableError) as caught:
        read_answer(text, scope)
    return caught.value.problem


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("W2_10", ("W", "2", "10")),
        ("y_hat_1", ("y_hat", "", "1")),
        ("delta2", ("delta", "2", "")),
        ("W", None),
        ("batch_size", None),
    ],
)
def test_a_name_in_one_breath_is_taken_apart(name, parts):
    assert taken_apart(name) == (None if parts is None else JoinedName(*parts))


@pytest.mark.parametrize(
    "text",
    [
        *("W2_10", "w2_10", "W2[1,0]", "W[2][1]", "W[2](1,0)", "W(2)_10"),
        *("W^(2)_10", "W^2_10", "W²₁₀", "w_10^(2)", "W^{[2]}_{10}", r"w_{10}^{2}"),
    ],
)
def test_a_weight_of_the_second_layer(text):
    assert plain(text) == "W[2][1,0]"


@pytest.mark.parametrize("text", ["x_1", "x1", "X[1]", "x₁", "X(1,0)", "X10", "a0_10", "a[0][1,0]"])
def test_an_entry_of_one_sample(text):
    assert plain(text) == "X[1,0]"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("hat{y}(1-hat{y})", "Y_hat*(1 - Y_hat)"),
        (r"\hat{y} − ŷ²", "Y_hat - Y_hat**2"),
        (r"\hat{y}W⁽²⁾₁₀", "Y_hat*W[2][1,0]"),
        ("f1_10", "f[1][1,0]"),
        ("delta2*X", "dE/df[2]*X"),
        ("dL/df2_00", "dE/df[2][0,0]"),
        ("da1", "dE/da[1]"),
        ("½ Y", "1/2*Y"),
        ("-Y log Ŷ", "-Y*log(Y_hat)"),
        ("I(f1_10 > 0)", "indicator(f[1][1,0] > 0)"),
        (r"\mathbf{1}_{f^{[1]}_{10}>0}", "indicator(f[1][1,0] > 0)"),
        ("∂ℰ/∂W = Y_hat - Y", "Y_hat - Y"),
        (r"\frac{\partial E}{\partial f} = \hat{Y} - Y", "Y_hat - Y"),
    ],
)
def test_what_a_course_writes(text, read):
    assert plain(text) == read


def test_the_only_activation_of_one_neuron_is_its_prediction():
    assert plain("a(1-a)", ONE_NEURON) == "Y_hat*(1 - Y_hat)"
    assert plain("W := W - (a - y)x", ONE_NEURON) == "W[1] - (Y_hat - Y)*X"


def test_entries_of_a_row_of_samples_and_sums_over_them():
    assert plain("ŷ₁ − y_1", WINES) == "Y_hat[0,1] - Y[0,1]"
    expected = "sum over i ((Y_hat[0,i] - Y[0,i])*X[:,i])"
    assert plain("sum_i (y_hat_i - y_i) X[:,i]", WINES) == expected
    assert plain(r"\sum_{i=1}^n (\hat y_i - y_i) X[:,i]", WINES) == expected
    assert "its upper limit is n" in problem(r"\sum_{i=1}^{n-1} y_i", WINES)
    assert "X[:,i] is a column" in problem("sum_i x_i", WINES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("X_11", "X is 3×1 here, and rows and columns count from 0: there is no column 1"),
        ("a(1-a)", "entry by entry it is a⁽¹⁾ * (1 − a⁽¹⁾), and no matrix product"),
        ("a(1-a)", "a without a layer is a⁽¹⁾, the output is Ŷ"),
        ("0,5*Y", "a decimal point is a dot here: 0.5"),
        ("X_1,0*Y", "an index with a comma stands in brackets"),
        ("log 2 Y", "put what the logarithm is of in parentheses"),
        ("z*Y", "the weighted sum is f[1], f[2]"),
        ("1 if f1_10 > 0 else 0", "a condition is written as 1{f > 0}"),
        ("g'(f1)", "call the activation by its name"),
        ("W7", "there is no layer 7 of W: W[1], W[2]"),
        ("dW2", "dE/dW[2] may not be used here: write out what it is"),
        ("W[1].T X.T", "W⁽¹⁾ᵀ @ Xᵀ does not fit; X does"),
    ],
)
def test_a_refusal_says_what_to_write(text, said):
    assert said in problem(text)


def test_a_slope_is_written_out_where_it_is_just_what_is_asked_for():
    assert problem("σ′(f2)", SLOPE) == "σ′ is just what is asked for: write out what it is"
    assert plain("σ(f2)(1-σ(f2))", SLOPE) == "sigmoid(f[2])*(1 - sigmoid(f[2]))"
    assert plain("relu'(f1_10)") == "indicator(f[1][1,0] > 0)"  # a factor among others


@pytest.mark.parametrize(
    ("typed", "value", "digits"),
    [
        ("0,1922", 0.1922, 4),
        ("−12,5", -12.5, 3),
        ("96,4 %", 0.964, 3),
        ("7.9*10^-31", 7.9e-31, 2),
        ("7,9·10⁻³¹", 7.9e-31, 2),
        (r"7.9 \times 10^{-31}", 7.9e-31, 2),
        ("10^-30", 1e-30, 1),
        ("¼", 0.25, 15),
        ("-1/0,64", -1.5625, 15),
        ("max(1,2)", 2.0, 15),
    ],
)
def test_numbers_as_people_write_them(typed, value, digits):
    number = TypedNumber.parse(typed)
    assert number.value == pytest.approx(value, rel=1e-15)
    assert number.digits == digits


def test_a_comma_that_may_stand_for_thousands_is_asked_about():
    with pytest.raises(UnreadableError, match=r"is this 1.549 or 1549"):
        TypedNumber.parse("1,549")
    assert TypedNumber.parse("0,549").value == 0.549
