"""The update phase as the experiment's own optimiser; whole matrices and other outputs asked for in the stepper."""

from __future__ import annotations

import numpy as np
import pytest
from textual.widgets import Input

from engine.formula.expression import Symbol
from engine.formula.notation import Style
from tests.tui.driver import app_on, press, screen_text, stepper
from tests.tui.experiments import session_of
from tui.shell.reading_screen import ReadingScreen
from tui.stepper.describe_update import describe_update, update_lines, update_size
from tui.stepper.traversal import Phase, Position, Traversal

UNICODE = Style(digits=4)
LARGE = (120, 40)


def square(train: str):
    """E = ½w² from w = 4."""
    return session_of(
        f"""
        data = {{ kind = "inline", X = [[1.0]], Y = [[0.0]] }}
        network = {{ layers = [{{ units = 1, W = [[4.0]] }}] }}
        loss = {{ kind = "squared_error" }}
        train = {{ learning_rate = 0.1, {train} }}
        """
    )


def lines_of(opened) -> list[tuple[str, float]]:
    target = opened.first_target()
    traversal = Traversal(opened.explain(target), update_size(opened, target))
    told = [
        describe_update(opened, traversal, None, UNICODE, index)
        for index in range(traversal.size(Phase.UPDATE))
    ]
    return [
        ("" if one.equations[0].name is None else one.equations[0].name.plain(), one.equations[0].value)
        for one in told
    ]


def test_adam_is_taken_apart_line_by_line() -> None:
    opened = square('optimizer = "adam"')
    assert lines_of(opened) == [
        ("m1", pytest.approx(0.4)),
        ("v1", pytest.approx(0.016)),
        ("m_hat", pytest.approx(4.0)),
        ("v_hat", pytest.approx(16.0)),
        ("", pytest.approx(3.9)),
    ]
    opened.update(())
    assert lines_of(opened)[0] == ("m2", pytest.approx(0.75))
    assert lines_of(opened)[-1] == ("", pytest.approx(3.80007, abs=1e-5))
    opened.undo()
    assert lines_of(opened)[0] == ("m1", pytest.approx(0.4))


def test_undo_takes_the_velocity_back() -> None:
    opened = square('optimizer = "momentum"')
    first = lines_of(opened)
    for _ in range(3):
        opened.update(())
    assert lines_of(opened)[0][0] == "v4"
    for _ in range(3):
        assert opened.undo()
    assert lines_of(opened) == first
    assert not opened.undo()


def test_plain_gradient_descent_is_one_line_as_before() -> None:
    opened = square('optimizer = "sgd"')
    assert lines_of(opened) == [("", pytest.approx(3.6))]
    assert "−η Σ (∂ℰ/∂W)²" in update_lines(opened, opened.update(()), UNICODE)[1]


def test_what_is_expected_of_another_optimiser_is_the_gradient_times_its_step() -> None:
    opened = square('optimizer = "adam"')
    update = opened.update(())
    assert update.predicted == pytest.approx(4.0 * (3.9 - 4.0))
    assert "Σ ∂ℰ/∂W · ΔW" in update_lines(opened, update, UNICODE)[1]


async def test_the_arrows_walk_through_the_optimiser_s_lines() -> None:
    app = app_on("xor")
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "end")
        assert stepper(app).position == Position(Phase.UPDATE, 4)
        assert "Update by adam, step 1: W⁽¹⁾" in screen_text(app)
        await press(pilot, *["left"] * 4)
        assert stepper(app).position == Position(Phase.UPDATE, 0)
        text = screen_text(app)
        assert "the mean of the gradients so far" in text
        assert "m₁" in text
        assert "line 1 of 5" in text
        before = {name: value.copy() for name, value in stepper(app).session.network.parameters.items()}
        await press(pilot, "w", "w", "z", "z")
        for name, value in stepper(app).session.network.parameters.items():
            np.testing.assert_array_equal(value, before[name])


async def ask(pilot, text: str) -> None:
    await press(pilot, "t")
    pilot.app.screen.query_one(Input).value = text
    await press(pilot, "enter")


async def test_a_whole_matrix_is_a_page() -> None:
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await ask(pilot, "W[1]")
        assert isinstance(app.screen, ReadingScreen)
        assert "∂ℰ/∂W⁽¹⁾ = X · (W⁽²⁾ · (Ŷ − Y) ⊙ 1{f⁽¹⁾ > 0})ᵀ" in screen_text(app)
        await press(pilot, "escape")
        assert stepper(app).derivation.target == Symbol("W", 1, (1, 1))


@pytest.mark.parametrize("typed", ["∂Ŷ₀₀/∂W⁽¹⁾₁₁", "dY_hat[0,0]/dW[1][1,1]"])
async def test_another_output_is_asked_for_as_a_derivative(typed: str) -> None:
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await ask(pilot, typed)
        assert stepper(app).derivation.of == Symbol("Y_hat", None, (0, 0))
        assert stepper(app).derivation.value == pytest.approx(-0.0998480540965, rel=1e-9)
        assert "∂Ŷ₀₀/∂W⁽¹⁾₁₁" in screen_text(app)
        await press(pilot, "c", "home", "tab")
        assert "The result: Ŷ₀₀" in screen_text(app)
        await press(pilot, "tab", "end", "w", "z")
        assert stepper(app).derivation.of == Symbol("Y_hat", None, (0, 0))
        await ask(pilot, "W11")
        assert stepper(app).derivation.of == Symbol("E")


async def test_an_output_s_own_sample_stays() -> None:
    app = app_on("xor")
    async with app.run_test(size=LARGE) as pilot:
        await ask(pilot, "dY_hat[0,2]/dW[1][1,1]")
        assert stepper(app).derivation.sample == 2
        await press(pilot, "right_curly_bracket", "greater_than_sign", "full_stop")
        assert stepper(app).derivation.sample == 2


def test_contents_are_shown_whole() -> None:
    """Every line of every optimiser fits the small window's term panel."""
    from tui.stepper.term_panel import term_page

    for train in ('optimizer = "adam"', 'optimizer = "rmsprop"', 'optimizer = "momentum", clip_norm = 0.1'):
        opened = square(train)
        target = opened.first_target()
        traversal = Traversal(opened.explain(target), update_size(opened, target))
        for index in range(traversal.size(Phase.UPDATE)):
            told = describe_update(opened, traversal, None, UNICODE, index)
            content = term_page(told, UNICODE, 76, 8)
            assert content.get_height({}, 76) <= 8
