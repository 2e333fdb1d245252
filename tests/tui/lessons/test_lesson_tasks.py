"""Tasks are ticked by what is done in the screens, and by nothing else; where there is room the lesson is beside."""

from __future__ import annotations

import pytest

from engine.experiment.loading import PRESET_NAMES
from tests.tui.driver import LARGE, SMALL, app_on, press, screen_text, typed, until
from tests.tui.lessons.test_screens import messages, open_lesson
from tests.tui.stepper.test_predict_screen import ANSWERS
from tui.lessons.lesson import LessonError, list_lessons, parse_lesson, read_lesson
from tui.lessons.lesson_panel import LessonPanel
from tui.lessons.lesson_screen import LessonScreen
from tui.lessons.lesson_tasks import TaskChecklist, TaskCondition
from tui.practice.learner_progress import ProgressFile
from tui.shell.learner_deeds import Deed, Done
from tui.stepper.predict_screen import PredictScreen
from tui.stepper.stepper_screen import StepperScreen
from tui.training.gradients_screen import GradientsScreen
from tui.training.units_screen import UnitsScreen


def tasks_kept(item: str) -> list[int]:
    return [place + 1 for place in ProgressFile().progress.tasks.get(item, [])]


async def enter(pilot, item, screen):
    """From the list of experiments to a lesson's experiment."""
    await pilot.pause()
    await open_lesson(pilot, item)
    await press(pilot, "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, screen))
    await pilot.pause()


# ── what a task asks for ────────────────────────────────────────────────────────────────────────────


def test_every_step_of_every_lesson_is_a_task_that_names_experiments_that_exist():
    for lesson in list_lessons():
        assert lesson.tasks, lesson.item
        for task in lesson.tasks:
            for condition in task:
                assert condition.experiment in {lesson.preset, *lesson.also} & set(PRESET_NAMES)


def test_a_number_is_reached_a_name_is_met_and_another_experiment_does_not_count():
    far = TaskCondition.parse("train 200", "xor")
    assert not far.is_met_by("xor", Done(Deed.TRAIN, 199))
    assert far.is_met_by("xor", Done(Deed.TRAIN, 201))
    assert not far.is_met_by("moons", Done(Deed.TRAIN, 201))
    named = TaskCondition.parse("moons: compare a|b", "xor")
    assert named.is_met_by("moons", Done(Deed.COMPARE, "b"))
    assert not named.is_met_by("moons", Done(Deed.COMPARE, "c"))


def test_a_task_is_done_when_all_of_it_is_in_whatever_order():
    task = (TaskCondition.parse("check", "xor"), TaskCondition.parse("factor 3", "xor"))
    checklist = TaskChecklist([task])
    assert checklist.take("xor", [Done(Deed.FACTOR, 3)]) == []
    assert checklist.take("xor", [Done(Deed.FACTOR, 1)]) == []
    assert checklist.take("xor", [Done(Deed.CHECK)]) == [0]
    assert checklist.take("xor", [Done(Deed.CHECK)]) == []
    assert checklist.done == (0,)


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ('[["fly"]]', "'fly' is not a valid Deed"),
        ('[["train far"]]', "train needs a whole number"),
        ('[["check"], ["check"]]', "found 2, expected one for each of the 1 numbered steps"),
        ('"check"', "tasks: found 'check'"),
        ("[[]]", "tasks: found [[]]"),
    ],
)
def test_tasks_that_are_not_right_are_told_in_one_line(tasks, said):
    text = (
        f'+++\nitem = "B1"\ntitle = "T"\npreset = "tutorial-b"\nscreen = "stepper"\ntasks = {tasks}\n+++\n\n'
        "## In the app\n\n1. Do it.\n"
    )
    with pytest.raises(LessonError) as caught:
        parse_lesson(text, "b1.md")
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_the_page_has_a_tick_at_what_is_done_and_nowhere_else():
    lesson = read_lesson("B1")
    assert lesson.page(True, ()) == lesson.text
    page = lesson.page(True, (0, 3))
    assert page.count("✓") == lesson.text.count("✓") + 2
    assert "\n1. ✓ **Enter**" in page
    assert "\n4. ✓ **c**" in page


# ── ticked in the screens ───────────────────────────────────────────────────────────────────────────


