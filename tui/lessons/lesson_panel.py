"""A lesson that stands beside its experiment, where the terminal is wide enough: what to do, and what of it is done.

╭ stepper ────────────────────────────╮╭ B1  2 of 4 tasks ────╮
│  ∂ℰ      ∂ℰ    ∂Ŷ₀₀                 ││ 1. ✓ → multiplies in  │
│ ──── =  ──── · ───── · …            ││ 2. Shift+Tab twice …  │
╰─────────────────────────────────────╯╰──────────────────────╯
"""

from __future__ import annotations

from collections.abc import Collection

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from engine.formula.course_notation import CANONICAL, CourseNames
from tui.lessons.lesson import DO, THINK_FIRST, Lesson, in_ascii
from tui.lessons.lesson_tasks import tasks_done

ROOM_FOR_BOTH = 120
"""From so many columns on there is room for an experiment and a lesson beside it."""


class LessonPanel(VerticalScroll):
    """The steps of a lesson at the right of its experiment. It takes no keys: those are the experiment's."""

    can_focus = False
    DEFAULT_CSS = """
    LessonPanel {
        dock: right;
        width: 37%;
        min-width: 44;
        max-width: 76;
        height: 1fr;
        border: round $edge;
        border-title-color: $primary;
        border-subtitle-color: $faint;
        background: $background;
        scrollbar-size-vertical: 1;
        padding: 0 1;

        Markdown { padding: 0; background: $background; }
        MarkdownParagraph { margin: 0 0 1 0; }
        MarkdownFence { margin: 0 0 1 0; background: $surface; color: $foreground; }
        MarkdownFence > Label { padding: 0; width: 1fr; }
        MarkdownList MarkdownParagraph, MarkdownList MarkdownFence { margin: 0; }
        MarkdownBlock > .code_inline { background: $background; color: $value; }
        MarkdownBlock > .strong { color: $accent; text-style: bold; }
        MarkdownH2 { color: $primary; text-style: bold; margin: 0; }
    }
    """

    def __init__(self, lesson: Lesson, done: Collection[int], names: CourseNames = CANONICAL) -> None:
        """`names` are what the experiment beside it calls the quantities."""
        super().__init__()
        self.lesson = lesson
        self.names = names
        self._done = done

    def compose(self) -> ComposeResult:
        """The page."""
        from textual.widgets import Markdown  # only here: nothing else needs its parser

        yield Markdown(self._page(), open_links=False)

    def on_mount(self) -> None:
        """Which lesson it is stands in the frame."""
        self._show_title()

    def _show_title(self) -> None:
        self.border_title = f"{self.lesson.item}  {tasks_done(len(self._done), len(self.lesson.tasks))}"
        self.border_subtitle = "Shift+Up Shift+Down scroll" if self._ascii else "Shift+↑↓ scrolls"

    @property
    def _ascii(self) -> bool:
        return self.app.has_class("-ascii")

    def _page(self) -> str:
        """What is to be done first, and then the rest: here one has read the lesson already."""
        before, _, rest = self.lesson.page(False, self._done, self.names).partition(DO)
        steps, following, tail = rest.partition("\n## ")
        tail = tail.replace(THINK_FIRST, "Think first: T leads to the lesson, where F6 shows the answer.")
        text = f"{steps.strip()}\n\n{before.strip()}\n{following}{tail}" if rest else before
        return in_ascii(text) if self._ascii else text

    async def tick(self, done: Collection[int]) -> None:
        """Ticks the tasks that are done, by their places."""
        from textual.widgets import Markdown

        if done != self._done:
            self._done = done
            self._show_title()
            for page in self.query(Markdown):
                await page.update(self._page())

    def move(self, lines: int) -> None:
        """Scrolls by lines."""
        self.scroll_relative(y=lines, animate=False)
