"""The parser: Python's grammar for formulas, one clear line for everything else."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.formula.expression import (
    Expr,
    Function,
    Indicator,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
)
from engine.formula.fit_to_width import fit
from engine.formula.latex import to_latex
from engine.formula.layout import draw, one_line
from engine.formula.parser import MAX_DEPTH, MAX_LENGTH, ParseError, parse, parse_symbol
from tests.engine.formula.test_expression import expressions, python_value, same, values

X, Y, Z = Symbol("x"), Symbol("y"), Symbol("z")


@given(expressions, values)
def test_the_plain_form_reads_back(expr: Expr, of: dict[Symbol, float]) -> None:
    plain = expr.plain()
    read = parse(plain)
    assert read.plain() == plain
    assert same(read.evaluate(of), expr.evaluate(of))


@pytest.mark.parametrize(
    ("text", "expr"),
    [
        ("x", X),
        ("2", Number(2)),
        (".5e-3", Number(0.0005)),
        ("2.", Number(2)),
        ("1e400", Number(math.inf)),
        ("-inf", Number(-math.inf)),
        ("f[2][0,0]", Symbol("f", 2, (0, 0))),
        ("Y_hat[0,0]", Symbol("Y_hat", None, (0, 0))),
        ("W[1]", Symbol("W", 1)),
        ("W [ 12 ] [ 10 , 3 ]", Symbol("W", 12, (10, 3))),
        ("-x**2", Negative(Power(X, Number(2)))),
        ("2**-1", Power(Number(2), Number(-1))),
        ("2**-x**2", Power(Number(2), Negative(Power(X, Number(2))))),
        ("x**y**z", Power(X, Power(Y, Z))),
        ("x/y*z", Product((Quotient(X, Y), Z))),
        ("x/y/z", Quotient(Quotient(X, Y), Z)),
        ("x*y*z", Product((X, Y, Z))),
        ("x - y + z", Sum((X, Negative(Y), Z))),
        ("x - (y + z)", Sum((X, Negative(Sum((Y, Z)))))),
        ("-x*y", Product((Negative(X), Y))),
        ("x*-y", Product((X, Negative(Y)))),
        ("+x", X),
        ("-2", Number(-2)),
        ("-(-2)", Negative(Number(-2))),
        ("--2", Negative(Number(-2))),
        ("-0", Negative(Number(0))),
        ("-0.0", Number(-0.0)),
        ("-2**2", Negative(Power(Number(2), Number(2)))),
        ("(-2)**2", Power(Number(-2), Number(2))),
        ("1 - (-2)", Sum((Number(1), Negative(Number(-2))))),
        ("sigmoid(x)", Function("sigmoid", (X,))),
        ("maximum(x, y + 1)", Function("maximum", (X, Sum((Y, Number(1)))))),
        ("indicator(x - 1 >= y)", Indicator(Sum((X, Negative(Number(1)))), ">=", Y)),
        ("α·Y/Ŷ − ℰ", parse("alpha*Y/Y_hat - E")),
        ("indicator(x ≤ y)×θ", parse("indicator(x <= y)*theta")),
    ],
)
def test_parse(text: str, expr: Expr) -> None:
    assert parse(text) == expr


@pytest.mark.parametrize(
    "text",
    ["-2**2", "2**-1", "2**3**2", "-n/alpha*3", "8/2/2*3", "2 - 3 - 4", "-2**-2", "n*-alpha**2", "1 - -1"],
)
def test_precedence_is_pythons(text: str) -> None:
    of = dict.fromkeys([Symbol(name) for name in ("n", "alpha")], 3.0)
    others = [Symbol("Y_hat", None, (0, 0)), Symbol("f", 2, (0, 0)), Symbol("W", 12, (10, 3)), Symbol("b", 1)]
    of |= dict.fromkeys(others, 0.0)
    assert parse(text).evaluate(of) == python_value(text, of)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column 1: expected a number, a name or an opening parenthesis, found end of input"),
        ("(x + 1", "column 7: expected a closing parenthesis, found end of input"),
        ("x + ", "column 5: expected a number, a name or an opening parenthesis, found end of input"),
        ("x y", "column 3: expected an operator, found “y”"),
        ("2x", "column 2: expected an operator, found “x”"),
        ("x)", "column 2: expected end of input, found “)”"),
        ("x % 2", "column 3: unexpected character “%”: it has no meaning in a formula"),
        ("x^2", "column 2: unexpected character “^”: a power is written **"),
        ("y = x", "column 3: unexpected character “=”: an expression has no equals sign"),
        ("x > 0", "column 3: a comparison may stand only inside indicator(…)"),
        ("1 + sigmod(x)", "column 5: unknown function “sigmod”; did you mean sigmoid?"),
        ("sigmoid", "column 8: expected an opening parenthesis after sigmoid, found end of input"),
        ("sigmoid()", "column 9: expected a number, a name or an opening parenthesis, found “)”"),
        ("maximum(x)", "column 1: maximum takes 2 arguments, found 1"),
        ("exp(x, y)", "column 1: exp takes 1 argument, found 2"),
        ("indicator(x)", "column 12: expected a comparison (>, <, >=, <=), found “)”"),
        ("indicator", "column 10: expected an opening parenthesis after indicator, found end of input"),
        ("f[x]", "column 3: expected a whole number of at most nine digits, found “x”"),
        ("f[1.5]", "column 3: expected a whole number of at most nine digits, found “1.5”"),
        ("f[1234567890]", "column 3: expected a whole number of at most nine digits, found “1234567890”"),
        ("f[1][2]", "column 7: expected a comma and the number of a column, such as [0,1], found “]”"),
        ("f[1,2", "column 6: expected a closing bracket, found end of input"),
        ("f[1,2][3]", "column 7: expected end of input, found “[”"),
        ("1 + lambda", "column 5: “lambda” is a reserved word of Python and cannot be a name"),
        ("名", "column 1: unexpected character “名”: it has no meaning in a formula"),
    ],
)
def test_errors_say_what_and_where(text: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert str(caught.value) == message
    assert caught.value.text == text
    assert message == f"column {caught.value.column}: {caught.value.problem}"


def test_an_unknown_function_that_resembles_none_lists_them() -> None:
    with pytest.raises(ParseError, match=r"unknown function “q”; known are sigmoid, .*, indicator"):
        parse("q(x)")


def test_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(ParseError, match=f"expected at most {MAX_LENGTH} characters, found {MAX_LENGTH + 1}"):
        parse("1" * (MAX_LENGTH + 1))


DEEP = {
    "parentheses": lambda depth: "(" * depth + "x" + ")" * depth,
    "functions": lambda depth: "exp(" * depth + "x" + ")" * depth,
    "minuses": lambda depth: "-" * depth + "x",
    "powers": lambda depth: "**".join(["x"] * depth),
    "quotients": lambda depth: "/".join(["x"] * depth),
    "quotients in parentheses": lambda depth: "(" * (depth // 2) + "x" + "/x/x)" * (depth // 2),
    "sums in products": lambda depth: "x*(1+" * depth + "x" + ")" * depth,
    "bases": lambda depth: "(" * depth + "x" + "**2)" * depth,
}


@pytest.mark.parametrize("shape", DEEP)
def test_nesting_that_is_too_deep_is_refused(shape: str) -> None:
    with pytest.raises(ParseError, match=f"expected at most {MAX_DEPTH} levels of nesting"):
        parse(DEEP[shape](1000))


@pytest.mark.parametrize("shape", DEEP)
def test_the_deepest_formula_that_is_read_can_be_used(shape: str) -> None:
    depth = next(depth for depth in range(MAX_DEPTH, 0, -1) if readable(DEEP[shape](depth)))
    assert depth >= 30
    formula = parse(DEEP[shape](depth))
    assert parse(formula.plain()).plain() == formula.plain()
    formula.substitute({X: 0.5}).evaluate({})
    for text in (one_line(formula), to_latex(formula), *draw(formula).lines, *fit(formula, 40).lines):
        assert text


def readable(text: str) -> bool:
    try:
        parse(text)
    except ParseError:
        return False
    return True


def test_a_long_flat_formula_is_not_deep() -> None:
    assert parse("+".join(["x*x"] * 2000)).evaluate({X: 1.0}) == 2000.0


LIKELY = st.sampled_from(
    [*"()[],+-*/<>=. ^_0129xfWŶ·", "**", "<=", "sigmoid(", "maximum(", "indicator(", "inf", "1e9"]
)


@given(st.text() | st.lists(LIKELY, max_size=30).map("".join))
@example("\x00")
@example("\u0663")
def test_any_text_is_an_expression_or_a_parse_error(text: str) -> None:
    for read in (parse, parse_symbol):
        column = 1
        try:
            assert isinstance(read(text), Expr)
        except ParseError as error:
            column = error.column
        assert 1 <= column <= len(text) + 1


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("W[1][1,1]", Symbol("W", 1, (1, 1))),
        ("w[1][1, 1]", Symbol("W", 1, (1, 1))),
        (" F [2] [0,0] ", Symbol("f", 2, (0, 0))),
        ("Ŷ[0,0]", Symbol("Y_hat", None, (0, 0))),
        ("y_hat[0,0]", Symbol("Y_hat", None, (0, 0))),
        ("x[1,0]", Symbol("X", None, (1, 0))),
        ("e", Symbol("e")),  # by itself it may be a name of an expression's own; the graph decides
        ("omega0", Symbol("omega0")),
    ],
)
def test_parse_symbol(text: str, symbol: Symbol) -> None:
    assert parse_symbol(text) == symbol


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column 1: expected a name, found end of input"),
        ("W[1][1,1] + 1", "column 11: expected an operator, found “+”"),
        ("W[1][1 1]", "column 8: expected a comma and the number of a column, such as [0,1], found “1”"),
    ],
)
def test_parse_symbol_errors(text: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_symbol(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("shown", "plain"),
    [
        ("∂ℰ/∂W⁽¹⁾₁₁", "W[1][1,1]"),
        ("W⁽¹²⁾₁₀,₃", "W[12][10,3]"),
        ("f⁽²⁾₀,₉₂₆", "f[2][0,926]"),
        ("Ŷ₀₀", "Y_hat[0,0]"),
        ("dE/dW[1]_11", None),
        ("dE/dW[1][1,1]", "W[1][1,1]"),
        ("X₁₀", "X[1,0]"),
        ("W^{[1]}_{11}", "W[1][1,1]"),
        ("W^{(1)}_{1,1}", "W[1][1,1]"),
        ("W^{[12]}_{10, 3}", "W[12][10,3]"),
        ("W_{11}^{[1]}", "W[1][1,1]"),
        ("W^[1]_{11}", "W[1][1,1]"),
        ("W^{[1]}", "W[1]"),
        (r"\hat{Y}_{00}", "Y_hat[0,0]"),
        (r"\frac{\partial \mathcal{E}}{\partial W^{[1]}_{11}}", "W[1][1,1]"),
        (r"\frac{\partial E}{\partial f^{[2]}_{00}}", "f[2][0,0]"),
        ("W[1][1][1]", "W[1][1,1]"),
        ("w[1][1][0]", "W[1][1,0]"),
        ("b[2][1]", "b[2][1,0]"),
        ("X[1][0]", "X[1,0]"),
        ("y_hat[0][1]", "Y_hat[0,1]"),
    ],
)
def test_what_the_screen_shows_may_be_typed(shown: str, plain: str | None) -> None:
    if plain is None:
        with pytest.raises(ParseError):
            parse_symbol(shown)
    else:
        assert parse_symbol(shown).plain() == plain
