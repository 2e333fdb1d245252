"""What comes too late, for a screen or an app that is being taken down, does nothing."""

from __future__ import annotations

from textual import events
from textual.widgets import OptionList

from tests.tui.driver import until
from tests.tui.experiments import session_of
from tests.tui.trainings import SMALL_NET
from tui.app import BptuiApp
from tui.shell.home_screen import HomeScreen
from tui.shell.messages import ShowHome, StepInto


async def test_a_key_that_arrives_while_the_app_is_taken_down_goes_nowhere():
    app = BptuiApp(session_of(SMALL_NET, "small"), personal=False)
    async with app.run_test() as pilot:
        await pilot.pause()
    assert not app.screen_stack
    await app.on_event(events.Key("g", "g"))
    await app.on_event(events.Paste("text"))
    assert app.crash is None


async def test_a_request_of_a_screen_that_is_taken_down_is_not_taken():
    app = BptuiApp(session_of(SMALL_NET, "small"), personal=False)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.check_message_enabled(ShowHome())
    assert not app.check_message_enabled(ShowHome())
    assert not app.check_message_enabled(StepInto(1))


async def test_an_action_of_a_screen_that_was_left_does_nothing():
    app = BptuiApp(session_of(SMALL_NET, "small"), personal=False)
    async with app.run_test() as pilot:
        await pilot.pause()
        stepper = app.screen
        await app.run_action("digits(1)", stepper)
        app.opened.show_home()
        await pilot.pause()
        shown = app.screen
        for command in type(stepper).COMMANDS_SHOWN:  # type: ignore[attr-defined]
            assert await app.run_action(command.action, stepper)  # taken, so that no other gets it
        await pilot.pause()
        assert app.screen is shown
        assert app.crash is None


async def test_keys_in_one_breath_are_heard_in_their_order():
    """As a paste, a fast typist or a script sends them: the app gets them before the list has had the first."""
    app = BptuiApp(personal=False)
    async with app.run_test() as pilot:
        await pilot.pause()
        for key in ("down", "down", "enter"):
            app.simulate_key(key)
        await until(pilot, lambda: app.opened.session is not None)
        assert app.opened.session.name == "tutorial-a-loss-weighted"
        app.opened.show_home()
        await pilot.pause()
        await pilot.press("slash")
        for key in (*"dying", "down", "enter"):
            app.simulate_key(key)
        await until(pilot, lambda: app.opened.session is not None)
        assert app.opened.session.name == "dying-relu-leaky"
        app.opened.show_home()
        await until(
            pilot, lambda: isinstance(app.focused, OptionList)
        )  # where P is a key again, and no letter


async def test_an_experiment_that_the_filter_hides_is_left_without_being_marked():
    app = BptuiApp(personal=False)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.focused, OptionList))
        await pilot.press("slash", *"dying")
        options = app.screen.query_one(OptionList)
        await until(pilot, lambda: options.get_option_at_index(0).id == "dying-relu")
        app.opened.open("tutorial-a")
        await until(pilot, lambda: not isinstance(app.screen, HomeScreen))
        app.opened.show_home()
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert app.crash is None


async def test_notices_take_each_others_place():
    app = BptuiApp(session_of(SMALL_NET, "small"), personal=False)
    async with app.run_test() as pilot:
        await pilot.pause()
        app.notify("a warning", severity="warning")
        for word in ("one", "two", "three"):
            app.notify(word)
        assert app._next_notice is not None
        await until(pilot, lambda: app._next_notice is None)
        assert [one.message for one in app._notifications if one.severity == "information"] == ["three"]
        app.clear_notifications()
        assert not app._notifications
