"""Predict: nothing on the screen gives an answer away, and a walk by keys alone from the first factor to the last."""

from __future__ import annotations

from tests.tui.driver import LARGE, SMALL, app_on, press, screen_text, typed, until
from tui.practice.predict_screen import PredictScreen

ANSWERS = ("-alpha*Y/Y_hat+beta*(1-Y)/(1-Y_hat)", "0.2496", "W[2][1,0]", "1", "X[1,0]", "0.1922")


async def answer(pilot, text):
    await press(pilot, *typed(text), "enter")


async def test_every_factor_is_answered_by_keys_alone():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "p")
        await until(pilot, lambda: isinstance(app.screen, PredictScreen))
        prediction = app.screen.prediction
        for number, text in enumerate(ANSWERS):
            assert prediction.place == number
            await answer(pilot, text)
        assert prediction.current is None
        assert prediction.right == prediction.at_once == 6
        assert "6 of 6 right, 6 at once" in screen_text(app)
        await press(pilot, "escape")
        assert not isinstance(app.screen, PredictScreen)


async def test_nothing_on_the_screen_gives_the_answer_away():
    """Neither a local derivative (−1.925, 0.2496, …) nor a gradient, nor a product of them."""
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "p")
        await until(
            pilot, lambda: isinstance(app.screen, PredictScreen) and "Factor 1 of 5" in screen_text(app)
        )
        for secret in ("1.925", "0.2496", "0.4805", "0.3844", "0.1922", "W⁽²⁾₁₀", "X₁₀"):
            assert secret not in screen_text(app)
        await answer(pilot, ANSWERS[0])
        assert "✓−1.925" in screen_text(app)
        assert "0.2496" not in screen_text(app)


async def test_a_wrong_answer_says_which_mistake_and_an_unreadable_one_costs_nothing():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "p")
        await until(pilot, lambda: isinstance(app.screen, PredictScreen))
        asked = app.screen.prediction.current
        await answer(pilot, "(((")
        assert asked.tries == 0
        assert "found the end" in screen_text(app)
        for _ in range(3):
            await press(pilot, "backspace")
        await answer(pilot, "alpha*Y/Y_hat+beta*(1-Y)/(1-Y_hat)")
        assert asked.tries == 1
        assert "the sign of the first term" in screen_text(app)


async def test_giving_up_shows_the_answer_and_goes_on():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "p", "f6", "f6")
        prediction = app.screen.prediction
        assert prediction.place == 2
        assert prediction.right == 0
        assert "∂Ŷ₀₀/∂f⁽²⁾₀₀ = σ(f⁽²⁾₀₀)(1−σ(f⁽²⁾₀₀)) = 0.2496" in screen_text(app)
        await press(pilot, "ctrl+r")
        assert app.screen.prediction.place == 0
