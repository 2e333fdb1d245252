"""Every screen as it was approved: one picture (SVG) a screen and theme, all else as the text of the screen.

    pytest tests/tui/test_snapshots.py --snapshot-update              takes all of them anew
    pytest tests/tui/test_snapshots.py --snapshot-update -k map       takes those of the scenes named *map*

Without -n: parallel processes would write the one file of texts at the same time. Then look at what changed: `git diff`
shows the texts, a browser the pictures. They depend on the exact releases of Textual and Rich in constraints.txt.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.driver import SIZES, SMALL, app_on, at_rest, press, screen_text, text_after, until
from tui.app import BptuiApp
from tui.shell.theme import DARK, LIGHT
from tui.stepper.stepper_screen import StepperScreen


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
    "lesson-beside": Scene(None, ("T", *["down"] * 5, "enter", "enter", *["right"] * 4)),
    "forward": Scene("tutorial-b", ("home",)),
    "loss": Scene("tutorial-a-weighted", ("left",)),
    "backward-first": Scene("tutorial-b"),
    "backward-middle": Scene("tutorial-b", ("right", "right", "c")),
    "backward-fork": Scene("residual-fork", ("3", "down", "right")),
    "backward-batch-norm": Scene("batch-norm", ("4", "down", "c")),
    "backward-deep": Scene("deep", ("6", "0", "down")),
    "backward-wide": Scene("wide", ("right",)),
    "update-before": Scene("tutorial-b", ("end",)),
    "update-after": Scene("tutorial-b", ("w",)),
    "map": Scene("tutorial-b", ("M", "right", "down")),
    "map-wide": Scene("wide", ("M",)),
    "prompt-wrong": Scene("tutorial-b", ("t",), "W[9][0,0]"),
    "edited": Scene("tutorial-b", ("e",), "1/3"),
    "edit-wrong": Scene("tutorial-b", ("e",), "Y[0,0] = 2"),
    "settings": Scene("tutorial-b", ("N",)),
    "setting": Scene("tutorial-b", ("N", "enter")),
    "save": Scene("tutorial-b", ("ctrl+s",)),
    "expression": Scene("micrograd", ("4", "down")),
    "expression-forward": Scene("circuit-max", ("home",)),
    "export": Scene("tutorial-b", ("y",)),
    "matrices": Scene("batch-norm", ("x",)),
    "jacobian": Scene("batch-norm", ("4", "down", "J")),
    "derivation": Scene("tutorial-b", ("enter",)),
    "simplification": Scene("tutorial-a", ("X",)),
    "help": Scene("tutorial-b", ("question_mark",)),
    "predict": Scene("tutorial-b", ("p", "f6"), "W[2][1,0]"),
    "practice": Scene(None, ("P", "f8", "f5"), "Y/Y_hat + (1-Y)/(1-Y_hat)"),
    "bug": Scene(None, ("B", "down", "c")),
    "bug-found": Scene(None, ("B", "f8", "f6")),
}

PICTURES = [
    *((name, DARK, "120x40") for name in ("home", "lessons", "lesson", "lesson-beside", "home-prompt")),
    *(
        (name, DARK, "120x40")
        for name in ("forward", "loss", "backward-middle", "backward-fork", "update-after")
    ),
    *((name, DARK, "120x40") for name in ("predict", "practice", "bug")),
    *((name, DARK, "120x40") for name in ("map", "prompt-wrong", "export", "matrices", "derivation", "help")),
    *((name, LIGHT, "80x24") for name in ("home", "lessons", "lesson", "backward-middle", "update-after")),
    *((name, LIGHT, "80x24") for name in ("map", "prompt-wrong", "export", "matrices", "help")),
    *((name, LIGHT, "80x24") for name in ("predict", "practice", "bug")),
]
"""One a screen and theme: colours, frames and contrast are seen here, all else in the texts."""

TEXTS = [
    (name, size) for name in SCENES for size in ("80x24", "120x40") if (name, DARK, size) not in PICTURES
] + [
    ("home", "55x15"),
    ("lesson", "55x15"),
    ("lesson", "60x20"),
    ("backward-middle", "55x15"),
    ("backward-middle", "60x20"),
    ("backward-middle", "200x60"),
    ("predict", "200x60"),
    ("lesson-beside", "200x60"),
    ("practice", "200x60"),
    ("bug", "200x60"),
    ("edited", "200x60"),
    ("edit-wrong", "200x60"),
    ("settings", "200x60"),
    ("expression", "200x60"),
]

ASCII_TEXTS = [
    ("home", "80x24"),
    ("lessons", "80x24"),
    ("lesson", "80x24"),
    ("backward-middle", "80x24"),
    ("backward-fork", "120x40"),
    ("prompt-wrong", "80x24"),
    ("matrices", "80x24"),
    ("edited", "80x24"),
    ("expression", "80x24"),
]


def play(scene: Scene, app: BptuiApp) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Presses a scene's keys and comes to rest."""

    async def played(pilot: Pilot[None]) -> None:
        await pilot.pause()
        if scene.experiment is not None and not isinstance(app.screen, StepperScreen):
            app.opened.show("stepper")  # deep networks open with their charts
            await until(pilot, lambda: " n = " in screen_text(app))
        await pilot.pause()
        for key in scene.keys:
            await press(pilot, key)
        if scene.answer is not None:
            app.screen.query_one(Input).value = scene.answer
            await press(pilot, "enter")
        await at_rest(pilot)

    return played


@pytest.mark.parametrize(("name", "theme", "size"), PICTURES, ids=lambda one: getattr(one, "name", one))
def test_pictures(snap_compare, name, theme, size):
    app = app_on(SCENES[name].experiment)
    app.theme = theme.name
    assert snap_compare(app, run_before=play(SCENES[name], app), terminal_size=SIZES[size])


def test_a_picture_without_colour(snap_compare, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    app = app_on("tutorial-b")
    assert snap_compare(app, run_before=play(SCENES["backward-middle"], app), terminal_size=SMALL)


@pytest.mark.parametrize(("name", "size"), TEXTS)
async def test_texts(snapshot, name, size):
    app = app_on(SCENES[name].experiment)
    assert await text_after(app, play(SCENES[name], app), SIZES[size]) == snapshot


@pytest.mark.parametrize(("name", "size"), ASCII_TEXTS)
async def test_texts_in_ascii(snapshot, name, size):
    app = app_on(SCENES[name].experiment, ascii_only=True)
    text = await text_after(app, play(SCENES[name], app), SIZES[size])
    assert text.isascii()
    assert text == snapshot
