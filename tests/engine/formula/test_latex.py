"""LaTeX: the exact text, its structure for any formula, its meaning, and that pdflatex accepts it."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given

from engine.formula.expression import Expr, Number, Partial, Product, Symbol
from engine.formula.latex import number_latex, symbol_latex, to_latex
from engine.formula.parser import parse
from tests.engine.formula.test_expression import expressions
from tests.engine.formula.test_layout import CHAIN, FIVE_FACTORS, LOSS, exact_value, rational_formulas

FORMULAS = [
    (
        LOSS,
        r"-\frac{\alpha Y_{00}}{\hat{Y}_{00}} + \frac{\beta \left(1 - Y_{00}\right)}{1 - \hat{Y}_{00}}",
    ),
    (
        FIVE_FACTORS,
        r"\left(-\frac{\alpha Y_{00}}{\hat{Y}_{00}} + \frac{\beta \left(1 - Y_{00}\right)}"
        r"{1 - \hat{Y}_{00}}\right) \cdot \sigma\left(f^{[2]}_{00}\right) \left(1 - "
        r"\sigma\left(f^{[2]}_{00}\right)\right) \cdot W^{[2]}_{10} \cdot "
        r"\mathbf{1}\{f^{[1]}_{10} > 0\} \cdot X_{10}",
    ),
    ("W[1][1,1]**2", r"\left(W^{[1]}_{11}\right)^{2}"),
    ("W[1]**2*X[1,1]**2", r"\left(W^{[1]}\right)^{2} \cdot X_{11}^{2}"),
    ("exp(x)**2", r"\left(e^{x}\right)^{2}"),
    ("(x**2)**3 + x**2**3", r"\left(x^{2}\right)^{3} + x^{2^{3}}"),
    ("1e-9**2 + 2.5**2", r"\left(1 \times 10^{-9}\right)^{2} + 2.5^{2}"),
    ("(x/y)**2 - tanh(x)**2", r"\left(\frac{x}{y}\right)^{2} - \tanh\left(x\right)^{2}"),
    ("(-2)**2 - (-2)", r"\left(-2\right)^{2} - \left(-2\right)"),
    ("-2**2 + (-2)", r"-2^{2} + \left(-2\right)"),
    ("-(-x)", r"-\left(-x\right)"),
    ("x*(-y) - (y + 1)", r"x \cdot \left(-y\right) - \left(y + 1\right)"),
    ("abs(x)*sqrt(x/n)", r"\left|x\right| \cdot \sqrt{\frac{x}{n}}"),
    ("maximum(x, 0) + relu(x)", r"\max\left(x, 0\right) + \operatorname{ReLU}\left(x\right)"),
    ("indicator(x <= 0)*2*x", r"\mathbf{1}\{x \le 0\} \cdot 2 x"),
    ("inf - nan", r"\infty - \mathrm{NaN}"),
]


@pytest.mark.parametrize(("formula", "latex"), FORMULAS)
def test_latex(formula: str, latex: str) -> None:
    assert to_latex(parse(formula)) == latex


def test_partial_derivatives() -> None:
    assert to_latex(Product(CHAIN.factors[:2])) == (
        r"\frac{\partial \mathcal{E}}{\partial \hat{Y}_{00}}"
        r" \cdot \frac{\partial \hat{Y}_{00}}{\partial f^{[2]}_{00}}"
    )


@pytest.mark.parametrize(
    ("symbol", "latex"),
    [
        (Symbol("W", 1, (1, 1)), "W^{[1]}_{11}"),
        (Symbol("W", 12, (10, 3)), "W^{[12]}_{10,3}"),
        (Symbol("Y_hat", None, (0, 0)), r"\hat{Y}_{00}"),
        (Symbol("E"), r"\mathcal{E}"),
        (Symbol("alpha"), r"\alpha"),
        (Symbol("lam"), r"\lambda"),
        (Symbol("mean", 1, (0, 0)), r"\mathrm{mean}^{[1]}_{00}"),
        (Symbol("beta0"), r"\beta_{0}"),
        (Symbol("x1", 2), r"\mathrm{x1}^{[2]}"),
        (Symbol("learning_rate"), r"\mathrm{learning\_rate}"),
        (Symbol("theta_hat"), r"\hat{\theta}"),
        (Symbol("_"), r"\mathrm{\_}"),
    ],
)
def test_symbol(symbol: Symbol, latex: str) -> None:
    assert symbol_latex(symbol) == latex


@pytest.mark.parametrize(
    ("value", "digits", "latex"),
    [
        (0.1 + 0.2, None, "0.30000000000000004"),
        (0.1 + 0.2, 4, "0.3"),
        (-1.23e-9, None, r"-1.23 \times 10^{-9}"),
        (1e22, None, r"1 \times 10^{22}"),
        (2 / 3 * 1e-7, 3, r"6.67 \times 10^{-8}"),
        (-math.inf, None, r"-\infty"),
        (math.nan, 2, r"\mathrm{NaN}"),
        (-0.0, None, "0"),
    ],
)
def test_number(value: float, digits: int | None, latex: str) -> None:
    assert number_latex(value, digits) == latex
    assert to_latex(Number(value), digits) == latex


def test_an_unknown_kind_of_expression_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="no LaTeX for Expr"):
        to_latex(Expr())


def closing(text: str, opening: int) -> int:
    """Where the brace group that opens at `opening` ends."""
    depth = 0
    for place in range(opening, len(text)):
        if text[place] in "{}" and text[place - 1] != "\\":
            depth += 1 if text[place] == "{" else -1
        if depth == 0:
            return place
    raise AssertionError(f"unbalanced braces: {text}")


def check_scripts(text: str) -> None:
    """No superscript directly on a superscripted atom, no subscript on a subscripted one."""
    place = 0
    scripts = ""
    while place < len(text):
        if text[place] in "^_" and text[place - 1] != "\\":
            assert text[place] not in scripts, f"double {text[place]} in {text}"
            scripts += text[place]
            end = closing(text, place + 1)
            check_scripts(text[place + 2 : end])
            place = end + 1
        else:
            scripts = ""
            place += 1


@given(expressions)
def test_braces_balance_and_scripts_are_single(expr: Expr) -> None:
    text = to_latex(expr)
    assert closing("{" + text + "}", 0) == len(text) + 1
    assert text.count(r"\left") == text.count(r"\right")
    check_scripts(text)
    assert text.isascii()


def one_line_form(latex: str) -> str:
    """The part of LaTeX that rational formulas use, as one line with parentheses."""
    while (start := latex.rfind(r"\frac{")) >= 0:
        middle = closing(latex, start + 5)
        end = closing(latex, middle + 1)
        over, under = latex[start + 6 : middle], latex[middle + 2 : end]
        latex = f"{latex[:start]}(({over})/({under})){latex[end + 1 :]}"
    latex = re.sub(r"\^\{([^{}]*)\}", r"^(\1)", latex)
    for command, character in (
        (r"\left", ""),
        (r"\right", ""),
        (r"\cdot", "·"),
        (r"\sigma", "σ"),
        (r"\alpha", "α"),
    ):
        latex = latex.replace(command, character)
    return latex


@given(rational_formulas)
def test_latex_means_the_formula(formula: Expr) -> None:
    assert exact_value(one_line_form(to_latex(formula))) == exact_value(formula.plain())


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_pdflatex_accepts_every_formula(tmp_path: Path) -> None:
    symbols = [
        Symbol("beta0"),
        Symbol("learning_rate"),
        Symbol("lam"),
        Partial(Symbol("E"), Symbol("W", 12, (10, 3))),
    ]
    formulas = [to_latex(parse(formula)) for formula, _ in FORMULAS] + [
        to_latex(symbol) for symbol in symbols
    ]
    lines = [
        r"\documentclass{article}\usepackage{amsmath}\begin{document}",
        *(rf"\[ {formula} \]" for formula in formulas),
        r"\end{document}",
    ]
    (tmp_path / "formulas.tex").write_text("\n".join(lines))
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "formulas.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
