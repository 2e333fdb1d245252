"""Drawings: exactly these characters, in exactly these cells, meaning exactly the formula."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from textwrap import dedent

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rich.cells import cell_len

from engine.formula.expression import (
    Expr,
    Function,
    Negative,
    Number,
    Partial,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
)
from engine.formula.fit_to_width import fit
from engine.formula.layout import LayoutBox, draw, fraction, one_line, product_row, row
from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import is_exact, number_text
from engine.formula.parser import parse
from tests.engine.formula.test_expression import expressions

ASCII = Style(ascii=True)
LOSS = "-(alpha*Y[0,0]/Y_hat[0,0]) + beta*(1 - Y[0,0])/(1 - Y_hat[0,0])"
CHAIN = Product(
    tuple(
        Partial(of, by)
        for of, by in (
            (Symbol("E"), Symbol("Y_hat", None, (0, 0))),
            (Symbol("Y_hat", None, (0, 0)), Symbol("f", 2, (0, 0))),
            (Symbol("f", 2, (0, 0)), Symbol("a", 1, (1, 0))),
            (Symbol("a", 1, (1, 0)), Symbol("f", 1, (1, 0))),
            (Symbol("f", 1, (1, 0)), Symbol("W", 1, (1, 1))),
        )
    )
)
FIVE_FACTORS = (
    f"({LOSS})*(sigmoid(f[2][0,0])*(1 - sigmoid(f[2][0,0])))*W[2][1,0]*indicator(f[1][1,0] > 0)*X[1,0]"
)


def weighted_sum(count: int) -> Expr:
    return Sum(tuple(Symbol("W", 1, (i, 0)) * Symbol("X", None, (i, 0)) for i in range(count)))


def picture(box: LayoutBox) -> str:
    """The drawing without the spaces that fill its lines, as editors would strip them from this file."""
    return "\n".join(line.rstrip() for line in box.lines)


def expected(text: str) -> str:
    return dedent(text).strip("\n")


# ---------------------------------------------------------------------------------- two dimensions


@pytest.mark.parametrize(
    ("formula", "drawing"),
    [
        (
            LOSS,
            """
              αY₀₀   β(1 − Y₀₀)
            − ──── + ──────────
              Ŷ₀₀     1 − Ŷ₀₀
            """,
        ),
        (
            FIVE_FACTORS,
            """
            ⎡  αY₀₀   β(1 − Y₀₀)⎤
            ⎢− ──── + ──────────⎥ · σ(f⁽²⁾₀₀)(1 − σ(f⁽²⁾₀₀)) · W⁽²⁾₁₀ · 1{f⁽¹⁾₁₀ > 0} · X₁₀
            ⎣  Ŷ₀₀     1 − Ŷ₀₀  ⎦
            """,
        ),
        (
            "(f[1][0,0] - mean[1][0,0])/std[1][0,0]",
            """
            f⁽¹⁾₀₀ − mean⁽¹⁾₀₀
            ──────────────────
                 std⁽¹⁾₀₀
            """,
        ),
        (
            "(f[1][0,0] - mean[1][0,0])/sqrt(var/n + 1e-5)",
            """
             f⁽¹⁾₀₀ − mean⁽¹⁾₀₀
            ────────────────────
               ⎛var         ⎞
              √⎜─── + 1×10⁻⁵⎟
               ⎝ n          ⎠
            """,
        ),
        (
            "1/(1 + 1/(1 + 1/x))",
            """
                   1
            ───────────────
                     1
             1 + ─────────
                       1
                  1 + ───
                       x
            """,
        ),
        (
            "a/b/(c/d)",
            """
              a
             ───
              b
            ─────
              c
             ───
              d
            """,
        ),
        (
            "W[1][0,0]*X[0,0] + W[1][1,0]*X[1,0] + W[1][2,0]*X[2,0]",
            "W⁽¹⁾₀₀·X₀₀ + W⁽¹⁾₁₀·X₁₀ + W⁽¹⁾₂₀·X₂₀",
        ),
        ("0.1*1 + -0.4*0.5 + 0.3*-1.2", "0.1·1 + (−0.4)·0.5 + 0.3·(−1.2)"),
        (
            "(Y_hat - Y)/n*X[2,0]",
            """
            Ŷ − Y
            ───── · X₂₀
              n
            """,
        ),
        (
            "log(x/y)*abs(x/y)*indicator(x/y >= 0)*((a + b)/c)**2",
            """
               ⎛ x ⎞   │ x │    ⎧ x     ⎫   ⎡a + b⎤²
            log⎜───⎟ · │───│ · 1⎨─── ≥ 0⎬ · ⎢─────⎥
               ⎝ y ⎠   │ y │    ⎩ y     ⎭   ⎣  c  ⎦
            """,
        ),
        (
            "log(x/(1 + 1/y))",
            """
               ⎛    x    ⎞
            log⎜─────────⎟
               ⎜      1  ⎟
               ⎜ 1 + ─── ⎟
               ⎝      y  ⎠
            """,
        ),
        (
            "x**0.5 + 2**(a/b)",
            """
                     a
                    ───
             0.5     b
            x    + 2
            """,
        ),
        ("1/(1 + exp(-x))", "   1\n───────\n1 + e⁻ˣ"),
        ("x**2 + x**-1 + x**(a + b)", "x² + x⁻¹ + xᵃ⁺ᵇ"),
        ("exp(-x**2)*exp(x*y)*exp(f[1][0,0])", "exp(−x²) · eˣʸ · exp(f⁽¹⁾₀₀)"),
        ("exp(x)**2*W[1][1,1]**2*X[1,1]**2", "(eˣ)² · (W⁽¹⁾₁₁)² · X₁₁²"),
        ("maximum(x, 0)*relu(x)*tanh(x)*erf(x)", "max(x, 0) · ReLU(x) · tanh(x) · erf(x)"),
        ("beta0 + omega0*cos(beta1)", "β₀ + ω₀·cos(β₁)"),
        ("-(-2)", "−(−2)"),
        ("(-2)**2", "(−2)²"),
        ("-2**2", "−2²"),
        ("1 - (-2)", "1 − (−2)"),
        ("1 + (-2)", "1 + (−2)"),
        ("x*(-y)*(-2)", "x · (−y) · (−2)"),
        ("x + -y*z", "x + (−y)z"),
        ("-(x + y)", "−(x + y)"),
        ("x - (y - z)", "x − (y − z)"),
        ("(x - y)*(y - z)", "(x − y)(y − z)"),
        ("f*(1 - f)", "f · (1 − f)"),
        ("Y_hat*(1 - Y_hat)", "Ŷ(1 − Ŷ)"),
        ("-alpha*Y*beta", "−αYβ"),
        ("2*x*Y[0,0]*2.5*y*3", "2xY₀₀ · 2.5 · y · 3"),
        ("(1.23e-9)**2*1e-9*x", "(1.23×10⁻⁹)² · 1×10⁻⁹ · x"),
        ("inf - inf + nan", "∞ − ∞ + NaN"),
    ],
)
def test_drawing(formula: str, drawing: str) -> None:
    assert picture(draw(parse(formula))) == expected(drawing)


def test_the_chain_rule_as_five_fractions() -> None:
    assert picture(draw(CHAIN)) == expected(
        """
         ∂ℰ     ∂Ŷ₀₀     ∂f⁽²⁾₀₀   ∂a⁽¹⁾₁₀   ∂f⁽¹⁾₁₀
        ──── · ─────── · ─────── · ─────── · ───────
        ∂Ŷ₀₀   ∂f⁽²⁾₀₀   ∂a⁽¹⁾₁₀   ∂f⁽¹⁾₁₀   ∂W⁽¹⁾₁₁
        """
    )


def test_ascii_drawing() -> None:
    assert picture(draw(parse(LOSS), ASCII)) == expected(
        """
          alpha * Y_00   beta * (1 - Y_00)
        - ------------ + -----------------
            Y_hat_00       1 - Y_hat_00
        """
    )
    assert picture(draw(Product(CHAIN.factors[:2]), ASCII)) == expected(
        """
           dE       dY_hat_00
        --------- * ---------
        dY_hat_00   df[2]_00
        """
    )


def test_an_unknown_kind_of_expression_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="no drawing for Expr"):
        draw(Expr())


# ---------------------------------------------------------------------------------------- one line


@pytest.mark.parametrize(
    ("formula", "unicode", "ascii_"),
    [
        (LOSS, "−αY₀₀/Ŷ₀₀ + β(1−Y₀₀)/(1−Ŷ₀₀)", "-alpha*Y_00/Y_hat_00 + beta*(1-Y_00)/(1-Y_hat_00)"),
        ("sigmoid(f)*(1 - sigmoid(f))", "σ(f)(1−σ(f))", "sigmoid(f) * (1-sigmoid(f))"),
        ("1/n*(Y_hat - Y)", "1/n · (Ŷ−Y)", "1/n * (Y_hat-Y)"),
        ("x + 1/n*(Y_hat - Y)", "x + (1/n)·(Ŷ−Y)", "x + (1/n)*(Y_hat-Y)"),
        ("a/(b*c) + a/b/c + a/(b/c)", "a/(bc) + (a/b)/c + a/(b/c)", "a/(b*c) + (a/b)/c + a/(b/c)"),
        ("x**0.5*y**-(a+b)/2", "x^0.5·y⁻⁽ᵃ⁺ᵇ⁾/2", "x^0.5*y^(-(a+b))/2"),
        ("x/y**2/-2 - 1/1e-9", "(x/y²)/(−2) − 1/(1×10⁻⁹)", "(x/y^2)/(-2) - 1/1e-9"),
        ("indicator(f[1][1,0] <= 0)", "1{f⁽¹⁾₁₀ ≤ 0}", "1{f[1]_10 <= 0}"),
        ("exp(sqrt(x))*exp(-1)", "exp(√(x)) · e⁻¹", "exp(sqrt(x)) * exp(-1)"),
    ],
)
def test_one_line(formula: str, unicode: str, ascii_: str) -> None:
    assert one_line(parse(formula)) == unicode
    assert one_line(parse(formula), ASCII) == ascii_


def test_one_line_of_partial_derivatives() -> None:
    assert one_line(Product(CHAIN.factors[:2])) == "∂ℰ/∂Ŷ₀₀ · ∂Ŷ₀₀/∂f⁽²⁾₀₀"
    assert one_line(CHAIN.factors[4], ASCII) == "df[1]_10/dW[1]_11"


# ----------------------------------------------------------------------- symbols, numbers, helpers


@pytest.mark.parametrize(
    ("symbol", "unicode", "ascii_"),
    [
        (Symbol("W", 1, (1, 1)), "W⁽¹⁾₁₁", "W[1]_11"),
        (Symbol("W", 12, (10, 3)), "W⁽¹²⁾₁₀,₃", "W[12]_10,3"),
        (Symbol("W", 1), "W⁽¹⁾", "W[1]"),
        (Symbol("Y_hat", None, (0, 0)), "Ŷ₀₀", "Y_hat_00"),
        (Symbol("Y_hat"), "Ŷ", "Y_hat"),
        (Symbol("E"), "ℰ", "E"),
        (Symbol("alpha"), "α", "alpha"),
        (Symbol("lam"), "λ", "lam"),
        (Symbol("mean", 1, (0, 0)), "mean⁽¹⁾₀₀", "mean[1]_00"),
        (Symbol("beta0"), "β₀", "beta0"),
        (Symbol("x1", None, (0, 0)), "x1₀₀", "x1_00"),
        (Symbol("theta_hat"), "theta_hat", "theta_hat"),
        (Symbol("_hat"), "_hat", "_hat"),
        (Symbol("q_hat"), "q_hat", "q_hat"),
    ],
)
def test_symbol_text(symbol: Symbol, unicode: str, ascii_: str) -> None:
    assert symbol_text(symbol) == unicode
    assert symbol_text(symbol, ASCII) == ascii_


@pytest.mark.parametrize(
    ("value", "text", "ascii_", "exact"),
    [
        (0.0, "0", "0", True),
        (-0.0, "0", "0", True),
        (0.25, "0.25", "0.25", True),
        (-2.5, "−2.5", "-2.5", True),
        (0.1 + 0.2, "0.3", "0.3", False),
        (1 / 3, "0.3333", "0.3333", False),
        (1100, "1100", "1100", True),
        (1234567.0, "1234567", "1234567", True),
        (2e9, "2×10⁹", "2e9", True),
        (12345.678, "12346", "12346", False),
        (120.04, "120", "120", False),
        (999999.7, "1×10⁶", "1e6", False),
        (9.99999e-5, "0.0001", "0.0001", False),
        (0.0001234, "0.0001234", "0.0001234", True),
        (1.23e-9, "1.23×10⁻⁹", "1.23e-9", True),
        (1e-300, "1×10⁻³⁰⁰", "1e-300", True),
        (1e22, "1×10²²", "1e22", True),
        (5e-324, "5×10⁻³²⁴", "5e-324", True),
        (math.inf, "∞", "inf", True),
        (-math.inf, "−∞", "-inf", True),
        (math.nan, "NaN", "NaN", True),
    ],
)
def test_number_text(value: float, text: str, ascii_: str, exact: bool) -> None:
    assert number_text(value) == text
    assert number_text(value, ASCII) == ascii_
    assert is_exact(value) is exact


@given(st.floats(-1e307, 1e307), st.integers(1, 17))
def test_a_shown_number_is_the_value_to_the_promised_digits(value: float, digits: int) -> None:
    style = Style(digits, ascii=True)
    shown = float(number_text(value, style))
    assert is_exact(value, style) == (shown == value)
    # A subnormal number has fewer digits than a rounding error is measured in.
    assert abs(shown - value) <= abs(value) * 0.5000001 * 10.0 ** (1 - digits) + 5e-324
    assert digits < 17 or shown == value


def test_a_style_refuses_nonsense() -> None:
    with pytest.raises(ValueError, match="digits: expected at least 1, found 0"):
        Style(digits=0)
    with pytest.raises(ValueError, match="max_terms: expected at least 2, found 1"):
        Style(max_terms=1)


def test_rows_align_baselines() -> None:
    half = fraction(LayoutBox.of("1"), LayoutBox.of("2"))
    assert half == LayoutBox((" 1 ", "───", " 2 "), 1)
    assert row([LayoutBox.of("x ="), half], gap=1) == LayoutBox(("     1 ", "x = ───", "     2 "), 1)
    assert row([]) == LayoutBox(("",), 0)
    assert half.padded(5).lines == (" 1   ", "───  ", " 2   ")
    assert str(half) == " 1 \n───\n 2 "


def test_product_row_tells_where_each_factor_stands() -> None:
    box, spans = product_row([Number(-0.5), parse("x/y"), Number(-2.0), parse("1 + x"), LayoutBox.of("⋯")])
    assert picture(box) == " " * 8 + "x\n−0.5 · ─── · (−2) · (1 + x) · ⋯\n" + " " * 8 + "y"
    assert [box.lines[1][span.start : span.stop] for span in spans] == ["−0.5", "───", "(−2)", "(1 + x)", "⋯"]
    assert product_row([], separator="") == (LayoutBox(("",), 0), [])
    assert product_row([Number(2), Number(3)], separator="×")[0] == LayoutBox.of("2×3")


# ----------------------------------------------------------------------------------- long formulas


def test_max_terms_leaves_out_the_middle() -> None:
    short = Style(max_terms=3)
    assert one_line(weighted_sum(784), short) == (
        "W⁽¹⁾₀₀·X₀₀ + W⁽¹⁾₁₀·X₁₀ + ⋯ (781 more) ⋯ + W⁽¹⁾₇₈₃,₀·X₇₈₃,₀"
    )
    assert one_line(parse("a - b - c - d"), Style(max_terms=2)) == "a + ⋯ (2 more) ⋯ − d"
    assert one_line(parse("a*b*c*d"), Style(max_terms=2, ascii=True)) == "a * ... (2 more) ... * d"
    assert one_line(parse("a + b + c"), short) == "a + b + c"


@pytest.mark.parametrize(
    ("width", "drawing"),
    [
        (80, "W⁽¹⁾₀₀·X₀₀ + W⁽¹⁾₁₀·X₁₀ + W⁽¹⁾₂₀·X₂₀ + ⋯ (780 more) ⋯ + W⁽¹⁾₇₈₃,₀·X₇₈₃,₀"),
        (40, "W⁽¹⁾₀₀·X₀₀ + W⁽¹⁾₁₀·X₁₀ + ⋯ (781 more) ⋯\n  + W⁽¹⁾₇₈₃,₀·X₇₈₃,₀"),
    ],
)
def test_fit_shortens_a_long_sum(width: int, drawing: str) -> None:
    assert picture(fit(weighted_sum(784), width)) == drawing


@pytest.mark.parametrize(
    ("width", "drawing"),
    [
        (
            60,
            """
            ⎡  αY₀₀   β(1 − Y₀₀)⎤
            ⎢− ──── + ──────────⎥ · σ(f⁽²⁾₀₀)(1 − σ(f⁽²⁾₀₀)) · W⁽²⁾₁₀
            ⎣  Ŷ₀₀     1 − Ŷ₀₀  ⎦

              · 1{f⁽¹⁾₁₀ > 0} · X₁₀
            """,
        ),
        (
            20,
            """
            (−αY₀₀/Ŷ₀₀
              +β(1−Y₀₀)/(1−Ŷ₀₀))
              · σ(f⁽²⁾₀₀)(1
              −σ(f⁽²⁾₀₀))
              · W⁽²⁾₁₀
              · 1{f⁽¹⁾₁₀ > 0}
              · X₁₀
            """,
        ),
    ],
)
def test_fit_never_hides_a_factor_of_a_short_product(width: int, drawing: str) -> None:
    assert picture(fit(parse(FIVE_FACTORS), width)) == expected(drawing)


def test_fit_writes_the_dot_between_factors_that_a_new_row_parts() -> None:
    formula = parse("(a_long_name - another_name)*(third_name - fourth_name)")
    assert one_line(formula) == "(a_long_name−another_name)(third_name−fourth_name)"
    assert picture(fit(formula, 32)) == "(a_long_name − another_name)\n  · (third_name − fourth_name)"


def test_fit_keeps_what_max_terms_asks_for() -> None:
    assert picture(fit(weighted_sum(784), 200, Style(max_terms=2))) == (
        "W⁽¹⁾₀₀·X₀₀ + ⋯ (782 more) ⋯ + W⁽¹⁾₇₈₃,₀·X₇₈₃,₀"
    )


def test_fit_refuses_a_width_that_nothing_fits() -> None:
    with pytest.raises(ValueError, match="width: expected at least 20, found 19"):
        fit(Number(1), 19)


# -------------------------------------------------------------------------------------- properties

styles = st.builds(Style, st.integers(1, 17), st.booleans(), st.none() | st.integers(2, 5))


def check_rectangle(box: LayoutBox) -> None:
    assert {cell_len(line) for line in box.lines} == {box.width}
    assert {len(line) for line in box.lines} == {box.width}
    assert 0 <= box.baseline < box.height == len(box.lines)


@given(expressions, styles)
def test_every_drawing_is_a_rectangle_of_cells(expr: Expr, style: Style) -> None:
    box = draw(expr, style)
    check_rectangle(box)
    text = one_line(expr, style)
    assert "\n" not in text
    assert cell_len(text) == len(text)
    if style.ascii:
        assert str(box).isascii()
        assert text.isascii()


@given(expressions, st.integers(20, 90), styles)
def test_fit_never_exceeds_the_width(expr: Expr, width: int, style: Style) -> None:
    box = fit(expr, width, style)
    check_rectangle(box)
    assert box.width <= width


@given(st.text("ab_", min_size=30, max_size=90), st.integers(20, 40))
def test_fit_breaks_even_a_name_that_is_too_long(name: str, width: int) -> None:
    box = fit(Symbol(name) + 1, width)
    assert box.width <= width
    assert "".join(line.strip() for line in box.lines).replace(" ", "") == f"{name}+1"


# What is drawn must mean the formula. Rational formulas are drawn on one line, read back by the rules
# of Python after writing out what the drawing leaves unsaid, and both are computed in exact fractions.

NAMES = {name: Fraction(value) for name, value in (("x", 2), ("y", 3), ("z", 7), ("α", 11))}


def any_function(x: Fraction) -> Fraction:
    """Stands for every function of one argument."""
    return (x + 1) / (x * x + 13)


def _rational(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Negative, inner),
        st.builds(Sum, several),
        st.builds(Product, several),
        st.builds(Quotient, inner, inner),
        st.builds(Power, inner, st.sampled_from([Number(2.0), Number(-1.0), Number(3.0)])),
        inner.map(lambda x: Function("sigmoid", (x,))),
    )


rational_formulas = st.recursive(
    st.sampled_from([Symbol("x"), Symbol("y"), Symbol("z"), Symbol("alpha"), *map(Number, (2.0, -3.0, 0.5))]),
    _rational,
    max_leaves=8,
)


def exact_value(text: str) -> Fraction:
    """The value of a one-line drawing or of LaTeX already brought to one line."""
    superscripts = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda raised: f"**({raised[0].translate(superscripts)})", text)
    text = text.replace("sigmoid", "σ").replace("alpha", "α")
    text = text.replace("−", "-").replace("·", "*").replace("^", "**")
    # Two operands side by side are a product, except a function and its argument.
    tokens = re.findall(r"[0-9.]+|\*\*|[^\s]", text)
    written = ""
    for token, following in zip(tokens, [*tokens[1:], ""], strict=True):
        is_number = token[0].isdigit()
        written += f"Fraction('{token}')" if is_number else token
        ends_operand = is_number or token == ")" or token in NAMES
        if ends_operand and (following == "(" or following[:1].isalnum()):
            written += "*"
    try:
        value = eval(written, {"__builtins__": {}, "Fraction": Fraction, "σ": any_function, **NAMES})
    except ZeroDivisionError:
        assume(False)
    assert isinstance(value, Fraction)
    return value


@given(rational_formulas)
def test_a_one_line_drawing_means_the_formula(formula: Expr) -> None:
    value = exact_value(formula.plain())
    assert exact_value(one_line(formula)) == value
    assert exact_value(one_line(formula, ASCII)) == value
