"""The keys at the foot of a screen. Where not all fit, the last two stay: help, which lists the others, and quit.

80 columns   v View m Metric c Compare b Blame u Units ␣ Run . Step ↵ Stepper ? Help q Quit
60 columns   v View m Metric c Compare b Blame u Units ␣ Run ? Help q Quit
"""

from __future__ import annotations

from rich.cells import cell_len
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

STAYING = 2
"""So many at the end are never left out: `tui.shell.keys` lists help and quit last."""


class KeyBar(Footer):
    """Textual's footer, compact, without what does not fit."""

    def __init__(self) -> None:
        super().__init__(compact=True, show_command_palette=False)

    async def recompose(self) -> None:
        """Fits the keys of another screen or key map."""
        await super().recompose()
        if self.is_attached:  # not taken away with its screen meanwhile
            self._fit()

    def on_resize(self) -> None:
        """Fits them to another width."""
        self._fit()

    def _fit(self) -> None:
        keys = list(self.query(FooterKey))
        away: frozenset[str] = getattr(self.screen, "not_here", frozenset())
        for key in [key for key in keys if _action(key) in away]:
            key.display = False
            keys.remove(key)
        room = self.size.width - sum(_width(key) for key in keys[-STAYING:])
        for key in keys[:-STAYING]:
            room -= _width(key)
            key.display = room >= 0


def _action(key: FooterKey) -> str:
    """The name of what a key does, without its screen and arguments."""
    return key.action.partition("(")[0].rpartition(".")[2]


def _width(key: Widget) -> int:
    """The columns of one key with its description and the gap after them."""
    return cell_len(str(key.render())) + 1
