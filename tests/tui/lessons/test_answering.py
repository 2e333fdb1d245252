"""Lessons that are answered: the question first, its answer when asked for, progress in the list, own lessons."""

from __future__ import annotations

import pytest

from tests.tui.cli.test_commands import run
from tests.tui.driver import LARGE, app_on, press, screen_text, typed, until
from tests.tui.lessons.test_screens import open_lesson
from tui.lessons.lesson import (
    LessonError,
    list_lessons,
    own_lessons,
    own_lessons_folder,
    read_lesson,
    read_own_lesson,
)
from tui.lessons.lesson_screen import LessonScreen
from tui.practice.learner_progress import ProgressFile
from tui.practice.practice_screen import PracticeScreen
from tui.stepper.stepper_screen import StepperScreen

ANSWER_OF_B1 = "All but the last."

OWN = """+++
title = "Our first week"
preset = "mine.toml"
assignment = "week1.toml"
+++

Look at this.

## To think about

What is it?

It is ours.
"""
EXPERIMENT = """
title = "Ours"
[data]
kind = "xor"
[[network.layers]]
units = 1
activation = "sigmoid"
[loss]
kind = "bce"
"""
ASSIGNMENT = '[[question]]\nid = "q"\nexperiment = "mine.toml"\nwrt = "W[1]"\ntext = "Our question"\n'


def test_every_lesson_hides_the_answer_to_its_question():
    for lesson in list_lessons():
        assert lesson.has_answer, lesson.item
        hidden = lesson.page(False)
        assert "## To think about" in hidden
        answer = lesson.text.rstrip().rsplit("\n\n", 1)[1]
        assert answer not in hidden
        assert lesson.page(True) == lesson.text


async def test_the_answer_is_revealed_and_remembered():
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        await open_lesson(pilot, "B1")
        await press(pilot, "end")
        assert ANSWER_OF_B1 not in screen_text(app)
        await press(pilot, "f6")
        await until(pilot, lambda: ANSWER_OF_B1 in screen_text(app))
    assert ProgressFile().progress.lessons == {"B1": "revealed"}


async def test_a_whole_lesson_is_answered_by_keys_alone_and_marked_in_the_list():
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        await open_lesson(pilot, "A0")
        await press(pilot, "P")
        await until(pilot, lambda: isinstance(app.screen, PracticeScreen))
        assert [question.id for question in app.screen.assignment.questions] == ["a0"]
        await press(pilot, *typed("0.16425"), "enter", "escape")
        assert isinstance(app.screen, LessonScreen)
        await press(pilot, "escape", "escape", "T")
        assert "✓ A0" in screen_text(app)
        assert "✓ A1" not in screen_text(app)


async def test_escape_leads_from_the_experiment_back_to_the_lesson():
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        await open_lesson(pilot, "B1")
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, StepperScreen))
        await press(pilot, "escape")
        await until(pilot, lambda: isinstance(app.screen, LessonScreen))
        assert app.screen.lesson == read_lesson("B1")


def own_files(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "week1.md").write_text(OWN, encoding="utf-8")
    (folder / "mine.toml").write_text(EXPERIMENT, encoding="utf-8")
    (folder / "week1.toml").write_text(ASSIGNMENT, encoding="utf-8")
    return folder / "week1.md"


def test_a_lecturer_s_own_lesson_is_printed(tmp_path):
    path = own_files(tmp_path)
    result = run("lesson", str(path))
    assert result.exit_code == 0
    assert result.stdout.startswith("# week1  Our first week")
    assert "It is ours." in result.stdout
    missing = run("lesson", str(tmp_path / "none.md"))
    assert missing.exit_code == 2
    assert "no such file" in missing.stderr


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title", "titel", "unknown key titel"),
        ('"Our first week"', "3", "title: found 3"),
        ("+++\ntitle", "title", "front matter"),
        ("preset", 'item = "B1"\npreset', "one of the tutorials' items"),
    ],
)
def test_an_own_lesson_that_is_not_right_is_told_in_one_line(tmp_path, old, new, said):
    path = tmp_path / "own.md"
    path.write_text(OWN.replace(old, new, 1))
    with pytest.raises(LessonError) as caught:
        read_own_lesson(path)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


async def test_own_lessons_are_found_by_the_app_with_their_assignment():
    own_files(own_lessons_folder())
    (own_lessons_folder() / "broken.md").write_text("no front matter")
    lessons, problems = own_lessons()
    assert [lesson.item for lesson in lessons] == ["week1"]
    assert len(problems) == 1
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        await press(pilot, "T", "end")
        assert "Our first week" in screen_text(app)
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, LessonScreen))
        await press(pilot, "P")
        await until(pilot, lambda: isinstance(app.screen, PracticeScreen))
        assert "Our question" in screen_text(app)
