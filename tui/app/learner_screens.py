"""The screens of a learner, and what they know of the learner: lessons, practice, find the bug."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

from engine.experiment.errors import ExperimentError
from engine.formula.untrusted_text import one_line

if TYPE_CHECKING:
    from tui.lessons.lesson import Lesson
    from tui.practice.learner_progress import ProgressFile
    from tui.shell.messages import AnswerLesson


class LearnerScreens:
    """Opens lessons, practice and bug hunts over whatever is in front of `app`."""

    def __init__(self, app: App[None], personal: bool) -> None:
        """`personal` reads and keeps what this learner has done, and lists the lessons in their own folder."""
        self._app, self._personal = app, personal
        self._progress: ProgressFile | None = None

    def progress(self) -> ProgressFile:
        """The learner's progress, read when it is first asked for."""
        from tui.practice.learner_progress import ProgressFile

        if self._progress is None:
            self._progress = ProgressFile(kept=self._personal)
        if (problem := self._progress.take_problem()) is not None:
            self._app.notify(one_line(problem), severity="warning", timeout=10, markup=False)
        return self._progress

    def practice(self) -> None:
        """Opens practice: questions and exercises."""
        from tui.practice.practice_screen import PracticeScreen

        self._app.push_screen(PracticeScreen(self.progress()))

    def find_bug(self) -> None:
        """Opens a bug hunt: a backward pass with a bug in it."""
        from tui.practice.bug_hunt_screen import BugHuntScreen

        kept = self.progress()
        self._app.push_screen(BugHuntScreen(kept, len(kept.progress.bugs)))

    def answer(self, message: AnswerLesson) -> None:
        """Opens the questions of one lesson's item, or of a lecturer's own assignment."""
        from engine.practice.assignments.assignment import load_assignment
        from tui.practice.practice_screen import PracticeScreen

        try:
            asked = load_assignment(message.assignment or "tutorials")
        except ExperimentError as error:
            self._app.notify(str(error), severity="error", timeout=10, markup=False)
            return
        if not message.assignment:
            asked = asked.about(message.item)
        if not asked.questions:
            self._app.notify("There is no question about this lesson.")
            return
        self._app.push_screen(PracticeScreen(self.progress(), asked))

    def revealed(self, item: str) -> None:
        """Notes that the answer to a lesson's question was shown."""
        kept = self.progress()
        kept.progress.lessons.setdefault(item, "revealed")
        kept.save()

    def lessons(self, experiment: str | None, marked: str | None = None) -> None:
        """Opens the list of lessons, one of them marked; with an experiment those on it."""
        from tui.lessons.lesson import lessons_on, list_lessons, own_lessons
        from tui.lessons.lesson_list_screen import LessonListScreen
        from tui.lessons.lesson_screen import LessonScreen

        if experiment is None:
            own, problems = own_lessons() if self._personal else ([], [])
            title, lessons = "Lessons", [*list_lessons(), *own]
        else:
            title, lessons, problems = f"Lessons on {experiment}", list(lessons_on(experiment)), []
        if not lessons:
            self._app.notify(
                "No lesson is about this experiment; the list of experiments leads to all of them."
            )
        elif experiment is not None and len(lessons) == 1:
            self._app.push_screen(LessonScreen(lessons[0]))
        else:
            tasks = self.progress().progress.tasks
            self._app.push_screen(LessonListScreen(title, lessons, self._lessons_done(), tasks, marked))
        for problem in problems[:1]:
            self._app.notify(problem, severity="warning", timeout=10, markup=False)

    def back_to(self, lesson: Lesson) -> None:
        """A lesson, in front of the list that it stands in."""
        from tui.lessons.lesson_screen import LessonScreen

        self.lessons(None, lesson.item)
        self._app.push_screen(LessonScreen(lesson))

    def _lessons_done(self) -> dict[str, str]:
        """Which lessons' questions are all answered, and of which the answer was shown."""
        from engine.practice.assignments.assignment import load_assignment

        progress = self.progress().progress
        done = dict(progress.lessons)
        if progress.answered:
            items: dict[str, bool] = {}
            for question in load_assignment("tutorials").questions:
                answered = question.id in progress.answered
                items[question.spec.item] = items.get(question.spec.item, True) and answered
            done |= {item: "answered" for item, answered in items.items() if answered}
        return done
