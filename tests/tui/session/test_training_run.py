"""Training in a thread: what the controls do, what may be seen of it, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from engine.diagnosis.diagnosis import diagnose
from engine.experiment.loading import load_experiment
from engine.training.trainer import Trainer
from tests.engine.diagnosis.diagnosed import CASES
from tests.tui.trainings import small, training_on, training_threads, wait_for
from tui.session.experiment_variants import counterpart
from tui.session.single_run import MOST_CHECKPOINTS, SingleRun
from tui.session.training_run import LARGEST_RATE, SMALLEST_RATE, SPEEDS, TrainingRun
from tui.session.training_snapshot import State, Wanted

Opener = Callable[..., TrainingRun]


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Opens trainings, and ends them with the test."""
    trainings: list[TrainingRun] = []

    def open_one(*arguments: Any) -> TrainingRun:
        trainings.append(training_on(*arguments))
        return trainings[-1]

    yield open_one
    for training in trainings:
        training.close()
    assert not training_threads()


def losses(run: SingleRun) -> list[float]:
    """The loss of every kept step of a run's history."""
    return [run.history.record(index).loss for index in range(len(run.history))]


def uninterrupted(steps: int) -> list[float]:
    """The losses of the small network, trained in one go without any of this."""
    trainer = Trainer(small())
    trainer.limit = None
    return [next(trainer).loss for _ in range(steps)]


def test_the_units_are_counted_once_a_step_however_often_they_are_drawn(opened, monkeypatch):
    training = opened()
    run, counted = training.first, []
    activity = run.trainer.unit_activity

    def told():
        counted.append(run.steps_done)
        return activity()

    monkeypatch.setattr(run.trainer, "unit_activity", told)
    training.one_step(3)
    for _ in range(3):
        shown = training.snapshot(Wanted(units=True)).first.activity
        assert shown is not None
    assert counted == [1, 2, 3]
    training.travel(-1)  # and of another moment it is another
    assert training.snapshot(Wanted(units=True)).first.activity.step < shown.step
    training.one_step()
    assert training.snapshot(Wanted(units=True)).first.activity.step == shown.step


# ── running ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_fresh_training_has_no_thread_and_no_record(opened):
    training = opened()
    assert training.state is State.PAUSED
    assert training.first.record is None
    shown = training.snapshot(Wanted(units=True)).first
    assert shown.record.step == shown.activity.step == 0
    assert (shown.diagnosis, shown.undiagnosed) == (None, False)
    assert training.first.steps_done == 0
    assert not training_threads()


def test_it_runs_in_a_thread_of_its_own_until_it_is_finished(opened):
    training = opened()
    training.run()
    assert len(training_threads()) == 1
    wait_for(lambda: training.state is State.FINISHED)
    assert training.first.steps_done == training.first.limit == 150
    assert losses(training.first) == uninterrupted(150)


def test_run_after_the_end_goes_on_for_as_many_steps_again(opened):
    training = opened()
    for limit in (150, 300):
        training.run()
        wait_for(lambda: training.state is State.FINISHED)
        assert training.first.steps_done == training.first.limit == limit
    assert losses(training.first) == uninterrupted(300)
    assert len(training_threads()) == 1


def test_pausing_stops_after_the_present_step_and_costs_no_numbers(opened):
    training = opened()
    training.first.trainer.limit = None
    for _ in range(5):
        done = training.first.steps_done
        training.run()
        wait_for(lambda done=done: training.first.steps_done > done)
        training.pause()
        assert training.state is State.PAUSED
        done = training.first.steps_done
        assert training.snapshot().first.steps_done == done
        training.one_step()
        assert training.first.steps_done == done + 1
    wait_for(lambda: training.snapshot().steps_per_second == 0.0)
    count = min(training.first.steps_done, 1000)
    assert losses(training.first)[:count] == uninterrupted(count)


def test_one_step_while_it_runs_stops_it(opened):
    training = opened("vanishing-sigmoid-50")
    training.run()
    training.one_step(3)
    assert training.state is State.PAUSED
    assert training.first.steps_done >= 3


def test_single_steps_go_on_beyond_the_end(opened):
    training = opened(small(steps="3"))
    training.one_step(10)
    assert training.state is State.FINISHED
    assert training.first.steps_done == 10


def test_a_run_of_no_steps_can_still_be_run(opened):
    training = opened(small(steps="0"))
    training.run()
    wait_for(lambda: training.state is State.FINISHED)
    assert training.first.steps_done > 0


