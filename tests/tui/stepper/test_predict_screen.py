"""Predict: nothing on the screen gives an answer away, and a walk by keys alone from the first factor to the last."""

from __future__ import annotations

import pytest

from tests.tui.driver import LARGE, SMALL, app_on, press, screen_text, typed, until
from tui.stepper.predict_screen import PredictScreen

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
        secrets = ["1.925", "0.2496", "0.4805", "0.3844", "0.1922", "W⁽²⁾₁₀", "X₁₀", "∂−1.92", "∂−0.481"]
        secrets += ["∂0.384", "∂0.192"]
        for secret in secrets:
            assert secret not in screen_text(app)
        await answer(pilot, ANSWERS[0])
        assert "✓−1.925" in screen_text(app)
        assert "∂−1.92" in screen_text(app)  # what was found stands in the network as well
        for secret in ("0.2496", "0.4805", "∂−0.481", "σ(f⁽²⁾₀₀)(1−σ(f⁽²⁾₀₀))"):
            assert secret not in screen_text(app)


@pytest.mark.parametrize("size", [SMALL, LARGE, (140, 40), (200, 60)])
async def test_no_key_leads_past_the_question(size):
    app = app_on("tutorial-b")
    async with app.run_test(size=size) as pilot:
        await press(pilot, "p")
        await until(pilot, lambda: isinstance(app.screen, PredictScreen))
        await answer(pilot, ANSWERS[0])
        for keys in (("down", "down", "down"), ("tab", "tab", "tab"), ("end", "f3", "f4", "ctrl+z", "right")):
            await press(pilot, *keys)
            assert isinstance(app.screen, PredictScreen)
            assert "Factor 2 of 5" in screen_text(app)
            for secret in ("0.2496", "0.4805", "0.1922", "∂0.384"):
                assert secret not in screen_text(app)


async def test_one_may_look_back_at_the_forward_pass_and_at_what_was_answered():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "p")
        await until(pilot, lambda: isinstance(app.screen, PredictScreen))
        await answer(pilot, ANSWERS[0])
        await press(pilot, "up")
        assert "Factor 2 of 5: " not in screen_text(app)
        assert "αY₀₀" in screen_text(app)
        await press(pilot, "shift+tab", "shift+tab")
        assert "Forward: " in screen_text(app)
        await press(pilot, "tab", "tab", "down")
        assert "Factor 2 of 5" in screen_text(app)


async def test_the_last_question_is_the_whole_gradient_and_the_screen_hides_it():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "p", *["f6"] * 5)
        await until(pilot, lambda: "The whole gradient: ∂ℰ/∂W⁽¹⁾₁₁ = ?" in screen_text(app))
        assert "0.1922" not in screen_text(app)
        assert "∂0.192" not in screen_text(app)
        await press(pilot, "f6")
        assert "0.1922" in screen_text(app)
        assert "All done: 0 of 6 right" in screen_text(app)


async def test_of_a_sum_neither_the_other_paths_nor_samples_are_told():
    app = app_on("residual-fork")
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: "rest: " in screen_text(app))
        rest = next(line for line in screen_text(app).splitlines() if "rest: " in line)
        number = rest.split("rest: ")[1].split()[3]
        assert number in screen_text(app)
        await press(pilot, "p")
        await until(pilot, lambda: "Factor 1 of" in screen_text(app))
        assert number not in screen_text(app)


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
