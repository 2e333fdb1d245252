"""The lesson that is followed: its tasks are ticked as they are done, and it stands beside its experiment.

a lesson is read ──> what is done from then on is ticked ──> it stands beside the experiment that it leads to
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import App
from textual.screen import Screen

if TYPE_CHECKING:
    from engine.formula.course_notation import CourseNames
    from tui.lessons.lesson import Lesson
    from tui.lessons.lesson_panel import LessonPanel
    from tui.lessons.lesson_tasks import TaskChecklist
    from tui.practice.learner_progress import ProgressFile
    from tui.shell.messages import Did


class FollowedLesson:
    """The lesson that is followed in `app`, if one is."""

    def __init__(self, app: App[None], progress: Callable[[], ProgressFile]) -> None:
        """`progress` is what the learner has done, read when it is first asked for."""
        self._app, self._progress = app, progress
        self.led_here: Lesson | None = None
        """The lesson that led to the experiment: Escape leads back to it, and it stands beside it."""
        self._read_last: tuple[Lesson, TaskChecklist] | None = None
        """The lesson that was read last, whose tasks are ticked."""

    def note_origin(self) -> None:
        """Notes which lesson leads to the experiment that is about to be opened."""
        from tui.lessons.lesson_screen import LessonScreen

        screen = self._app.screen
        self.led_here = screen.lesson if isinstance(screen, LessonScreen) else None

    async def read(self, lesson: Lesson) -> None:
        """Takes note that a lesson is read: what is done from now on ticks its tasks."""
        from tui.lessons.lesson_screen import LessonScreen
        from tui.lessons.lesson_tasks import TaskChecklist

        if self._read_last is None or self._read_last[0] != lesson:
            kept = self._progress().progress.tasks.get(lesson.item, ())
            self._read_last = (lesson, TaskChecklist(lesson.tasks, kept))
        for screen in self._app.screen_stack:
            if isinstance(screen, LessonScreen):
                await screen.tick(lesson, self._read_last[1].done)

    async def tick(self, message: Did) -> None:
        """Ticks the lesson's tasks that were done, and says so where the lesson does not stand beside."""
        if self._read_last is None:
            return
        lesson, checklist = self._read_last
        new = checklist.take(message.experiment, message.done)
        if not new:
            return
        kept = self._progress()
        kept.progress.tasks[lesson.item] = list(checklist.done)
        kept.save()
        self._progress()  # which says what is wrong with the file
        panels = self._beside()
        for panel in panels:
            if panel.lesson == lesson:
                await panel.tick(checklist.done)
        if panels:
            return
        from engine.formula.notation import Style

        tick = Style(ascii=self._app.has_class("-ascii")).glyphs.done
        for place in new:
            self._app.notify(
                f"{tick} {lesson.item}, task {place + 1} of {checklist.total} done", markup=False
            )

    def _beside(self) -> list[LessonPanel]:
        """The lesson beside the experiment that is open, be it in front or below a page."""
        from tui.lessons.lesson_panel import LessonPanel

        return [panel for screen in self._app.screen_stack for panel in screen.query(LessonPanel)]

    async def stand_beside(self, screen: Screen[object], names: CourseNames) -> None:
        """Puts the lesson that led to an experiment beside its screen, or takes it away, as there is room.

        `names` are what the experiment calls the quantities.
        """
        if self.led_here is None and not screen.query("LessonPanel"):  # by its name: it need not be imported
            return
        from tui.lessons.lesson_panel import ROOM_FOR_BOTH, LessonPanel

        lesson = self.led_here if self._app.size.width >= ROOM_FOR_BOTH else None
        panels = list(screen.query(LessonPanel))
        done = self._read_last[1].done if self._read_last is not None else ()
        for panel in panels:
            if panel.lesson != lesson or panel.names != names:
                await panel.remove()
            else:
                await panel.tick(done)
        if lesson is not None and all((panel.lesson, panel.names) != (lesson, names) for panel in panels):
            await screen.mount(LessonPanel(lesson, done, names))

    def scroll(self, lines: int) -> None:
        """Scrolls the lesson beside the experiment."""
        panels = self._beside()
        if not panels:
            self._app.notify("No lesson stands beside this.")
        for panel in panels:
            panel.move(lines)