def test_what_goes_wrong_in_the_thread_is_kept_for_the_screen(opened, monkeypatch):
    training = opened()

    def broken() -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(training.first, "advance", broken)
    training.run()
    wait_for(lambda: training.state is not State.RUNNING)
    with pytest.raises(MemoryError, match="no room"):
        training.pulse()
    assert training.state is not State.RUNNING


def test_slow_speeds_are_kept_to_and_changed_at_once(opened):
    training = opened()
    assert [training.change_speed(-1) for _ in range(4)] == [100.0, 10.0, 1.0, 1.0]
    training.run()
    wait_for(lambda: training.first.steps_done >= 1)
    assert training.first.steps_done <= 2  # one a second: there was no time for more
    assert [training.change_speed(1) for _ in range(4)] == [10.0, 100.0, SPEEDS[-1], SPEEDS[-1]]
    wait_for(lambda: training.state is State.FINISHED, 5.0)


def test_closing_does_not_wait_for_a_slow_step(opened):
    training = opened()
    for _ in range(3):
        training.change_speed(-1)
    training.run()
    wait_for(lambda: training.first.steps_done >= 1)
    thread = training_threads()[0]
    training.close()
    assert not thread.is_alive()
    training.close()


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_snapshot_never_shows_a_half_step(opened):
    training = opened()
    training.first.trainer.limit = None
    name, experiment = counterpart("small", small())
    training.compare(name, experiment)
    for run in training.runs:
        run.trainer.limit = None
    training.run()

    wait_for(lambda: training.first.steps_done > 0)
    seen = set()
    while len(seen) < 60:
        one, other = training.snapshot(Wanted(units=True)).runs
        first, record, activity = one.steps_done, one.record, one.activity
        assert first == other.steps_done == record.step + 1 == activity.step + 1
        for counts, mask in zip(record.dead, activity.dead, strict=True):
            assert counts == np.count_nonzero(mask)
        seen.add(first)


def test_everything_in_a_snapshot_is_of_the_same_step(opened):
    training = opened()
    training.first.trainer.limit = None
    training.run()
    wait_for(lambda: training.first.steps_done > 25)
    for _ in range(20):
        seen = training.snapshot(Wanted("grad_l2", points=40)).first
        assert seen.column.step == seen.record.step == seen.column.over_steps.step[-1] == seen.steps_done - 1
        np.testing.assert_array_equal(seen.column.now, seen.record.grad_l2)
        np.testing.assert_array_equal(seen.column.over_steps.value[-1], seen.record.grad_l2)


def test_what_a_snapshot_holds_stays_as_it_is_while_the_training_goes_on(opened):
    training = opened()
    training.one_step(30)
    seen = training.snapshot(Wanted("grad_l2", points=40)).first
    before = seen.column.now.copy(), seen.column.over_steps.value.copy()
    training.one_step(100)
    np.testing.assert_array_equal(seen.column.now, before[0])
    np.testing.assert_array_equal(seen.column.over_steps.value, before[1])


# ── comparing ───────────────────────────────────────────────────────────────────────────────────────


def test_two_runs_begin_together_and_keep_step(opened):
    training = opened()
    training.one_step(7)
    training.compare(*counterpart("small", small()))
    assert [run.steps_done for run in training.runs] == [0, 0]
    assert [run.name for run in training.runs] == ["small", "with sigmoid"]
    training.run()
    wait_for(lambda: training.state is State.FINISHED)
    assert [run.steps_done for run in training.runs] == [150, 150]
    assert losses(training.runs[0]) == uninterrupted(150)
    steps = [[run.history.record(index).step for index in range(150)] for run in training.runs]
    assert steps[0] == steps[1] == list(range(150))


def test_ending_a_comparison_keeps_the_first_run(opened):
    training = opened()
    training.compare(*counterpart("small", small()))
    training.one_step(9)
    training.compare("", None)
    assert len(training.runs) == 1
    assert training.first.steps_done == 9
    training.one_step(3)
    assert losses(training.first) == uninterrupted(12)


def test_one_run_that_breaks_lets_the_other_finish_and_says_so(opened):
    training = opened(small())
    training.compare("with huge steps", small(learning_rate="1e300"))
    training.run()
    wait_for(lambda: training.state is State.BROKEN)
    assert training.runs[0].steps_done == 150
    assert training.runs[1].problem is not None
    assert training.runs[1].steps_done < 150
    for _ in range(10):
        training.travel(-1)
    training.one_step(150 - training.runs[0].steps_done)
    assert training.runs[0].steps_done == 150
    assert losses(training.runs[0]) == uninterrupted(150)


