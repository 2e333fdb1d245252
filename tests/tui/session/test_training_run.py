"""Training in a thread: what the controls do, what may be seen of it, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from engine.training.trainer import Trainer
from tests.tui.trainings import live_on, small, training_threads, wait_for
from tui.session.training_run import LARGEST_RATE, MOST_CHECKPOINTS, SMALLEST_RATE, SPEEDS, Lane, Live, State
from tui.session.variants import counterpart

Opener = Callable[..., Live]


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Opens trainings, and ends them with the test."""
    trainings: list[Live] = []

    def open_one(*arguments: Any) -> Live:
        trainings.append(live_on(*arguments))
        return trainings[-1]

    yield open_one
    for live in trainings:
        live.close()
    assert not training_threads()


def losses(lane: Lane) -> list[float]:
    """The loss of every kept step of a lane's history."""
    return [lane.history.record(index).loss for index in range(len(lane.history))]


def uninterrupted(steps: int) -> list[float]:
    """The losses of the small network, trained in one go without any of this."""
    trainer = Trainer(small())
    trainer.limit = None
    return [next(trainer).loss for _ in range(steps)]


# ── running ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_fresh_training_has_no_thread_and_no_record(opened):
    live = opened()
    assert live.state is State.PAUSED
    assert live.first.record is None
    assert live.first.unit_activity() is None
    assert live.first.steps_done == 0
    assert not training_threads()


def test_it_runs_in_a_thread_of_its_own_until_it_is_finished(opened):
    live = opened()
    live.run()
    assert len(training_threads()) == 1
    wait_for(lambda: live.state is State.FINISHED)
    assert live.lane.steps_done == live.lane.limit == 150
    assert losses(live.lane) == uninterrupted(150)


def test_run_after_the_end_goes_on_for_as_many_steps_again(opened):
    live = opened()
    for limit in (150, 300):
        live.run()
        wait_for(lambda: live.state is State.FINISHED)
        assert live.lane.steps_done == live.lane.limit == limit
    assert losses(live.lane) == uninterrupted(300)
    assert len(training_threads()) == 1


def test_pausing_stops_after_the_present_step_and_costs_no_numbers(opened):
    live = opened()
    live.lane.trainer.limit = None
    for _ in range(5):
        done = live.lane.steps_done
        live.run()
        wait_for(lambda done=done: live.lane.steps_done > done)
        live.pause()
        assert live.state is State.PAUSED
        done = live.lane.steps_done
        assert live.look(lambda lanes: lanes[0].steps_done) == done
        live.one_step()
        assert live.lane.steps_done == done + 1
    wait_for(lambda: live.steps_per_second == 0.0)
    count = min(live.lane.steps_done, 1000)
    assert losses(live.lane)[:count] == uninterrupted(count)


def test_one_step_while_it_runs_stops_it(opened):
    live = opened("vanishing-sigmoid-50")
    live.run()
    live.one_step(3)
    assert live.state is State.PAUSED
    assert live.lane.steps_done >= 3


def test_single_steps_go_on_beyond_the_end(opened):
    live = opened(small(steps="3"))
    live.one_step(10)
    assert live.state is State.FINISHED
    assert live.lane.steps_done == 10


def test_a_run_of_no_steps_can_still_be_run(opened):
    live = opened(small(steps="0"))
    live.run()
    wait_for(lambda: live.state is State.FINISHED)
    assert live.lane.steps_done > 0


def test_what_goes_wrong_in_the_thread_is_kept_for_the_screen(opened, monkeypatch):
    live = opened()

    def broken() -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(live.lane, "advance", broken)
    live.run()
    wait_for(lambda: live.failure is not None)
    assert isinstance(live.failure, MemoryError)
    assert live.state is not State.RUNNING


def test_slow_speeds_are_kept_to_and_changed_at_once(opened):
    live = opened()
    assert [live.change_speed(-1) for _ in range(4)] == [100.0, 10.0, 1.0, 1.0]
    live.run()
    wait_for(lambda: live.lane.steps_done >= 1)
    assert live.lane.steps_done <= 2  # one a second: there was no time for more
    assert [live.change_speed(1) for _ in range(4)] == [10.0, 100.0, SPEEDS[-1], SPEEDS[-1]]
    wait_for(lambda: live.state is State.FINISHED, 5.0)


