"""What the gradients screen draws: from the runs of a training to charts of magnitude against layer or step.

profile    bars over the layers, now                       which layers get a gradient?
layers     the profile turned: a row a layer, with names    which of hundreds of parameters?
history    lines over the steps, for some layers           since when?
strip      layer × step, denser is larger                  all of it at once
budget     gain of the weights and of the activation       whose fault is it?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import numpy.typing as npt

from engine.diagnosis.mean_field import MeanFieldProfile
from engine.metrics.added_metrics import OWN_METRICS
from engine.metrics.step_record import Extent
from engine.runs.history import Series
from tui.session.training_snapshot import RunSnapshot
from tui.training.charts import Line, lines_chart, profile_chart
from tui.training.drawn_chart import FIRST, PREDICTED, SECOND, SERIES, THIRD, Chart

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that can be charted by layer: the StepRecord's field, its words, its name in a [view]."""

    field: str
    words: str
    view: str | None = None


MAX = Metric("grad_max", "max |∂ℰ/∂W|", "max")
MEAN = Metric("grad_mean", "mean |∂ℰ/∂W|", "mean")
L2 = Metric("grad_l2", "L2 norm of ∂ℰ/∂W", "l2")
DELTA = Metric("delta_l2", "δ = L2 norm of ∂ℰ/∂f", "delta")

GRADIENT_METRICS = (MAX, MEAN, L2, DELTA)
"""How the gradient of a whole matrix becomes one number."""

METRICS = {metric.view: metric for metric in GRADIENT_METRICS}
"""The same by their names in an experiment's [view]."""


def chart_metrics() -> tuple[Metric, ...]:
    """The metrics that can be charted by layer: those of gradients, then those that were added."""
    own = (Metric(name, one.words) for name, one in OWN_METRICS.items() if one.extent is Extent.LAYER)
    return (*GRADIENT_METRICS, *own)


WEIGHTS, ACTIVATION = THIRD, FIRST
"""The roles of the factors of the budget; the second one is a second run's."""


class View(Enum):
    """The views of the gradients screen: profile, history, heat strip, factor budget, layers."""

    PROFILE = "profile"
    LAYERS = "layers"
    HISTORY = "history"
    STRIP = "heat strip"
    BUDGET = "factor budget"


CHARTS = {
    "profile": View.PROFILE,
    "layers": View.LAYERS,
    "history": View.HISTORY,
    "strip": View.STRIP,
    "budget": View.BUDGET,
}
"""The pictures by their names in an experiment's [view]."""


@dataclass(frozen=True, slots=True)
class GradientMagnitudes:
    """The gradient magnitudes of one run by layer, at `step`.

    `step` is the last one, or the last with a finite number after a run has broken.
    """

    name: str
    step: int
    now: Floats
    weight_gain: Floats
    activation_gain: Floats
    numbers: Floats
    """The layers' numbers along the axis, from 1."""

    def only(self, shown: Sequence[int]) -> GradientMagnitudes:
        """The gradient magnitudes of some layers, by their places."""
        places = list(shown)
        return replace(self, now=self.now[places], numbers=self.numbers[places])


def magnitudes(run: RunSnapshot) -> GradientMagnitudes | None:
    """The gradient magnitudes of a run's snapshot; None before the first step."""
    record, column = run.record, run.column
    if record is None or column is None:
        return None
    numbers = layer_numbers(len(column.now))
    return GradientMagnitudes(
        run.name, column.step, column.now, record.weight_gain, record.activation_gain, numbers
    )


def layer_numbers(count: int) -> Floats:
    """1, 2, …: the layers along an axis."""
    return np.arange(1, count + 1, dtype=np.float64)


def draw_profile(
    runs: Sequence[GradientMagnitudes],
    predicted: Floats | None,
    width: int,
    height: int,
    ascii_only: bool,
    *,
    log: bool = True,
) -> Chart:
    """Draws the profile: bars for the first run, points for the second, dots for the predicted slope."""
    roles = (FIRST, SECOND)
    lines = [Line(one.name, one.numbers, one.now, role) for one, role in zip(runs, roles, strict=False)]
    line = (
        None if predicted is None else Line("predicted", layer_numbers(len(predicted)), predicted, PREDICTED)
    )
    return profile_chart(lines, width, height, log=log, ascii_only=ascii_only, predicted=line)


def draw_history(
    series: Series, layers: Sequence[int], width: int, height: int, ascii_only: bool, *, log: bool = True
) -> Chart:
    """Draws the history: a line over the steps for each of the given layers (counted from 0)."""
    lines = [
        Line(f"layer {layer + 1}", series.step, series.high[:, layer], role)
        for layer, role in zip(layers, SERIES, strict=False)
    ]
    return lines_chart(lines, width, height, log=log, ascii_only=ascii_only)


def draw_losses(
    runs: Sequence[tuple[str, Series]], width: int, height: int, ascii_only: bool
) -> tuple[Chart, bool]:
    """Draws the loss of each run over the steps; says whether its axis is linear."""
    values = np.concatenate([series.value for _, series in runs])
    finite = values[np.isfinite(values)]
    positive = finite[finite > 0]
    linear = len(positive) < len(finite) or not positive.max() > 1e2 * positive.min()
    lines = [
        Line(name, series.step, series.value, role)
        for (name, series), role in zip(runs, (FIRST, SECOND), strict=False)
    ]
    return lines_chart(lines, width, height, log=not linear, ascii_only=ascii_only), linear


def draw_budget(run: GradientMagnitudes, width: int, height: int, ascii_only: bool) -> Chart:
    """Draws the factor budget: log₁₀ of the two gains, for each step down from layer l+1 to layer l."""
    x = layer_numbers(len(run.weight_gain))
    with np.errstate(all="ignore"):
        weights, activation = np.log10(run.weight_gain), np.log10(run.activation_gain)
    lines = [Line("weights", x, weights, WEIGHTS), Line("activation", x, activation, ACTIVATION)]
    return lines_chart(lines, width, height, log=False, ascii_only=ascii_only)


def columns_of(series: Series, shown: Sequence[int]) -> Series:
    """A per-layer series of some layers only, by their places."""
    places = list(shown)
    return Series(series.step, series.value[:, places], series.low[:, places], series.high[:, places])


def spread(layers: int, selected: int) -> list[int]:
    """The layers whose history is drawn: all if they are few, or the selected one, both ends and a middle."""
    if layers <= len(SERIES):
        return list(range(layers))
    wanted = [selected, 0, layers // 2, layers - 1]
    return list(dict.fromkeys(layer for layer in wanted if 0 <= layer < layers))


def predicted_profile(run: RunSnapshot, metric: Metric) -> Floats | None:
    """The predicted gradient norms for the initial weights, hung on the measured one of the last hidden layer.

    None where the theory does not hold, for metrics that it does not speak of, and before the first step.
    """
    first, prediction = run.first, run.prediction
    if first is None or not isinstance(prediction, MeanFieldProfile):
        return None
    decades = {L2: prediction.weights, DELTA: prediction.delta}.get(metric)
    if decades is None:
        return None
    anchor = float(getattr(first, metric.field)[len(decades) - 1])
    return np.asarray(anchor * 10.0 ** np.array(decades))
