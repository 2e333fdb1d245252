"""A screen over another that is dismissed once: by what comes first, a key, an answer or a click.

Enter ──> its answer is on its way ──dismiss──> gone
Esc, just behind it ──────────────────dismiss──> nothing: what is on top now is somebody else's
"""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen, ScreenResultType
from typing_extensions import override


class ModalBase(Screen[ScreenResultType]):
    """A screen that is dismissed once, and only where it is on top.

    By itself for what fills the terminal and leaves the app's own keys (help, palette, theme) as they are.
    """

    @property
    def on_top(self) -> bool:
        """Whether nothing lies over it, and it has not gone."""
        return self.is_current and self.app.screen is self

    @override
    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Dismisses the screen where it is on top; does nothing otherwise."""
        return super().dismiss(result) if self.on_top else AwaitComplete.nothing()  # type: ignore[no-untyped-call]


class Modal(ModalBase[ScreenResultType], ModalScreen[ScreenResultType]):
    """A modal question: what lies below is seen through it, and no key but its own is heard."""