def test_closing_does_not_wait_for_a_slow_step(opened):
    live = opened()
    for _ in range(3):
        live.change_speed(-1)
    live.run()
    wait_for(lambda: live.lane.steps_done >= 1)
    thread = training_threads()[0]
    live.close()
    assert not thread.is_alive()
    live.close()


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_look_never_sees_a_half_step(opened):
    live = opened()
    live.lane.trainer.limit = None
    name, experiment = counterpart("small", small())
    live.compare(name, experiment)
    for lane in live.lanes:
        lane.trainer.limit = None
    live.run()

    def look(lanes: Any) -> tuple[Any, ...]:
        return tuple(
            (lane.steps_done, lane.record, lane.history.last, lane.unit_activity()) for lane in lanes
        )

    wait_for(lambda: live.lane.steps_done > 0)
    seen = set()
    while len(seen) < 60:
        (first, record, last, activity), (second, *_) = live.look(look)
        assert first == second == record.step + 1 == activity.step + 1
        assert last is record
        for counts, mask in zip(record.dead, activity.dead, strict=True):
            assert counts == np.count_nonzero(mask)
        seen.add(first)


def test_a_long_look_holds_the_training_up_and_loses_nothing(opened):
    live = opened()
    live.lane.trainer.limit = None
    live.run()
    wait_for(lambda: live.lane.steps_done > 25)

    def held(lanes: Any) -> bool:
        done = lanes[0].steps_done
        threading.Event().wait(0.03)
        return lanes[0].steps_done == done

    assert all(live.look(held) for _ in range(3))
    live.pause()
    assert losses(live.lane)[:20] == uninterrupted(20)


# ── comparing ───────────────────────────────────────────────────────────────────────────────────────


def test_two_lanes_begin_together_and_keep_step(opened):
    live = opened()
    live.one_step(7)
    live.compare(*counterpart("small", small()))
    assert [lane.steps_done for lane in live.lanes] == [0, 0]
    assert [lane.name for lane in live.lanes] == ["small", "with sigmoid"]
    live.run()
    wait_for(lambda: live.state is State.FINISHED)
    assert [lane.steps_done for lane in live.lanes] == [150, 150]
    assert losses(live.lanes[0]) == uninterrupted(150)
    steps = [[lane.history.record(index).step for index in range(150)] for lane in live.lanes]
    assert steps[0] == steps[1] == list(range(150))


def test_ending_a_comparison_keeps_the_first_run(opened):
    live = opened()
    live.compare(*counterpart("small", small()))
    live.one_step(9)
    live.compare("", None)
    assert len(live.lanes) == 1
    assert live.lane.steps_done == 9
    live.one_step(3)
    assert losses(live.lane) == uninterrupted(12)


def test_one_lane_that_breaks_lets_the_other_finish_and_says_so(opened):
    live = opened(small())
    live.compare("with huge steps", small(learning_rate="1e300"))
    live.run()
    wait_for(lambda: live.state is State.BROKEN)
    assert live.lanes[0].steps_done == 150
    assert live.lanes[1].problem is not None
    assert live.lanes[1].steps_done < 150
    for _ in range(10):
        live.travel(-1)
    live.one_step(150 - live.lanes[0].steps_done)
    assert live.lanes[0].steps_done == 150
    assert losses(live.lanes[0]) == uninterrupted(150)


# ── changing ────────────────────────────────────────────────────────────────────────────────────────


def test_the_learning_rate_changes_from_the_next_step_on_in_every_lane(opened):
    live = opened()
    live.compare(*counterpart("small", small()))
    live.one_step(2)
    assert live.scale_learning_rate(2.0) == 0.02
    live.one_step(2)
    for lane in live.lanes:
        assert [lane.history.record(step).learning_rate for step in range(4)] == [0.01, 0.01, 0.02, 0.02]


def test_the_learning_rate_has_an_end_at_both_ends(opened):
    live = opened()
    for _ in range(200):
        live.scale_learning_rate(0.5)
    assert live.lane.learning_rate == SMALLEST_RATE
    for _ in range(200):
        live.scale_learning_rate(2.0)
    assert live.lane.learning_rate == LARGEST_RATE
    live.one_step(1)


def test_the_slope_changes_where_there_is_one(opened):
    live = opened()
    assert not live.set_slope(0.1)
    live = opened(small(activation='"leaky_relu"'))
    live.one_step(2)
    assert live.first.slope == 0.01
    assert live.set_slope(0.5)
    live.one_step(2)
    assert live.first.slope == 0.5


def test_restart_gives_the_same_numbers_and_another_seed_gives_others(opened):
    live = opened()
    live.one_step(10)
    before = losses(live.lane)
    live.restart()
    assert live.lane.steps_done == 0
    assert len(live.lane.history) == 0
    live.one_step(10)
    assert losses(live.lane) == before
    live.restart(seed=99)
    live.one_step(10)
    assert losses(live.lane) != before
    live.restart(small(activation='"tanh"'))
    assert live.lane.activations[0] == "tanh"


