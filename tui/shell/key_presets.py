"""Key maps by name: `BPTUI_KEYS=vim` adds h, j, k and l to the arrows."""

from __future__ import annotations

from tui.shell.keys import ALL_COMMANDS

VIM = {"left": "h", "down": "j", "up": "k", "right": "l"}
"""What the preset `--keys vim` adds to the arrows."""


def key_preset(name: str) -> dict[str, str]:
    """A key map by the name of its preset: the ids of commands and all their keys. Raises KeyError for no such name."""
    added: dict[str, str] = {"default": {}, "vim": VIM}[name]
    keys = {command.id: command.keys.split(",") for command in ALL_COMMANDS}
    return {
        name: ",".join([*own, *(added[key] for key in own if key in added)])
        for name, own in keys.items()
        if any(key in added for key in own)
    }
