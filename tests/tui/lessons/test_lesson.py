"""The lessons: one for each item of the tutorials, true to the program, and readable in a small window."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from textual.keys import key_to_character

from engine.experiment.loading import PRESET_NAMES
from engine.experiment.spec import NotationSpec
from engine.formula.text_width import cells
from tui.cli.main import cli
from tui.lessons.lesson import (
    ITEMS,
    LARGEST_TITLE,
    PARTS,
    SCREENS,
    Lesson,
    LessonError,
    in_ascii,
    lessons_on,
    list_lessons,
    parse_lesson,
    read_lesson,
)
from tui.shell.idle_keys import KEYS
from tui.shell.key_names import READABLE
from tui.shell.keys import APP_COMMANDS, GRADIENTS_COMMANDS, LESSON_KEYS, RELU_COMMANDS, STEPPER_COMMANDS

LESSONS = list_lessons()
EACH_LESSON = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.item)
COLUMNS = 76

KEYS_OF = {"stepper": STEPPER_COMMANDS, "gradients": GRADIENTS_COMMANDS, "relu": RELU_COMMANDS}
SCREEN_NAMES = {"stepper": "stepper", "gradients screen": "gradients", "units screen": "relu"}
"""What the texts call the screens."""


# ── which there are ─────────────────────────────────────────────────────────────────────────────────


def test_every_item_of_the_tutorials_has_its_lesson_in_their_order():
    assert [lesson.item for lesson in LESSONS] == list(ITEMS)
    assert "".join(PARTS) == "ABCD"
    assert all(lesson.part for lesson in LESSONS)


@EACH_LESSON
def test_a_lesson_opens_a_preset_on_a_screen(lesson):
    assert {lesson.preset, *lesson.also} <= set(PRESET_NAMES)
    assert lesson.screen in SCREENS
    assert 0 < len(lesson.title) <= LARGEST_TITLE


def test_an_item_is_read_in_capitals_or_not_and_an_unknown_one_is_told():
    assert read_lesson("b1") is read_lesson("B1")
    with pytest.raises(LessonError, match=r'found no lesson "B9"; expected one of A0, A1, .*, D3'):
        read_lesson("B9")


@pytest.mark.parametrize(
    ("preset", "items"),
    [
        ("tutorial-a", ["A1", "A2"]),
        ("tutorial-b", ["B1", "B2", "B4"]),
        ("relu-50", ["C2"]),
        ("vanishing-50-he", ["C3"]),  # spoken of, where no lesson opens it
        ("tutorial-a-wine", ["A3", "A4"]),
        ("xor", []),
        ("lab/own.toml", []),
    ],
)
def test_an_experiment_has_the_lessons_that_open_it_or_else_speak_of_it(preset, items):
    assert [lesson.item for lesson in lessons_on(preset)] == items


# ── the texts ───────────────────────────────────────────────────────────────────────────────────────


@EACH_LESSON
def test_the_text_fits_a_small_window(lesson):
    for line in lesson.markdown.split("\n"):
        assert cells(line) <= COLUMNS, line


@EACH_LESSON
def test_a_lesson_says_what_to_do_gives_commands_and_ends_with_a_question_and_its_answer(lesson):
    headings = re.findall(r"^## (.*)$", lesson.text, re.MULTILINE)
    assert headings[0] == "In the app"
    assert headings[-2:] == ["From the command line", "To think about"]
    question, answer = lesson.text.rpartition("## To think about\n\n")[2].split("\n\n")
    assert question.endswith("?")
    assert answer.rstrip().endswith(".")


def prose(lesson: Lesson) -> str:
    """The text without its blocks of formulas and commands, and without what stands in backticks."""
    return re.sub(r"`[^`]*`", "", re.sub(r"^ *```.*?```$", "", lesson.text, flags=re.MULTILINE | re.DOTALL))


def keys_named(text: str) -> list[str]:
    return re.findall(r"\*\*(.+?)\*\*", text)


def textual_names(key: str) -> set[str]:
    """Textual's names of a key as it stands on a keyboard."""
    names = {name for name, readable in READABLE.items() if readable == key}
    return names or {next((name for name in KEYS if key_to_character(name) == key), key)}


def keys_of(commands) -> set[str]:
    return {key for command in commands for key in command.keys.split(",")}


@EACH_LESSON
def test_every_key_in_bold_is_one_of_the_screen_that_is_spoken_of(lesson):
    assert keys_named(prose(lesson))
    everywhere = keys_of(APP_COMMANDS) | {"enter", "escape"} | set(LESSON_KEYS.split(","))
    for item in re.split(r"\n\n|\n(?=\d\. )", prose(lesson)):  # each paragraph, each step
        screens = {lesson.screen} | {
            name for words, name in SCREEN_NAMES.items() if words in " ".join(item.split())
        }
        known = everywhere.union(*(keys_of(KEYS_OF[name]) for name in screens))
        for key in keys_named(item):
            assert textual_names(key) & known, (key, item)


@EACH_LESSON
def test_experiments_in_backticks_exist(lesson):
    for name in re.findall(r"`([a-z]+-[a-z0-9-]+)`", lesson.text):
        assert name in PRESET_NAMES
    assert lesson.preset in PRESET_NAMES


