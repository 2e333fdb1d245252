"""From a run's history to what the gradients screen draws."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.experiment.layer_info import named_layers
from engine.formula.text_width import cells
from engine.metrics.step_record import StepRecord
from engine.runs.history import History, Series
from tests.engine.step_records import record
from tests.tui.trainings import training_on
from tui.session.training_snapshot import ColumnView, RunSnapshot, Wanted
from tui.training.drawn_chart import FIRST, MARKERS, SECOND
from tui.training.gradient_charts import (
    GRADIENT_METRICS,
    draw_budget,
    draw_history,
    draw_losses,
    draw_profile,
    magnitudes,
    spread,
)
from tui.training.heat_strip import draw_strip


def told(*records: StepRecord, points: int = 0) -> RunSnapshot:
    """A run of given records."""
    history = History()
    for one in records:
        history.append(one)
    last = history.last
    return RunSnapshot(
        name="told",
        title="told",
        about="told",
        described=named_layers(("W[1]", "W[2]", "W[3]")),
        first=history.first,
        record=last,
        steps_done=0 if last is None else last.step + 1,
        column=None if last is None else ColumnView.of(history, last, Wanted("grad_max", points)),
    )


def test_before_the_first_step_there_is_nothing():
    assert magnitudes(told()) is None


@pytest.mark.parametrize("metric", GRADIENT_METRICS)
def test_the_bars_are_the_records_own_numbers(metric):
    training = training_on()
    training.one_step(5)
    found = magnitudes(training.snapshot(Wanted(metric.field)).first)
    assert found is not None
    np.testing.assert_array_equal(found.now, getattr(training.first.whole().record, metric.field))
    assert found.step == 5


def test_a_run_that_broke_shows_the_last_step_with_a_number_in_it():
    nothing = [math.nan] * 3
    run = told(record(0), record(1, grad_max=[1.0, 2.0, 3.0]), record(2, grad_max=nothing, problem="NaN"))
    found = magnitudes(run)
    assert found is not None
    assert found.step == 1
    assert list(found.now) == [1.0, 2.0, 3.0]


def test_a_run_without_any_number_is_drawn_all_the_same():
    run = told(record(0, grad_max=[math.nan] * 3), points=50)
    found, series = magnitudes(run), run.column.over_steps
    assert found is not None
    assert draw_profile([found], None, 60, 15, False).plain.count("N") == 3
    assert draw_history(series, [0, 2], 60, 15, False).rows
    assert "!" in draw_strip(series, 60, 15, False).plain


def test_the_budget_marks_each_gap_above_or_below_no_change():
    run = told(record(0, weight_gain=[10.0, 10.0], activation_gain=[0.1, 0.1]))
    found = magnitudes(run)
    assert found is not None
    rows = draw_budget(found, 60, 20, False).plain.split("\n")
    weights = [row for row, line in enumerate(rows) if "■" in line]
    activation = [row for row, line in enumerate(rows) if "●" in line]
    zero = next(row for row, line in enumerate(rows) if line.lstrip().startswith("0┤"))
    assert max(weights) < zero < min(activation)


def test_gains_of_zero_and_infinity_are_left_out_of_the_budget_without_a_crash():
    run = told(record(0, weight_gain=[0.0, math.inf], activation_gain=[math.nan, 0.0]))
    found = magnitudes(run)
    assert found is not None
    assert "nothing to draw" in draw_budget(found, 60, 20, False).plain


@pytest.mark.parametrize(
    ("layers", "selected", "expected"),
    [(51, 0, [0, 25, 50]), (51, 7, [7, 0, 25, 50]), (1, 0, [0]), (5, 3, [0, 1, 2, 3, 4]), (6, 3, [3, 0, 5])],
)
def test_the_layers_of_the_history(layers, selected, expected):
    assert spread(layers, selected) == expected


def losses(*values: float) -> Series:
    numbers = np.array(values)
    return Series(np.arange(len(numbers), dtype=float), numbers, numbers, numbers)


@pytest.mark.parametrize(
    ("values", "linear"),
    [
        ((0.7, 0.3, 0.01), True),
        ((70.0, 3.0, 0.5), False),
        ((700.0, -3.0, 0.01), True),
        ((0.7, 0.0, 0.0), True),
        ((0.7, float("nan"), 0.3), True),
        ((1e300, 1.0, float("inf")), False),
    ],
)
def test_the_loss_has_a_logarithmic_axis_where_a_linear_one_would_show_its_beginning_only(values, linear):
    chart, is_linear = draw_losses([("one", losses(*values))], 40, 12, False)
    assert is_linear is linear
    lines = chart.plain.split("\n")
    assert len(lines) == 12
    assert all(cells(line) <= 40 for line in lines)


def test_the_losses_of_two_runs_are_told_apart_by_their_marks():
    chart, _ = draw_losses([("one", losses(0.7, 0.5)), ("other", losses(0.6, 0.1))], 40, 12, False)
    assert {MARKERS[False][FIRST], MARKERS[False][SECOND]} <= set(chart.plain)
