"""Keys where they do nothing: each says so, and what it does elsewhere; and the app's own keys on a page above it."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding, BindingType

from tui.shell.key_command import KeyCommand
from tui.shell.keys import ALL_COMMANDS, APP_COMMANDS


def commands_of(key: str) -> list[KeyCommand]:
    """The commands that a key presses, wherever it does something."""
    return [command for command in ALL_COMMANDS if key in command.keys.split(",")]


KEYS = tuple(dict.fromkeys(key for command in ALL_COMMANDS for key in command.keys.split(",")))
"""Every key that does something somewhere; where it does nothing, it says so (`BptuiApp.action_idle`)."""


def bindings_of_the_app(*ids: str) -> list[BindingType]:
    """Bindings of the app's own commands of these names, for a page that would keep their keys from it."""
    return [
        Binding(one.keys, f"app.{one.action}", show=False, id=one.id) for one in APP_COMMANDS if one.id in ids
    ]


def idle_bindings(commands: Iterable[KeyCommand]) -> list[BindingType]:
    """Bindings for every key that does nothing among the commands: each says so."""
    used = {key for command in commands for key in command.keys.split(",")}
    return [Binding(key, f"app.idle('{key}')", show=False) for key in KEYS if key not in used]
