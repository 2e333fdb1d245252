"""The thread that trains: how it begins and ends, and that others come in between two steps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from tests.tui.trainings import training_threads, wait_for
from tui.session.training_thread import GLANCE, TrainingThread


class Steps:
    """Counts its steps."""

    def __init__(self, seconds: float = 0.0, limit: int | None = None) -> None:
        self.seconds, self.limit = seconds, limit
        self.made = 0
        self.under_way = False

    def __call__(self) -> bool:
        self.under_way = True
        time.sleep(self.seconds)
        self.made += 1
        self.under_way = False
        return self.limit is None or self.made < self.limit


@pytest.fixture
def workers():
    made: list[TrainingThread] = []

    def worker_on(advance: Callable[[], bool]) -> TrainingThread:
        made.append(TrainingThread(advance))
        return made[-1]

    yield worker_on
    for worker in made:
        worker.close()


def test_it_makes_every_step_and_stops_at_the_last(workers):
    steps = Steps(limit=50)
    worker = workers(steps)
    worker.run()
    wait_for(lambda: not worker.running)
    assert steps.made == 50
    assert worker.steps_per_second == 0.0


def test_others_come_in_between_two_steps(workers):
    steps = Steps(0.001)
    worker = workers(steps)
    worker.run()
    seen = []
    for _ in range(20):
        with worker.between_steps():
            made = steps.made
            seen.append(steps.under_way)
            time.sleep(0.002)
            assert steps.made == made
    assert seen == [False] * 20


def test_who_asks_waits_for_one_step_and_no_more(workers):
    """A lock that a busy thread releases and takes again at once would hardly ever change hands."""
    steps = Steps(0.05)
    worker = workers(steps)
    worker.run()
    for _ in range(5):
        before = steps.made
        with worker.between_steps():
            assert steps.made <= before + 1
        wait_for(lambda before=before: steps.made > before)


def test_a_screen_waits_for_a_glance_only(workers):
    """A redraw asks several times, and a key waits behind it."""
    gate = threading.Event()
    worker = workers(lambda: gate.wait(60.0))
    worker.run()
    waited = []

    class Lock:
        def acquire(self, timeout: float) -> bool:
            waited.append(timeout)
            return False

    held, worker._lock = worker._lock, Lock()
    try:
        with worker.at_once() as taken:
            assert not taken
        worker.go_on()
    finally:
        worker._lock = held
        gate.set()
    assert waited == [GLANCE, GLANCE]


def test_pausing_stops_after_the_present_step_and_running_goes_on(workers):
    steps = Steps(0.001)
    worker = workers(steps)
    worker.run()
    wait_for(lambda: steps.made >= 3)
    worker.pause()
    made = steps.made
    time.sleep(0.02)
    assert steps.made == made
    worker.run()
    wait_for(lambda: steps.made > made)
    assert len(training_threads()) == 1


def test_a_slow_speed_is_kept_to_and_changed_at_once(workers):
    steps = Steps()
    worker = workers(steps)
    worker.change_speed(1.0)
    worker.run()
    wait_for(lambda: steps.made >= 1)
    time.sleep(0.05)
    assert steps.made == 1
    worker.change_speed(float("inf"))
    wait_for(lambda: steps.made > 100)


def test_the_speed_is_measured(workers, monkeypatch):
    monkeypatch.setattr("tui.session.training_thread.RATE_SECONDS", 0.05)
    worker = workers(Steps(0.001))
    worker.run()
    wait_for(lambda: worker.steps_per_second > 0)
    assert worker.steps_per_second < 1000


def test_what_goes_wrong_in_a_step_is_kept_and_ends_the_run(workers):
    def advance() -> bool:
        raise MemoryError("no room")

    worker = workers(advance)
    worker.run()
    wait_for(lambda: not worker.running)
    assert isinstance(worker.failure, MemoryError)


def test_closing_ends_the_thread_and_running_begins_another(workers):
    steps = Steps()
    worker = workers(steps)
    worker.change_speed(0.01)
    worker.run()
    wait_for(lambda: steps.made)
    (thread,) = training_threads()
    worker.close()
    assert not thread.is_alive()
    worker.change_speed(float("inf"))
    worker.run()
    wait_for(lambda: steps.made > 1)
    assert threading.current_thread() not in training_threads()
