"""Practice: answering, hints, score and streak, and a file that is kept whole or set aside."""

from __future__ import annotations

import json
import os
import sys

import pytest

from engine.practice.assignments.assignment import parse_assignment
from tests.tui.driver import LARGE, SMALL, app_on, press, screen_text, typed, until
from tui.practice.learner_progress import VERSION, LearnerProgress, ProgressFile
from tui.practice.practice_screen import PracticeScreen
from tui.shell.busy_screen import BusyScreen


async def opened(app, pilot) -> PracticeScreen:
    await press(pilot, "P")
    await until(pilot, lambda: isinstance(app.screen, PracticeScreen))
    return app.screen


async def test_the_tutorials_come_first_and_a_right_answer_counts():
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(app, pilot)
        assert screen.question.id == "a0"
        await press(pilot, *typed("0.16425"), "enter")
        assert "✓ right" in screen_text(app)
        assert screen.kept.progress.streak == 1
        assert screen.kept.progress.points == 1
        await press(pilot, "f8")
        assert screen.question.id == "a1a"
        await press(pilot, *typed("Y/Y_hat + (1-Y)/(1-Y_hat)"), "enter")
        assert "the sign of the first term" in screen_text(app)
        assert screen.kept.progress.streak == 0
        await press(pilot, "f11")
        assert "1 question answered" in screen_text(app)
    saved = json.loads(screen.kept.path.read_text())
    assert saved["version"] == VERSION
    assert saved["answered"] == {"a0": 1}


async def test_enter_goes_on_and_what_was_answered_before_counts_no_more():
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(app, pilot)
        await press(pilot, "enter")
        assert screen.question.id == "a0"  # nothing answered, nothing to go on from
        for answer in ("0.16425", "0,164"):
            await press(pilot, *typed(answer), "enter")
            assert "✓ right" in screen_text(app)
            assert "1 point · streak 1 · best 1" in screen_text(app)
        await press(pilot, "enter")
        assert screen.question.id == "a1a"
        await press(pilot, "f6", "enter", "f7", *typed("-Y/Y_hat + (1-Y)/(1-Y_hat)"), "enter")
        assert screen.kept.progress.streak == 0  # given up: an answer afterwards counts for nothing


async def test_a_long_training_is_done_behind_a_line_that_escape_ends():
    text = """
        [[question]]
        id = "far"
        experiment = "tutorial-a-wine"
        kind = "number"
        of = "E"
        after = 100000
        [[question]]
        id = "near"
        experiment = "tutorial-a-wine"
        kind = "number"
        of = "E"
        after = 10
    """
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        screen = PracticeScreen(ProgressFile(), parse_assignment(text, "mine"))
        await app.push_screen(screen)
        await press(pilot, *typed("0.5"), "enter")
        assert isinstance(app.screen, BusyScreen)
        await press(pilot, "escape")
        await until(pilot, lambda: app.screen is screen)
        assert screen.tries == 0
        await press(pilot, "f6")
        assert isinstance(app.screen, BusyScreen)
        await press(pilot, "escape")
        await until(pilot, lambda: app.screen is screen)
        assert screen.kept.progress.given_up == []
        await press(pilot, "f8", *(["backspace"] * 3), *typed("0.5"), "enter")
        await until(pilot, lambda: screen.tries == 1)
        assert "✗ wrong" in screen_text(app)


async def test_progress_is_there_again_and_the_first_open_question_comes():
    kept = ProgressFile()
    kept.progress.right("a0", 1.0, 1)
    kept.save()
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(app, pilot)
        assert screen.question.id == "a1a"


