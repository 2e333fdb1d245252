"""Editing in the app: e sets a number, N a setting, z takes it back, and everything on the screen follows."""

from __future__ import annotations

from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from engine.formula.parser import parse_symbol
from tests.tui.driver import app_on, press, screen_text, stepper, until
from tui.app import BptuiApp
from tui.shell.prompt import Prompt
from tui.stepper.matrices_screen import MatricesScreen
from tui.stepper.network_map_screen import NetworkMapScreen
from tui.stepper.settings_screen import SettingsScreen
from tui.stepper.stepper_screen import StepperScreen
from tui.training.gradients_screen import GradientsScreen


async def enter(pilot: Pilot[None], text: str) -> None:
    """Types into the prompt that is open, and enters it."""
    app = pilot.app
    await until(pilot, lambda: isinstance(app.screen, Prompt) and app.screen.query(Input))
    app.screen.query_one(Input).value = text
    await press(pilot, "enter")


def value(app: BptuiApp, name: str) -> float:
    return stepper(app).session.graph.value_of(parse_symbol(name))


async def test_an_entry_is_edited_shown_and_taken_back():
    app = app_on("tutorial-b")
    async with app.run_test() as pilot:
        await until(pilot, lambda: "ℰ = 0.6549" in screen_text(app))
        await press(pilot, "e")
        await enter(pilot, "1/3")
        await until(pilot, lambda: "edited" in screen_text(app).split("\n")[0])
        assert value(app, "W[1][1,1]") == 1 / 3
        assert "ℰ = 0.6809" in screen_text(app)
        await press(pilot, "z")
        await until(pilot, lambda: "ℰ = 0.6549" in screen_text(app))
        assert "edited" not in screen_text(app).split("\n")[0]


async def test_the_factor_that_is_looked_at_is_what_e_edits():
    app = app_on("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        for key in ("right", "right", "e"):
            await press(pilot, key)
        await enter(pilot, "-2")
        await until(pilot, lambda: value(app, "W[2][1,0]") == -2)


async def test_a_refused_number_is_explained_and_can_be_mended():
    app = app_on("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        await press(pilot, "e")
        await enter(pilot, "Y[0,0] = 2")
        await until(pilot, lambda: "data.Y[0][0]: found 2.0" in screen_text(app))
        await enter(pilot, "Y[0,0] = 0.5")
        await until(pilot, lambda: value(app, "Y[0,0]") == 0.5)


async def test_the_map_edits_what_is_under_its_cursor():
    app = app_on("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        for key in ("M", "up", "e"):
            await press(pilot, key)
        await enter(pilot, "0.5")
        await until(pilot, lambda: isinstance(app.screen, NetworkMapScreen) and "= 0.5" in screen_text(app))
        assert value(app, "W[1][0,1]") == 0.5


async def test_the_matrices_page_edits_any_given_entry():
    app = app_on("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        await press(pilot, "x")
        await press(pilot, "e")
        await enter(pilot, "X[1,0] = 3")
        await until(pilot, lambda: isinstance(app.screen, MatricesScreen))
        assert value(app, "X[1,0]") == 3


async def test_a_setting_is_changed_in_the_form():
    app = app_on("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        await press(pilot, "N")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen) and app.screen.query(OptionList))
        await press(pilot, "enter")
        await enter(pilot, "adm")
        await until(
            pilot, lambda: 'did you mean "adam"?' in " ".join(screen_text(app).replace("│", " ").split())
        )
        await enter(pilot, "adam")
        await until(pilot, lambda: "train.betas" in screen_text(app))
        await press(pilot, "escape")
        await press(pilot, "end")
        await until(pilot, lambda: "by adam" in screen_text(app))


async def test_charts_of_an_edited_network_begin_anew():
    app = app_on("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        await press(pilot, "g")
        await until(pilot, lambda: isinstance(app.screen, GradientsScreen) and app.screen.is_mounted)
        await press(pilot, "full_stop")
        before = app.opened.session.training
        await until(pilot, lambda: before.first.steps_done == 1)
        await press(pilot, "s")
        await until(pilot, lambda: isinstance(app.screen, StepperScreen))
        await press(pilot, "e")
        await enter(pilot, "W[1][1,1] = 0.75")
        await until(pilot, lambda: not app.is_screen_installed("gradients"))
        assert value(app, "W[1][1,1]") == 0.75
        await press(pilot, "g")
        await until(pilot, lambda: isinstance(app.screen, GradientsScreen))
        assert app.opened.session.training is not before
        assert app.opened.session.training.first.steps_done == 0
