"""Pictures of every screen. Look at them when they change: pytest tests/tui/test_snapshots.py --snapshot-update.

They depend on the exact releases of Textual and Rich that constraints.txt names.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.driver import LARGE, SMALL, app_on, press, screen_text, until
from tui.app import BptuiApp
from tui.shell.theme import DARK, LIGHT
from tui.stepper.screen import StepperScreen

SIZES = {"80x24": SMALL, "120x40": LARGE, "60x20": (60, 20), "55x15": (55, 15), "200x60": (200, 60)}


@dataclass(frozen=True)
class Scene:
    """An experiment (None: the list of them), and the keys that lead to what is to be seen."""

    experiment: str | None
    keys: tuple[str, ...] = ()
    answer: str | None = None  # typed into the prompt that the keys open, and entered


SCENES = {
    "home": Scene(None),
    "home-prompt": Scene(None, ("o",), "nowhere/lab.toml"),
    "lessons": Scene(None, ("T",)),
    "lesson": Scene(None, ("T", *["down"] * 5, "enter")),
    "lesson-end": Scene(None, ("T", *["down"] * 5, "enter", "end")),
    "forward": Scene("tutorial-b", ("home",)),
    "loss": Scene("tutorial-a-weighted", ("left",)),
    "backward-first": Scene("tutorial-b"),
    "backward-middle": Scene("tutorial-b", ("right", "right", "c")),
    "backward-fork": Scene("residual-fork", ("3", "down", "right")),
    "backward-batch-norm": Scene("batch-norm", ("4", "down", "c")),
    "backward-deep": Scene("deep", ("6", "0", "down")),
    "backward-wide": Scene("wide", ("right",)),
    "update-before": Scene("tutorial-b", ("end",)),
    "update-after": Scene("tutorial-b", ("u",)),
    "map": Scene("tutorial-b", ("m", "right", "down")),
    "map-wide": Scene("wide", ("m",)),
    "prompt-wrong": Scene("tutorial-b", ("t",), "W[9][0,0]"),
    "export": Scene("tutorial-b", ("y",)),
    "matrices": Scene("batch-norm", ("x",)),
    "jacobian": Scene("batch-norm", ("4", "down", "J")),
    "derivation": Scene("tutorial-b", ("l",)),
    "simplification": Scene("tutorial-a", ("v",)),
    "help": Scene("tutorial-b", ("question_mark",)),
}
BOTH_SIZES = pytest.mark.parametrize("size", ["80x24", "120x40"])


def taken(snap_compare, app: BptuiApp, scene: Scene, size: str) -> bool:
    """Plays a scene and compares its picture with the one that was approved."""

    async def play(pilot: Pilot[None]) -> None:
        await pilot.pause()
        if scene.experiment is not None and not isinstance(app.screen, StepperScreen):
            app.show("stepper")  # deep networks open with their charts
            await until(pilot, lambda: " n = " in screen_text(app))
        await pilot.pause()
        for key in scene.keys:
            await press(pilot, key)
        if scene.answer is not None:
            app.screen.query_one(Input).value = scene.answer
            await press(pilot, "enter")
        app.clear_notifications()
        await pilot.pause()
        await until(pilot, lambda: not app.screen._layout_required)
        await pilot.pause()

    return snap_compare(app, run_before=play, terminal_size=SIZES[size])


@BOTH_SIZES
@pytest.mark.parametrize("name", SCENES)
def test_dark(snap_compare, name, size):
    app = app_on(SCENES[name].experiment)
    app.theme = DARK.name
    assert taken(snap_compare, app, SCENES[name], size)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("home", "80x24"),
        ("lessons", "80x24"),
        ("lessons", "120x40"),
        ("lesson", "80x24"),
        ("lesson", "120x40"),
        ("backward-middle", "80x24"),
        ("backward-middle", "120x40"),
        ("backward-fork", "120x40"),
        ("update-after", "80x24"),
        ("map", "80x24"),
        ("prompt-wrong", "80x24"),
        ("matrices", "80x24"),
        ("help", "80x24"),
    ],
)
def test_light(snap_compare, name, size):
    app = app_on(SCENES[name].experiment)
    app.theme = LIGHT.name
    assert taken(snap_compare, app, SCENES[name], size)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("home", "80x24"),
        ("lessons", "80x24"),
        ("lesson", "80x24"),
        ("backward-middle", "80x24"),
        ("backward-fork", "120x40"),
        ("prompt-wrong", "80x24"),
        ("matrices", "80x24"),
    ],
)
def test_ascii(snap_compare, name, size):
    app = app_on(SCENES[name].experiment, ascii_only=True)
    assert taken(snap_compare, app, SCENES[name], size)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("home", "55x15"),
        ("lesson", "55x15"),
        ("lesson", "60x20"),
        ("backward-middle", "55x15"),
        ("backward-middle", "60x20"),
        ("backward-middle", "200x60"),
    ],
)
def test_other_sizes(snap_compare, name, size):
    assert taken(snap_compare, app_on(SCENES[name].experiment), SCENES[name], size)


def test_without_colour(snap_compare, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert taken(snap_compare, app_on("tutorial-b"), SCENES["backward-middle"], "80x24")