async def test_hints_come_in_steps_and_giving_up_shows_the_solution():
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(app, pilot)
        screen._go(next(k for k, q in enumerate(screen.assignment.questions) if q.id == "b1"))
        await press(pilot, "f5")
        assert "Hint: five factors" in screen_text(app)
        assert "(Ŷ₀₀ − Y₀₀)" not in screen_text(app)
        await press(pilot, "f6")
        assert "(Ŷ₀₀ − Y₀₀) · W⁽²⁾₁₀ · 1{f⁽¹⁾₁₀ > 0} · X₁₀" in screen_text(app)
        assert screen.kept.progress.given_up == ["b1"]


async def test_progress_can_be_had_as_csv():
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(app, pilot)
        await press(pilot, *typed("0.3285"), "enter", *["backspace"] * 6, *typed("0,164"), "enter")
        progress, mistakes = (table.csv().splitlines() for table in screen.data_tables())
        assert progress[:3] == [
            "question,item,kind,points,answered_at_try,given_up",
            "a0,A0,number,1.0,2,0",
            "a1a,A1,formula,1.0,,0",
        ]
        assert mistakes == [
            "mistake,times",
            "this is the sum over the 2 samples: the factor 1/n is missing,1",
        ]


async def test_levels_and_seeds():
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(app, pilot)
        await press(pilot, "f9")
        assert screen.level == 1
        first = [question.id for question in screen.assignment.questions]
        await press(pilot, "f10", *typed("77"), "enter")
        assert screen.kept.progress.seed == 77
        assert [question.id for question in screen.assignment.questions] != first
        for _ in range(5):
            await press(pilot, "f9")
        assert screen.level == 0
        assert screen.assignment.title == "The two tutorials"


async def test_reset_forgets_after_a_question():
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(app, pilot)
        await press(pilot, *typed("0.16425"), "enter", "f12", *typed("no"), "enter")
        assert screen.kept.progress.answered
        for _ in range(2):
            await press(pilot, "backspace")
        await press(pilot, *typed("reset"), "enter")
        assert screen.kept.progress == LearnerProgress()


def test_a_damaged_file_is_set_aside_with_a_notice(tmp_path):
    path = tmp_path / "practice.json"
    broken = (
        "",
        "{",
        '{"version": 99}',
        '{"points": "many"}',
        "\x00",
        "[" * 100_000,
        "null",
        "[1]",
        '{"seed": -1}',
    )
    beyond = ('{"points": 1e400}', '{"streak": 1' + "0" * 5000 + "}", '{"tasks": {"C1": [-1]}}', " " * 2**21)
    for text in broken + beyond:
        path.write_text(text)
        kept = ProgressFile(path)
        assert kept.progress == LearnerProgress()
        problem = kept.take_problem()
        assert problem is not None
        assert "damaged-" in problem
        assert kept.take_problem() is None
        assert not path.exists()
    kept_aside = sorted(path.stat().st_size for path in tmp_path.glob("practice.damaged-*.json"))
    assert kept_aside == sorted(map(len, broken + beyond))  # whatever was in them


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes among files on Windows")
@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "link to itself"])
def test_what_is_no_file_is_set_aside_with_a_notice(kind, tmp_path):
    path = tmp_path / "practice.json"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
        case _:
            path.symlink_to(path)
    kept = ProgressFile(path)
    problem = kept.take_problem()
    assert problem is not None
    assert "damaged-1" in problem
    kept.progress.right("a", 1.0, 1)
    kept.save()
    assert ProgressFile(path).progress.answered == {"a": 1}


def test_two_apps_at_once_lose_nothing(tmp_path):
    path = tmp_path / "practice.json"
    first = ProgressFile(path)
    first.progress.right("before", 3.0, 1)
    first.progress.wrong(["sign"])
    first.save()
    one, other = ProgressFile(path), ProgressFile(path)
    one.progress.right("a", 2.0, 1)
    one.progress.wrong(["sign"])
    one.save()
    other.progress.right("b", 1.0, 2)
    other.progress.wrong(["sign", "slope"])
    other.progress.tasks["C1"] = [2]
    other.save()
    one.progress.tasks["C1"] = [0]
    one.save()
    one.save()  # and nothing is counted twice
    found = ProgressFile(path).progress
    assert found.answered == {"before": 1, "a": 1, "b": 2}
    assert found.points == 3.0 + 2.0 + 0.5
    assert found.mistakes == {"sign": 3, "slope": 1}
    assert found.tasks == {"C1": [0, 2]}
    assert found.best_streak == 1
    one.reset()
    assert ProgressFile(path).progress == LearnerProgress()


