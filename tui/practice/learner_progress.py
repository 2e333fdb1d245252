"""What a learner has done, kept in their own folder: answers, points, streak, and what was mistaken most.

    <data folder>/practice.json       written whole or not at all; its version is 1

A file that is damaged, or of a version that is not known, is set aside beside it, and said once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
from platformdirs import user_data_path

from engine.experiment.errors import ExperimentError
from engine.experiment.text_file import read_text_file
from tui.shell.atomic_file import replace_file

VERSION = 1
LARGEST_FILE = 2**20
MOST_MISTAKES = 200
"""Kinds of mistakes that are counted."""


class LearnerProgress(msgspec.Struct, kw_only=True):
    """Everything that is kept."""

    version: int = VERSION
    answered: dict[str, int] = msgspec.field(default_factory=dict)  # question -> at which try
    given_up: list[str] = msgspec.field(default_factory=list)
    points: float = 0.0
    streak: int = 0
    best_streak: int = 0
    mistakes: dict[str, int] = msgspec.field(default_factory=dict)
    level: int = 1
    seed: int = 0
    bugs: dict[str, bool] = msgspec.field(
        default_factory=dict
    )  # "experiment seed" -> found at the first mark
    lessons: dict[str, str] = msgspec.field(default_factory=dict)  # item -> "answered" or "revealed"
    tasks: dict[str, list[int]] = msgspec.field(default_factory=dict)  # item -> places of its tasks done

    def right(self, question: str, points: float, tries: int) -> None:
        """A question is answered; it counts once, and gives less points at every further try."""
        if question in self.answered or question in self.given_up:
            return
        self.points += points / max(tries, 1)
        self.answered[question] = tries
        self.streak += 1
        self.best_streak = max(self.best_streak, self.streak)

    def wrong(self, mistakes: Sequence[str]) -> None:
        """An answer was wrong."""
        self.streak = 0
        for one in mistakes:
            if one in self.mistakes or len(self.mistakes) < MOST_MISTAKES:
                self.mistakes[one] = self.mistakes.get(one, 0) + 1

    def gave_up(self, question: str) -> None:
        """A question was given up: it gives no points any more."""
        self.streak = 0
        if question not in self.given_up and question not in self.answered:
            self.given_up.append(question)

    def most_mistaken(self, most: int = 3) -> list[tuple[str, int]]:
        """What was mistaken most."""
        return sorted(self.mistakes.items(), key=lambda item: (-item[1], item[0]))[:most]


class ProgressFile:
    """The file of one learner. `problem` is what is to be said of it, once."""

    def __init__(self, path: Path | None = None, *, kept: bool = True) -> None:
        self.path = user_data_path("bptui", appauthor=False) / "practice.json" if path is None else path
        self.kept = kept
        self.problem: str | None = None
        self.progress = self._read() if kept else LearnerProgress()

    def _read(self) -> LearnerProgress:
        if not self.path.exists():
            return LearnerProgress()
        try:
            text = read_text_file(self.path, str(self.path), LARGEST_FILE)
            progress: LearnerProgress = msgspec.json.decode(text.encode(), type=LearnerProgress)
        except (ExperimentError, msgspec.DecodeError, RecursionError):
            return self._set_aside("is damaged")
        if progress.version != VERSION:
            return self._set_aside(f"is of version {progress.version}, which this bptui does not know")
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
        """Writes the file, whole or not at all; where that cannot be, says so once and goes on."""
        if not self.kept:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.path, json.dumps(msgspec.to_builtins(self.progress), indent=1))
        except OSError as error:
            self.kept = False
            self.problem = f"{self.path}: {error.strerror or error}; progress is not kept"

    def reset(self) -> None:
        """Forgets everything."""
        self.progress = LearnerProgress()
        self.save()

    def take_problem(self) -> str | None:
        """What is to be said, once."""
        problem, self.problem = self.problem, None
        return problem
