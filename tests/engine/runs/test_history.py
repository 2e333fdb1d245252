"""The history: bounded, exact at both ends, and no spike is ever lost."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.runs.history import MEMORY, MOST_ROWS, History
from engine.runs.record_rows import numeric_fields
from tests.engine.step_records import assert_same, record, records

LOSSES = st.lists(st.floats(-1e6, 1e6) | st.just(math.nan) | st.just(math.inf), min_size=1, max_size=150)


def filled(losses: list[float], rows: int = 8, first_step: int = 0, layers: int = 2) -> History:
    history = History(rows)
    for step, loss in enumerate(losses, start=first_step):
        history.append(record(step, layers, loss=loss, grad_l2=[abs(loss), float(step)][:layers]))
    return history


@given(LOSSES, st.integers(4, 12))
def test_first_last_and_extremes_stay_whatever_comes(losses, rows):
    history = filled(losses, rows)
    series = history.column("loss")
    assert len(history) == len(series.step) <= rows + 1
    assert history.steps_seen == len(losses)
    assert (series.step[0], series.step[-1]) == (0, len(losses) - 1)
    np.testing.assert_array_equal(series.value[[0, -1]], [losses[0], losses[-1]])
    assert np.all(np.diff(series.step) > 0)
    numbers = np.array(losses)
    if not np.isnan(numbers).all():
        assert np.nanmax(series.high) == np.nanmax(numbers)
        assert np.nanmin(series.low) == np.nanmin(numbers)
    for index, step in enumerate(series.step.astype(int)):
        spanned = numbers[step : step + history.stride]
        np.testing.assert_array_equal(series.high[index], np.fmax.reduce(spanned))
        np.testing.assert_array_equal(series.low[index], np.fmin.reduce(spanned))


@given(st.lists(records(layers=2), min_size=1, max_size=30), st.integers(4, 8))
def test_kept_records_are_the_records(all_records, rows):
    ordered = sorted({one.step: one for one in all_records}.values(), key=lambda one: one.step)
    same_kind = [one for one in ordered if len(one.recall) == len(ordered[0].recall)]
    same_kind = [one for one in same_kind if (one.accuracy is None) == (ordered[0].accuracy is None)]
    history = History(rows)
    for one in same_kind:
        history.append(one)
    by_step = {one.step: one for one in same_kind}
    for index in range(len(history)):
        kept = history.record(index)
        assert_same(kept, by_step[kept.step])
    assert history.first is same_kind[0]
    assert history.last is history.record(-1) is same_kind[-1]


@given(LOSSES, st.integers(2, 20), st.integers(4, 40))
def test_a_decimated_line_keeps_both_ends_and_every_extreme(losses, points, rows):
    history = filled(losses, rows)
    full, few = history.column("grad_l2"), history.decimated("grad_l2", points)
    assert len(few.step) <= max(points, 2)
    assert (few.step[0], few.step[-1]) == (full.step[0], full.step[-1])
    np.testing.assert_array_equal(np.fmax.reduce(few.high), np.fmax.reduce(full.high))
    np.testing.assert_array_equal(np.fmin.reduce(few.low), np.fmin.reduce(full.low))
    np.testing.assert_array_equal(few.value[-1], full.value[-1])


def test_a_spike_of_one_layer_in_one_step_keeps_its_height_and_its_place():
    history = History(16)
    for step in range(20_000):
        gradients = [1.0, 1e6 if step == 12_345 else 1.0, 1e-6 if step == 777 else 1.0]
        history.append(record(step, 3, grad_l2=gradients))
    series = history.column("grad_l2")
    assert len(series.step) <= 17
    spike, dip = np.argmax(series.high[:, 1]), np.argmin(series.low[:, 2])
    assert (series.high[spike, 1], series.low[dip, 2]) == (1e6, 1e-6)
    assert series.step[spike] <= 12_345 < series.step[spike] + history.stride
    assert series.step[dip] <= 777 < series.step[dip] + history.stride
    assert series.high[:, 0].max() == 1.0


def test_a_long_run_takes_no_more_room_and_no_more_points_than_a_short_one():
    history = History(64)
    one = record(0, 4)
    sizes, lengths = set(), set()
    for step in range(64 * 300):
        history.append(dataclasses.replace(one, step=step))
        sizes.add(history.nbytes)
        if step >= 64:
            lengths.add(len(history))
    assert len(sizes) == 1
    assert (min(lengths), max(lengths)) == (33, 65)
    assert history.stride == 512
    assert history.column("grad_l2").value.base is history.column("loss").value.base  # nothing is copied


def test_columns_are_read_only_views_of_every_field():
    history = filled([1.0, 2.0, 3.0])
    for name in numeric_fields():
        series = history.column(name)
        for part in (series.step, series.value, series.low, series.high):
            assert part.base is not None
            assert not part.flags.writeable
            assert len(part) == 3
    assert history.column("grad_l2").value.shape == (3, 2)
    assert history.column("weight_gain").value.shape == (3, 1)
    assert history.column("loss").value.shape == (3,)
    history.append(record(3, 2, loss=4.0))
    assert history.column("loss").value.tolist() == [1.0, 2.0, 3.0, 4.0]
    with pytest.raises(KeyError):
        history.column("problem")


def test_an_empty_history_has_no_records_and_no_points():
    history = History()
    assert (len(history), history.first, history.last, history.nbytes) == (0, None, None, 0)
    assert history.column("loss").step.size == 0
    assert history.decimated("loss", 10).step.size == 0
    for ask in (lambda: history.record(0), lambda: history.nearest(3)):
        with pytest.raises(IndexError):
            ask()
    with pytest.raises(KeyError):
        history.column("nothing")
    with pytest.raises(ValueError, match="at least 4 rows"):
        History(3)
    with pytest.raises(ValueError, match="at least 2 points"):
        history.decimated("loss", 1)


def test_steps_must_go_on_but_may_skip():
    history = History(4)
    for step in (0, 10, 20, 100, 101, 5000):
        history.append(record(step, 2, loss=float(step)))
    with pytest.raises(ValueError, match="step 5000 cannot follow step 5000"):
        history.append(record(5000, 2))
    assert history.record(history.nearest(-5)).step == 0
    assert history.record(history.nearest(9999)).step == 5000


@given(st.integers(1, 60), st.integers(-2, 70), st.integers(4, 12))
def test_a_rewound_history_goes_on_as_if_the_rest_had_never_been(count, step, rows):
    history = filled([float(one) for one in range(count)], rows)
    history.rewind(step)
    if step < 0:
        assert len(history) == 0
    else:
        assert history.last is not None
        assert history.last.step <= max(step, 0)
        assert history.column("loss").high.max() <= max(step, 0)
        assert history.column("step").value[-1] == history.last.step
    following = 0 if history.last is None else history.last.step + 1
    for one in range(following, following + 30):
        history.append(record(one, 2, loss=-1.0))
    series = history.column("loss")
    assert (series.low.min(), series.value[-1]) == (-1.0, -1.0)
    assert np.all(np.diff(series.step) > 0)


def test_a_problem_is_remembered_with_its_record():
    history = filled([1.0, 2.0])
    history.append(record(2, 2, loss=math.nan, problem="E became NaN"))
    assert history.record(2).problem == "E became NaN"
    assert [history.record(index).problem for index in (0, 1)] == [None, None]


def test_a_deep_network_gets_fewer_rows_and_a_shallow_one_no_more_than_a_chart_can_show():
    deep, shallow = History(), History()
    deep.append(record(0, 2000))
    shallow.append(record(0, 2))
    assert deep.nbytes <= MEMORY
    assert shallow.nbytes < 3 * 8 * 50 * (MOST_ROWS + 1)
