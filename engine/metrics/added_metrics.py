"""Metrics that are added in one place: a number a step, or one a layer, made of the graph after both of its passes.

    OwnMetric("bias_l2", "L2 norm of all biases' gradients", lambda graph: …)
    LayerMetric("weight_max", "max |W|", lambda graph, layer: …)

    ──> StepRecord.bias_l2 ──> run logs, histories, `train --json`, `train --report`, the training screens

Built-in ones stand in `BUILT_IN`; `register_metric` adds another for this process. What has to be measured between two
ops, because its memory is written over, or at full speed, stands in `engine.metrics.step_monitor` instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from engine.autodiff.graph import Graph
from engine.metrics.step_record import MEASURES, Extent, Floats, Measure


@dataclass(frozen=True, slots=True)
class OwnMetric:
    """A metric of one's own, a number a step: its name in records and logs, its words, and how it is measured.

    `of` gets the training graph after both passes and before the update. Losses, parameters and their gradients can
    be read there; what lies between them has been written over on the way.
    """

    extent: ClassVar[Extent] = Extent.STEP
    name: str
    words: str
    of: Callable[[Graph], float]

    def measured(self, graph: Graph, depth: int) -> float:
        """The metric's number after a pass of `graph`."""
        return float(self.of(graph))


@dataclass(frozen=True, slots=True)
class LayerMetric:
    """A metric of one's own with a number for every layer: `of` gets the layer's number too, from 1 on.

    Charts show it by layer.
    """

    extent: ClassVar[Extent] = Extent.LAYER
    name: str
    words: str
    of: Callable[[Graph, int], float]

    def measured(self, graph: Graph, depth: int) -> Floats:
        """The metric's number for each layer after a pass of a network of `depth` layers, (depth,); read-only."""
        found = np.array([self.of(graph, layer) for layer in range(1, depth + 1)], np.float64)
        found.setflags(write=False)
        return found


BUILT_IN: tuple[OwnMetric | LayerMetric, ...] = ()
"""Those that every training measures: none so far."""

OWN_METRICS: dict[str, OwnMetric | LayerMetric] = {}
"""Every such metric by its name."""


def register_metric(metric: OwnMetric | LayerMetric) -> None:
    """Adds a metric for this process: what is trained from now on measures it.

    Raises ValueError for a name that a record has already, or that could be none.
    """
    if metric.name in MEASURES or metric.name == "step" or not metric.name.isidentifier():
        raise ValueError(f"{metric.name!r} cannot be a metric's name: it is taken, or no identifier")
    MEASURES[metric.name] = Measure(metric.extent, float, math.nan, since=1)
    OWN_METRICS[metric.name] = metric


def remove_metric(name: str) -> None:
    """Takes a registered metric away again. Raises KeyError where there is none of that name."""
    del OWN_METRICS[name], MEASURES[name]


def own_metrics(graph: Graph, depth: int) -> dict[str, Any]:
    """The values of all registered metrics after a pass of a graph: fields of a StepRecord."""
    with np.errstate(all="ignore"):
        return {name: metric.measured(graph, depth) for name, metric in OWN_METRICS.items()}


for _metric in BUILT_IN:
    register_metric(_metric)
