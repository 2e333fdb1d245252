"""A lesson's tasks: what has to be done in the screens for each, and which of them are done.

tasks = [["screen stepper", "factor 5"], ["forward"], ["tutorial-b-wine: matrices"]]
            │                              │            └ in another experiment than the lesson's own
            │                              └ the second numbered step of "In the app"
            └ all of it has to be done
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tui.shell.learner_deeds import UP_TO, Deed, Done


@dataclass(frozen=True, slots=True)
class TaskCondition:
    """One condition of a lesson's task. Without `what` anything of that kind will do, with a|b one of two."""

    experiment: str
    deed: Deed
    what: str = ""

    @classmethod
    def parse(cls, text: str, experiment: str) -> TaskCondition:
        """Parses the condition that a text states, in `experiment` where it names no other. Raises ValueError."""
        other, found, rest = text.partition(": ")
        words = rest if found else text
        name, _, what = words.partition(" ")
        deed = Deed(name)
        if deed in UP_TO and not (what.isascii() and what.isdigit()):
            raise ValueError(f"{name} needs a whole number")
        return cls(other if found else experiment, deed, what.strip())

    def is_met_by(self, experiment: str, done: Done) -> bool:
        """Whether something that was done meets the condition."""
        if experiment != self.experiment or done.deed is not self.deed:
            return False
        if self.deed in UP_TO:
            return int(done.what or 0) >= int(self.what)
        return not self.what or str(done.what) in self.what.split("|")


Task = tuple[TaskCondition, ...]


class TaskChecklist:
    """The tasks of a lesson: which are done, and what of the others has been done so far."""

    def __init__(self, tasks: Iterable[Task], done: Iterable[int] = ()) -> None:
        """`done` are the places, from 0, of tasks that were done another time."""
        self._tasks = tuple(tasks)
        self._done = {place for place in done if 0 <= place < len(self._tasks)}
        self._met: set[TaskCondition] = set()

    @property
    def done(self) -> tuple[int, ...]:
        """The places, from 0, of the tasks that are done."""
        return tuple(sorted(self._done))

    @property
    def total(self) -> int:
        """How many tasks there are."""
        return len(self._tasks)

    def take(self, experiment: str, done: Iterable[Done]) -> list[int]:
        """Takes note of things that were done; the places of the tasks that are done by that."""
        done = tuple(done)
        new = []
        for place, task in enumerate(self._tasks):
            if place in self._done:
                continue
            self._met |= {one for one in task if any(one.is_met_by(experiment, each) for each in done)}
            if self._met.issuperset(task):
                self._done.add(place)
                new.append(place)
        return new


def tasks_done(done: int, total: int) -> str:
    """How many tasks of a lesson are done; nothing where it has none."""
    return f"{done} of {total} tasks done" if total else ""
