"""Pages to read: matrix products, Jacobians, simplifications, and what each of them claims."""

from __future__ import annotations

import re

import pytest

from engine.derivation.matrix_form import matrix_lines
from engine.formula.expression import Symbol
from engine.formula.notation import Style
from engine.formula.number_text import number_text
from tests.engine.networks import SMALL_PRESETS
from tests.tui.experiments import READABLE, session, session_of
from tui.session.network_session import NetworkSession
from tui.stepper.jacobian_page import jacobian_view
from tui.stepper.matrices_page import matrices_view
from tui.stepper.simplification_page import simplification_view

UNICODE, ASCII = Style(digits=4), Style(digits=4, ascii=True)
BOTH = pytest.mark.parametrize("style", [UNICODE, ASCII], ids=["unicode", "ascii"])


def derivation_of(opened: NetworkSession):
    return opened.explain(opened.first_target())


# ── matrices ────────────────────────────────────────────────────────────────────────────────────────


@BOTH
@pytest.mark.parametrize("name", READABLE)
def test_every_matrix_product_is_there_with_its_shapes_and_a_tick(name, style):
    graph = session(name).graph
    page = matrices_view(list(matrix_lines(graph)), style, 72).plain
    assert page.count("ok " if style.ascii else "✓") > len(graph.ops)
    assert "✗" not in page
    assert "WRONG" not in page
    assert not style.ascii or page.isascii()
    assert "?" not in page.replace("\n", "") or not style.ascii
    if name in SMALL_PRESETS:
        assert max(map(len, page.split("\n")[:-1])) <= 72  # the last line is prose, which wraps by itself


def test_the_matrices_of_the_hidden_layer_are_those_of_the_tutorial():
    page = matrices_view(list(matrix_lines(session("tutorial-b").graph)), UNICODE, 120).plain
    lines = [" ".join(line.split()) for line in page.split("\n")]
    assert "✓ f⁽¹⁾ = W⁽¹⁾ᵀ · X (2×3) · (3×1) → (2×1)" in lines
    assert "✓ ∂ℰ/∂W⁽¹⁾ = X · (∂ℰ/∂f⁽¹⁾)ᵀ (3×1) · (1×2) → (3×2)" in lines
    assert "✓ ∂ℰ/∂a⁽¹⁾ = W⁽²⁾ · ∂ℰ/∂f⁽²⁾ (2×1) · (1×1) → (2×1)" in lines


def test_a_wrong_gradient_is_marked_as_wrong():
    opened = session("tutorial-b")
    opened.graph.nodes[Symbol("a", 1)].grad[0, 0] += 1.0
    page = matrices_view(list(matrix_lines(opened.graph)), UNICODE, 120).plain
    (wrong,) = [line for line in page.split("\n") if "✗" in line and "W⁽²⁾ · " in line]
    assert "∂ℰ/∂a⁽¹⁾" in wrong


def test_a_batch_s_error_is_divided_by_n():
    page = matrices_view(list(matrix_lines(session("tutorial-a-weighted").graph)), UNICODE, 120).plain
    lines = [" ".join(line.split()) for line in page.split("\n")]
    i = next(i for i, line in enumerate(lines) if line.startswith("✓ ∂ℰ/∂f⁽¹⁾ = "))
    assert lines[i] == (
        "✓ ∂ℰ/∂f⁽¹⁾ = (βŶ(1−Y) − αY(1−Ŷ))/n (1×1100) − (1×1100) → (1×1100) entry by entry, with α = 10 and β = 1"
    )
    page = matrices_view(list(matrix_lines(session("tutorial-a-wine").graph)), UNICODE, 120).plain
    assert "✓ ∂ℰ/∂f⁽¹⁾ = (Ŷ − Y)/n " in " ".join(page.split())


# ── the Jacobian over the samples ───────────────────────────────────────────────────────────────────


@BOTH
def test_without_batch_norm_the_jacobian_is_diagonal_and_gives_the_gradient(style):
    opened = session("tutorial-a-wine")
    page = jacobian_view(derivation_of(opened), 1, style, 63).plain
    assert "1100×1100" in page.replace("x", "×")
    assert "It is diagonal" in page
    assert "equal to row 0 of" in page
    rows = re.findall(r"i=\d+ +(.*)", page)
    assert [row.split() for row in rows] == [
        ["0.25" if i == j else "0" for j in range(5)] for i in range(5)
    ]  # the sigmoid's slope at f = 0
    assert not style.ascii or page.isascii()


def test_with_batch_norm_the_jacobian_is_full_and_still_gives_the_gradient():
    opened = session("batch-norm")
    derivation = derivation_of(opened)
    step = next(
        i for i in range(len(derivation)) if derivation[i].node.name == "f" and derivation[i].node.layer == 1
    )
    page = jacobian_view(derivation, step, UNICODE, 63).plain
    assert "Row 0 of h⁽¹⁾ by row 0 of f⁽¹⁾: 4×4" in page
    assert "It is not diagonal" in page
    assert "✓ equal to row 0 of ∂ℰ/∂f⁽¹⁾" in page


def test_a_shortcut_is_one_of_several_contributions():
    opened = session("residual-fork")
    derivation = derivation_of(opened)
    page = jacobian_view(derivation, 3, UNICODE, 63).plain
    assert "One of the contributions that add up to row 1 of ∂ℰ/∂a⁽²⁾" in page


def test_a_jacobian_is_shown_around_the_sample():
    opened = session("tutorial-a-wine")
    page = jacobian_view(opened.explain(Symbol("W", 1, (0, 0)), 1099), 1, UNICODE, 63).plain
    assert "j=1099" in page
    assert "samples 1095 to 1099 of 1100" in page


def test_a_wider_page_shows_more_samples():
    derivation = derivation_of(session("tutorial-a-wine"))
    assert jacobian_view(derivation, 1, UNICODE, 118).plain.count("j=") == 10
    assert jacobian_view(derivation, 1, UNICODE, 20).plain.count("j=") == 2


def test_where_the_step_has_no_jacobian_the_nearest_one_is_shown():
    derivation = derivation_of(session("tutorial-a-wine"))
    assert jacobian_view(derivation, 0, UNICODE, 63).plain == jacobian_view(derivation, 2, UNICODE, 63).plain


# ── the simplification ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["tutorial-a", "tutorial-a-weighted", "tutorial-b", "xor", "wide"])
def test_every_line_of_the_simplification_has_the_same_value(name):
    derivation = derivation_of(session(name))
    page = simplification_view(derivation, UNICODE, 72).plain
    values = re.findall(r"^ +[=≈] ([−\d.]+)$", page, re.MULTILINE)
    assert len(values) >= 2
    assert set(values) == {values[0]}
    gradient = next(step.gradient for step in derivation if step.simplification)
    assert values[0] == number_text(gradient, UNICODE)


def test_a_rounded_number_is_not_said_to_be_equal():
    page = simplification_view(derivation_of(session("tutorial-a")), UNICODE, 72).plain
    assert page.count("≈ −0.3543") == 3
    assert "= −0.3543" not in page


def test_other_losses_have_no_special_simplification():
    assert simplification_view(derivation_of(session("residual-fork")), UNICODE, 72) is None
    tanh = session_of(
        """
        [data]
        kind = "xor"
        [network]
        layers = [{units = 1, activation = "tanh"}]
        [loss]
        kind = "squared_error"
        """
    )
    assert simplification_view(derivation_of(tanh), UNICODE, 72) is None
