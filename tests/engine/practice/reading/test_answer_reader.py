"""Reading answers: three notations that mean the same, and one line for everything that cannot be read."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.derivation.chain_rule import explain
from engine.formula.latex import to_latex
from engine.formula.layout import draw, one_line
from engine.formula.parser import MAX_LENGTH
from engine.practice.assignments.assignment import load_assignment
from engine.practice.reading.answer_reader import read_answer
from engine.practice.reading.names_in_scope import Scope
from engine.practice.reading.unreadable import UnreadableError
from tests.engine.practice.questions import judge_on

B = judge_on("tutorial-b", "W[1][1,1]")
WINE = judge_on("tutorial-a-wine", "W[1]")
SCOPE = B.question.scope
PLAIN = "(Y_hat[0,0] - Y[0,0])*W[2][1,0]*indicator(f[1][1,0] > 0)*X[1,0]"


def plain(text: str, scope: Scope = SCOPE) -> str:
    return read_answer(text, scope).expr.plain()


def refusal(text: str, scope: Scope = SCOPE) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        read_answer(text, scope)
    for said in (str(caught.value), caught.value.marked()):
        assert len(said.splitlines()) == 1
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "(Y_hat[0,0]-Y[0,0]) * W[2][1,0] * 1{f[1][1,0]>0} * X[1,0]",
        "(Ŷ₀₀ − Y₀₀)·W⁽²⁾₁₀·𝟙{f⁽¹⁾₁₀ > 0}·X₁₀",
        "(Ŷ₀₀ − Y₀₀)W⁽²⁾₁₀ 1{f⁽¹⁾₁₀ > 0} X₁₀",
        "(yhat[0,0] - y[0,0])*w[2][1,0]*(f[1][1,0] > 0)*x[1,0]",
        "(Y_hat_00 - Y_00)*W[2]_10*1{f[1]_10 > 0}*X_10",
        "(a[2][0,0] - Y[0,0])*W[2][1,0]*relu'(f[1][1,0])*a[0][1,0]",
        r"\left(\hat{Y}_{00} - Y_{00}\right) W^{[2]}_{10} \cdot \mathbf{1}\{f^{[1]}_{10} > 0\} \cdot X_{10}",
        r"(\hat Y_{00} - Y_{00}) \, W_{10}^{[2]} \mathbb{1}\{f_{10}^{[1]} > 0\} X_{10}",
        r"$(\hat{Y}_{0,0} - Y_{0,0}) \times W^{(2)}_{10} \mathbf{1}\{ f^{(1)}_{10} \gt 0 \} X_{10}$",
    ],
)
def test_three_notations_mean_the_same(text):
    assert plain(text) == PLAIN


@pytest.mark.parametrize(
    ("text", "expected", "shape"),
    [
        ("X @ (Y_hat - Y).T / n", "X @ (Y_hat - Y).T/n", (3, 1)),
        ("X (Ŷ − Y)ᵀ / n", "X @ (Y_hat - Y).T/n", (3, 1)),
        (r"\frac{1}{n} X (\hat{Y} - Y)^T", "1/n*X @ (Y_hat - Y).T", (3, 1)),
        (r"\frac{1}{n} X \left(\hat{Y} - Y\right)^{\top}", "1/n*X @ (Y_hat - Y).T", (3, 1)),
        ("np.dot(X, (Y_hat - Y).T)/n", "X @ (Y_hat - Y).T/n", (3, 1)),
        ("np.sum(X * (Y_hat - Y), axis=1, keepdims=True)/n", "sum(X*(Y_hat - Y), axis=1)/n", (3, 1)),
        ("(X*(Y_hat - Y)).sum(axis=1)/n", "sum(X*(Y_hat - Y), axis=1)/n", (3, 1)),
        ("X ⊙ (Y_hat - Y)", "X*(Y_hat - Y)", (3, 1100)),
        ("X[:,0]", "X[:,0]", (3, 1)),
        ("W.T @ X", "W[1].T @ X", (1, 1100)),
        (
            "sum over k (X[:,k]*(Y_hat[0,k] - Y[0,k]))/n",
            "sum over k (X[:,k]*(Y_hat[0,k] - Y[0,k])/n)",
            (3, 1),
        ),
        ("Σₖ X[1,k] Ŷ₀ₖ", "sum over k (X[1,k]*Y_hat[0,k])", None),
        (r"\sum_{k=0}^{n-1} X_{1k} \hat{Y}_{0k}", "sum over k (X[1,k]*Y_hat[0,k])", None),
        ("sum(X)", "sum(X)", None),
        ("np.mean(Y_hat)", "sum(Y_hat)/1/n", None),
    ],
)
def test_matrices_are_read_as_numpy_reads_them(text, expected, shape):
    answer = read_answer(text, WINE.question.scope)
    assert (answer.expr.plain(), answer.shape) == (expected, shape)
    assert draw(answer.expr).width
    assert one_line(answer.expr)
    assert to_latex(answer.expr)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-X[1,0]**2", "-X[1,0]**2"),
        ("X[1,0]^2", "X[1,0]**2"),
        ("X₁₀²", "X[1,0]**2"),
        ("2X[1,0]", "2*X[1,0]"),
        ("αY₀₀/Ŷ₀₀", "alpha*Y[0,0]/Y_hat[0,0]"),
        ("σ(f⁽²⁾₀₀)(1 − σ(f⁽²⁾₀₀))", "sigmoid(f[2][0,0])*(1 - sigmoid(f[2][0,0]))"),
        ("sigma'(f[2][0,0])", "sigmoid(f[2][0,0])*(1 - sigmoid(f[2][0,0]))"),
        ("e^(-f[2][0,0])", "exp(-f[2][0,0])"),
        (
            r"\sigma(f^{[2]}_{00})\left(1-\sigma(f^{[2]}_{00})\right)",
            "sigmoid(f[2][0,0])*(1 - sigmoid(f[2][0,0]))",
        ),
        ("max(0, f[2][0,0])", "maximum(0, f[2][0,0])"),
        ("[Y_hat[0,0] - Y[0,0]]*X[1,0]", "(Y_hat[0,0] - Y[0,0])*X[1,0]"),
        ("{Y_hat[0,0] - Y[0,0]}*X[1,0]", "(Y_hat[0,0] - Y[0,0])*X[1,0]"),
        ("W^[2]_10 · f^[1]_10", "W[2][1,0]*f[1][1,0]"),
        (
            r"\left[-\frac{Y_{00}}{\hat{Y}_{00}}+\frac{1-Y_{00}}{1-\hat{Y}_{00}}\right]\cdot X_{10}",
            "(-Y[0,0]/Y_hat[0,0] + (1 - Y[0,0])/(1 - Y_hat[0,0]))*X[1,0]",
        ),
        ("|X[1,0]|", "abs(X[1,0])"),
        ("dE/df[2][0,0]", "dE/df[2][0,0]"),
        ("∂ℰ/∂f⁽²⁾₀₀", "dE/df[2][0,0]"),
        ("δ⁽²⁾₀₀", "dE/df[2][0,0]"),
        ("(Y_hat - Y)*X", "(Y_hat - Y)*X"),
    ],
)
def test_ways_of_writing(text, expected):
    assert plain(text) == expected


def test_what_bptui_exports_is_read_back():
    """Every factor, in plain form, in LaTeX and as the screen draws it, of several networks."""
    for name, wrt in [
        ("tutorial-b", "W[1][1,1]"),
        ("residual-fork", "W[1][1,0]"),
        ("batch-norm", "W[1][1,1]"),
    ]:
        judge = judge_on(name, wrt)
        graph = judge.question.graph
        graph.forward()
        graph.backward()
        for step in explain(graph, judge.question.target.wrt):
            for term in step.terms:
                expected = plain(term.formula.plain(), judge.question.scope)
                assert plain(to_latex(term.formula), judge.question.scope) == expected
                assert judge.question.read(one_line(term.formula)).shape is None


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("", 1, "found nothing"),
        ("(((", 4, "expected a number, a name"),
        ("X[1,0]*", 8, "found the end"),
        ("X[3,0]", 2, "there is no row 3, its entries are"),
        ("W[3][0,0]", 1, "there is no layer 3 of W: W[1], W[2]"),
        ("W[1,1]", 1, "say which layer"),
        ("X[1][1,0]", 1, "X has no layers"),
        ("dE/dW[1][1,1]", 1, "may not be used here"),
        (r"\frac{\partial E}{\partial f}", 7, "no partial derivatives on the right"),
        ("∂Ŷ/∂f", 1, "no partial derivatives on the right"),
        ("sigmiod(f[2][0,0])", 1, "did you mean sigmoid?"),
        ("X[1,k]", 5, "the index k does not run"),
        ("X[1,0] + 1 = 2", 12, "no equals sign"),
        ("X[1,0] X[2,0] 3", 15, "expected an operator"),
        ("X[1,0]; 2", 7, "has no meaning"),
        ("1e999", 1, "too large"),
        ("1/0", 1, "not a finite number"),
        ("log(-1)", 1, "not a finite number"),
        (r"\begin{matrix}", 1, "is not known here"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(text, column, problem):
    error = refusal(text)
    assert problem in error.problem
    assert error.column == column


def test_shapes_that_do_not_fit_are_explained():
    error = refusal("X @ (Y_hat - Y)", WINE.question.scope)
    assert error.problem == "X is 3×n and (Ŷ − Y) is 1×n: X @ (Ŷ − Y) does not fit; (Ŷ − Y)ᵀ does"
    assert "W⁽¹⁾ is 3×2 and X is 3×n: W⁽¹⁾ @ X does not fit; W⁽¹⁾ᵀ does" in refusal("W[1] @ X").problem
    assert "goes entry by entry and does not fit" in refusal("W[1]*f[1]").problem
    assert "is a single number" in refusal("X[1,0] @ X").problem


def test_the_caret_stands_before_the_place():
    assert refusal("X[1,0]*)").marked("^").endswith(": X[1,0]*^)")
    assert refusal("X[1,0]*)").lines() == ("X[1,0]*)", "       ^")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "-" * 5000,
        "X[1,0]" + "*X[1,0]" * 2000,
        "x" * (MAX_LENGTH + 1),
        "9**9**9**9**9",
        "(9**9**9)**X[1,0]" * 600,
        "__import__('os').system('true')",
        "X.__class__.__mro__",
        "().__class__",
        "lambda: 0",
        "X[1,0] if 1 else 2",
        "[x for x in X]",
        "\x00",
        "\ud800",
        "W" + "[1]" * 3000,
        "sum over k " * 500 + "X[1,k]",
        "\\frac{" * 3000,
        "{" * 4000 + "}" * 4000,
        "1{" * 3000,
        "sigmoid(" * 3000 + "1" + ")" * 3000,
        "𝟙" * 3000,
    ],
)
def test_hostile_input_is_one_line_and_quick(text):
    start = time.monotonic()
    verdict = B.judge(text)
    assert verdict.verdict in ("unreadable", "wrong")
    if verdict.verdict == "unreadable":
        assert verdict.problem
        assert len(verdict.problem.splitlines()) == 1
    assert time.monotonic() - start < 5


def assert_read_or_refused(text: str) -> None:
    said = ["read"]
    try:
        read_answer(text, SCOPE)
    except UnreadableError as error:
        said = error.marked().splitlines()
    assert len(said) == 1


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    assert_read_or_refused(text)


_PIECES = [
    "X",
    "[1,0]",
    "W[2]",
    "(",
    ")",
    "*",
    "@",
    "-",
    "+",
    "/",
    ".T",
    "Y_hat",
    "2",
    "sum(",
    "sigmoid(",
    "n",
    "1{",
    "}",
    "^",
    ",",
    ":",
]


@given(st.lists(st.sampled_from([*_PIECES, "\\frac{", "{", "Σₖ", "⁽¹⁾", "₁₀", "²"]), max_size=25))
def test_any_pieces_of_formulas_are_read_or_refused(pieces):
    assert_read_or_refused(" ".join(pieces))


def test_an_earlier_result_may_be_used_only_where_the_question_gives_it():
    questions = load_assignment("tutorials")
    given_one, without = questions.question("b4-given"), questions.question("b4")
    assert given_one is not None
    assert without is not None
    assert given_one.judge.judge("X @ dE/df[1].T").verdict == "right"
    assert without.judge.judge("X @ dE/df[1].T").verdict == "unreadable"
    assert given_one.judge.judge("dE/dW[1]").verdict == "unreadable"
