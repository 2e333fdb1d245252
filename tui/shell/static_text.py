"""Text and frames that are drawn anew only where they say something else: a screen may tell them everything each time.

Textual draws a widget again, and with a frame all that is inside it, whenever it is told something, also the same.
"""

from __future__ import annotations

from textual.containers import Vertical
from textual.content import Content
from textual.visual import VisualType
from textual.widgets import Static
from typing_extensions import override


class StaticText(Static):
    """A widget of text in a place whose size does not depend on it."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown = Content()

    @override
    def update(self, content: VisualType = "", *, layout: bool = False) -> None:
        """Shows a text, without markup."""
        text = content if isinstance(content, Content) else Content(str(content))
        if not text.is_same(self._shown):
            self._shown = text
            super().update(text, layout=layout)


class StaticPanel(Vertical):
    """A frame with a title above and one below, whose size does not depend on what is in it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._titles = ("", "")

    def set_title(self, title: str, subtitle: str = "") -> None:
        """Sets the titles above and below the frame, without markup."""
        if (title, subtitle) != self._titles:
            self._titles = (title, subtitle)
            self.border_title, self.border_subtitle = Content(title), Content(subtitle)
