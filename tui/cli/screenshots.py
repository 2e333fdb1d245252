"""Makes the pictures in screenshots/: every one by driving the app itself, none by hand.

bptui screenshot  ──>  the app without a terminal  ──keys──>  SVG files
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

from tui.app import BptuiApp
from tui.session.experiment_variants import counterpart
from tui.session.network_session import NetworkSession
from tui.shell.theme import DARK, LIGHT

SETTLED = 0.4
"""Seconds after which a training screen has noticed the last step."""

SMALL, LARGE = (80, 24), (120, 40)


@dataclass(frozen=True, slots=True)
class Picture:
    """A screenshot to take: its file, the experiment that is open, the keys that lead there, and the window.

    Before the keys it is trained for `steps` steps, with its counterpart beside it where it is `compared`.
    """

    name: str
    experiment: str | None
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = LARGE
    theme: str = DARK.name
    steps: int = 0
    compared: bool = False


PICTURES = (
    Picture("home", None, size=SMALL),
    Picture("lessons", None, ("T",), size=SMALL),
    Picture("lesson", None, ("T", *["down"] * 5, "enter", "end")),
    Picture("stepper", "tutorial-b", ("right", "right", "c")),
    Picture("stepper-light", "tutorial-b", ("right", "right", "c"), theme=LIGHT.name),
    Picture("stepper-80x24", "tutorial-b", ("right",), size=SMALL),
    Picture("simplification", "tutorial-a", ("right", "X"), size=SMALL),
    Picture("fork", "residual-fork", ("right", "right", "right", "c")),
    Picture("batch-norm", "batch-norm", ("5", "right", "right", "c")),
    Picture("jacobian", "tutorial-a-wine", ("right", "J"), size=SMALL),
    Picture("matrices", "tutorial-b", ("x",)),
    Picture("update", "tutorial-b", ("w",)),
    Picture("map", "tutorial-b", ("M",), size=SMALL),
    Picture("gradients", "vanishing-sigmoid-50", steps=60, compared=True),
    Picture("budget", "vanishing-sigmoid-50", ("b",), steps=60),
    Picture("strip", "relu-50", ("v", "v", "v"), steps=150),
    Picture("exploding", "exploding-50", steps=1),
    Picture("dying-relu", "dying-relu", ("n",), steps=120),
    Picture("dying-relu-80x24", "dying-relu", ("n",), steps=120, size=SMALL, theme=LIGHT.name),
)
"""What the README and the reader see."""


def take_screenshot(folder: Path) -> list[Path]:
    """Takes every screenshot into a folder, as SVG, and returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for picture in PICTURES:
        path = folder / f"{picture.name}.svg"
        path.write_text(asyncio.run(draw(picture)), "utf-8")
        paths.append(path)
    return paths


def train_for_screenshot(session: NetworkSession, picture: Picture) -> None:
    """Trains as far as a screenshot wants, without the thread: the same steps on every machine."""
    training = session.training
    if picture.compared:
        training.compare(*counterpart(session.name, session.experiment))
    training.one_step(picture.steps)


async def draw(picture: Picture) -> str:
    """Draws one screenshot as SVG."""
    session = None if picture.experiment is None else NetworkSession.open(picture.experiment)
    app = BptuiApp(session, personal=False)
    app.theme = picture.theme
    async with app.run_test(size=picture.size) as pilot:
        await pilot.pause()
        if session is not None and picture.steps:
            train_for_screenshot(session, picture)
        for key in picture.keys:
            await pilot.press(key)
        await pilot.pause()
        await pilot.pause()
        app.screen.refresh()
        await pilot.pause(SETTLED)
        svg = app.export_screenshot(title="bptui")
        if session is not None:
            session.close()
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # a picture fetches nothing