@EACH_LESSON
def test_the_text_is_markdown_in_ascii_as_well(lesson):
    text = in_ascii(lesson.markdown)
    assert text.isascii()
    assert "?" not in re.sub(r"[\w\]]\?", "", text)  # a question mark stands after a word, not for a letter
    assert not re.search(r"[^*\s]\*[^*\s]", prose(Lesson("A0", "", "", "", (), text)).replace("**", ""))


def test_symbols_are_typed_in_ascii():
    assert in_ascii("∂ℰ/∂W⁽¹⁾₂₀ = (Ŷ − Y)·X, a⁽ˡ⁻¹⁾") == "dE/dW[1][2,0] = (Y_hat - Y)*X, a[l-1]"
    assert in_ascii("10⁻²⁶, Wᵢ₀Xᵢ₀, W⁽¹⁾ᵀ, ‖δ‖²") == "10^-26, W[i,0]X[i,0], W[1]^T, ||delta||^2"
    assert in_ascii("−αY/Ŷ + β(1 − Y)") == "-alpha*Y/Y_hat + beta*(1 - Y)"
    assert in_ascii("press **→** or **;**") == "press **Right** or **;**"


def test_columns_stay_columns_in_ascii():
    table = "  ∂ℰ/∂Ŷ₀₀       = a\n  b             = c"
    assert in_ascii(table) == "  dE/dY_hat[0,0]  = a\n  b             = c"
    assert in_ascii("1. α\n   β") == "1. alpha\n   beta"


# ── the commands in them ────────────────────────────────────────────────────────────────────────────


def commands(lesson: Lesson) -> list[tuple[str, list[str]]]:
    """Every command of a lesson's console blocks, with the lines of output that are said to follow it."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", lesson.text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ bptui "):
                found.append((line.removeprefix("$ bptui "), []))
            else:
                found[-1][1].append(line)
    return found


COMMANDS = [(lesson, command, lines) for lesson in LESSONS for command, lines in commands(lesson)]


@EACH_LESSON
def test_every_lesson_has_a_command(lesson):
    assert commands(lesson)
    assert any(lesson.preset in command for command, _ in commands(lesson))


@pytest.mark.parametrize(
    ("command", "lines"),
    [(command, lines) for _, command, lines in COMMANDS],
    ids=[f"{lesson.item} {command}" for lesson, command, _ in COMMANDS],
)
def test_a_command_says_what_the_lesson_says_it_says(command, lines):
    """Each line is a line of the output, in that order; … stands for what is left out, within a line as well."""
    words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', command)]
    result = CliRunner().invoke(cli, words, prog_name="bptui")
    diverges = "exploding-50" in words  # and says so: "Against" has the cures
    assert result.exit_code == (1 if diverges else 0)
    output = iter(result.stdout.splitlines())
    for line in lines:
        if line == "…":
            continue
        wanted = re.compile(".*".join(map(re.escape, line.split("…"))) + r"\s*$")
        assert any(wanted.match(said) for said in output), f"{line}\nis not in\n{result.stdout}"


# ── files that are not as they should be ────────────────────────────────────────────────────────────

GOOD = '+++\nitem = "B1"\ntitle = "T"\npreset = "tutorial-b"\nscreen = "stepper"\n+++\n\nText.\n'


def test_a_lesson_is_its_front_matter_and_its_text():
    assert parse_lesson(GOOD, "b1.md") == Lesson("B1", "T", "tutorial-b", "stepper", (), "Text.\n")
    assert parse_lesson(GOOD, "b1.md").markdown == "# B1  T\n\nText.\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("+++\nitem", "item", "expected front matter between two lines of +++ at the beginning"),
        ('item = "B1"', "item = ", "front matter: "),
        ('item = "B1"', "item = 1", "item: found 1, expected a text"),
        ('title = "T"', "", "title: found None, expected a text"),
        ('title = "T"', 'titel = "T"', "found the unknown key titel"),
        ('"T"', f'"{"T" * 45}"', "title: found 45 characters, expected 44"),
        ('"B1"', '"Z1"', 'item: found "Z1", expected one of A0, '),
        ('"tutorial-b"', '"tutorial-z"', 'preset: found "tutorial-z", expected one of tutorial-a, '),
        ('"stepper"', '"home"', 'screen: found "home", expected one of stepper, gradients, relu'),
        ('"stepper"', '"stepper"\nalso = "xor"', "also: found 'xor', expected a list of presets' names"),
    ],
)
def test_a_bad_file_is_told_in_one_line(old, new, expected):
    with pytest.raises(LessonError) as caught:
        parse_lesson(GOOD.replace(old, new, 1), "b1.md")
    assert str(caught.value).startswith("b1.md: ")
    assert expected in str(caught.value)


NAMES = NotationSpec(preactivation="z", activation="h", loss="L", prediction="ŷ", weights="θ").own_names()


@pytest.mark.parametrize("item", ITEMS)
def test_a_lesson_of_the_tutorials_speaks_in_the_letters_of_the_experiment_beside_it(item: str):
    lesson = read_lesson(item)
    page = lesson.page(True, (), NAMES)
    outside = re.sub("```.*?```|`[^`\n]*`", "", page, flags=re.DOTALL)
    assert not re.search("ℰ|Ŷ|[Wf]⁽", outside)
    commands = [line for line in lesson.text.splitlines() if line.startswith("$")]
    assert [line for line in page.splitlines() if line.startswith("$")] == commands
    keys = re.findall("`[A-Za-z]`", lesson.text)
    assert re.findall("`[A-Za-z]`", page) == keys
    assert lesson.page(True) == lesson.text
