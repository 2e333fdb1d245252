"""The screens that watch a training, as they were approved: one picture (SVG) a view and theme, all else as text.

    pytest tests/tui/test_training_snapshots.py --snapshot-update     takes all of them anew (see test_snapshots.py)

All are of trainings that stand still at a step, so no clock has a say in them. They depend on the exact releases of
Textual, Rich and plotext that constraints.txt names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from textual.pilot import Pilot

from tests.tui.driver import SIZES, app_on, at_rest, press, text_after
from tests.tui.experiments import session_of
from tests.tui.trainings import LONG_PATIENCE, found_out, reached, train, training_of
from tui.app import BptuiApp
from tui.session.experiment_variants import counterpart
from tui.shell.theme import DARK, LIGHT

ALL_DEAD = """
title = "Biases that no input can lift: every unit is dead"
[data]
kind = "moons"
n = 40
noise = 0.1
[network]
bias = true
[[network.layers]]
units = 12
repeat = 3
activation = "relu"
b = [-9, -9, -9, -9, -9, -9, -9, -9, -9, -9, -9, -9]
[[network.layers]]
units = 1
activation = "sigmoid"
[loss]
kind = "bce"
[train]
learning_rate = 0.1
steps = 50
"""
OWN = {"all-dead": ALL_DEAD}


@dataclass(frozen=True)
class Scene:
    """An experiment, how many steps it is trained, whether beside its counterpart, and the keys that follow."""

    experiment: str
    steps: int = 0
    keys: tuple[str, ...] = ()
    compared: bool = False


SIGMOID, DYING = "vanishing-sigmoid-50", "dying-relu"
BACK = ("left_square_bracket",) * 3

SCENES = {
    "gradients-fresh": Scene(SIGMOID),
    "gradients-profile": Scene(SIGMOID, 20),
    "gradients-predicted": Scene(SIGMOID, 1, ("m", "m")),
    "gradients-layers": Scene(SIGMOID, 40, ("v",)),
    "gradients-history": Scene(SIGMOID, 40, ("v", "v")),
    "gradients-strip": Scene(SIGMOID, 40, ("v", "v", "v")),
    "gradients-budget": Scene(SIGMOID, 20, ("b",)),
    "gradients-compared": Scene(SIGMOID, 20, compared=True),
    "gradients-healthy": Scene("relu-50", 5, ("end",)),
    "gradients-diverged": Scene("exploding-50", 5),
    "gradients-no-gradient": Scene("step-activation", 10),
    "gradients-all-dead": Scene("all-dead", 3, ("g",)),
    "gradients-looking-back": Scene("relu-50", 12, BACK),
    "units-fresh": Scene(DYING),
    "units-dying": Scene(DYING, 40, ("n", "n")),
    "units-deep": Scene("relu-50", 5, ("u", "down", "down", "right")),
    "units-all-dead": Scene("all-dead", 3),
    "units-looking-back": Scene(DYING, 12, BACK),
    "units-diverged": Scene("exploding-50", 5, ("u",)),
    "stepper-on-a-dead-unit": Scene(DYING, 40, ("n", "enter")),
}

PICTURES = [
    *(
        (name, DARK, "120x40")
        for name in ("gradients-profile", "gradients-layers", "gradients-history", "gradients-strip")
    ),
    *((name, DARK, "120x40") for name in ("gradients-budget", "gradients-compared", "units-dying")),
    *((name, LIGHT, "80x24") for name in ("gradients-profile", "gradients-compared", "units-dying")),
]
"""One a view and theme: colours, frames and contrast are seen here, all else in the texts."""

TEXTS = [
    (name, size) for name in SCENES for size in ("80x24", "120x40") if (name, DARK, size) not in PICTURES
] + [(name, size) for name in ("gradients-profile", "units-dying") for size in ("60x20", "55x15", "200x60")]


def app_of(scene: Scene, *, ascii_only: bool = False) -> BptuiApp:
    if scene.experiment in OWN:
        return BptuiApp(session_of(OWN[scene.experiment], scene.experiment), ascii_only=ascii_only)
    return app_on(scene.experiment, ascii_only=ascii_only)


def play(scene: Scene, app: BptuiApp) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def played(pilot: Pilot[None]) -> None:
        await pilot.pause()
        if scene.experiment in OWN:
            app.opened.show("relu")
            await pilot.pause()
        if scene.compared:
            run = training_of(app).first
            training_of(app).compare(*counterpart(run.name, run.experiment))
        await train(pilot, scene.steps)
        for key in scene.keys:
            await press(pilot, key)
        await reached(pilot, lambda: found_out(app), LONG_PATIENCE)
        await at_rest(pilot)

    return played


@pytest.mark.parametrize(("name", "theme", "size"), PICTURES, ids=lambda one: getattr(one, "name", one))
def test_pictures(snap_compare, name, theme, size):
    app = app_of(SCENES[name])
    app.theme = theme.name
    assert snap_compare(app, run_before=play(SCENES[name], app), terminal_size=SIZES[size])


@pytest.mark.parametrize(("name", "size"), TEXTS)
async def test_texts(snapshot, name, size):
    app = app_of(SCENES[name])
    assert await text_after(app, play(SCENES[name], app), SIZES[size]) == snapshot


@pytest.mark.parametrize("name", ["gradients-compared", "units-dying"])
async def test_texts_in_ascii(snapshot, name):
    app = app_of(SCENES[name], ascii_only=True)
    text = await text_after(app, play(SCENES[name], app), SIZES["80x24"])
    assert text.isascii()
    assert text == snapshot
