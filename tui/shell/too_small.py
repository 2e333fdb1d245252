"""The notice that covers a screen in a window that is too small to use it in."""

from __future__ import annotations

from textual.widgets import Static

SMALLEST = (60, 20)
"""Columns and lines from which on every screen works."""


class TooSmall(Static):
    """The notice that the window is too small, hidden until it is. The screen needs a layer `notice` above its own."""

    def __init__(self) -> None:
        columns, lines = SMALLEST
        super().__init__(
            f"This window is smaller than {columns}×{lines}.\nPlease make it larger.", id="too-small"
        )