# ── changing ────────────────────────────────────────────────────────────────────────────────────────


def test_the_learning_rate_changes_from_the_next_step_on_in_every_run(opened):
    training = opened()
    training.compare(*counterpart("small", small()))
    training.one_step(2)
    assert training.scale_learning_rate(2.0) == 0.02
    training.one_step(2)
    for run in training.runs:
        assert [run.history.record(step).learning_rate for step in range(4)] == [0.01, 0.01, 0.02, 0.02]


def test_the_learning_rate_has_an_end_at_both_ends(opened):
    training = opened()
    for _ in range(200):
        training.scale_learning_rate(0.5)
    assert training.first.trainer.learning_rate == SMALLEST_RATE
    for _ in range(200):
        training.scale_learning_rate(2.0)
    assert training.first.trainer.learning_rate == LARGEST_RATE
    training.one_step(1)


def test_the_slope_changes_where_there_is_one(opened):
    training = opened()
    assert not training.set_slope(0.1)
    training = opened(small(activation='"leaky_relu"'))
    training.one_step(2)
    assert training.first.trainer.slope == 0.01
    assert training.set_slope(0.5)
    training.one_step(2)
    assert training.first.trainer.slope == 0.5


def test_restart_gives_the_same_numbers_and_another_seed_gives_others(opened):
    training = opened()
    training.one_step(10)
    before = losses(training.first)
    training.restart()
    assert training.first.steps_done == 0
    assert len(training.first.history) == 0
    training.one_step(10)
    assert losses(training.first) == before
    training.restart(seed=99)
    training.one_step(10)
    assert losses(training.first) != before
    training.restart(small(activation='"tanh"'))
    assert training.first.layers[0].activation == "tanh"


def test_restarting_while_it_runs(opened):
    training = opened()
    training.run()
    wait_for(lambda: training.first.steps_done > 2)
    training.restart()
    assert training.state is State.PAUSED
    training.run()
    wait_for(lambda: training.state is State.FINISHED)
    assert losses(training.first) == uninterrupted(150)


