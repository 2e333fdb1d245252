"""Expressions: their plain form is Python, and Python computes the same number from it."""

from __future__ import annotations

import ast
import math

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from engine.formula.expression import (
    Expr,
    Function,
    Indicator,
    Negative,
    Number,
    Partial,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    bare,
    call,
    not_positive,
    positive,
)
from engine.formula.numeric_functions import ARITY, FUNCTIONS, divide, power

X, Y, Z = Symbol("x"), Symbol("y"), Symbol("z")
F = Symbol("f", 2, (0, 0))

# ------------------------------------------------------------------------------ random expressions

SYMBOLS = [
    Symbol("n"),
    Symbol("alpha"),
    Symbol("Y_hat", None, (0, 0)),
    Symbol("f", 2, (0, 0)),
    Symbol("W", 12, (10, 3)),
    Symbol("b", 1),
]
numbers = st.builds(
    Number,
    st.one_of(
        st.sampled_from(
            [0.0, -0.0, 1.0, 2.0, -2.0, 0.5, 1e22, 1e-300, math.inf, -math.inf, math.nan, -math.nan]
        ),
        st.floats(),
    ),
)


def _extend(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    several = st.lists(inner, max_size=4).map(tuple)
    return st.one_of(
        st.builds(Negative, inner),
        st.builds(Sum, several),
        st.builds(Product, several),
        st.builds(Quotient, inner, inner),
        st.builds(Power, inner, inner),
        st.sampled_from(sorted(ARITY)).flatmap(
            lambda name: st.builds(Function, st.just(name), st.tuples(*[inner] * ARITY[name]))
        ),
        st.builds(Indicator, inner, st.sampled_from([">", "<", ">=", "<="]), inner),
    )


expressions = st.recursive(st.one_of(st.sampled_from(SYMBOLS), numbers), _extend, max_leaves=12)
values = st.fixed_dictionaries({symbol: st.floats() for symbol in SYMBOLS})


def same(left: float, right: float) -> bool:
    """Equal, or both NaN."""
    return left == right or (math.isnan(left) and math.isnan(right))


class _Float64Literals(ast.NodeTransformer):
    """Makes every literal an np.float64: Python's integers neither round nor divide as IEEE 754 says."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.Subscript:
        return node  # an index stays an integer

    def visit_Constant(self, node: ast.Constant) -> ast.Call:
        return ast.Call(ast.Name("number", ast.Load()), [node], [])


def python_value(plain: str, of: dict[Symbol, float]) -> float:
    """What Python itself computes for a plain form, with NumPy's IEEE 754 arithmetic."""
    W = np.zeros((11, 4))
    W[10, 3] = of[SYMBOLS[4]]
    names: dict[str, object] = {
        "n": np.float64(of[SYMBOLS[0]]),
        "alpha": np.float64(of[SYMBOLS[1]]),
        "Y_hat": np.array([[of[SYMBOLS[2]]]]),
        "f": {2: np.array([[of[SYMBOLS[3]]]])},
        "W": {12: W},
        "b": {1: np.float64(of[SYMBOLS[5]])},
        "inf": np.float64(math.inf),
        "nan": np.float64(math.nan),
        "indicator": np.float64,
        "number": np.float64,
    }
    for name, function in FUNCTIONS.items():
        names[name] = lambda *arguments, f=function: np.float64(f(*arguments))
    tree = ast.fix_missing_locations(_Float64Literals().visit(ast.parse(plain, mode="eval")))
    with np.errstate(all="ignore"):
        return float(eval(compile(tree, plain, "eval"), {"__builtins__": {}}, names))


@given(expressions, values)
def test_python_computes_the_same_value_from_the_plain_form(expr: Expr, of: dict[Symbol, float]) -> None:
    assert same(python_value(expr.plain(), of), expr.evaluate(of))


@given(expressions, values)
def test_substituting_numbers_does_not_change_the_value(expr: Expr, of: dict[Symbol, float]) -> None:
    numeric = expr.substitute(of)
    assert not list(numeric.symbols())
    assert same(numeric.evaluate({}), expr.evaluate(of))


# ------------------------------------------------------------------------------------- plain form


@pytest.mark.parametrize(
    ("expr", "plain"),
    [
        (Number(2), "2"),
        (Number(-2), "-2"),
        (Number(0.1 + 0.2), "0.30000000000000004"),
        (Number(1e22), "1e+22"),
        (Number(1e-300), "1e-300"),
        (Number(-0.0), "-0.0"),
        (Number(math.inf), "inf"),
        (Number(-math.nan), "nan"),
        (Number(np.float64(0.5)), "0.5"),
        (Symbol("W", 1, (1, 1)), "W[1][1,1]"),
        (Symbol("W", 1), "W[1]"),
        (Symbol("Y_hat", None, (0, 0)), "Y_hat[0,0]"),
        (Partial(F, Symbol("a", 1, (1, 0))), "∂f[2][0,0]/∂a[1][1,0]"),
        (-X, "-x"),
        (Negative(-X), "-(-x)"),
        (-Number(-2), "-(-2)"),
        (1 - Number(-2), "1 - (-2)"),
        (1 + Number(-2), "1 + (-2)"),
        (X - Y + Z, "x - y + z"),
        (X - (Y + Z), "x - (y + z)"),
        (X + Negative(Y) * Z, "x + (-y*z)"),
        (X * Number(-2), "x*(-2)"),
        (Number(-2) * X, "-2*x"),
        (Number(-2) ** 2, "(-2)**2"),
        (-(X**2), "-x**2"),
        ((-X) ** 2, "(-x)**2"),
        (X ** Number(-1), "x**(-1)"),
        ((X**Y) ** Z, "(x**y)**z"),
        (X ** (Y**Z), "x**(y**z)"),
        (X / Y / Z, "x/y/z"),
        (X / (Y / Z), "x/(y/z)"),
        (X / (Y * Z), "x/(y*z)"),
        (X * (Y / Z), "x*(y/z)"),
        ((X + 1) * (Y - 1), "(x + 1)*(y - 1)"),
        (-(X + Y), "-(x + y)"),
        (2 / X, "2/x"),
        (2 - X, "2 - x"),
        (2 * X, "2*x"),
        (call("maximum", X, 0), "maximum(x, 0)"),
        (positive(F), "indicator(f[2][0,0] > 0)"),
        (not_positive(F), "indicator(f[2][0,0] <= 0)"),
        (Sum(()), "0"),
        (Product(()), "1"),
        (X * Sum((Y,)), "x*y"),
        (X + Sum((-Y,)), "x - y"),
        (X * Product(()), "x*1"),
    ],
)
def test_plain_form(expr: Expr, plain: str) -> None:
    assert expr.plain() == plain
    assert str(expr) == plain


def test_a_sum_of_one_term_is_that_term() -> None:
    assert bare(Sum((Product((X,)),))) is X
    assert bare(Sum(())) == Number(0)
    assert bare(Product(())) == Number(1)
    assert bare(X + Y) == Sum((X, Y))


# ------------------------------------------------------------------------------------- evaluation


def test_a_partial_derivative_has_the_number_it_is_given_and_none_of_its_own() -> None:
    partial = Partial(F, X)
    assert (2 * partial).evaluate({partial: 0.25}) == 0.5
    assert partial.substitute({partial: 0.25}) == Number(0.25)
    with pytest.raises(KeyError):
        partial.evaluate({F: 1.0, X: 2.0})


def test_an_unknown_symbol_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        (X + Y).evaluate({X: 1.0})


def test_values_may_be_a_function() -> None:
    assert (X + 2 * Y).evaluate(lambda symbol: {"x": 1.0, "y": 10.0}[symbol.name]) == 21.0


def test_symbols_come_in_order_with_repeats() -> None:
    assert list((X * Y - call("sigmoid", X)).symbols()) == [X, Y, X]


def test_a_matrix_symbol_and_its_entries() -> None:
    W = Symbol("W", 1)
    assert W.at((1, 0)) == Symbol("W", 1, (1, 0))
    assert W.at((1, 0)).matrix == W


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"),
    [
        (1.0, 0.0, math.inf),
        (1.0, -0.0, -math.inf),
        (-1.0, 0.0, -math.inf),
        (0.0, 0.0, math.nan),
        (math.inf, 0.0, math.inf),
        (math.nan, 0.0, math.nan),
        (1.0, math.inf, 0.0),
    ],
)
def test_division_follows_ieee_754(numerator: float, denominator: float, quotient: float) -> None:
    assert same(divide(numerator, denominator), quotient)


