"""What is on the screen, as text."""

from __future__ import annotations

import io

from rich.console import Console
from textual.app import App


def screen_text(app: App[None]) -> str:
    """The screen as plain text, without the blanks that end its lines."""
    console = Console(
        width=app.size.width,
        height=app.size.height,
        file=io.StringIO(),
        record=True,
        legacy_windows=False,
    )
    console.print(app.screen._compositor.render_update(full=True, screen_stack=app._background_screens))
    lines = console.export_text().split("\n")
    return "\n".join(line.rstrip() for line in lines).rstrip("\n") + "\n"
