"""A course's own letters: how they are written, what is shown with them, and what is read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formula.course_notation import CANONICAL, CourseNames
from engine.formula.expression import Number, Partial, Product, Sum, Symbol
from engine.formula.latex import to_latex
from engine.formula.layout import one_line
from engine.formula.letters import CAPITALS, GREEK, letter
from engine.formula.notation import Style
from engine.formula.parser import parse_symbol


def names(**letters: str) -> CourseNames:
    found = {name: letter(text) for name, text in letters.items()}
    assert None not in found.values()
    return CourseNames(tuple(found.items()))


NG = names(f="z", E="J", Y_hat="ŷ", W="Θ", X="x", Y="y")
BISHOP = names(f="a", a="z", Y_hat="y", Y="t")


@pytest.mark.parametrize(
    ("text", "plain", "drawn", "latex"),
    [
        ("z", "z", "z", "z"),
        ("θ", "theta", "θ", r"\theta"),
        ("theta", "theta", "θ", r"\theta"),
        ("Θ", "Theta", "Θ", r"\Theta"),
        ("λ", "lam", "λ", r"\lambda"),
        ("lambda", "lam", "λ", r"\lambda"),
        ("ŷ", "y_hat", "ŷ", r"\hat{y}"),
        ("y\N{COMBINING CIRCUMFLEX ACCENT}", "y_hat", "ŷ", r"\hat{y}"),
        ("y_hat", "y_hat", "ŷ", r"\hat{y}"),
        ("t_hat", "t_hat", "t_hat", r"\hat{t}"),
        ("ℒ", "L", "ℒ", r"\mathcal{L}"),
    ],
)
def test_one_letter_is_written_in_three_ways(text: str, plain: str, drawn: str, latex: str):
    found = letter(text)
    assert found is not None
    assert (found.plain, found.drawn, found.latex) == (plain, drawn, latex)


@pytest.mark.parametrize("text", ["", "zz", "1", "z1", "ė", "z_bar", "_hat", "Α", "\u0302", "z z", "é"])
def test_what_is_no_single_letter_is_none(text: str):
    assert letter(text) is None


def test_formulas_are_drawn_in_own_letters():
    factor = Partial(Symbol("E"), Symbol("f", 1, (1, 0)))
    error = Sum((Symbol("Y_hat", None, (0, 0)), Product((Number(-1.0), Symbol("Y", None, (0, 0))))))
    assert one_line(factor, Style(names=NG)) == "∂J/∂z⁽¹⁾₁₀"
    assert one_line(factor, Style(names=NG, ascii=True)) == "dJ/dz[1]_10"
    assert to_latex(factor, names=NG) == r"\frac{\partial J}{\partial z^{[1]}_{10}}"
    assert one_line(error, Style(names=NG)).startswith("ŷ₀₀")
    assert one_line(Symbol("W", 1), Style(names=NG)) == "Θ⁽¹⁾"


@pytest.mark.parametrize(
    ("own", "typed", "meant"),
    [
        (NG, "z[1][0,0]", "f[1][0,0]"),
        (NG, "∂J/∂Θ⁽¹⁾₁₁", "W[1][1,1]"),
        (NG, "Θ⁽¹⁾₁₁", "W[1][1,1]"),
        (NG, "Theta[1][1,1]", "W[1][1,1]"),
        (NG, r"\Theta^{[1]}_{11}", "W[1][1,1]"),
        (NG, r"\frac{\partial J}{\partial \Theta^{[1]}_{11}}", "W[1][1,1]"),
        (NG, "dJ/dz[2][0,0]", "f[2][0,0]"),
        (NG, r"\hat{y}_{00}", "Y_hat[0,0]"),
        (NG, "ŷ₀₀", "Y_hat[0,0]"),
        (NG, "y_hat[0][0]", "Y_hat[0,0]"),
        (NG, "Y_hat[0,0]", "Y_hat[0,0]"),
        (NG, "x[1,0]", "X[1,0]"),
        (NG, "f[1][0,0]", "f[1][0,0]"),
        (NG, "w[1][0,0]", "W[1][0,0]"),
        (BISHOP, "a[1][0,0]", "f[1][0,0]"),
        (BISHOP, "z⁽¹⁾₀₀", "a[1][0,0]"),
        (BISHOP, "y[0,0]", "Y_hat[0,0]"),
        (BISHOP, "Y[0,0]", "Y[0,0]"),
        (BISHOP, "t₀₁", "Y[0,1]"),
        (CANONICAL, "γ⁽¹⁾₀₀", "scale[1][0,0]"),
        (CANONICAL, "β⁽¹⁾₀₀", "shift[1][0,0]"),
        (CANONICAL, "β", "beta"),
    ],
)
def test_own_and_canonical_names_are_understood(own: CourseNames, typed: str, meant: str):
    assert parse_symbol(typed, own).plain() == meant


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("multiplied out: Ŷ cancels, 1 − Ŷ too", "multiplied out: ŷ cancels, 1 − ŷ too"),
        ("a weight W⁽¹⁾₁₁ of f⁽¹⁾, by X", "a weight Θ⁽¹⁾₁₁ of z⁽¹⁾, by x"),
        ("there is no f[3]; it has W[1], Y_hat", "there is no z[3]; it has Θ[1], ŷ"),
        ("E is the loss itself", "J is the loss itself"),
        ("dE/df[2] may be used", "dJ/dz[2] may be used"),
        ("Press u to apply it; w applies another", "Press u to apply it; w applies another"),
        ("η is 0.1, σ(−f)", "η is 0.1, σ(−z)"),
        ("‖ΔW‖/‖W‖ and Σ ∂ℰ/∂W · ΔW", "‖ΔΘ‖/‖Θ‖ and Σ ∂J/∂Θ · ΔΘ"),
        ("Wine and Yield of EXPERIMENT", "Wine and Yield of EXPERIMENT"),
        ("Ŷ₀₀ − Y₀₀", "ŷ₀₀ − y₀₀"),
    ],
)
def test_words_are_said_in_own_letters(words: str, said: str):
    assert NG.said(words) == said


def test_an_article_is_no_activation():
    assert BISHOP.said("a sum of a⁽¹⁾ and ∂a") == "a sum of z⁽¹⁾ and ∂z"


LETTERS = st.sampled_from(
    [*"abcfghjlmopqrstuvwxyzABCDFGHJKLMOPQRSTUVWXYZ", *GREEK.values(), *CAPITALS.values()]
)


@given(
    st.lists(LETTERS, min_size=4, max_size=4, unique=True),
    st.booleans(),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_what_is_shown_is_read_back(letters: list[str], hatted: bool, row: int, column: int):
    keys = ("f", "a", "W", "Y_hat")
    own = names(**dict(zip(keys, [f"{one}_hat" if hatted else one for one in letters], strict=True)))
    for name in ("f", "a", "W"):
        symbol = Symbol(name, 2, (row, column))
        for style in (Style(names=own), Style(names=own, ascii=True)):
            drawn = one_line(symbol, style)
            if style.ascii:
                drawn = own.said(symbol.plain(), ascii=True)
            assert parse_symbol(drawn, own) == symbol
        assert parse_symbol(to_latex(symbol, names=own), own) == symbol


@given(st.text(max_size=40))
def test_anything_may_be_typed(text: str):
    typed = NG.typed(text)
    for column in range(1, len(typed) + 2):
        assert 1 <= NG.column(text, column) <= len(text) + 1


def test_columns_point_into_what_was_typed():
    text = "(ŷ - y)*qqq"
    assert NG.typed(text) == "(Y_hat - Y)*qqq"
    assert NG.column(text, NG.typed(text).index("qqq") + 1) == text.index("qqq") + 1


def test_without_own_names_nothing_changes():
    assert CANONICAL.typed("∂ℰ/∂W") == "∂ℰ/∂W"
    assert CANONICAL.said("∂ℰ/∂W") == "∂ℰ/∂W"
    assert not CANONICAL
