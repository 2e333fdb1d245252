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

import msgspec
import numpy as np

from engine.autodiff.graph import Array, Graph
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.targets import TargetError
from engine.diagnosis.whole_data import measure_all
from engine.experiment.errors import suggestion
from engine.experiment.spec import BceLoss
from engine.formula.expression import Symbol
from engine.formula.layout import one_line
from engine.formula.numbers_in_words import counted
from engine.metrics.step_record import MAGNITUDES, MEASURES, Extent, StepRecord
from engine.model.network import LOSS, PREDICTION, Network
from engine.practice.mistakes.familiar_numbers import familiar_numbers
from engine.practice.verdict import Mistake
from engine.training.trainer import Trainer

MOST_STEPS = 100_000
MOST_ENTRIES = 32
"""Numbers of a network that one may have taken for another."""
_MEASURE = re.compile(r"(?P<name>[A-Za-z_]\w*)(?:\[(?P<place>[0-9]{1,4})\])?")


def trained(evaluated: EvaluatedExperiment, steps: int) -> Trainer:
    """Trains an experiment so many steps from its own initial weights."""
    network = evaluated.network
    parameters = {name: value.copy() for name, value in network.parameters.items()}
    own = Network(list(network.layers), parameters, network.loss, network.dtype)
    trainer = Trainer(evaluated.experiment, evaluated.data, own)
    trainer.limit = steps
    for _ in trainer:
        pass
    return trainer


@dataclass(frozen=True, eq=False)
class TrainedValue:
    """The value of a name (E, or an entry) after some steps of training."""

    evaluated: EvaluatedExperiment
    symbol: Symbol
    steps: int

    @property
    def plain(self) -> str:
        """``W[1][2,0] after 1 step``."""
        return f"{self.symbol.plain()} after {counted(self.steps, 'step')}"

    @cached_property
    def value(self) -> float:
        """The value of the name after so many steps."""
        return self._after(self.steps)

    def _after(self, steps: int) -> float:
        data = self.evaluated.data
        graph = trained(self.evaluated, steps).network.graph(data.X, data.Y)
        graph.forward()
        return graph.value_of(self.symbol)

    def familiar(self) -> Iterator[tuple[float, Mistake]]:
        """The numbers that are often given instead: before the step, the step alone, uphill, without η."""
        name, before = one_line(self.symbol), self.evaluated.graph.value_of(self.symbol)
        yield before, _instead(self.plain, f"this is {name} before the training")
        yield -self.value, Mistake("sign", "-1", "1", "the sign is wrong")
        if self.steps == 1:
            yield from self._mistaken_steps()
        for difference in (self.value - before, before - self.value):
            yield (
                difference,
                _instead(self.plain, f"this is by how much {name} changes: the new value is asked for"),
            )
        for steps in {self.steps - 1, self.steps + 1} - {0, -1}:
            yield self._after(steps), _instead(self.plain, f"this is {name} after {counted(steps, 'step')}")
        graph = self._moved(1.0)
        if self.symbol == LOSS:
            yield from familiar_numbers(self.value, graph, LOSS)
        elif 0.0 < self.value < 1.0 and self.symbol.matrix == PREDICTION:
            yield 1.0 - self.value, _instead(self.plain, f"this is 1 − {name}")
        yield from self._other_names(graph)

    def _moved(self, times: float, only: tuple[Symbol, tuple[int, int]] | None = None) -> Graph:
        """The graph after the training's change of the parameters, so many times of it, or of one entry only."""
        data, network = self.evaluated.data, self.evaluated.network
        parameters = {name: value.copy() for name, value in network.parameters.items()}
        for name, value in parameters.items():
            change = times * (self._trained[name] - value)
            if only is None:
                value += change
            elif only[0] == name:
                value[only[1]] += change[only[1]]
        graph = Network(list(network.layers), parameters, network.loss, network.dtype).graph(data.X, data.Y)
        graph.forward()
        return graph

    @cached_property
    def _trained(self) -> dict[Symbol, Array]:
        return dict(trained(self.evaluated, self.steps).network.parameters)

    def _mistaken_steps(self) -> Iterator[tuple[float, Mistake]]:
        name, graph, rate = (
            one_line(self.symbol),
            self.evaluated.graph,
            self.evaluated.experiment.train.learning_rate,
        )
        uphill = "the step goes uphill: the update is W − η ∂ℰ/∂W, with minus"
        yield self._moved(-1.0).value_of(self.symbol), Mistake("sign", "+", "-", uphill)
        if rate:
            missing = Mistake("missing", "eta", None, "the factor η is missing")
            yield self._moved(1.0 / rate).value_of(self.symbol), missing
            both = Mistake("missing", "eta", None, "the factor η is missing, and the step goes uphill")
            yield self._moved(-1.0 / rate).value_of(self.symbol), both
        slope = sum(
            float(np.vdot(graph.nodes[one].grad, self._trained[one] - graph.nodes[one].value))
            for one in self._trained
        )
        if self.symbol == LOSS:
            text = "this is the change that the gradient alone lets expect"
            yield slope, _instead(self.plain, f"{text}: ℰ is no straight line, compute it anew")
            yield (
                graph.value_of(LOSS) + slope,
                _instead(self.plain, f"this is ℰ with {text.removeprefix('this is ')}"),
            )
        node = graph.nodes.get(self.symbol.matrix)
        if node is not None and node.op is None:
            gradient = float(node.grad[self.symbol.index or (0, 0)])
            for step in (-rate * gradient, rate * gradient):
                yield (
                    step,
                    Mistake("missing", self.symbol.plain(), None, f"this is the step alone, without {name}"),
                )
            yield gradient, _instead(self.plain, f"this is the gradient ∂ℰ/∂{name}")
            yield -gradient, _instead(self.plain, f"this is minus the gradient, −∂ℰ/∂{name}")
            return
        entries = [(one, index) for one, value in self._trained.items() for index in np.ndindex(*value.shape)]
        for one, index in entries[:MOST_ENTRIES]:
            place = (index[0], index[1])
            text = f"this is with {one_line(one.at(place))} changed alone: the step changes all parameters"
            yield self._moved(1.0, (one, place)).value_of(self.symbol), _instead(self.plain, text)

    def _other_names(self, graph: Graph) -> Iterator[tuple[float, Mistake]]:
        """Every other name's value, before and after."""
        moments = (
            (graph, self.plain.removeprefix(self.symbol.plain()).strip()),
            (self.evaluated.graph, "before the training"),
        )
        for one, when in moments:
            if sum(node.value.size for node in one.nodes.values()) > MOST_ENTRIES:
                return
            for node in one.nodes.values():
                for index in np.ndindex(*node.shape):
                    symbol = node.symbol if node.scalar else node.entry((index[0], index[1]))
                    if symbol != self.symbol:
                        text = f"this is {one_line(symbol)} {when}, and not {one_line(self.symbol)}"
                        yield float(node.value[index]), _instead(self.plain, text)