async def test_the_tasks_of_b1_are_ticked_as_they_are_done_and_kept():
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await enter(pilot, "B1", StepperScreen)
        assert tasks_kept("B1") == []
        await press(pilot, "right", "right", "right", "right")
        assert tasks_kept("B1") == [1]
        assert "✓ B1, task 1 of 5 done" in messages(app)
        await press(pilot, "shift+tab", "shift+tab")
        assert tasks_kept("B1") == [1, 2]
        await press(pilot, "M", "escape")
        assert tasks_kept("B1") == [1, 2, 3]
        await press(pilot, "c", "enter", "escape")
        await press(pilot, "y", "escape")  # looked at, not copied
        assert tasks_kept("B1") == [1, 2, 3]
        await press(pilot, "y", "enter")
        assert tasks_kept("B1") == [1, 2, 3, 4]
        await press(pilot, "p")
        await until(pilot, lambda: isinstance(app.screen, PredictScreen))
        for answer in ANSWERS[:5]:
            await press(pilot, *typed(answer), "enter")
        assert tasks_kept("B1") == [1, 2, 3, 4, 5]
        await press(pilot, "escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, LessonScreen))
        await until(pilot, lambda: "5 of 5 tasks done" in screen_text(app))


async def test_training_is_ticked_when_the_training_has_come_so_far():
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await enter(pilot, "B3", GradientsScreen)
        assert tasks_kept("B3") == []
        await press(pilot, "full_stop")
        await until(pilot, lambda: tasks_kept("B3") == [1])
        await press(pilot, "full_stop")
        assert tasks_kept("B3") == [1]


async def test_of_several_ways_to_initialise_the_one_that_was_asked_for_counts():
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await enter(pilot, "D1", UnitsScreen)
        assert tasks_kept("D1") == [1]
        while app.screen.training.first.experiment.network.init.scheme != "he":
            assert 5 not in tasks_kept("D1")
            await press(pilot, "i")
        assert 5 in tasks_kept("D1")


async def test_another_experiment_than_the_lesson_s_ticks_nothing_and_none_is_ticked_before_a_lesson_is_read():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await press(pilot, "right", "right", "right", "right", "M", "escape")
        assert ProgressFile().progress.tasks == {}


async def test_ticks_outlive_the_app():
    kept = ProgressFile()
    kept.progress.tasks["B1"] = [2]
    kept.save()
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        await open_lesson(pilot, "B1")
        await until(pilot, lambda: "1 of 5 tasks done" in screen_text(app))


# ── beside the experiment ───────────────────────────────────────────────────────────────────────────


async def test_at_120_columns_the_lesson_stands_beside_and_is_ticked_there():
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        await enter(pilot, "B1", StepperScreen)
        await until(pilot, lambda: "0 of 5 tasks done" in screen_text(app))
        await press(pilot, "right", "right", "right", "right")
        await until(pilot, lambda: "1 of 5 tasks done" in screen_text(app))
        assert messages(app) == []
        await press(pilot, "M", "escape")
        await until(pilot, lambda: "2 of 5 tasks done" in screen_text(app))
        await press(pilot, "g")
        await until(pilot, lambda: isinstance(app.screen, GradientsScreen))
        await until(pilot, lambda: "2 of 5 tasks done" in screen_text(app))


async def test_the_lesson_beside_scrolls_by_keys():
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        await enter(pilot, "C3", GradientsScreen)
        await until(pilot, lambda: app.screen.query(LessonPanel))
        panel = app.screen.query_one(LessonPanel)
        await until(pilot, lambda: panel.max_scroll_y > 0)
        await press(pilot, "shift+down")
        assert panel.scroll_y == 5
        await press(pilot, "shift+up")
        assert panel.scroll_y == 0


async def test_a_narrower_terminal_has_no_room_beside_and_a_wider_one_again():
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        await enter(pilot, "B1", StepperScreen)
        await until(pilot, lambda: app.screen.query(LessonPanel))
        await pilot.resize_terminal(119, 40)
        await until(pilot, lambda: not app.screen.query(LessonPanel))
        await pilot.resize_terminal(140, 40)
        await until(pilot, lambda: app.screen.query(LessonPanel))


async def test_a_lesson_that_was_read_over_its_experiment_stands_beside_it():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: " n = " in screen_text(app))
        await press(pilot, "T", "enter")
        await until(pilot, lambda: isinstance(app.screen, LessonScreen))
        await press(pilot, "escape")
        if not isinstance(app.screen, StepperScreen):  # the list of its lessons
            await press(pilot, "escape")
        await until(pilot, lambda: isinstance(app.screen, StepperScreen))
        await until(pilot, lambda: app.screen.query(LessonPanel))
        await until(pilot, lambda: "0 of 5 tasks done" in screen_text(app))
        await press(pilot, "escape")
        await until(pilot, lambda: isinstance(app.screen, LessonScreen))


async def test_an_experiment_that_was_opened_by_itself_has_no_lesson_beside():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        assert not app.screen.query(LessonPanel)
