"""What the command palette finds besides commands: experiments by name or title, and lessons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.command import Hit, Hits, Provider
from typing_extensions import override

from engine.experiment.presets import headlines
from tui.lessons.lesson import list_lessons
from tui.lessons.lesson_screen import LessonScreen
from tui.shell.messages import OpenExperiment


class Findings(Provider):
    """The palette's search for experiments and lessons."""

    def _found(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        for name, title, about in headlines():
            yield f"Open {name}: {title}", about, partial(self._open, name)
        for lesson in list_lessons():
            yield f"Lesson {lesson.heading}", "Read it", partial(self.app.push_screen, LessonScreen(lesson))

    def _open(self, name: str) -> None:
        self.app.post_message(OpenExperiment(name))

    @override
    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for label, about, run in self._found():
            score = matcher.match(label)
            if score > 0:
                yield Hit(score, matcher.highlight(label), run, text=label, help=about)
