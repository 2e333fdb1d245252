"""The command palette: every command of the screen by its name, and Textual's palette made fit for small windows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from textual.app import App, SystemCommand
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.errors import NoWidget
from textual.geometry import Region
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker
from typing_extensions import override

from engine.formula.course_notation import CourseNames
from tui.shell.key_command import KeyCommand
from tui.shell.keys import APP_COMMANDS


class Palette(CommandPalette):
    """Textual's command palette, made safe for small windows and for being left twice.

    Textual's raises where a page is turned in a window too small to show a command, where its list has gone before the
    search for what was typed has begun, or is over, and where a click comes from beyond a window that has become
    smaller since.
    """

    @override
    def get_widget_at(self, x: int, y: int) -> tuple[Widget, Region]:
        """The widget at a place; outside the window it is the background."""
        try:
            return super().get_widget_at(x, y)
        except NoWidget:
            return self, self.region

    @override
    def dismiss(self, result: None = None) -> AwaitComplete:
        """Dismisses the palette once: a click beside it may be on its way when it has been left by a key."""
        if not (self.is_current and self.app.screen is self):
            return AwaitComplete.nothing()  # type: ignore[no-untyped-call,no-any-return]
        return super().dismiss(result)

    async def _search_unless_closed(self, typed: str) -> None:
        search: Any = CommandPalette._gather_commands
        with suppress(NoMatches):
            await search.__wrapped__(self, typed)

    @override
    def _gather_commands(self, search_value: str) -> Worker[None]:
        return self.run_worker(
            partial(self._search_unless_closed, search_value),
            group=self._GATHER_COMMANDS_GROUP,  # under whose name Textual ends it
            exclusive=True,
        )

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError):
            super()._action_command_list(action)


def palette_commands(app: App[None], screen: Screen[object], names: CourseNames) -> Iterator[SystemCommand]:
    """The palette's commands: every one of a screen and of the app."""
    own: tuple[KeyCommand, ...] = getattr(screen, "COMMANDS_SHOWN", ())
    for command in (*own, *APP_COMMANDS):
        yield SystemCommand(command.label, names.said(command.help), _runner(app, command, screen))


def _runner(app: App[None], command: KeyCommand, screen: Screen[object]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        await app.run_action(command.action, app if command in APP_COMMANDS else screen)

    return run
