"""One lesson to read: a page of Markdown that scrolls, with its experiment and its neighbours a key away."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.lessons.lesson import ITEMS, Lesson, in_ascii, read_lesson
from tui.lessons.lesson_tasks import tasks_done
from tui.shell.key_bar import KeyBar
from tui.shell.key_command import bindings
from tui.shell.keys import LESSON_COMMANDS
from tui.shell.messages import AnswerLesson, LessonRevealed, OpenExperiment
from tui.shell.modal import ModalBase
from tui.shell.too_small import TooSmall


class LessonScreen(ModalBase[None]):
    """Shows one lesson, to read."""

    CSS_PATH = "lesson_screen.tcss"
    COMMANDS_SHOWN = LESSON_COMMANDS
    BINDINGS = bindings(LESSON_COMMANDS)

    class Shown(Message):
        """A lesson is read: from now on its tasks are ticked. `LessonScreen.tick` is told which are done already."""

        def __init__(self, lesson: Lesson) -> None:
            super().__init__()
            self.lesson = lesson

    def __init__(self, lesson: Lesson) -> None:
        super().__init__()
        self.lesson = lesson
        self.revealed = not lesson.has_answer
        self._done: Collection[int] = ()

    def compose(self) -> ComposeResult:
        """A heading, the page and the keys."""
        from textual.widgets import Markdown  # only here: nothing else needs its parser

        with Vertical(id="frame"):
            yield Static(self._heading(), id="heading")
            with VerticalScroll(id="scroll"):
                yield Markdown(self._page(), id="text", open_links=False)
        yield TooSmall()
        yield KeyBar()

    def on_mount(self) -> None:
        """The arrows scroll from the beginning."""
        for page in self.query("#scroll"):  # none, where it is closed already
            page.focus()
        self.post_message(self.Shown(self.lesson))

    async def tick(self, lesson: Lesson, done: Collection[int]) -> None:
        """Ticks the tasks of the shown lesson that are done, by their places."""
        from textual.widgets import Markdown

        if lesson != self.lesson or not self.query(Markdown):
            return
        self.query_one("#heading", Static).update(self._heading(len(done)))
        if done != self._done:
            self._done = done
            await self.query_one(Markdown).update(self._page())

    def command(self) -> Sequence[str]:
        """The command that prints the lesson."""
        return ["lesson", self.lesson.item]

    def not_in_command(self) -> str | None:
        """Nothing: the command prints all that is seen."""
        return None

    def _page(self) -> str:
        return self._said(self.lesson.page(self.revealed, self._done))

    def _said(self, text: str) -> str:
        return in_ascii(text) if self.app.has_class("-ascii") else text

    def _heading(self, done: int = 0) -> Content:
        lesson = self.lesson
        return Content.assemble(
            (f" {lesson.item} ", "bold reverse $primary"),
            (f"  {self._said(lesson.title)}", "bold"),
            (f"   {Path(lesson.preset).name}", "$faint"),
            (f"\n {tasks_done(done, len(lesson.tasks))}", "$done" if done else "$faint"),
        )

    async def action_turn(self, by: int) -> None:
        """The next or previous lesson of the tutorials."""
        from textual.widgets import Markdown

        if self.lesson.item not in ITEMS:
            self.notify("This lesson stands by itself.")
            return
        place = ITEMS.index(self.lesson.item) + by
        if not 0 <= place < len(ITEMS):
            self.notify("This is the last lesson." if by > 0 else "This is the first lesson.")
            return
        if not self.query(Markdown):  # closed by a key that came sooner
            return
        self.lesson = read_lesson(ITEMS[place])
        self.revealed = not self.lesson.has_answer
        self._done = ()
        self.query_one("#heading", Static).update(self._heading())
        await self.query_one(Markdown).update(self._page())
        for page in self.query("#scroll"):
            page.scroll_home(animate=False)
        self.post_message(self.Shown(self.lesson))

    def action_scroll(self, lines: int) -> None:
        """Scrolls by lines."""
        for page in self.query("#scroll"):  # none, where it has been closed since
            page.scroll_relative(y=lines, animate=False)

    async def action_reveal(self) -> None:
        """Shows the answer to the question to think about."""
        from textual.widgets import Markdown

        if self.revealed:
            return
        self.revealed = True
        self.post_message(LessonRevealed(self.lesson.item))
        for page in self.query(Markdown):
            await page.update(self._page())
        for scroll in self.query("#scroll"):
            self.call_after_refresh(scroll.scroll_end, animate=False)

    def action_answer(self) -> None:
        """Questions about this item, to be answered."""
        self.post_message(AnswerLesson(self.lesson.item, self.lesson.assignment))

    def action_open(self) -> None:
        """Opens the lesson's experiment."""
        self.post_message(OpenExperiment(self.lesson.preset, self.lesson.screen))

    def action_close(self) -> None:
        """Back to where one came from."""
        self.dismiss()
