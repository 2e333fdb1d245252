"""Makes the pictures in screenshots/: every one by driving the app itself, none by hand.

bptui screenshot  ──>  the app without a terminal  ──keys──>  SVG files
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

from tui.app import BptuiApp
from tui.session import Session
from tui.theme import DARK, LIGHT

SMALL, LARGE = (80, 24), (120, 40)


@dataclass(frozen=True, slots=True)
class Picture:
    """A file name, the experiment that is open (None: the list), the keys that lead there, and the window."""

    name: str
    experiment: str | None
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = LARGE
    theme: str = DARK.name


PICTURES = (
    Picture("home", None, size=SMALL),
    Picture("stepper", "tutorial-b", ("right", "right", "c")),
    Picture("stepper-light", "tutorial-b", ("right", "right", "c"), theme=LIGHT.name),
    Picture("stepper-80x24", "tutorial-b", ("right",), size=SMALL),
    Picture("simplification", "tutorial-a", ("right", "v"), size=SMALL),
    Picture("fork", "residual-fork", ("right", "right", "right", "c")),
    Picture("batch-norm", "batch-norm", ("5", "right", "right", "c")),
    Picture("jacobian", "tutorial-a-wine", ("right", "J"), size=SMALL),
    Picture("matrices", "tutorial-b", ("x",)),
    Picture("update", "tutorial-b", ("u",)),
    Picture("map", "tutorial-b", ("m",), size=SMALL),
)
"""What the README and the reader see."""


def take(folder: Path) -> list[Path]:
    """Writes every picture into a folder, as SVG, and returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for picture in PICTURES:
        path = folder / f"{picture.name}.svg"
        path.write_text(asyncio.run(draw(picture)), "utf-8")
        paths.append(path)
    return paths


async def draw(picture: Picture) -> str:
    """One picture as SVG."""
    session = None if picture.experiment is None else Session.open(picture.experiment)
    app = BptuiApp(session, personal=False)
    app.theme = picture.theme
    async with app.run_test(size=picture.size) as pilot:
        await pilot.pause()
        for key in picture.keys:
            await pilot.press(key)
        await pilot.pause()
        await pilot.pause()
        svg = app.export_screenshot(title="bptui")
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # a picture fetches nothing
