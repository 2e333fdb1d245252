"""Where the training screens get their numbers: an open experiment (`Session`) or a run log (`Watched`)."""

from __future__ import annotations

from abc import ABC, abstractmethod

from engine.autodiff.graph import Graph
from engine.experiment.datasets import DataSet
from engine.model.network import Network
from tui.session.training_run import Training


class Source(ABC):
    """Something that can be watched. `network` and `graph` hold the parameters last taken over."""

    name: str = ""
    """The preset or file that was opened; a run log is neither."""
    network: Network
    graph: Graph
    class_names: tuple[str, ...] = ()

    @property
    def updates(self) -> int:
        """How many updates were made by hand since parameters were last taken over."""
        return 0

    @property
    @abstractmethod
    def live(self) -> Training:
        """The training of it."""

    @abstractmethod
    def adopt(self, network: Network, data: DataSet | None = None, steps: int = 0) -> None:
        """Takes over the parameters (and data) of a network that is being trained, to be looked at one by one.

        `steps` says how many steps of training made them.
        """

    @abstractmethod
    def close(self) -> None:
        """Ends what is running."""
