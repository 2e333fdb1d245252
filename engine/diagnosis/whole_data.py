"""What a network makes of the whole data set with given weights: loss, score, gradients, every layer's units.

    X, a portion at a time ──> forward ──> backward ──> summed up over the portions      (n samples, weights held)

It is the one measurement that a diagnosis, the end of a run and a pause all read, so that their numbers are those of
one set of weights. A batch norm ties the samples together: there the portion is all of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.autodiff.graph import Array, Graph
from engine.autodiff.ops.elementwise import Elementwise
from engine.experiment.activation_traits import ACTIVATION_TRAITS
from engine.experiment.datasets import DataSet
from engine.experiment.memory_needed import DIAGNOSED_AT_ONCE
from engine.formula.expression import Symbol
from engine.metrics.activation_counts import fires
from engine.metrics.added_metrics import OWN_METRICS, own_metrics
from engine.metrics.classification_score import Score, scorer
from engine.metrics.held_out_score import HeldOut, HeldOutScore
from engine.metrics.l2_norms import careful_norm
from engine.metrics.step_record import StepRecord
from engine.metrics.unit_deaths import Mask
from engine.model.network import PREDICTION, Network, activation_output

Floats = npt.NDArray[np.float64]

FLAT = 0.01
"""A slope below this share of its activation's largest is flat."""


@dataclass(frozen=True, slots=True, eq=False)
class WholeData:
    """The measurements of one pass over all n samples; arrays have an entry a layer, layer 1 first.

    `record` is what a step of training measures, of all data: its `step` is the number of updates that the weights
    have had, its `update_ratio` of the update before. `bias_l2` is ‖∂ℰ/∂b‖, NaN without a bias. `fired` holds for each
    unit whether it was other than 0 for any sample; `flat` is the share of (unit, sample) slopes below a hundredth of
    the activation's largest, NaN for activations that do not saturate. `apart` is the largest difference between two
    units of the layer for one sample, and `largest` the largest |activation|. `prediction`
    is (outputs, n), `firing` the share of the samples for which each unit fires.
    """

    record: StepRecord
    bias_l2: Floats
    fired: tuple[Mask, ...]
    flat: Floats
    apart: Floats
    largest: Floats
    prediction: Array
    firing: tuple[Floats, ...]
    held_out: HeldOutScore | None = None
    """Of the held-out samples, if there are any."""

    @property
    def loss(self) -> float:
        """The loss over all data."""
        return self.record.loss

    @property
    def dead(self) -> tuple[int, ...]:
        """How many units of each layer are dead: 0 for every sample."""
        return tuple(int(np.count_nonzero(~mask)) for mask in self.fired)


def measure_all(
    network: Network, data: DataSet, step: int = 0, last: StepRecord | None = None, learning_rate: float = 0.0
) -> WholeData:
    """Runs `network` over all of `data`; `last` is the record of the update that led here, if there was one."""
    with np.errstate(all="ignore"):
        return _measured(network, data, step, last, learning_rate)


def _measured(
    network: Network, data: DataSet, step: int, last: StepRecord | None, learning_rate: float
) -> WholeData:
    sums = _Sums(network, data)
    n = data.X.shape[1]
    size = samples_at_once(network, n)
    starts = range(0, n, size)
    # What they are of several portions together nobody has said.
    own = {} if last is None else {name: getattr(last, name) for name in OWN_METRICS}
    for start in starts:
        columns = slice(start, min(start + size, n))
        graph = network.graph(
            np.ascontiguousarray(data.X[:, columns]), np.ascontiguousarray(data.Y[:, columns])
        )
        graph.forward()
        graph.backward()
        sums.add(graph, columns)
        if size >= n and OWN_METRICS:
            own = own_metrics(graph, len(network.layers))
        graph.release()
    return sums.found(step, last, learning_rate, own)


def samples_at_once(network: Network, n: int) -> int:
    """How many samples go through together: all, where they are coupled or the loss is their sum."""
    whole = network.loss.samples == "sum" or any(layer.norm == "batch" for layer in network.layers)
    return n if whole else min(n, DIAGNOSED_AT_ONCE)


