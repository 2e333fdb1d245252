"""A modal screen is dismissed once, whatever comes together: an answer, a key, another screen over it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from tests.tui.driver import app_on
from tui.shell.modal import Modal, ModalBase


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


class Page(ModalBase[None]):
    def compose(self) -> ComposeResult:
        yield Static("a page")


async def test_a_page_that_is_closed_twice_takes_nothing_else_away_and_leaves_the_app_its_keys():
    app = app_on("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        below, page = app.screen, Page()
        app.push_screen(page)
        await pilot.pause()
        assert "question_mark" in page.active_bindings, "help is the app's"
        page.dismiss()
        page.dismiss()
        await pilot.pause()
        assert app.screen is below
