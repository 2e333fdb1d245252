"""What a diagnosis reads: one value, whoever trained.

    this program's run ──> RunObserver ──┐
                                         ├──> DiagnosedRun ──> every kind of finding reads what it needs of it
    a run log ──────────> log_diagnosis ─┘

What is not known is None, and kinds that need it say so (`Needs`) and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from engine.autodiff.graph import Array
from engine.diagnosis.flat_loss import FlatLoss
from engine.diagnosis.loss_curve import LossCurvePoints, has_diverged
from engine.diagnosis.sentence_parts import layers_in_words, listed
from engine.diagnosis.whole_data import WholeData
from engine.experiment.datasets import DataSet
from engine.experiment.layer_info import LayerInfo, units_known
from engine.experiment.spec import Experiment
from engine.formula.expression import Symbol
from engine.metrics.step_record import StepRecord
from engine.metrics.unit_deaths import Mask
from engine.model.network import Network, trainable


class Needs(Enum):
    """The facts about a run that a kind of finding needs, in words that can follow "it takes "."""

    LOSSES = "the losses"
    GRADIENTS = "the gradients' magnitudes"
    COUNTS = "the number of dead units"
    OWN = "the weights and the data"


@dataclass(frozen=True, eq=False)
class OwnRun:
    """A run that this program trained: its experiment, its data, and the weights at both ends.

    `present` are the weights that are judged (after the last update), `initial` those before the first; `first_fired`
    says which units fired with those. `small_updates` says that
    no layer ever moved by 1e-5 of itself. `unchanged` says that η and everything else stayed as the experiment
    says, so that the same run can be made again.
    """

    experiment: Experiment
    data: DataSet
    layers: Network
    initial: Mapping[Symbol, Array]
    present: Mapping[Symbol, Array]
    whole: WholeData
    first_fired: tuple[Mask, ...] = ()
    small_updates: bool = False
    unchanged: bool = True

    @property
    def network(self) -> Network:
        """A network like the run's, with weights that nobody else changes."""
        return Network(self.layers.layers, dict(self.present), self.layers.loss, self.layers.dtype)

    def at(self, parameters: Mapping[Symbol, Array]) -> FlatLoss:
        """The loss as a function of all parameters, around given weights."""
        names = trainable(self.layers)
        network = Network(self.layers.layers, dict(parameters), self.layers.loss, self.layers.dtype)
        return FlatLoss(network, self.data, {name: parameters[name] for name in names})

    @cached_property
    def around_start(self) -> FlatLoss:
        """The loss as a function of all parameters, around the initial weights."""
        return self.at(self.initial)

    @cached_property
    def around_end(self) -> FlatLoss:
        """The loss as a function of all parameters, around the present weights."""
        return self.at(self.present)

    def release(self) -> None:
        """Lets go of both losses, which take several times the memory of the weights; who asks again has them made."""
        for name in ("around_start", "around_end"):
            loss = self.__dict__.pop(name, None)
            if loss is not None:
                loss.release()


@dataclass(frozen=True, eq=False)
class DiagnosedRun:
    """A training run to be diagnosed, with all that is known of it; layers' entries are in order, layer 1 first.

    `step` is the number of updates of the weights that units and gradients are of: all of them, or 0 in a run that
    diverged. `record` holds the gradients' magnitudes at that step; what was not measured is NaN there. `bias_l2` is
    ‖∂ℰ/∂b‖, NaN for a layer without, None where it is not known. `dead` are counts of the whole data set, of
    `dead_step` where that is another step. `limit` is how many updates there were to be.
    `ordered` says that the layers stand in the order of the computation.
    """

    step: int
    layers: tuple[LayerInfo, ...] = ()
    losses: LossCurvePoints | None = None
    record: StepRecord | None = None
    problem: str | None = None
    problem_step: int | None = None
    bias_l2: Sequence[float] | None = None
    dead: tuple[int, ...] | None = None
    dead_step: int | None = None
    ordered: bool = True
    limit: int | None = None
    own: OwnRun | None = field(default=None)

    @property
    def known_losses(self) -> LossCurvePoints:
        """The losses over the run, where a kind of finding needs them and is asked only if they are known."""
        assert self.losses is not None
        return self.losses

    @property
    def depth(self) -> int:
        """The number of layers."""
        return len(self.layers)

    def called(self, layers: Sequence[int]) -> str:
        """Some layers in words: by number, or by name where the names are not those of layers."""
        if not self.layers or self.layers[0].name == "W[1]":
            return layers_in_words(layers)
        told = [self.layers[number - 1].name for number in layers[:MOST_NAMED]]
        more = len(layers) - len(told)
        return listed([*told, f"{more} more"] if more else told)

    @cached_property
    def has(self) -> frozenset[Needs]:
        """What is known of the run, of all that kinds of findings may need."""
        known = {
            Needs.LOSSES: self.losses is not None,
            Needs.GRADIENTS: self.record is not None,
            Needs.COUNTS: self.dead is not None and units_known(self.layers),
            Needs.OWN: self.own is not None,
        }
        return frozenset(need for need, there in known.items() if there)

    @cached_property
    def diverged(self) -> bool:
        """Whether the run diverged: a number was not finite, or the loss ended above ten times where it began."""
        if self.problem is not None:
            return True  # a number was not finite
        return self.losses is not None and has_diverged(self.losses)


MOST_NAMED = 4
"""So many layers are called by their names, others counted."""