def test_a_file_that_was_damaged_meanwhile_is_set_aside_too(tmp_path):
    path = tmp_path / "practice.json"
    kept = ProgressFile(path)
    kept.progress.right("a", 1.0, 1)
    kept.save()
    path.write_text("half a li")
    kept.progress.right("b", 1.0, 1)
    kept.save()
    assert kept.take_problem() is not None
    assert ProgressFile(path).progress.answered == {"a": 1, "b": 1}
    assert (tmp_path / "practice.damaged-1.json").read_text() == "half a li"


@pytest.mark.parametrize("keys", ["P", "B", "T"])
async def test_whatever_first_reads_a_damaged_file_says_so(keys):
    path = ProgressFile().path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{")
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, keys)
        await until(pilot, lambda: any("is damaged" in note.message for note in app._notifications))


def test_a_folder_that_cannot_be_written_to_is_said_once(tmp_path):
    (tmp_path / "file").write_text("")
    kept = ProgressFile(tmp_path / "file" / "practice.json")
    kept.save()
    assert kept.take_problem() is not None
    kept.save()
    assert kept.take_problem() is None


async def test_it_fits_a_small_window_and_ascii():
    app = app_on(ascii_only=True)
    async with app.run_test(size=SMALL) as pilot:
        await opened(app, pilot)
        text = screen_text(app)
        assert all(len(line) <= 80 for line in text.split("\n"))


async def test_the_question_scrolls_by_keys_in_a_small_window():
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "P")
        await until(pilot, lambda: isinstance(app.screen, PracticeScreen))
        questions = app.screen.assignment.questions
        app.screen._go(next(k for k, q in enumerate(questions) if q.id == "c3-fork"))
        asked = app.screen.query_one("#asked")
        await until(pilot, lambda: asked.max_scroll_y > 0)
        await press(pilot, "down")
        assert asked.scroll_y > 0
        await press(pilot, "pageup")
        assert asked.scroll_y == 0


async def test_the_list_of_lessons_counts_the_tasks_that_are_done_and_fits_a_small_window():
    kept = ProgressFile()
    kept.progress.tasks["C1"] = [0, 1]
    kept.save()
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "T")
        line = next(line for line in screen_text(app).splitlines() if "C1" in line)
        assert "vanishing-sigmoid-50" in line
        assert "2/5" in line


async def test_another_question_is_read_from_its_beginning_and_the_last_is_followed_by_a_summary():
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(app, pilot)
        asked = screen.query_one("#asked")
        screen._go(next(k for k, q in enumerate(screen.assignment.questions) if q.id == "c3-fork"))
        await until(pilot, lambda: asked.max_scroll_y > 0)
        await press(pilot, "down")
        assert asked.scroll_y > 0
        await press(pilot, "f8")
        await until(pilot, lambda: asked.scroll_y == 0)
        screen._go(len(screen.assignment.questions) - 1)
        await press(pilot, "f8")
        total = len(screen.assignment.questions)
        await until(
            pilot,
            lambda: any(f"last of {total}: 0 answered" in one.message for one in app._notifications),
        )
        assert screen.place == 0


async def test_a_deep_network_s_loss_and_prediction_are_among_its_equations():
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(app, pilot)
        for _ in range(4):
            await press(pilot, "f9")
        await until(pilot, lambda: screen.level == 4)
        for place in range(3):
            screen._go(place)
            text = str(screen.question_lines())
            assert "ℰ = " in text
            assert "Ŷ" in text
