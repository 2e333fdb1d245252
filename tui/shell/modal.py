"""A screen over another that is dismissed once: by what comes first, a key, an answer or a click.

Enter ──> its answer is on its way ──dismiss──> gone
Esc, just behind it ──────────────────dismiss──> nothing: what is on top now is somebody else's
"""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType
from typing_extensions import override


class Modal(ModalScreen[ScreenResultType]):
    """Textual's modal screen, whose `dismiss` would otherwise take away whatever lies on top."""

    @property
    def on_top(self) -> bool:
        """Whether nothing lies over it, and it has not gone."""
        return self.is_current and self.app.screen is self

    @override
    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Leaves it, where it is on top; does nothing otherwise."""
        return super().dismiss(result) if self.on_top else AwaitComplete.nothing()  # type: ignore[no-untyped-call]
