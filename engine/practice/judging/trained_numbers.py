"""Numbers that a training gives: what a name is worth after some steps, or what is measured over all data then.

    of = "Y_hat[0,0]", after = 1             the prediction after one update
    measure = "recall[1]"                    the share of class 1 that is found, after the experiment's own steps
    measure = "dead[3]", after = 10          how many units of layer 3 are dead after ten

Every measure of a training step can be asked for (`engine.metrics.step_record.MEASURES`): of a layer, counted from 1,
of a class, counted from 0, or of the step. The network is trained for it; nothing here knows a result.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.targets import TargetError
from engine.diagnosis.whole_data import measure_all
from engine.experiment.errors import suggestion
from engine.formula.expression import Symbol
from engine.formula.layout import one_line
from engine.formula.plain_words import counted
from engine.metrics.step_record import MEASURES, Extent, StepRecord
from engine.model.network import LOSS, Network
from engine.practice.judging.verdict import Mistake
from engine.training.trainer import Trainer

MOST_STEPS = 100_000
_MEASURE = re.compile(r"(?P<name>[A-Za-z_]\w*)(?:\[(?P<place>[0-9]{1,4})\])?")


def trained(worked: EvaluatedExperiment, steps: int) -> Trainer:
    """The experiment's own training after so many steps; its network begins as the experiment's did."""
    network = worked.network
    parameters = {name: value.copy() for name, value in network.parameters.items()}
    own = Network(list(network.layers), parameters, network.loss, network.dtype)
    trainer = Trainer(worked.experiment, worked.data, own)
    trainer.limit = steps
    for _ in trainer:
        pass
    return trainer


@dataclass(frozen=True, eq=False)
class TrainedValue:
    """The value of a name (E, or an entry) after some steps of training."""

    worked: EvaluatedExperiment
    symbol: Symbol
    steps: int

    @property
    def plain(self) -> str:
        """``W[1][2,0] after 1 step``."""
        return f"{self.symbol.plain()} after {counted(self.steps, 'step')}"

    @cached_property
    def value(self) -> float:
        """What it is worth then."""
        return self._after(self.steps)

    def _after(self, steps: int) -> float:
        data = self.worked.data
        graph = trained(self.worked, steps).network.graph(data.X, data.Y)
        graph.forward()
        return graph.value_of(self.symbol)

    def familiar(self) -> Iterator[tuple[float, Mistake]]:
        """What may have been computed instead: before the step, the step alone, uphill, without η."""
        name, before = one_line(self.symbol), self.worked.graph.value_of(self.symbol)
        yield before, _instead(self.plain, f"this is {name} before the training")
        yield -self.value, Mistake("sign", "-1", "1", "the sign is wrong")
        node = self.worked.graph.nodes.get(self.symbol.matrix)
        if self.symbol != LOSS and node is not None and node.op is None and self.steps == 1:
            gradient = float(node.grad[self.symbol.index or (0, 0)])
            step = before - self.value
            yield (
                before + step,
                Mistake("sign", "+", "-", f"the step goes uphill: the update is {name} − η ∂ℰ/∂{name}"),
            )
            yield before - gradient, Mistake("missing", "eta", None, "the factor η is missing")
            yield (
                before + gradient,
                Mistake("missing", "eta", None, "the factor η is missing, and the step goes uphill"),
            )
            for alone in (step, -step):
                yield (
                    alone,
                    Mistake("missing", self.symbol.plain(), None, f"this is the step alone, without {name}"),
                )
            yield gradient, _instead(self.plain, f"this is the gradient ∂ℰ/∂{name}")
            yield -gradient, _instead(self.plain, f"this is minus the gradient, −∂ℰ/∂{name}")
        else:
            yield self.value - before, _instead(self.plain, f"this is by how much {name} changes")
            yield before - self.value, _instead(self.plain, f"this is by how much {name} changes")
        for steps in {self.steps - 1, self.steps + 1} - {0, -1}:
            yield self._after(steps), _instead(self.plain, f"this is {name} after {counted(steps, 'step')}")


@dataclass(frozen=True, eq=False)
class Measurement:
    """What is measured over all data after some steps of training: a measure, and of which layer or class."""

    worked: EvaluatedExperiment
    name: str
    place: int | None
    steps: int

    @classmethod
    def parse(cls, worked: EvaluatedExperiment, text: str, steps: int | None) -> Measurement:
        """``accuracy``, ``recall[1]``, ``dead[3]``; None is all of the experiment's steps. Raises TargetError."""
        match = _MEASURE.fullmatch(text.strip())
        if match is None or match["name"] not in MEASURES or MEASURES[match["name"]].kind is str:
            known = [name for name, one in MEASURES.items() if one.kind is not str]
            near = suggestion(text.partition("[")[0], known)
            raise TargetError(f'found "{text}"{near or "; expected one of " + ", ".join(known)}')
        name, place = match["name"], None if match["place"] is None else int(match["place"])
        layers = len(worked.network.layers)
        match MEASURES[name].extent:
            case Extent.STEP:
                first, last, of = None, None, ""
            case Extent.CLASS:
                first, last, of = 0, 1, "class"
            case Extent.LAYER:
                first, last, of = 1, layers, "layer"
            case Extent.GAP:
                first, last, of = 1, layers - 1, "layer"
        if first is None and place is not None:
            raise TargetError(f'found "{text}"; expected {name}: there is one of it in a step')
        if first is not None and (place is None or last is None or not first <= place <= last):
            raise TargetError(f'found "{text}"; expected {name}[{of}], a {of} from {first} to {last}')
        return cls(worked, name, place, worked.experiment.train.steps if steps is None else steps)

    @property
    def plain(self) -> str:
        """``dead[3] after 10 steps``."""
        return f"{self._called(self.name, self.place)} after {counted(self.steps, 'step')}"

    @staticmethod
    def _called(name: str, place: int | None) -> str:
        return name if place is None else f"{name}[{place}]"

    @cached_property
    def record(self) -> StepRecord:
        """All measures, over all data, with the weights after the last step."""
        trainer = trained(self.worked, self.steps)
        network, data = trainer.network, self.worked.data
        return measure_all(network, data, self.steps, trainer.last, trainer.learning_rate).record

    @property
    def value(self) -> float:
        """The number that is asked for."""
        return _entry(self.record, self.name, self.place)

    @property
    def samples(self) -> int:
        """How many samples the share that is asked for is one of: those of the class, or all."""
        labels = self.worked.data.Y
        if self.name == "recall":
            classes = labels[0] if len(labels) == 1 else labels.argmax(axis=0)
            return int(np.count_nonzero(classes == self.place))
        return int(labels.shape[1])

    def familiar(self) -> Iterator[tuple[float, Mistake]]:
        """What may have been read off instead: another layer, class or measure, per cent, before the training."""
        asked = self._called(self.name, self.place)
        if self.name in ("recall", "accuracy", "zero_fraction", "saturated"):
            yield 100.0 * self.value, _instead(asked, "this is in per cent: a share from 0 to 1 is asked for")
            yield 1.0 - self.value, _instead(asked, "this is the share of the others: both are 1 together")
        if self.name in ("recall", "accuracy"):
            yield (
                float(round(self.value * self.samples)),
                _instead(asked, f"this is how many: the share of all {self.samples} is asked for"),
            )
        for name, place in self._others():
            found = _entry(self.record, name, place)
            yield found, _instead(asked, f"this is {self._called(name, place)}, not {asked}")
        if self.place is not None and MEASURES[self.name].extent is Extent.LAYER:
            total = float(np.sum(getattr(self.record, self.name)))
            yield total, _instead(asked, f"this is the sum over all layers: layer {self.place} is asked for")
        if self.steps:
            before = Measurement(self.worked, self.name, self.place, 0).value
            yield before, _instead(asked, "this is before the training")
        own = self.worked.experiment.train.steps
        if self.steps != own:
            later = Measurement(self.worked, self.name, self.place, own).value
            yield later, _instead(asked, f"this is after {counted(own, 'step')}, not after {self.steps}")

    def _others(self) -> Iterator[tuple[str, int | None]]:
        """The same measure elsewhere, and those that are confused with it."""
        match MEASURES[self.name].extent:
            case Extent.LAYER:
                places = range(1, len(self.worked.network.layers) + 1)
            case Extent.CLASS:
                places = range(len(getattr(self.record, self.name)))
            case Extent.STEP | Extent.GAP:
                places = range(0)
        yield from ((self.name, place) for place in places if place != self.place)
        for family in _CONFUSED:
            if self.name in family:
                yield from (
                    (other, self.place if MEASURES[other].extent is MEASURES[self.name].extent else None)
                    for other in family
                    if other != self.name
                    and MEASURES[other].extent in (MEASURES[self.name].extent, Extent.STEP)
                )


_CONFUSED = (
    ("recall", "accuracy"),
    ("dead", "quiet", "zero_fraction"),
    ("zero_fraction", "dead"),
    ("grad_max", "grad_mean", "grad_l2"),
)
"""Measures that are taken for each other."""


def _entry(record: StepRecord, name: str, place: int | None) -> float:
    found = getattr(record, name)
    if place is not None:
        start = 0 if MEASURES[name].extent is Extent.CLASS else 1
        found = found[place - start] if place - start < len(found) else math.nan
    return math.nan if found is None else float(found)


def _instead(what: str, text: str) -> Mistake:
    return Mistake("swapped", what, None, text)
