"""A modal screen is dismissed once, whatever comes together: an answer, a key, another screen over it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from tests.tui.driver import app_on
from tui.shell.modal import Modal


class Question(Modal[str]):
    def compose(self) -> ComposeResult:
        yield Static("?")


async def test_what_comes_second_takes_nothing_else_away():
    app, answers = app_on("tutorial-b"), []
    async with app.run_test() as pilot:
        await pilot.pause()
        below = app.screen
        question = Question()
        app.push_screen(question, answers.append)
        await pilot.pause()
        question.dismiss("first")
        question.dismiss("second")
        await pilot.pause()
        assert app.screen is below
        assert answers == ["first"]


async def test_what_lies_below_another_waits_its_turn():
    app = app_on("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        lower, upper = Question(), Question()
        app.push_screen(lower)
        app.push_screen(upper)
        await pilot.pause()
        lower.dismiss("early")
        assert app.screen is upper
        upper.dismiss("now")
        lower.dismiss("now")
        await pilot.pause()
        assert upper not in app.screen_stack
        assert lower not in app.screen_stack
