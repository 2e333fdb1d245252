"""The lessons in the app: the list, the page, and the way from a lesson to its experiment and back."""

from __future__ import annotations

import pytest
from textual.widgets import OptionList

from tests.tui.driver import LARGE, SMALL, app_on, press, screen_text, until
from tui.app import BptuiApp
from tui.lessons.lesson import ITEMS, PARTS, list_lessons, read_lesson
from tui.lessons.lesson_list_screen import LessonListScreen
from tui.lessons.lesson_screen import LessonScreen
from tui.shell.choice_list import EnterlessList
from tui.shell.home_screen import HomeScreen
from tui.shell.keys import APP_COMMANDS, LESSON_COMMANDS, LESSONS_COMMANDS
from tui.stepper.stepper_screen import StepperScreen
from tui.training.gradients_screen import GradientsScreen
from tui.training.units_screen import UnitsScreen

SCREENS = {"stepper": StepperScreen, "gradients": GradientsScreen, "relu": UnitsScreen}


async def open_lesson(pilot, item: str) -> None:
    """From the list of experiments to a lesson, by the keys."""
    await press(pilot, "T")
    await press(pilot, *["down"] * ITEMS.index(item), "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, LessonScreen))
    assert pilot.app.screen.lesson.item == item


def messages(app: BptuiApp) -> list[str]:
    return [notification.message for notification in app._notifications]


# ── the list ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", ["T", "f2"])
async def test_the_list_has_every_lesson_under_its_part_and_fits_a_small_window(key):
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await press(pilot, key)
        assert isinstance(app.screen, LessonListScreen)
        text = screen_text(app)
        for lesson in list_lessons():
            assert f"{lesson.item}  {lesson.title}" in text
            assert lesson.preset in text
        assert [text.index(part) for part in PARTS.values()] == sorted(text.index(p) for p in PARTS.values())
        await press(pilot, "escape")
        assert isinstance(app.screen, HomeScreen)


async def test_a_part_s_heading_cannot_be_chosen():
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await press(pilot, "T")
        options = app.screen.query_one(OptionList)
        chosen = set()
        for _ in range(20):
            assert options.highlighted is not None
            chosen.add(options.get_option_at_index(options.highlighted).id)
            await press(pilot, "down")
        assert chosen == set(ITEMS)


# ── the page ────────────────────────────────────────────────────────────────────────────────────────


async def test_from_home_to_b1_to_its_experiment():
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await open_lesson(pilot, "B1")
        assert "Five factors" in screen_text(app)
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, StepperScreen))
        assert app.screen.session.name == "tutorial-b"
        await until(pilot, lambda: "W⁽¹⁾₁₁" in screen_text(app))
        await press(pilot, "escape")
        assert isinstance(app.screen, LessonScreen)
        await press(pilot, "escape")
        assert isinstance(app.screen, LessonListScreen)
        options = app.screen.query_one(EnterlessList)
        assert options.get_option_at_index(options.highlighted).id == "B1"
        await press(pilot, "escape")
        assert isinstance(app.screen, HomeScreen)


@pytest.mark.parametrize("item", ["A4", "B3", "C1", "D1"])
async def test_a_lesson_opens_its_experiment_on_its_screen(item):
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await open_lesson(pilot, item)
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, SCREENS[read_lesson(item).screen]))
        assert app.screen.session.name == read_lesson(item).preset


async def test_every_lesson_can_be_leafed_through_and_read_to_its_end():
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await open_lesson(pilot, "A0")
        await press(pilot, "left")
        assert messages(app) == ["This is the first lesson."]
        for item in ITEMS:
            await until(pilot, lambda item=item: read_lesson(item).title in screen_text(app))
            assert app.screen.query_one("#scroll").scroll_y == 0
            await press(pilot, "f6", "end")
            last = read_lesson(item).text.split()[-1].strip("`.")
            await until(pilot, lambda last=last: last in screen_text(app))
            await press(pilot, "right")
        assert messages(app)[-1] == "This is the last lesson."
        await press(pilot, "left")
        assert app.screen.lesson.item == "D2"
        await press(pilot, "escape")
        assert isinstance(app.screen, LessonListScreen)


