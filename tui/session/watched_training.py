"""A training as its screens see it: one that runs here, two side by side, or one that another program tells of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

from tui.session.training_snapshot import LITTLE, TrainingSnapshot, Wanted


@dataclass(slots=True)
class Looking:
    """The filter of layers and the past step that all screens of a training look at."""

    layers: str = ""
    """Only layers whose name holds this or fits it are shown; all where it is empty."""
    step: int | None = None
    """The step that the cross-hair stands on; None without."""


class WatchedTraining(ABC):
    """A training that screens watch: a run of this program, two side by side, or one that another program tells of."""

    @cached_property
    def looking(self) -> Looking:
        """The filter and the step that all screens of the training share."""
        return Looking()

    @abstractmethod
    def snapshot(self, wanted: Wanted = LITTLE) -> TrainingSnapshot:
        """A snapshot of all runs between the same two steps; waits at most for the present step."""

    def latest(self, wanted: Wanted = LITTLE) -> TrainingSnapshot | None:
        """A snapshot to be had without waiting; None where one has to wait for the present step.

        It is made then, and `pulse` differs.
        """
        return self.snapshot(wanted)

    @abstractmethod
    def pulse(self) -> object:
        """A value that differs from the last one where there is something new to draw; waits for nothing."""

    def stand_back(self) -> None:  # noqa: B027 - most have nothing to stand back with
        """Has training stand back while a screen draws, until `go_on`."""

    def go_on(self) -> None:  # noqa: B027
        """Lets training go on: the screen is drawn."""

    @abstractmethod
    def close(self) -> None:
        """Ends the training."""
