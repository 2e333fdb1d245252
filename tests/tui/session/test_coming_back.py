"""Leaving and coming back: a preset is as it was left, and the stepper leads back to the chart it was opened from."""

from __future__ import annotations

from textual.widgets import OptionList

from tests.tui.driver import LARGE, app_on, press, screen_text, until
from tui.session.training_run import State
from tui.shell.home_screen import HomeScreen
from tui.stepper.stepper_screen import StepperScreen
from tui.training.gradients_screen import GradientsScreen


async def test_a_preset_that_was_left_is_come_back_to_with_its_run():
    app = app_on("dying-relu")
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: "Press space to train" in screen_text(app))
        await press(pilot, "full_stop", "full_stop", "full_stop")
        await press(pilot, "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        options = app.screen.query_one(OptionList)
        assert options.get_option_at_index(options.highlighted).id == "dying-relu"
        await press(pilot, "enter")
        await until(pilot, lambda: "step 3 of" in screen_text(app))


async def test_leaving_pauses_the_training():
    app = app_on("vanishing-sigmoid-50")
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: "Press space to train" in screen_text(app))
        training = app.opened.session.training
        await press(pilot, "space", "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert training.state is not State.RUNNING


async def test_opening_another_experiment_ends_the_one_that_was_left():
    app = app_on("dying-relu")
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: "Press space to train" in screen_text(app))
        left = app.opened.session
        await press(pilot, "full_stop", "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        app.opened.open("tutorial-b")
        await until(pilot, lambda: isinstance(app.screen, StepperScreen))
        assert left._training is None
        await press(pilot, "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        app.opened.open("dying-relu")
        await until(pilot, lambda: "Press space to train" in screen_text(app))


async def test_escape_in_the_stepper_leads_back_to_the_chart_that_led_there():
    app = app_on("vanishing-sigmoid-50")
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: "Press space to train" in screen_text(app))
        await press(pilot, "full_stop", "enter")
        await until(pilot, lambda: isinstance(app.screen, StepperScreen))
        await press(pilot, "escape")
        await until(pilot, lambda: isinstance(app.screen, GradientsScreen))
        assert "step 1 of" in screen_text(app)
        await press(pilot, "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_comparing_after_a_few_single_steps_goes_no_further():
    app = app_on("vanishing-sigmoid-50")
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: "Press space to train" in screen_text(app))
        await press(pilot, "full_stop", "full_stop", "C")
        training = app.opened.session.training
        assert [run.steps_done for run in training.runs] == [2, 2]
        assert training.state is State.PAUSED


async def test_only_the_last_of_many_notices_is_shown():
    app = app_on("dying-relu")
    async with app.run_test(size=LARGE, notifications=True) as pilot:
        await until(pilot, lambda: "Press space to train" in screen_text(app))
        await press(pilot, *["plus"] * 4)
        await until(pilot, lambda: "learning rate 16" in screen_text(app))
        assert "learning rate 2" not in screen_text(app)
        assert len(app.screen.query("Toast")) == 1


async def test_help_begins_with_the_keys_of_the_screen_it_was_asked_on():
    app = app_on("dying-relu")
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: "Press space to train" in screen_text(app))
        await press(pilot, "question_mark")
        await until(pilot, lambda: "Help" in screen_text(app))
        page = screen_text(app)
        assert "the next dead unit" in page.lower() or "next dead" in page.lower()