@dataclass(frozen=True, eq=False)
class TrainedMeasurement:
    """A measurement over all data after some steps of training: a measure, and of which layer or class."""

    evaluated: EvaluatedExperiment
    name: str
    place: int | None
    steps: int

    @classmethod
    def parse(cls, evaluated: EvaluatedExperiment, text: str, steps: int | None) -> TrainedMeasurement:
        """Parses a typed measure: ``accuracy``, ``recall[1]``, ``dead[3]``. Raises TargetError."""
        match = _MEASURE.fullmatch(text.strip())
        if match is None or match["name"] not in MEASURES or MEASURES[match["name"]].kind is str:
            known = [name for name, one in MEASURES.items() if one.kind is not str]
            near = suggestion(text.partition("[")[0], known)
            raise TargetError(f'found "{text}"{near or "; expected one of " + ", ".join(known)}')
        name, place = match["name"], None if match["place"] is None else int(match["place"])
        layers = len(evaluated.network.layers)
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
        return cls(evaluated, name, place, evaluated.experiment.train.steps if steps is None else steps)

    @property
    def plain(self) -> str:
        """``dead[3] after 10 steps``."""
        return f"{self._called(self.name, self.place)} after {counted(self.steps, 'step')}"

    @staticmethod
    def _called(name: str, place: int | None) -> str:
        return name if place is None else f"{name}[{place}]"

    @cached_property
    def record(self) -> StepRecord:
        """The record of all measures over all data, with the weights after the last step."""
        trainer = trained(self.evaluated, self.steps)
        network, data = trainer.network, self.evaluated.data
        return measure_all(network, data, self.steps, trainer.last, trainer.learning_rate).record

    @property
    def value(self) -> float:
        """The number that is asked for."""
        return _entry(self.record, self.name, self.place)

    @property
    def samples(self) -> int:
        """How many samples the share that is asked for is one of: those of the class, or all."""
        labels = self.evaluated.data.Y
        if self.name == "recall":
            classes = labels[0] if len(labels) == 1 else labels.argmax(axis=0)
            return int(np.count_nonzero(classes == self.place))
        return int(labels.shape[1])

    def familiar(self) -> Iterator[tuple[float, Mistake]]:
        """The numbers that are often given instead: another layer, class or measure, per cent, before the training."""
        asked, value = self._called(self.name, self.place), self.value
        yield -value, Mistake("sign", "-1", "1", "the sign is wrong")
        if self.name in ("recall", "accuracy", "zero_fraction", "saturated"):
            yield 100.0 * value, _instead(asked, "this is in per cent: a share from 0 to 1 is asked for")
            yield 1.0 - value, _instead(asked, "this is the share of the others: both are 1 together")
        if self.name in ("recall", "accuracy"):
            yield from self._of_classes(asked)
        if self.name in ("dead", "quiet") and self.place is not None:
            units = self.evaluated.network.layers[self.place - 1].units
            yield (
                value / units,
                _instead(asked, f"this is the share of the {units} units: how many is asked for"),
            )
            yield units - value, _instead(asked, "this is how many are not")
            yield float(units), _instead(asked, f"these are all units of layer {self.place}")
        for name, place in self._others():
            found = _entry(self.record, name, place)
            yield found, _instead(asked, f"this is {self._called(name, place)}, not {asked}")
        if self.place is not None and MEASURES[self.name].extent is Extent.LAYER:
            every = np.asarray(getattr(self.record, self.name), float)
            yield (
                float(every.sum()),
                _instead(asked, f"this is the sum over all layers: layer {self.place} is asked for"),
            )
            yield (
                float(every.mean()),
                _instead(asked, f"this is the mean over the layers: layer {self.place} is asked for"),
            )
        if MEASURES[self.name].magnitude and value > 0:
            for turned in (1.0, -1.0):
                exponent = turned * math.log10(value)
                text = "this is the exponent: the number itself is asked for"
                for one in (exponent, float(math.floor(exponent)), float(round(exponent))):
                    yield one, _instead(asked, text)
            for name in MAGNITUDES:
                last = _entry(self.record, name, len(self.evaluated.network.layers))
                share = _entry(self.record, name, self.place) / last
                text = f"this is {name} as a share of the last layer's: the number itself is asked for"
                yield share, _instead(asked, text)
        yield from self._at_other_times(asked)

    def _of_classes(self, asked: str) -> Iterator[tuple[float, Mistake]]:
        """A count for a share, precision for recall, the mean of both recalls for the accuracy."""
        share = f"the share of {'the class' if self.name == 'recall' else 'all'}, {self.samples} samples, is asked for"
        right = round(self.value * self.samples)
        yield float(right), _instead(asked, f"this is how many: {share}")
        yield (
            float(self.samples - right),
            _instead(asked, f"this is how many are taken for something else: {share}"),
        )
        recalls = self.record.recall
        if len(recalls) != 2:
            return
        n = self.evaluated.data.Y.shape[1]
        if self.name == "accuracy":
            yield (
                sum(recalls) / 2,
                _instead(asked, "this is the mean of both recalls: the classes are not of one size"),
            )
            for place, recall in enumerate(recalls):
                yield recall, _instead(asked, f"this is recall[{place}], of one class alone")
        elif self.place is not None:
            yield right / n, _instead(asked, f"this is over all {n} samples: {share}")
            of_other = TrainedMeasurement(self.evaluated, "recall", 1 - self.place, self.steps).samples
            taken = right + round((1.0 - recalls[1 - self.place]) * of_other)
            if taken:
                text = "this is the precision: the share of those taken for the class that belong to it"
                yield right / taken, _instead(asked, text)

    def _at_other_times(self, asked: str) -> Iterator[tuple[float, Mistake]]:
        """Before the training, after a step, after all of its steps; and without class weights."""
        own = self.evaluated.experiment.train.steps
        for steps in dict.fromkeys((0, 1, self.steps - 1, *((own,) if self.steps else ()))):
            if steps not in (self.steps, -1):
                when = f"after {counted(steps, 'step')}" if steps else "before the training"
                found = TrainedMeasurement(self.evaluated, self.name, self.place, steps).value
                yield found, _instead(asked, f"this is {when}, and not after {counted(self.steps, 'step')}")
        loss = self.evaluated.experiment.loss
        if isinstance(loss, BceLoss) and (loss.alpha or 1.0) != (loss.beta or 1.0):
            plain = msgspec.structs.replace(
                self.evaluated.experiment, loss=msgspec.structs.replace(loss, alpha=1.0, beta=1.0)
            )
            other = EvaluatedExperiment.of(plain, "without class weights")
            found = TrainedMeasurement(other, self.name, self.place, self.steps).value
            yield found, _instead(asked, "this is without class weights")

    def _others(self) -> Iterator[tuple[str, int | None]]:
        """The same measure elsewhere, and those that are confused with it."""
        match MEASURES[self.name].extent:
            case Extent.LAYER:
                places = range(1, len(self.evaluated.network.layers) + 1)
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