# ── travelling ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("back", [1, 5, 20, 100])
def test_going_back_and_on_gives_the_numbers_of_an_uninterrupted_run(opened, back):
    training = opened()
    training.one_step(97)
    for _ in range(back):
        training.travel(-1)
    assert training.first.steps_done < 97
    training.one_step(97 - training.first.steps_done)
    assert training.first.steps_done == 97
    assert training.travelled is None
    training.run()
    wait_for(lambda: training.state is State.FINISHED)
    trainer = Trainer(small())
    final = [record.loss for record in trainer][-1]
    assert training.first.record.loss == final
    for mine, theirs in zip(
        training.first.trainer.network.parameters.values(), trainer.network.parameters.values(), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def test_what_is_seen_of_the_past_is_what_was_seen_then(opened):
    training = opened()

    def shown():
        return training.snapshot(Wanted(units=True)).first

    seen = {0: shown()}
    for _ in range(30):
        training.one_step()
        seen[training.first.steps_done] = shown()
    for direction, steps in ((-1, range(29, -1, -1)), (1, range(1, 31))):
        for step in steps:
            assert training.travel(direction) == step
            assert training.travelled == (None if step == 30 else step)
            now, before = shown(), seen[step]
            assert now.record.loss == before.record.loss
            assert now.record.step == now.activity.step == now.activity.dead_step == step
            np.testing.assert_array_equal(now.record.grad_l2, before.record.grad_l2)
            for rate, then in zip(now.activity.firing_rate, before.activity.firing_rate, strict=True):
                np.testing.assert_array_equal(rate, then)


def test_later_leads_back_to_the_present_and_no_further(opened):
    training = opened()
    training.one_step(137)  # by now only every fourth step is kept
    assert training.travel(-1) < 137
    assert training.travel(1) == 137
    assert training.travelled is None
    assert training.travel(1) == 137
    assert training.first.record.step == 136


def test_the_beginning_is_the_furthest_past(opened):
    training = opened()
    training.one_step(3)
    for _ in range(9):
        step = training.travel(-1)
    assert step == 0
    assert training.first.record is None


def test_changes_made_in_the_past_are_kept(opened):
    training = opened()
    training.one_step(5)
    training.travel(-1)
    training.scale_learning_rate(2.0)
    training.travel(-1)
    assert training.first.trainer.learning_rate == 0.02
    training.one_step()
    assert training.first.record.learning_rate == 0.02


def test_checkpoints_are_bounded_and_reach_over_the_whole_run(opened):
    training = opened()
    training.first.trainer.limit = None
    most = 0
    for _ in range(40):
        training.one_step(37)
        most = max(most, len(training.first.kept))
        training.travel(-1)
        training.travel(1)
    assert most <= MOST_CHECKPOINTS
    steps = [one.step for one in training.first.kept]
    assert steps == sorted(set(steps))
    assert steps[0] == 0
    assert steps[-1] == training.first.steps_done
    assert max(np.diff(steps)) <= 4 * training.first.steps_done / MOST_CHECKPOINTS


def test_both_runs_travel_together(opened):
    training = opened()
    training.compare(*counterpart("small", small()))
    training.one_step(20)
    before = [losses(run) for run in training.runs]
    training.travel(-1)
    training.travel(-1)
    assert [run.steps_done for run in training.runs] == [18, 18]
    training.one_step(2)
    assert [losses(run) for run in training.runs] == before


def test_a_comparison_that_ends_in_the_past_leaves_the_first_run_there(opened):
    training = opened()
    training.compare(*counterpart("small", small()))
    training.one_step(20)
    training.travel(-1)
    past = training.travel(-1)
    training.compare("", None)
    assert training.travelled == training.first.steps_done == past
    training.one_step(3)
    assert training.travelled is None
    assert losses(training.first) == uninterrupted(past + 3)


# ── numbers that are not finite ─────────────────────────────────────────────────────────────────────


def test_diverging_ends_in_good_order_with_the_reason(opened):
    training = opened("exploding-50")
    training.run()
    wait_for(lambda: training.state is State.BROKEN)
    assert "Step 2" in training.first.problem
    assert training.first.record.nonfinite > 0
    assert all(np.isfinite(value).all() for value in training.first.trainer.network.parameters.values())
    training.run()
    assert training.state is State.BROKEN
    assert training.travel(-1) < 2 + 1
    assert training.state is State.PAUSED
    assert training.first.problem is None
    training.run()
    wait_for(lambda: training.state is State.BROKEN)
    assert training.first.record.step == 2


# ── the remedies ────────────────────────────────────────────────────────────────────────────────────


def finished(name: str) -> TrainingRun:
    """A case's run at its end, without any thread."""
    path = CASES / f"{name}.toml"
    training = TrainingRun(name, load_experiment(str(path)))
    training.one_step(training.first.limit)
    return training


def test_a_remedy_is_tried_before_it_is_offered():
    training = finished("step-far-too-short")
    training.examine()
    found = training.first.diagnosis
    assert found.untried
    assert found.remedy is not None
    training.try_remedies()
    tried = training.first.diagnosis
    assert not tried.untried
    assert tried.remedy.change == found.remedy.change  # it helps


def test_a_change_that_does_not_help_is_taken_back(monkeypatch):
    training = finished("step-far-too-short")
    training.examine()
    monkeypatch.setattr("engine.diagnosis.remedy_trial.helps", lambda case, finding, wanted: False)
    training.try_remedies()
    assert training.first.diagnosis.kinds
    assert training.first.diagnosis.remedy is None


@pytest.mark.parametrize("moved_on", ["one_step", "close", "restart"])
def test_trying_is_given_up_where_the_run_goes_on_or_is_left(monkeypatch, moved_on):
    """Deterministically: what happens meanwhile happens when the trial is asked whether it is still wanted."""
    training = finished("step-far-too-short")
    training.examine()
    found = training.first.diagnosis
    run, asked = training.first, []

    def still_there(which, moment):
        asked.append(1)
        if len(asked) == 3:
            getattr(training, moved_on)()
        return TrainingRun._still_there(training, which, moment)

    monkeypatch.setattr(training, "_still_there", still_there)
    training.try_remedies()
    assert len(asked) == 3  # and no step more
    if moved_on == "close":
        assert run.diagnosis == found
    else:
        assert training.first.diagnosis is None


def test_what_was_found_out_of_weights_that_have_gone_is_not_taken_in(monkeypatch):
    """`examine` thinks without holding up the training: a step that comes meanwhile makes its answer an old one."""
    training = finished("twins")

    def diagnose_slowly(case):
        training.one_step()
        return diagnose(case)

    monkeypatch.setattr("tui.session.training_run.diagnose", diagnose_slowly)
    training.examine()
    assert training.first.diagnosis is None
    monkeypatch.undo()
    training.examine()
    assert training.first.diagnosis is not None