def test_restarting_while_it_runs(opened):
    live = opened()
    live.run()
    wait_for(lambda: live.lane.steps_done > 2)
    live.restart()
    assert live.state is State.PAUSED
    live.run()
    wait_for(lambda: live.state is State.FINISHED)
    assert losses(live.lane) == uninterrupted(150)


# ── travelling ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("back", [1, 5, 20, 100])
def test_going_back_and_on_gives_the_numbers_of_an_uninterrupted_run(opened, back):
    live = opened()
    live.one_step(97)
    for _ in range(back):
        live.travel(-1)
    assert live.lane.steps_done < 97
    live.one_step(97 - live.lane.steps_done)
    assert live.lane.steps_done == 97
    assert live.travelled is None
    live.run()
    wait_for(lambda: live.state is State.FINISHED)
    trainer = Trainer(small())
    final = [record.loss for record in trainer][-1]
    assert live.lane.record.loss == final
    for mine, theirs in zip(
        live.lane.trainer.network.parameters.values(), trainer.network.parameters.values(), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def test_what_is_seen_of_the_past_is_what_was_seen_then(opened):
    live = opened()
    seen = {0: (None, None)}
    for _ in range(30):
        live.one_step()
        seen[live.lane.steps_done] = (live.lane.record, live.lane.unit_activity())
    for direction, steps in ((-1, range(29, -1, -1)), (1, range(1, 31))):
        for step in steps:
            assert live.travel(direction) == step
            assert live.travelled == (None if step == 30 else step)
            record, activity = live.look(lambda lanes: (lanes[0].record, lanes[0].unit_activity()))
            assert record is seen[step][0]
            if activity is None:
                assert step == 0
                continue
            assert activity.step == seen[step][1].step
            for now, then in zip(activity.firing_rate, seen[step][1].firing_rate, strict=True):
                np.testing.assert_array_equal(now, then)


def test_later_leads_back_to_the_present_and_no_further(opened):
    live = opened()
    live.one_step(137)  # by now only every fourth step is kept
    assert live.travel(-1) < 137
    assert live.travel(1) == 137
    assert live.travelled is None
    assert live.travel(1) == 137
    assert live.lane.record.step == 136


def test_the_beginning_is_the_furthest_past(opened):
    live = opened()
    live.one_step(3)
    for _ in range(9):
        step = live.travel(-1)
    assert step == 0
    assert live.lane.record is None


def test_changes_made_in_the_past_are_kept(opened):
    live = opened()
    live.one_step(5)
    live.travel(-1)
    live.scale_learning_rate(2.0)
    live.travel(-1)
    assert live.lane.learning_rate == 0.02
    live.one_step()
    assert live.lane.record.learning_rate == 0.02


def test_checkpoints_are_bounded_and_reach_over_the_whole_run(opened):
    live = opened()
    live.lane.trainer.limit = None
    most = 0
    for _ in range(40):
        live.one_step(37)
        most = max(most, len(live.lane.kept))
        live.travel(-1)
        live.travel(1)
    assert most <= MOST_CHECKPOINTS
    steps = [one.step for one in live.lane.kept]
    assert steps == sorted(set(steps))
    assert steps[0] == 0
    assert steps[-1] == live.lane.steps_done
    assert max(np.diff(steps)) <= 4 * live.lane.steps_done / MOST_CHECKPOINTS


def test_both_lanes_travel_together(opened):
    live = opened()
    live.compare(*counterpart("small", small()))
    live.one_step(20)
    before = [losses(lane) for lane in live.lanes]
    live.travel(-1)
    live.travel(-1)
    assert [lane.steps_done for lane in live.lanes] == [18, 18]
    live.one_step(2)
    assert [losses(lane) for lane in live.lanes] == before


# ── numbers that are not finite ─────────────────────────────────────────────────────────────────────


def test_diverging_ends_in_good_order_with_the_reason(opened):
    live = opened("exploding-50")
    live.run()
    wait_for(lambda: live.state is State.BROKEN)
    assert "Step 2" in live.first.problem
    assert live.first.record.nonfinite > 0
    assert all(np.isfinite(value).all() for value in live.lane.trainer.network.parameters.values())
    live.run()
    assert live.state is State.BROKEN
    assert live.travel(-1) < 2 + 1
    assert live.state is State.PAUSED
    assert live.first.problem is None
    live.run()
    wait_for(lambda: live.state is State.BROKEN)
    assert live.first.record.step == 2
