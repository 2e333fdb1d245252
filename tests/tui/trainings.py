"""Trainings for the tests of what watches them: small experiments, threads by name, and waiting for a state."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from engine.experiment.loading import load_experiment, parse_experiment
from engine.experiment.spec import Experiment
from engine.metrics.step_record import StepRecord
from engine.runs.run_log import RunLogHeader, RunLogWriter
from tests.tui.driver import let_work, screen_text
from tui.app import BptuiApp
from tui.session.training_run import TrainingRun
from tui.training.gradients_screen import GradientsScreen
from tui.training.training_screen import TrainingScreen

PATIENCE = 20.0
"""Seconds until a state that does not come is a failure. Nothing ever takes so long."""

LONG_PATIENCE = 300.0
"""The same for what takes seconds by itself, on a machine that does many other things: trying a remedy."""

SMALL_NET = """
title = "A small network"
seed = 3
[data]
kind = "moons"
n = 40
noise = 0.1
[network]
bias = true
[[network.layers]]
units = 6
repeat = 2
activation = "relu"
[[network.layers]]
units = 1
activation = "sigmoid"
[loss]
kind = "bce"
[train]
optimizer = "adam"
learning_rate = 0.01
batch = 16
steps = 150
"""
"""Adam and mini-batches: a step depends on all that came before it."""


def small(**changes: str) -> Experiment:
    """The small network, with lines such as `activation="tanh"` changed."""
    text = SMALL_NET
    for key, value in changes.items():
        old = next(line for line in text.splitlines() if line.startswith(f"{key} = "))
        text = text.replace(old, f"{key} = {value}", 1)
    return parse_experiment(text, "small.toml")


def training_on(name: str | Experiment | None = None) -> TrainingRun:
    """The training of a preset, or of the small network."""
    if isinstance(name, str):
        return TrainingRun(name, load_experiment(name))
    return TrainingRun("small", name or small())


def training_threads() -> list[threading.Thread]:
    """The threads that train."""
    return [thread for thread in threading.enumerate() if thread.name == "training"]


def found_out(app: BptuiApp) -> bool:
    """Whether the gradients screen shows all that is to be found out of a training that rests."""
    screen = app.screen
    if not isinstance(screen, GradientsScreen) or not isinstance(screen.training, TrainingRun):
        return True
    run = screen.training.first
    diagnosis = run.diagnosis
    known = (run.steps_done == 0 and run.problem is None) or (diagnosis is not None and not diagnosis.untried)
    return known and not screen.findings.thinking and screen._drawn == screen.training.pulse()


def wait_for(state: Callable[[], object], patience: float = PATIENCE) -> None:
    """Waits until a state is reached; fails when that takes too long."""
    until, nothing = time.monotonic() + patience, threading.Event()
    while not state():
        assert time.monotonic() < until, f"never reached: {state}"
        nothing.wait(0.001)


async def reached(pilot: Pilot[None], state: Callable[[], object], patience: float = PATIENCE) -> None:
    """Lets the app (and whatever trains) work until a state is reached."""
    until = time.monotonic() + patience
    while not state():
        assert time.monotonic() < until, f"never reached: {state}\n{screen_text(pilot.app)}"  # type: ignore[arg-type]
        await let_work(pilot, 0.005)


def training_of(app: BptuiApp) -> TrainingRun:
    """The training of the open experiment."""
    screen = app.screen
    assert isinstance(screen, TrainingScreen)
    assert isinstance(screen.training, TrainingRun)
    return screen.training


async def train(pilot: Pilot[None], steps: int) -> TrainingRun:
    """So many steps, and the screen drawn: no clock has a say in it."""
    training = training_of(pilot.app)  # type: ignore[arg-type]
    training.one_step(steps)
    assert isinstance(pilot.app.screen, TrainingScreen)
    pilot.app.screen.redraw()
    await pilot.pause()
    return training


def writer(path: Path, layers: int = 3, **header: Any) -> RunLogWriter:
    """A run log of so many layers, of another program."""
    names = tuple(f"W[{number}]" for number in range(1, layers + 1))
    return RunLogWriter(path, RunLogHeader(layers=names, **header))


def written(log: RunLogWriter, *records: StepRecord) -> None:
    """Adds records, at once."""
    for one in records:
        log.append(one)
    log.flush()
