"""The factor budget in decades, and what theory predicts."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from tests.engine.step_records import record
from tests.tui.trainings import training_on
from tui.training.factor_budget_text import budget_lines
from tui.training.gradient_charts import DELTA, L2, MAX, predicted_profile


def test_the_budget_says_who_is_to_blame_before_the_details():
    training = training_on("vanishing-sigmoid-50")
    training.one_step()
    decades, blame, _ = budget_lines(training.first.layers, training.first.record)
    assert decades.startswith("From layer 51 down to layer 1, δ changes by −")
    assert blame == "The sigmoid is to blame: the weights alone would enlarge δ."


@pytest.mark.parametrize("name", ["vanishing-sigmoid-50", "vanishing-50-batch-norm"])
def test_the_parts_of_the_budget_are_all_there_and_add_up(name):
    training = training_on(name)
    training.one_step()
    said = budget_lines(training.first.layers, training.first.record)[0].replace("−", "-")
    total, *parts = map(float, re.findall(r"[+-]\d+\.\d\d", said))
    assert len(parts) == (3 if "norm" in name else 2)
    assert sum(parts) == pytest.approx(total, abs=0.02)


@pytest.mark.parametrize("gain", [0.0, math.nan, math.inf])
def test_decades_that_do_not_exist_are_not_shared_out(gain):
    training = training_on()
    (line,) = budget_lines(
        training.first.layers, record(0, weight_gain=[gain, 1.0], delta_l2=[gain, 1.0, 1.0])
    )
    assert "no decades to share out" in line


@pytest.mark.parametrize("metric", [L2, DELTA])
def test_the_prediction_hangs_on_the_first_record_and_falls_as_the_gradients_do(metric):
    training = training_on("vanishing-sigmoid-50")
    before = predicted_profile(training.snapshot().first, metric)
    training.one_step(3)
    predicted = predicted_profile(training.snapshot().first, metric)
    first = getattr(training.first.history.first, metric.field)
    np.testing.assert_array_equal(before, predicted)
    assert predicted[-1] == pytest.approx(first[len(predicted) - 1], rel=1e-12)
    slopes = [
        np.polyfit(range(len(one)), np.log10(one), 1)[0] for one in (predicted, first[: len(predicted)])
    ]
    assert slopes[0] == pytest.approx(slopes[1], rel=0.1)


def test_there_is_no_prediction_where_the_theory_does_not_hold():
    training = training_on("vanishing-50-batch-norm")
    training.one_step()
    assert predicted_profile(training.snapshot().first, L2) is None
    training = training_on("vanishing-sigmoid-50")
    training.one_step()
    assert predicted_profile(training.snapshot().first, MAX) is None
