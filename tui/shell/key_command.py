"""A command that keys press: its keys, its words, its action; and the bindings that Textual makes of commands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class KeyCommand:
    """A command that keys press: something the user can do.

    `keys` are Textual's key names, separated by commas; `shown` is how the footer writes the key, and None
    leaves the command out of the footer (help and palette have it all the same); the footer has them in their
    order, the most used first. With `priority` the key counts even where a widget has a use of its own for it.
    """

    id: str
    keys: str
    action: str
    label: str
    help: str
    group: str
    shown: str | None = None
    priority: bool = False
    kind: str = ""

    @property
    def meaning(self) -> str:
        """The kind of thing that the command does, the same for all commands on its keys."""
        return self.kind or self.id

    def binding(self) -> Binding:
        """The command as a Textual binding."""
        return Binding(
            self.keys,
            self.action,
            self.label,
            show=self.shown is not None,
            key_display=self.shown,
            id=self.id,
            priority=self.priority,
            tooltip=self.help,
        )


def bindings(commands: Iterable[KeyCommand]) -> list[BindingType]:
    """The Textual bindings of a screen's commands."""
    return [command.binding() for command in commands]
