"""The lessons: one for each item of the two tutorials, as Markdown files that come with bptui.

tui/lessons/b1.md   ──>   Lesson("B1", title, the experiment it opens, on which screen, the text)

A file begins with its front matter, TOML between two lines of +++; the rest is Markdown.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from engine.experiment.errors import ExperimentError
from engine.experiment.loading import PRESET_NAMES
from engine.experiment.text_file import read_text_file
from engine.formula.ascii_text import ascii_text
from engine.formula.course_notation import CANONICAL, CourseNames
from engine.formula.untrusted_text import one_line
from tui.lessons.lesson_tasks import Task, TaskCondition
from tui.shell.learner_deeds import Deed

ITEMS = ("A0", "A1", "A2", "A3", "A4", "B1", "B2", "B3", "B4", "C1", "C2", "C3", "D1", "D2", "D3")
"""The tutorials' numbered items, in their order."""

PARTS = {
    "A": "Warm-up: one neuron",
    "B": "One hidden layer",
    "C": "Deep networks: vanishing and exploding gradients",
    "D": "Dying ReLU",
}
"""The tutorials' parts, by the letter that their items begin with."""

SCREENS = ("stepper", "gradients", "relu")
"""The screens of an open experiment, by name: a lesson opens it on one of them."""

OWN_PART = "Your own"
THINK = "## To think about"
"""The heading of the last part: a question in its first paragraph, the answer in the others."""

DO = "## In the app"
"""The heading of what is to be done, in numbered steps."""
STEP = re.compile(r"^(\d+)\. ", re.MULTILINE)

THINK_FIRST = "Think first: F6 shows the answer, P asks you questions about this item."

LARGEST_LESSON = 2**20
MOST_OWN = 200
FENCE = "+++"
KEYS = frozenset({"item", "title", "preset", "screen", "also", "tasks"})
LARGEST_TITLE = 44
"""Columns of a title, so that it fits the list in a small window."""


_CODE = re.compile("```.*?```|`[^`\n]*`", re.DOTALL)
_NAMES_A_QUANTITY = re.compile(r"[\[⁽∂ℰŶ]")


class LessonError(Exception):
    """A lesson that is not there or not as it should be; the message is one clear line."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson: an item of the tutorials, the experiment that shows it, and what it says.

    `also` names further experiments that the text speaks of.
    """

    item: str
    title: str
    preset: str
    screen: str
    also: tuple[str, ...]
    text: str
    assignment: str = ""
    """A lecturer's own questions: the path of an assignment; empty where the tutorials' own questions are meant."""
    tasks: tuple[Task, ...] = ()
    """What has to be done for each numbered step of "In the app", in their order."""

    @property
    def heading(self) -> str:
        """The lesson's heading: item and title."""
        return f"{self.item}  {self.title}"

    @property
    def part(self) -> str:
        """The part of the tutorials that it belongs to; a lecturer's own lessons are a part of their own."""
        return PARTS[self.item[0]] if self.item in ITEMS else OWN_PART

    @property
    def has_answer(self) -> bool:
        """Whether the lesson ends with a question to think about, and its answer."""
        return self._split()[1] != ""

    def page(self, revealed: bool, done: Collection[int] = (), names: CourseNames = CANONICAL) -> str:
        """The lesson's text, with the answer to its question only when it is revealed.

        `done` are the places, from 0, of the tasks to tick. A lesson of the tutorials calls the quantities by the
        `names` of the experiment that is open; a lecturer's own is written in the course's letters already.
        """
        before, answer = self._split()
        shown = self.text
        if answer and not revealed:
            shown = f"{before}\n\n*{THINK_FIRST}*\n"
        shown = _ticked(shown, done) if done else shown
        return lesson_in_letters_of(names, shown) if self.item in ITEMS else shown

    def _split(self) -> tuple[str, str]:
        """The text up to the question to think about, and the answer that follows it."""
        heading, found, rest = self.text.partition(THINK)
        if not found:
            return self.text, ""
        question, _, answer = rest.strip().partition("\n\n")
        return f"{heading}{found}\n\n{question}", answer.strip()

    @property
    def markdown(self) -> str:
        """The whole lesson, its heading included."""
        return f"# {self.heading}\n\n{self.text}"


def lesson_in_letters_of(names: CourseNames, text: str) -> str:
    """A lesson's text with an experiment's own letters: in formulas, also in code, but not in keys and commands."""
    if not names:
        return text
    parts, end = [], 0
    for code in _CODE.finditer(text):
        parts += [names.said(text[end : code.start()]), _code_in_letters(names, code[0])]
        end = code.end()
    return "".join([*parts, names.said(text[end:])])


