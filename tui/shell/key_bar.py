"""The keys at the foot of a screen. Where not all fit, the last two stay: help, which lists the others, and quit.

80 columns   v View m Metric c Compare b Blame u Units ␣ Run . Step ↵ Stepper ? Help q Quit
60 columns   v View m Metric c Compare b Blame u Units ␣ Run ? Help q Quit

It looks and answers as Textual's footer does, which has a widget for every key: to make, style and lay out ten of
them takes a tenth of the time until the first frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.reactive import reactive
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

STAYING = 2
"""So many at the end are never left out: `tui.shell.keys` lists help and quit last."""


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A key in the bar, as it is written, and which one it is that a click presses."""

    key: str
    display: str
    label: str
    help: str
    action: str

    @property
    def width(self) -> int:
        """The columns that the key takes in the bar, with the gap after it."""
        return cell_len(f"{self.display} {self.label}") + 1


class KeyBar(Widget):
    """The keys of its screen and of what has the focus in it: a click presses one, the mouse over one explains it."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"key-bar--key", "key-bar--label", "key-bar--over"}  # noqa: RUF012 - typed by Widget
    DEFAULT_CSS = """
    KeyBar {
        dock: bottom;
        height: 1;
        text-wrap: nowrap;
        color: $footer-foreground;
        background: $footer-background;
        .key-bar--key {
            color: $footer-key-foreground;
            background: $footer-key-background;
            text-style: bold;
        }
        .key-bar--label {
            color: $footer-description-foreground;
            background: $footer-description-background;
        }
        .key-bar--over { background: $block-hover-background; }
        &.-over { pointer: pointer; }
    }
    """

    _keys: reactive[tuple[ShownKey, ...]] = reactive((), init=False)
    _over: reactive[ShownKey | None] = reactive[ShownKey | None](None, init=False)
    """The key under the mouse."""

    def on_mount(self) -> None:
        """Shows the keys, and follows what has the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._on_bindings_updated)

    def on_unmount(self) -> None:
        """Follows it no more."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _on_bindings_updated(self, screen: Screen[object]) -> None:
        if screen.app.app_focus and self.is_attached and screen is self.screen:
            self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """Fits them to another width."""
        self._show()

    def _show(self) -> None:
        if self.is_attached:  # not taken away with its screen meanwhile
            self._keys = tuple(self._fitting([*self._active()]))

    def _active(self) -> Iterator[ShownKey]:
        """The keys to show, one for each action; without those that the screen has no use for just now."""
        away: frozenset[str] = getattr(self.screen, "not_here", frozenset())
        seen: set[str] = set()
        for _, binding, _, tooltip in self.screen.active_bindings.values():
            # The name of what the key does, without its screen and arguments.
            name = binding.action.partition("(")[0].rpartition(".")[2]
            if binding.show and binding.action not in seen and name not in away:
                seen.add(binding.action)
                display = self.app.get_key_display(binding)
                yield ShownKey(binding.key, display, binding.description, tooltip, binding.action)

    def _fitting(self, keys: list[ShownKey]) -> Iterator[ShownKey]:
        room = self.size.width - sum(key.width for key in keys[-STAYING:])
        for key in keys[:-STAYING]:
            room -= key.width
            if room >= 0:
                yield key
        yield from keys[-STAYING:]

    def render_line(self, y: int) -> Strip:
        """Renders the bar's only line."""
        key_style = self.get_component_rich_style("key-bar--key")
        label_style = self.get_component_rich_style("key-bar--label")
        over_style = self.get_component_rich_style("key-bar--over")
        gap = Style(bgcolor=self.rich_style.bgcolor)
        segments: list[Segment] = []
        for key in self._keys:
            over = over_style if key == self._over else Style.null()
            segments += [
                Segment(key.display, key_style + over),
                Segment(f" {key.label}", label_style + over),
                Segment(" ", gap),
            ]
        return Strip(segments[:-1]).adjust_cell_length(self.size.width, gap)

    def _at(self, column: int) -> ShownKey | None:
        """The key in a column; None in a gap, and behind the last."""
        for key in self._keys:
            if column < key.width:
                return key if column < key.width - 1 else None
            column -= key.width
        return None

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Presses the key."""
        key = self._at(event.x)
        if key is not None:
            self.app.simulate_key(key.key)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Marks the key, and explains it."""
        self._over = self._at(event.x)

    def on_leave(self) -> None:
        """Marks none."""
        self._over = None

    def watch__over(self, over: ShownKey | None) -> None:
        """A key is explained while the mouse is over it."""
        self.tooltip = over.help or None if over is not None else None
        self.set_class(over is not None, "-over")
