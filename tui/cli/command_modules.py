"""The commands of the `bptui` command, each imported when it is first asked for.

Importing all of them takes a tenth of the time until the app's first frame, and only one of them runs.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module

import click


class CommandModules(MutableMapping[str, click.Command]):
    """The commands by their names, each imported from its module when it is run."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._commands: dict[str, click.Command | None] = dict.fromkeys(names)

    def __getitem__(self, name: str) -> click.Command:
        command = self._commands[name]
        if command is None:
            module = import_module(f"tui.cli.commands.{name}")
            defined = (thing for thing in vars(module).values() if isinstance(thing, click.Command))
            self._commands[name] = command = next(one for one in defined if one.name == name)
        return command

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._commands[name] = command

    def __delitem__(self, name: str) -> None:
        del self._commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)