def _code_in_letters(names: CourseNames, code: str) -> str:
    """Lines that are formulas or output, and no command; of a few words only what names an entry or a derivative."""
    if not code.startswith("```") and not _NAMES_A_QUANTITY.search(code):
        return code
    lines = code.split("\n")
    return "\n".join(line if line.lstrip().startswith("$") else names.said(line) for line in lines)


def _ticked(text: str, done: Collection[int]) -> str:
    """The text with a tick at each numbered step of "In the app" that is done."""
    head, heading, rest = text.partition(DO)
    steps, following, tail = rest.partition("\n## ")
    steps = STEP.sub(lambda step: f"{step[0]}✓ " if int(step[1]) - 1 in done else step[0], steps)
    return f"{head}{heading}{steps}{following}{tail}"


def read_lesson(item: str) -> Lesson:
    """Reads the lesson of an item, whichever case it is written in. Raises LessonError."""
    name = item.upper()
    if name not in ITEMS:
        raise LessonError(f'found no lesson "{item}"; expected one of {", ".join(ITEMS)}')
    return _read(name)


def list_lessons() -> list[Lesson]:
    """Every lesson, in the tutorials' order."""
    return [_read(item) for item in ITEMS]


def read_own_lesson(path: Path) -> Lesson:
    """Reads a lecturer's own lesson from a file.

    Raises LessonError.
    """
    source = str(path)
    try:
        text = read_text_file(path, source, LARGEST_LESSON)
    except ExperimentError as error:
        raise LessonError(str(error)) from None
    given, body = _front_matter(text, source, {*KEYS, "assignment"})
    for key in ("title", "preset"):
        if not isinstance(given.get(key), str):
            raise LessonError(f"{source}: {key}: found {given.get(key)!r}, expected a text")
    for key, usual in (("item", path.stem), ("screen", SCREENS[0]), ("assignment", "")):
        if not isinstance(given.setdefault(key, usual), str):
            raise LessonError(f"{source}: {key}: found {given[key]!r}, expected a text")
    _expect(source, "screen", given["screen"], SCREENS)
    if given["item"].upper() in ITEMS:
        raise LessonError(f'{source}: item: found "{given["item"]}", which is one of the tutorials\' items')
    preset = given["preset"]
    if preset not in PRESET_NAMES:
        preset = str((path.parent / preset).absolute())
    assignment = str((path.parent / given["assignment"]).absolute()) if given["assignment"] else ""
    title = given["title"][:LARGEST_TITLE]
    tasks = _tasks(given.get("tasks", []), preset, body, source)
    return Lesson(
        one_line(given["item"]), one_line(title), preset, given["screen"], (), body, assignment, tasks
    )


def own_lessons_folder() -> Path:
    """The folder in which a lecturer's own lessons are found by the app."""
    return user_data_path("bptui", appauthor=False) / "lessons"


def own_lessons() -> tuple[list[Lesson], list[str]]:
    """The lecturer's own lessons, by name, and one line about each that cannot be read."""
    lessons: list[Lesson] = []
    problems: list[str] = []
    try:
        paths = sorted(own_lessons_folder().glob("*.md"))[:MOST_OWN]
    except OSError:
        return [], []
    for path in paths:
        try:
            lessons.append(read_own_lesson(path))
        except LessonError as error:
            problems.append(str(error))
    return lessons, problems


def lessons_on(preset: str) -> list[Lesson]:
    """The lessons on an experiment: those that open it, or else speak of it."""
    own = [lesson for lesson in list_lessons() if lesson.preset == preset]
    return own or [lesson for lesson in list_lessons() if preset in lesson.also]


@cache
def _read(item: str) -> Lesson:
    file = resources.files("tui").joinpath("lessons", f"{item.lower()}.md")
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise LessonError(f"lessons/{item.lower()}.md: cannot be read: {error.strerror}") from None
    lesson = parse_lesson(text, f"lessons/{item.lower()}.md")
    if lesson.item != item:
        raise LessonError(f'lessons/{item.lower()}.md: item: found "{lesson.item}", expected "{item}"')
    return lesson


def parse_lesson(text: str, source: str) -> Lesson:
    """Parses the lesson that a file's text holds. Raises LessonError in the name of `source`."""
    given, body = _front_matter(text, source, KEYS)
    for key in ("item", "title", "preset", "screen"):
        if not isinstance(given.get(key), str):
            raise LessonError(f"{source}: {key}: found {given.get(key)!r}, expected a text")
    also = given.get("also", [])
    if not isinstance(also, list):
        raise LessonError(f"{source}: also: found {also!r}, expected a list of presets' names")
    _expect(source, "item", given["item"], ITEMS)
    _expect(source, "screen", given["screen"], SCREENS)
    for preset in (given["preset"], *also):
        _expect(source, "preset", preset, PRESET_NAMES)
    if len(given["title"]) > LARGEST_TITLE:
        raise LessonError(
            f"{source}: title: found {len(given['title'])} characters, expected {LARGEST_TITLE}"
        )
    tasks = _tasks(given.get("tasks", []), given["preset"], body, source)
    return Lesson(
        given["item"], given["title"], given["preset"], given["screen"], tuple(also), body, tasks=tasks
    )


