"""The keys at the foot: all of them where there is room, never without help and quit; the mouse presses one."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.widgets import Input, Static

from tests.tui.driver import LARGE, SMALL, app_on, screen_text
from tui.app import BptuiApp
from tui.shell.key_bar import KeyBar

SCREENS = ("stepper", "gradients", "relu")


def foot(app: BptuiApp) -> str:
    return screen_text(app).split("\n")[-1].rstrip()


@pytest.mark.parametrize("screen", SCREENS)
async def test_every_key_that_is_meant_for_the_footer_fits_80_columns(screen):
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        app.opened.show(screen)
        await pilot.pause()
        await pilot.pause()
        away = getattr(app.screen, "not_here", frozenset())  # what a screen leaves to the help
        shown = [
            one.binding
            for one in app.screen.active_bindings.values()
            if one.binding.show and one.binding.action not in away
        ]
        assert shown
        for binding in shown:
            assert f"{app.get_key_display(binding)} {binding.description}" in foot(app)


@pytest.mark.parametrize("screen", SCREENS)
async def test_at_60_columns_help_and_quit_are_still_there(screen):
    app = app_on("tutorial-b")
    async with app.run_test(size=(60, 20)) as pilot:
        app.opened.show(screen)
        await pilot.pause()
        await pilot.pause()
        assert foot(app).endswith("? Help q Quit")


async def test_keys_come_back_with_the_room():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        wide = foot(app)
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        narrow = foot(app)
        await pilot.resize_terminal(*LARGE)
        await pilot.pause()
        assert len(narrow) < len(wide) == len(foot(app))


KEYS = (
    ("r", "run", "Run", "␣", "Run, or pause"),
    ("v", "view", "View", "v", "The next view"),
    ("question_mark", "help", "Help", "?", "All keys"),
    ("q", "leave", "Quit", "q", "Leave"),
)


class Barred(App[None]):
    """An app with a bar, and nothing else but a box to type into."""

    BINDINGS = [  # noqa: RUF012 - typed by App
        *(
            Binding(key, action, label, key_display=shown, tooltip=said)
            for key, action, label, shown, said in KEYS
        ),
        Binding("x", "hidden", "Hidden", show=False),
    ]
    done: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        yield Input()
        yield Static("words")
        yield KeyBar()

    def action_run(self) -> None:
        self.done += ("run",)

    def action_leave(self) -> None:
        self.done += ("leave",)


def written(app: App[None]) -> str:
    return app.query_one(KeyBar).render_line(0).text.rstrip()


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (80, "␣ Run v View ? Help q Quit"),
        (26, "␣ Run ? Help q Quit"),
        (13, "? Help q Quit"),
    ],
)
async def test_what_does_not_fit_is_left_out_but_for_help_and_quit(width, text):
    app = Barred()
    async with app.run_test(size=(width, 10)) as pilot:
        await pilot.pause()
        app.screen.set_focus(None)
        await pilot.pause()
        assert written(app) == text


@pytest.mark.parametrize(("column", "done"), [(0, "run"), (4, "run"), (5, None), (22, "leave"), (40, None)])
async def test_a_click_presses_the_key_that_is_written_there(column, done):
    app = Barred()
    async with app.run_test(size=(80, 10)) as pilot:
        app.screen.set_focus(None)
        await pilot.pause()
        await pilot.click(KeyBar, offset=(column, 0))
        await pilot.pause()
        assert app.done == ((done,) if done else ())


async def test_the_mouse_marks_a_key_and_explains_it_until_it_leaves():
    app = Barred()
    async with app.run_test(size=(80, 10)) as pilot:
        app.screen.set_focus(None)
        await pilot.pause()
        bar = app.query_one(KeyBar)
        plain = bar.render_line(0)
        await pilot.hover(KeyBar, offset=(7, 0))
        await pilot.pause()
        assert bar.tooltip == "The next view"
        assert bar.render_line(0) != plain
        await pilot.hover(Static)
        await pilot.pause()
        assert bar.tooltip is None
        assert bar.render_line(0) == plain
