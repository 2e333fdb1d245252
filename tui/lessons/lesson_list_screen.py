"""The list of lessons, in the tutorials' order and under the tutorials' parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.formula.notation import glyphs_of
from tui.lessons.lesson import LARGEST_TITLE, Lesson, in_ascii
from tui.lessons.lesson_screen import LessonScreen
from tui.shell.choice_list import EnterlessList
from tui.shell.csv_table import Cell, CsvTable, Rows
from tui.shell.key_bar import KeyBar
from tui.shell.key_command import bindings
from tui.shell.keys import LESSONS_COMMANDS
from tui.shell.modal import ModalBase
from tui.shell.too_small import TooSmall


class LessonListScreen(ModalBase[None]):
    """The list of lessons, to choose one."""

    CSS_PATH = "lesson_list_screen.tcss"
    COMMANDS_SHOWN = LESSONS_COMMANDS
    BINDINGS = bindings(LESSONS_COMMANDS)

    def __init__(
        self,
        heading: str,
        lessons: Sequence[Lesson],
        done: Mapping[str, str] | None = None,
        tasks: Mapping[str, Sequence[int]] | None = None,
        marked: str | None = None,
    ) -> None:
        """`done` says of an item that it was answered, or its answer revealed; `tasks` which of its tasks are done.

        The cursor begins at the item that is `marked`.
        """
        super().__init__()
        self._marked = marked
        self._tasks = dict(tasks or {})
        self._done = dict(done or {})
        self._heading = heading
        self._lessons = {lesson.item: lesson for lesson in lessons}

    def compose(self) -> ComposeResult:
        """A heading, the list, and the keys."""
        with Vertical(id="frame"):
            yield Static(
                Content.assemble(
                    (self._heading, "bold $primary"), ("   choose one and press Enter", "$faint")
                ),
                id="heading",
            )
            yield EnterlessList(*self._options(), id="lessons", markup=False)
        yield TooSmall()
        yield KeyBar()

    def on_mount(self) -> None:
        """The cursor stands at the lesson that one comes from."""
        if self._marked in self._lessons:
            options = self.query_one(EnterlessList)
            options.highlighted = options.get_option_index(self._marked)

    def data_tables(self) -> Sequence[CsvTable]:
        """The lessons, and what of them is done."""
        return [CsvTable(self._lesson_rows, "The list as csv")]

    def _lesson_rows(self) -> Rows:
        rows: list[list[Cell]] = [["item", "title", "experiment", "questions", "tasks_done", "tasks"]]
        for lesson in self._lessons.values():
            done = len(self._tasks.get(lesson.item, ()))
            state = self._done.get(lesson.item, "")
            rows.append([lesson.item, lesson.title, lesson.preset, state, done, len(lesson.tasks)])
        return rows

    def command(self) -> Sequence[str]:
        """The command that lists them."""
        return ["lesson"]

    def not_in_command(self) -> str | None:
        """Nothing: the command lists all that is seen."""
        return None

    def _options(self) -> list[Option]:
        options: list[Option] = []
        ascii = self.app.has_class("-ascii")
        said, glyphs = in_ascii if ascii else str, glyphs_of(ascii)
        marks = {"answered": glyphs.done, "revealed": glyphs.ahead}
        for part, lessons in groupby(self._lessons.values(), key=lambda lesson: lesson.part):
            options.append(Option(Content.styled(part, "bold $faint"), disabled=True))
            for lesson in lessons:
                mark = marks.get(self._done.get(lesson.item, ""), " ")
                ticked = len(self._tasks.get(lesson.item, ()))
                count = f"{ticked}/{len(lesson.tasks)}" if ticked else ""
                name = Path(lesson.preset).name
                line = f"{mark} {lesson.item}  {lesson.title:<{LARGEST_TITLE}} {name:<20}{count:>3}".rstrip()
                options.append(Option(said(line), id=lesson.item))
        return options

    def action_choose(self) -> None:
        """Opens the marked lesson."""
        for options in self.query(EnterlessList):  # none, where it has been closed since
            options.action_select()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Opens what was chosen."""
        if event.option.id is not None:
            self.app.push_screen(LessonScreen(self._lessons[event.option.id]))

    def action_close(self) -> None:
        """Back to where one came from."""
        self.dismiss()
