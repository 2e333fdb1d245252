"""What screens ask of the app, one definition each: a screen says what should happen, the app decides how.

    HomeScreen ──OpenExperiment("xor")──> app ──push_screen──> StepperScreen
    GradientsScreen ──StepInto(3)──> app ──switch_screen, look_at──> StepperScreen

So no screen needs to know the app, or a screen of another wing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tui.shell.learner_deeds import Done

if TYPE_CHECKING:
    from engine.formula.expression import Symbol


class Request(Message):
    """A request of a screen to the app. Once the app is being taken down nobody answers any more."""


@dataclass
class OpenExperiment(Request):
    """A preset or a file is to be opened, on `screen` or else on the one that fits it.

    Where it is open already only the screen changes, and all that was done in it stays.
    """

    name: str
    screen: str | None = None


@dataclass
class ShowScreen(Request):
    """Another screen of the open experiment is to come to the front: "stepper", "gradients" or "relu"."""

    name: str


@dataclass
class StepInto(Request):
    """The stepper is to show the present parameters: a layer's largest gradient (layers from 1), or one of its units.

    Units are counted from 0. The gradient is of the layer's `matrix`, W or f. Without a layer the stepper keeps its
    target.
    """

    layer: int | None = None
    unit: int | None = None
    matrix: str = "W"


class ShowLessons(Request):
    """The lessons are to be listed: those on the open experiment, or all."""


@dataclass
class Predict(Request):
    """The factors of a derivation are to be asked, one after the other, before they are shown."""

    target: Symbol
    sample: int


class ShowPractice(Request):
    """Questions and exercises are to be answered."""


class FindBug(Request):
    """A backward pass with a bug in it is to be looked through."""


@dataclass
class AnswerLesson(Request):
    """Questions about a lesson are to be answered: those of its item, or of a lecturer's own assignment."""

    item: str
    assignment: str = ""


@dataclass
class LessonRevealed(Request):
    """The answer to a lesson's question was shown."""

    item: str


class ExperimentEdited(Request):
    """The open experiment is another than it was: what was trained of it is of no use any more."""


class ShowHome(Request):
    """The open experiment is to be left for the list of experiments."""


class Did(Request):
    """Things were done in an experiment."""

    def __init__(self, experiment: str, *done: Done) -> None:
        super().__init__()
        self.experiment = experiment
        self.done = done