async def test_the_page_scrolls():
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await open_lesson(pilot, "C3")
        scroll = app.screen.query_one("#scroll")
        await until(pilot, lambda: scroll.max_scroll_y > 0)
        places = []
        for key in ("down", "down", "up", "up", "pagedown"):
            await press(pilot, key)
            places.append(scroll.scroll_y)
        assert places[:4] == [1, 2, 1, 0]
        assert places[4] > 10


# ── in an experiment ────────────────────────────────────────────────────────────────────────────────


async def test_in_an_experiment_the_key_opens_its_lesson_and_enter_goes_on_where_one_was():
    app = app_on("leaky-slope-1")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        session = app.screen.session
        await press(pilot, "T")
        assert isinstance(app.screen, LessonScreen)
        assert app.screen.lesson.item == "D3"
        await press(pilot, "escape")
        assert isinstance(app.screen, GradientsScreen)
        await press(pilot, "u", "T", "enter")
        await until(pilot, lambda: isinstance(app.screen, GradientsScreen))  # the lesson's screen
        assert app.screen.session is session


async def test_of_several_lessons_the_list_shows_those_on_the_experiment():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await press(pilot, "right", "T")
        assert isinstance(app.screen, LessonListScreen)
        options = app.screen.query_one(OptionList).options
        assert [option.id for option in options if not option.disabled] == ["B1", "B2", "B4"]
        assert "Lessons on tutorial-b" in screen_text(app)
        await press(pilot, "down", "enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, StepperScreen))
        assert app.screen.position.index == 1  # nothing was lost


async def test_an_experiment_without_lessons_says_so():
    app = app_on("xor")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await press(pilot, "T")
        assert isinstance(app.screen, StepperScreen)
        assert len(messages(app)) == 1
        assert messages(app)[0].startswith("No lesson is about this experiment")


async def test_a_lesson_on_another_experiment_closes_the_open_one():
    app = app_on("relu-50")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await press(pilot, "T")
        assert app.screen.lesson.item == "C2"
        await press(pilot, "left", "enter")
        await until(pilot, lambda: isinstance(app.screen, GradientsScreen))
        assert app.screen.session.name == "vanishing-sigmoid-50"
        await press(pilot, "s")
        await until(pilot, lambda: isinstance(app.screen, StepperScreen))
        assert app.screen.session.name == "vanishing-sigmoid-50"
        await press(pilot, "escape")
        assert isinstance(app.screen, GradientsScreen)
        await press(pilot, "escape")
        assert app.screen.lesson.item == "C1"
        await press(pilot, "escape", "escape")
        assert isinstance(app.screen, HomeScreen)


# ── what terminals can show ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_in_ascii_the_list_and_every_page_are_ascii_without_unknown_letters(size):
    app = app_on(ascii_only=True)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await press(pilot, "T")
        assert "alpha and beta" in screen_text(app)
        await press(pilot, "enter")
        for item in ITEMS:
            await until(pilot, lambda item=item: f" {item} " in screen_text(app))
            page = "\n".join(
                segment.text
                for strip in app.screen.query_one("#text").screen._compositor.render_strips()
                for segment in strip
            )
            assert page.isascii() or "─" in page or "▁" in page  # the scroll bar's end is for the last guard
            await press(pilot, "right")


async def test_without_colour_keys_are_still_told(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await open_lesson(pilot, "A1")
        strips = app.screen._compositor.render_strips()
        bold = {
            segment.text.strip()
            for strip in strips
            for segment in strip
            if segment.style and segment.style.bold
        }
        assert {"Enter", "→"} <= bold


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize(("keys", "commands"), [(["T"], LESSONS_COMMANDS), (["T", "enter"], LESSON_COMMANDS)])
async def test_the_footer_is_not_cut_at_80_columns(keys, commands, ascii_only):
    app = app_on(ascii_only=ascii_only)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await press(pilot, *keys)
        await until(pilot, lambda: "Quit" in screen_text(app).split("\n")[-1])
        footer = screen_text(app).split("\n")[-1]
        for command in (*commands, *APP_COMMANDS):
            assert (command.label in footer) == bool(command.shown)
        assert len(footer.rstrip()) < 80
