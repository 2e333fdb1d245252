"""The lessons: one for each item of the two tutorials, as Markdown files that come with bptui.

tui/lessons/b1.md   ──>   Lesson("B1", title, the experiment it opens, on which screen, the text)

A file begins with its front matter, TOML between two lines of +++; the rest is Markdown.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from engine.experiment.loading import PRESET_NAMES
from engine.formula.text import ascii_text

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

FENCE = "+++"
LARGEST_TITLE = 44
"""Columns of a title, so that it fits the list in a small window."""


class LessonError(Exception):
    """A lesson that is not there or not as it should be; the message is one clear line."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One item of the tutorials: what it is called, the experiment that shows it, and what it says.

    `also` names further experiments that the text speaks of.
    """

    item: str
    title: str
    preset: str
    screen: str
    also: tuple[str, ...]
    text: str

    @property
    def heading(self) -> str:
        """Item and title."""
        return f"{self.item}  {self.title}"

    @property
    def part(self) -> str:
        """The part of the tutorials that it belongs to."""
        return PARTS[self.item[0]]

    @property
    def markdown(self) -> str:
        """The whole lesson, its heading included."""
        return f"# {self.heading}\n\n{self.text}"


def read_lesson(item: str) -> Lesson:
    """The lesson of an item, whichever case it is written in. Raises LessonError."""
    name = item.upper()
    if name not in ITEMS:
        raise LessonError(f'found no lesson "{item}"; expected one of {", ".join(ITEMS)}')
    return _read(name)


def list_lessons() -> list[Lesson]:
    """Every lesson, in the tutorials' order."""
    return [_read(item) for item in ITEMS]


def lessons_on(preset: str) -> list[Lesson]:
    """The lessons that open an experiment, or else speak of it."""
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
    """The lesson that a file's text holds. Raises LessonError in the name of `source`."""
    start, *rest = text.split(f"{FENCE}\n", 2)
    if start or len(rest) != 2:
        raise LessonError(f"{source}: expected front matter between two lines of {FENCE} at the beginning")
    try:
        given: dict[str, Any] = tomllib.loads(rest[0])
    except tomllib.TOMLDecodeError as error:
        raise LessonError(f"{source}: front matter: {error}") from None
    unknown = given.keys() - {"item", "title", "preset", "screen", "also"}
    if unknown:
        raise LessonError(f"{source}: found the unknown key {min(unknown)}")
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
    return Lesson(
        given["item"], given["title"], given["preset"], given["screen"], tuple(also), rest[1].strip() + "\n"
    )


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
    """A lesson in 7-bit characters, its symbols as they are typed: W⁽¹⁾₂₀ becomes W[1][2,0], and 10⁷ 10^7.

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
