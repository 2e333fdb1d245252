"""What a learner has done, kept in their own folder: answers, points, streak, and what was mistaken most.

    <data folder>/practice.json       written whole or not at all; its version is 1

A file that is damaged, or of a version that is not known, is set aside beside it, and said once. Two apps at once lose
nothing: whoever writes adds what the other has written since.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from platformdirs import user_data_path

from engine.experiment.errors import ExperimentError
from engine.experiment.text_file import read_text_file
from tui.shell.atomic_file import kept_alone, replace_file

VERSION = 1
LARGEST_FILE = 2**20
MOST_MISTAKES = 200
"""Kinds of mistakes that are counted."""

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Points = Annotated[float, msgspec.Meta(ge=0.0, le=1e15)]


class LearnerProgress(msgspec.Struct, kw_only=True):
    """The learner's progress: everything that is kept."""

    version: int = VERSION
    answered: dict[str, Count] = msgspec.field(default_factory=dict)  # question -> at which try
    given_up: list[str] = msgspec.field(default_factory=list)
    points: Points = 0.0
    streak: Count = 0
    best_streak: Count = 0
    mistakes: dict[str, Count] = msgspec.field(default_factory=dict)
    level: Count = 1
    seed: Count = 0
    bugs: dict[str, bool] = msgspec.field(
        default_factory=dict
    )  # "experiment seed" -> found at the first mark
    lessons: dict[str, str] = msgspec.field(default_factory=dict)  # item -> "answered" or "revealed"
    tasks: dict[str, list[Count]] = msgspec.field(default_factory=dict)  # item -> places of its tasks done

    def right(self, question: str, points: float, tries: int) -> None:
        """Counts a right answer: once a question, with less points at every further try."""
        if question in self.answered or question in self.given_up:
            return
        self.points += points / max(tries, 1)
        self.answered[question] = tries
        self.streak += 1
        self.best_streak = max(self.best_streak, self.streak)

    def wrong(self, mistakes: Sequence[str]) -> None:
        """Counts a wrong answer."""
        self.streak = 0
        for one in mistakes:
            if one in self.mistakes or len(self.mistakes) < MOST_MISTAKES:
                self.mistakes[one] = self.mistakes.get(one, 0) + 1

    def gave_up(self, question: str) -> None:
        """Counts a question that was given up: it gives no points any more."""
        self.streak = 0
        if question not in self.given_up and question not in self.answered:
            self.given_up.append(question)

    def add(self, theirs: LearnerProgress, before: LearnerProgress) -> None:
        """Takes in what another app has kept since both had `before`."""
        self.answered = theirs.answered | self.answered
        self.given_up += [one for one in theirs.given_up if one not in self.given_up]
        self.points += max(theirs.points - before.points, 0.0)
        self.best_streak = max(self.best_streak, theirs.best_streak)
        for one, number in theirs.mistakes.items():
            self.mistakes[one] = self.mistakes.get(one, 0) + max(number - before.mistakes.get(one, 0), 0)
        self.bugs = theirs.bugs | self.bugs
        self.lessons = theirs.lessons | self.lessons
        for item, done in theirs.tasks.items():
            self.tasks[item] = sorted({*self.tasks.get(item, ()), *done})

    def most_mistaken(self, most: int = 3) -> list[tuple[str, int]]:
        """The mistakes that were made most."""
        return sorted(self.mistakes.items(), key=lambda item: (-item[1], item[0]))[:most]


class ProgressFile:
    """The file of a learner's progress. `problem` is what is to be said of it, once."""

    def __init__(self, path: Path | None = None, *, kept: bool = True) -> None:
        self.path = user_data_path("bptui", appauthor=False) / "practice.json" if path is None else path
        self.kept = kept
        self.problem: str | None = None
        self.progress = self._read() if kept else LearnerProgress()
        self._before = copy.deepcopy(self.progress)
        """What this app read or wrote last."""

    def _read(self) -> LearnerProgress:
        if not os.path.lexists(self.path):  # nor where its folder may not be looked into
            return LearnerProgress()
        try:
            progress = self._decoded()
        except (ExperimentError, ValueError, RecursionError):
            return self._set_aside("is damaged")
        if progress.version != VERSION:
            return self._set_aside(f"is of version {progress.version}, which this bptui does not know")
        return progress

    def _decoded(self) -> LearnerProgress:
        """Raises ExperimentError, and ValueError for what is no progress."""
        text = read_text_file(self.path, str(self.path), LARGEST_FILE)
        progress: LearnerProgress = msgspec.json.decode(text.encode(), type=LearnerProgress)
        return progress

    def _set_aside(self, why: str) -> LearnerProgress:
        """Moves the file out of the way, so that nothing in it is lost."""
        number = 1
        while (
            aside := self.path.with_name(f"{self.path.stem}.damaged-{number}.json")
        ).exists() and number < 1000:
            number += 1
        try:
            os.replace(self.path, aside)
        except OSError:
            self.kept = False  # it can be neither read nor moved: leave it alone
            self.problem = f"{self.path} {why}; progress is not kept this time"
        else:
            self.problem = f"{self.path} {why}; it is now {aside.name}, and progress begins anew"
        return LearnerProgress()

    def save(self) -> None:
        """Saves the progress, whole or not at all; where that cannot be, says so once and goes on."""
        self._write(self._take_in_others)

    def _write(self, first: Callable[[], None]) -> None:
        if not self.kept:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with kept_alone(self.path):
                first()
                if self.kept:
                    replace_file(self.path, json.dumps(msgspec.to_builtins(self.progress), indent=1))
        except OSError as error:
            self.kept = False
            self.problem = f"{self.path}: {error.strerror or error}; progress is not kept"
        self._before = copy.deepcopy(self.progress)

    def _take_in_others(self) -> None:
        """What stands there is another app's, if it is not what this one wrote; damaged, it is set aside."""
        if os.path.lexists(self.path):
            theirs = self._read()
            if theirs not in (self._before, LearnerProgress()):
                self.progress.add(theirs, self._before)

    def reset(self) -> None:
        """Forgets all progress."""
        self.progress = LearnerProgress()
        self._write(lambda: None)

    def take_problem(self) -> str | None:
        """The problem of the progress file, to be said once."""
        problem, self.problem = self.problem, None
        return problem
