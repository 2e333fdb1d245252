"""Metrics that are added in one place: a number for each step, made of the graph that has gone forward and backward.

    OwnMetric("bias_l2", "L2 norm of all biases' gradients", lambda graph: …)

    ──> StepRecord.bias_l2 ──> run logs, histories, `train --json`, `train --report`

Built-in ones stand in `BUILT_IN`; `register_metric` adds another for this process. What is measured in every layer
at full speed stands in `engine.metrics.step_monitor` instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.autodiff.graph import Graph
from engine.metrics.step_record import MEASURES, Extent, Measure


@dataclass(frozen=True, slots=True)
class OwnMetric:
    """A metric: its name in records and logs, what it is in words, and how it is measured.

    `of` gets the training graph after both passes and before the update. Losses, parameters and their gradients can
    be read there; what lies between them has been written over on the way.
    """

    name: str
    words: str
    of: Callable[[Graph], float]


BUILT_IN: tuple[OwnMetric, ...] = ()
"""Those that every training measures: none so far."""

OWN_METRICS: dict[str, OwnMetric] = {}
"""Every such metric by its name."""


def register_metric(metric: OwnMetric) -> None:
    """Adds a metric for this process: what is trained from now on measures it.

    Raises ValueError for a name that a record has already, or that could be none.
    """
    if metric.name in MEASURES or metric.name == "step" or not metric.name.isidentifier():
        raise ValueError(f"{metric.name!r} cannot be a metric's name: it is taken, or no identifier")
    MEASURES[metric.name] = Measure(Extent.STEP, float, math.nan, since=1)
    OWN_METRICS[metric.name] = metric


def remove_metric(name: str) -> None:
    """Takes one away again. Raises KeyError where there is none of that name."""
    del OWN_METRICS[name], MEASURES[name]


def own_metrics(graph: Graph) -> dict[str, float]:
    """What the metrics are after a pass."""
    with np.errstate(all="ignore"):
        return {name: float(metric.of(graph)) for name, metric in OWN_METRICS.items()}


for _metric in BUILT_IN:
    register_metric(_metric)