def _tasks(given: object, preset: str, body: str, source: str) -> tuple[Task, ...]:
    """What the front matter says of each numbered step: a list of what has to be done. Raises LessonError."""
    expected = 'a list for each numbered step, such as [["screen stepper"], ["factor 5"]]'
    if not isinstance(given, list) or not all(isinstance(one, list) and one for one in given):
        raise LessonError(f"{source}: tasks: found {given!r}, expected {expected}")
    steps = STEP.findall(body.partition(DO)[2].partition("\n## ")[0])
    if given and len(given) != len(steps):
        raise LessonError(
            f'{source}: tasks: found {len(given)}, expected one for each of the {len(steps)} numbered steps of "{DO}"'
        )
    tasks = []
    for place, one in enumerate(given):
        try:
            tasks.append(tuple(TaskCondition.parse(str(condition), preset) for condition in one))
        except ValueError as error:
            known = ", ".join(Deed)
            raise LessonError(
                f"{source}: tasks[{place}]: {error}; expected one of {known}, some with a name or a number"
            ) from None
    return tuple(tasks)


def _front_matter(text: str, source: str, known: Collection[str]) -> tuple[dict[str, Any], str]:
    """What stands between the two lines of +++, and the text after it."""
    start, *rest = text.split(f"{FENCE}\n", 2)
    if start or len(rest) != 2:
        raise LessonError(f"{source}: expected front matter between two lines of {FENCE} at the beginning")
    try:
        given: dict[str, Any] = tomllib.loads(rest[0])
    except (ValueError, RecursionError) as error:
        raise LessonError(f"{source}: front matter: {error}") from None
    unknown = given.keys() - set(known)
    if unknown:
        raise LessonError(f"{source}: found the unknown key {min(unknown)}")
    return given, rest[1].strip() + "\n"


def _expect(source: str, key: str, found: str, expected: tuple[str, ...]) -> None:
    if found not in expected:
        raise LessonError(f'{source}: {key}: found "{found}", expected one of {", ".join(expected)}')


_RAISED, _LOWERED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ˡᵏ", "₀₁₂₃₄₅₆₇₈₉ᵢⱼ"
_LEVEL = str.maketrans(_RAISED + _LOWERED, "0123456789-lk0123456789ij")
_LAYER = re.compile(f"⁽([{_RAISED}]+)⁾")
_POWER = re.compile(f"[{_RAISED}]+")
_INDEX = re.compile(f"[{_LOWERED}]{{1,2}}")
_WEIGHT = re.compile(r"([αβ])(?=[A-ZŶ(])")
_PART = re.compile(r"\S+(?: \S+)*")
_KEY = re.compile(r"\*\*([→←↑↓])\*\*")
_ARROWS = {"→": "Right", "←": "Left", "↑": "Up", "↓": "Down"}
_OTHERS = str.maketrans({**dict.fromkeys("⎡⎢⎣", "["), **dict.fromkeys("⎤⎥⎦", "]"), "✓": "ok", "ᵀ": "^T"})


def in_ascii(text: str) -> str:
    """A lesson's text in 7-bit characters, its symbols as they are typed: W⁽¹⁾₂₀ becomes W[1][2,0].

    Symbols grow by that; what stands in columns is kept in them as far as there is room.
    """
    return "\n".join(_aligned(line) for line in text.split("\n"))


def _aligned(line: str) -> str:
    """Each part of a line that comes after a gap begins where it did, or two columns after what is before it."""
    written = ""
    for part in _PART.finditer(line):
        gap = 2 if written else 0
        written = written.ljust(max(part.start(), len(written) + gap)) + _typed(part[0])
    return written


def _typed(text: str) -> str:
    text = _WEIGHT.sub(r"\1·", text)
    text = _KEY.sub(lambda key: f"**{_ARROWS[key[1]]}**", text)
    text = _LAYER.sub(lambda layer: f"[{layer[1].translate(_LEVEL)}]", text)
    text = _POWER.sub(lambda power: f"^{power[0].translate(_LEVEL)}", text)
    text = _INDEX.sub(lambda index: f"[{','.join(index[0].translate(_LEVEL))}]", text)
    return ascii_text(text.translate(_OTHERS))
