"""`bptui lesson`: what the tutorials teach, item by item, to read in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.arguments import LessonType, ascii_option, json_option
from tui.cli.output import output_style, write, write_json

if TYPE_CHECKING:
    from tui.lessons.lesson import Lesson


@click.command
@click.argument("item", type=LessonType(), required=False)
@json_option
@ascii_option
def lesson(item: str | None, as_json: bool, ascii: bool) -> None:
    """List the lessons, or print the one of ITEM.

    ITEM is a numbered item of the tutorials, such as B1, or the path of a lesson of your own, PATH.md. Each
    lesson says what to do in the app, what to look at and why it is so, and how to get the same from the
    command line.

    \b
    Examples:
      bptui lesson
      bptui lesson B1
      bptui lesson C1 --ascii
      bptui lesson course/week3.md
    """
    from tui.lessons.lesson import in_ascii, list_lessons, read_lesson, read_own_lesson

    def read(item: str) -> Lesson:
        return read_own_lesson(Path(item)) if item.lower().endswith(".md") else read_lesson(item)

    if as_json:
        lessons = list_lessons() if item is None else [read(item)]
        kept = ("item", "title", "preset", "screen") + (() if item is None else ("text",))
        write_json({"lessons": [{key: getattr(one, key) for key in kept} for one in lessons]}, ascii)
        return
    said = in_ascii if output_style(ascii).ascii else str
    if item is not None:
        write(said(read(item).markdown))
        return
    lessons = list_lessons()
    margin = max(len(one.title) for one in lessons) + 2
    for one in lessons:
        write(said(f"{one.item}  {one.title:<{margin}}{one.preset}"))