class _Sums:
    """What the portions add up to."""

    def __init__(self, network: Network, data: DataSet) -> None:
        self.network, self.data = network, data
        self.n = data.X.shape[1]
        self.numbers = range(1, len(network.layers) + 1)
        depth = len(network.layers)
        self.loss = 0.0
        self.gradients: dict[Symbol, Array] = {
            name: np.zeros(value.shape, np.float64) for name, value in network.parameters.items()
        }
        self.delta, self.product, self.sent, self.passed = (np.zeros(depth) for _ in range(4))
        self.zeros, self.flat = np.zeros(depth), np.zeros(depth)
        self.apart, self.largest = np.zeros(depth), np.zeros(depth)
        self.fired = [np.zeros(layer.units, np.bool_) for layer in network.layers]
        self.firing = [np.zeros(layer.units) for layer in network.layers]
        self.entries = np.array([layer.units * self.n for layer in network.layers])
        self.prediction = np.empty(data.Y.shape, network.dtype)

    def add(self, graph: Graph, columns: slice) -> None:
        share = graph.n / self.n  # ℰ divides by the number of samples it is of
        self.loss += share * graph.loss.value.item(0)
        for name, total in self.gradients.items():
            total += share * graph.nodes[name].grad
        self.prediction[:, columns] = graph.nodes[PREDICTION].value
        for number in self.numbers:
            self._add_layer(graph, number, share)

    def _add_layer(self, graph: Graph, number: int, share: float) -> None:
        i = number - 1
        output = activation_output(graph, self.network, number)
        activation = output.op
        assert activation is not None
        delta = graph.nodes[Symbol("f", number)].grad
        _gather(self.delta, i, delta, share)
        _gather(self.sent, i, output.grad, share)
        _gather(self.passed, i, activation.inputs[0].grad, share)
        if number > 1:
            _gather(self.product, i - 1, self.network.in_out(number) @ delta, share)
        values = output.value
        fired = values != 0
        self.zeros[i] += values.size - int(np.count_nonzero(fired))
        self.fired[i] |= fired.any(axis=1)
        self.firing[i] += fires(values, ACTIVATION_TRAITS[self.network.layers[i].activation]).sum(axis=1)
        self.apart[i] = max(self.apart[i], float((values.max(axis=0) - values.min(axis=0)).max()))
        self.largest[i] = max(self.largest[i], float(np.abs(values).max()))
        largest = ACTIVATION_TRAITS[self.network.layers[i].activation].largest_slope
        if isinstance(activation, Elementwise) and largest is not None:
            self.flat[i] += int(np.count_nonzero(np.abs(activation.slopes()) < FLAT * largest))
        else:
            self.flat[i] = math.nan

    def found(
        self, step: int, last: StepRecord | None, learning_rate: float, own: dict[str, Any]
    ) -> WholeData:
        depth = len(self.network.layers)
        weights = [self.gradients[Symbol("W", number)] for number in self.numbers]
        biases = [self.gradients.get(Symbol("b", number)) for number in self.numbers]
        score = _score(self.network, self.prediction, self.data)
        if not np.isfinite(self.prediction).all():  # NaN is of no class
            score = Score(None, ())
        quiet = np.array([int(np.count_nonzero(~mask)) for mask in self.fired], np.int64)
        flat = self.flat / self.entries
        saturates = [
            ACTIVATION_TRAITS[layer.activation].unsaturated is not None for layer in self.network.layers
        ]
        held_out = None
        if self.data.held_out is not None:
            held_out = HeldOut(self.network, self.data.held_out).measure()
        finite = math.isfinite(self.loss) and all(np.isfinite(one).all() for one in self.gradients.values())
        with np.errstate(all="ignore"):
            record = StepRecord.of(
                dict(
                    step=step,
                    loss=self.loss,
                    learning_rate=learning_rate if last is None else last.learning_rate,
                    seconds=0.0 if last is None else last.seconds,
                    accuracy=score.accuracy,
                    recall=score.recall,
                    grad_max=_held([float(np.abs(one).max()) for one in weights]),
                    grad_mean=_held([float(np.abs(one).mean()) for one in weights]),
                    grad_l2=_held([careful_norm(one) for one in weights]),
                    update_ratio=_held([math.nan] * depth) if last is None else last.update_ratio,
                    zero_fraction=_held(self.zeros / self.entries),
                    quiet=_counts(quiet),
                    dead=_counts(quiet),
                    dead_step=step,
                    saturated=_held(np.where(saturates, flat, math.nan)),
                    delta_l2=_held(self.delta),
                    weight_gain=_held(self.product[: depth - 1] / self.delta[1:]),
                    activation_gain=_held(self.passed[: depth - 1] / self.sent[: depth - 1]),
                    clipped=1.0,
                    nonfinite=0 if finite else 1,
                    problem=None,
                    **_tested(held_out, step),
                    **own,
                )
            )
        return WholeData(
            record=record,
            bias_l2=_held([math.nan if one is None else careful_norm(one) for one in biases]),
            fired=tuple(self.fired),
            flat=_held(flat),
            apart=_held(self.apart),
            largest=_held(self.largest),
            prediction=self.prediction,
            firing=tuple(_held(count / self.n) for count in self.firing),
            held_out=held_out,
        )


def _gather(totals: Floats, place: int, part: Array, share: float) -> None:
    """Adds a portion's norm to the norm so far."""
    totals[place] = math.hypot(float(totals[place]), share * careful_norm(part))


def _tested(score: HeldOutScore | None, step: int) -> dict[str, Any]:
    """The fields of a record that are of the held-out samples."""
    if score is None:
        return {}
    return {"test_loss": score.loss, "test_accuracy": score.accuracy, "test_step": step}


def _score(network: Network, prediction: Array, data: DataSet) -> Score:
    one = scorer(network.loss, prediction, data.Y)
    (score,) = one.scores_of([one.compare()])
    return score


def _held(numbers: Sequence[float] | Floats) -> Floats:
    array = np.array(numbers, np.float64)
    array.setflags(write=False)
    return array


def _counts(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    numbers.setflags(write=False)
    return numbers
