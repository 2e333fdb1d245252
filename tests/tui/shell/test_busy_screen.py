"""What takes long is computed in a thread behind a line that says so, and Escape ends it."""

import threading

import pytest
from textual.content import Content
from textual.widgets import Static

from engine.autodiff.interruption import between_parts
from tests.tui.driver import app_on, eventually
from tui.shell.busy_screen import BusyScreen
from tui.shell.reading_screen import ReadingScreen


class Work:
    """Goes on until it is let go, with others let in between."""

    def __init__(self, *, interruptible: bool = True) -> None:
        self.begun, self.gate = threading.Event(), threading.Event()
        self.interruptible = interruptible
        self.answers: list[int] = []
        self.ends: list[None] = []

    def __call__(self) -> int:
        self.begun.set()
        while not self.gate.wait(0.005):
            if self.interruptible:
                between_parts()
        return 42

    def screen(self, **options) -> BusyScreen[int]:
        return BusyScreen(
            "Counting", self, self.answers.append, ended=lambda: self.ends.append(None), **options
        )


@pytest.fixture
def work():
    made = Work()
    yield made
    made.gate.set()


async def test_it_says_what_is_done_and_hands_over_the_answer(work: Work):
    app = app_on()
    async with app.run_test() as pilot:
        screen = work.screen()
        app.push_screen(screen)
        await eventually(lambda: screen.is_mounted and screen.query_one("#dialog").visible)
        assert screen.query_one("#dialog").border_title == "Counting"
        await eventually(lambda: "operations done" in str(screen.query_one("#so-far", Static).render()))
        await pilot.press("x", "enter")  # keys wait for nobody
        assert app.screen is screen
        work.gate.set()
        await eventually(lambda: work.answers)
        assert work.answers == [42]
        assert not work.ends
        assert app.screen is not screen


async def test_escape_ends_it(work: Work):
    app = app_on()
    async with app.run_test() as pilot:
        screen = work.screen()
        app.push_screen(screen)
        await eventually(work.begun.is_set)
        await pilot.press("escape")
        await eventually(lambda: work.ends)
        assert not work.answers
        assert app.screen is not screen


async def test_what_shares_nothing_is_not_waited_for(work: Work):
    work.interruptible = False
    app = app_on()
    async with app.run_test() as pilot:
        screen = work.screen(detached=True)
        app.push_screen(screen)
        await eventually(work.begun.is_set)
        await pilot.press("escape")
        await eventually(lambda: work.ends)
        assert app.screen is not screen
        work.gate.set()
        await eventually(screen._computed.is_set)
        await pilot.pause()
        assert not work.answers


async def test_what_went_wrong_is_told():
    def wrong() -> int:
        raise ValueError("no such number")

    told: list[Exception] = []
    app = app_on()
    async with app.run_test():
        app.push_screen(BusyScreen("Counting", wrong, print, failed=told.append))
        await eventually(lambda: told)
        assert str(told[0]) == "no such number"


async def test_a_page_that_lies_over_it_is_not_torn_away(work: Work):
    app = app_on()
    async with app.run_test() as pilot:
        screen = work.screen()
        app.push_screen(screen)
        await eventually(work.begun.is_set)
        app.push_screen(ReadingScreen("Over it", lambda _: Content("words")))
        await eventually(lambda: isinstance(app.screen, ReadingScreen) and app.screen.is_mounted)
        work.gate.set()
        await eventually(screen._computed.is_set)
        await pilot.pause()
        assert isinstance(app.screen, ReadingScreen)
        await pilot.press("escape")
        await eventually(lambda: work.answers)
        assert screen not in app.screen_stack


async def test_leaving_the_app_ends_it(work: Work):
    app = app_on()
    async with app.run_test():
        screen = work.screen()
        app.push_screen(screen)
        await eventually(work.begun.is_set)
    await eventually(screen._computed.is_set)
    assert not work.answers
