"""Text and frames that are drawn anew only where they say something else: a screen may tell them everything each time.

Textual draws a widget again, and with a frame all that is inside it, whenever it is told something, also the same.
"""

from __future__ import annotations

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static


class FixedText(Static):
    """Text in a place whose size does not depend on it."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._said = Content()

    def say(self, text: Content | str) -> None:
        """Shows a text, without markup."""
        content = Content(text) if isinstance(text, str) else text
        if not content.is_same(self._said):
            self._said = content
            self.update(content, layout=False)


class Panel(Vertical):
    """A frame with a title above and one below."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._titles = ("", "")

    def entitle(self, title: str, subtitle: str = "") -> None:
        """Sets both titles, without markup."""
        if (title, subtitle) != self._titles:
            self._titles = (title, subtitle)
            self.border_title, self.border_subtitle = Content(title), Content(subtitle)