@pytest.mark.parametrize(
    ("base", "exponent", "result"),
    [
        (2.0, 0.5, math.sqrt(2)),
        (-8.0, 1 / 3, math.nan),
        (-1e300, 1.5, math.nan),
        (1e300, 2.0, math.inf),
        (-1e300, 3.0, -math.inf),
        (0.0, -1.0, math.inf),
        (-0.0, -1.0, -math.inf),
        (-0.0, -2.0, math.inf),
        (math.nan, 0.0, 1.0),
        (-math.inf, 0.5, math.inf),
    ],
)
def test_powers_follow_ieee_754(base: float, exponent: float, result: float) -> None:
    assert same(power(base, exponent), result)


def test_a_sum_keeps_negative_zero() -> None:
    assert (1 / (Number(-0.0) + Number(-0.0))).evaluate({}) == -math.inf


@given(st.sampled_from(sorted(FUNCTIONS)), st.floats(), st.floats())
def test_every_function_is_total(name: str, x: float, y: float) -> None:
    result = FUNCTIONS[name](*(x, y)[: ARITY[name]])
    assert isinstance(result, float)


# ------------------------------------------------------------------- SymPy as an independent oracle

LOCALS = {
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
    "relu": lambda x: sympy.Max(x, 0),
    "maximum": sympy.Max,
    "minimum": sympy.Min,
    "indicator": lambda holds: sympy.Integer(bool(holds)),
}
LABEL, GUESS = Symbol("Y", None, (0, 0)), Symbol("Y_hat", None, (0, 0))
FORMULAS = [
    -(Symbol("alpha") * LABEL / GUESS) + Symbol("beta") * (1 - LABEL) / (1 - GUESS),
    call("sigmoid", F) * (1 - call("sigmoid", F)),
    (1 - call("tanh", F) ** 2) * positive(F - 1),
    (F - Symbol("mean", 1, (0, 0))) / call("sqrt", Symbol("n") ** 2 + 1e-5),
    call("exp", -F / 2) * call("cos", F) - call("maximum", F, -F) / Symbol("n"),
    -(F**2) + Number(2) ** (-F) - Number(-2) ** 2,
]


@pytest.mark.parametrize("formula", FORMULAS, ids=str)
@pytest.mark.parametrize("shift", [0.3, -0.7])
def test_sympy_agrees_on_the_substituted_formula(formula: Expr, shift: float) -> None:
    of = {
        symbol: shift + 0.17 * place for place, symbol in enumerate(sorted(set(formula.symbols()), key=str))
    }
    expected = sympy.sympify(formula.substitute(of).plain(), locals=LOCALS)
    assert formula.evaluate(of) == pytest.approx(float(expected), rel=1e-12)


def test_a_weight_of_a_loss_that_is_one_is_not_written_among_the_numbers():
    """Not as ``1 · 0``: but a weight of 10 is, and a 1 that is something else."""
    alpha, label = Symbol("alpha"), Symbol("Y")
    numbers = {alpha: 1.0, label: 0.0, Symbol("n"): 1.0}
    assert (alpha * label).substitute(numbers) == Number(0.0)
    assert (alpha * label).substitute(numbers | {alpha: 10.0}).plain() == "10*0"
    assert (Symbol("n") * label).substitute(numbers).plain() == "1*0"
    assert (alpha * label / label).substitute(numbers | {label: 2.0}).plain() == "2/2"
