"""A long run takes no more memory than a short one: history and moments are bounded, and so is what moments hold."""

import tracemalloc
from collections import deque

import pytest

from engine.diagnosis.loss_curve import LossCurve
from engine.experiment.loading import parse_experiment
from engine.experiment.memory_needed import MOST_CHECKPOINTS
from engine.metrics.unit_deaths import EVENTS_IN_A_STATE
from engine.runs.history import History
from tui.session.single_run import SingleRun

RESTLESS = """
    [data]
    kind = "moons"
    n = 20
    [network]
    layers = [{units = 60, activation = "relu", repeat = 2}, {units = 1, activation = "sigmoid"}]
    [loss]
    kind = "bce"
    [train]
    learning_rate = 0.01
    steps = 1000000
"""


@pytest.fixture
def run() -> SingleRun:
    """One whose units die and recover in every step, and of whose history few rows are kept."""
    made = SingleRun("restless", parse_experiment(RESTLESS, "restless"))
    made.history, made.observer.curve = History(64), LossCurve(rows=64)
    units = made.trainer._dead_units
    units.events = deque(maxlen=2 * EVENTS_IN_A_STATE)
    record = units.record
    units.record = lambda step, fired: record(step, fired if step % 2 else ~fired)
    return made


def most_traced(run: SingleRun, steps: int) -> int:
    """The most memory that was in use after any of the next steps, in bytes; looked at now and then."""
    most = 0
    for step in range(steps):
        run.advance()
        if step % 25 == 0:
            most = max(most, tracemalloc.get_traced_memory()[0])
    return most


def test_four_times_as_many_steps_take_no_more_memory(run: SingleRun):
    tracemalloc.start()
    try:
        early = most_traced(run, 200)
        late = most_traced(run, 600)
    finally:
        tracemalloc.stop()
    assert run.problem is None
    assert len(run.kept) <= MOST_CHECKPOINTS
    assert len(run.trainer.unit_activity().events) > EVENTS_IN_A_STATE
    for moment in run.kept[1:]:
        assert len(moment.activity.events) <= EVENTS_IN_A_STATE
        assert len(moment.checkpoint.dead_units.events) <= EVENTS_IN_A_STATE
    assert late <= 1.05 * early
