"""`bptui watch`: the training screens on a run log that another program is writing."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.commands.open import need_terminal


@click.command
@click.argument("log", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.jsonl")
def watch(log: Path) -> None:
    """Watch a run log grow, in the app.

    The file may be written by bptui train --log, here or elsewhere, and need not exist yet.

    \b
    Examples:
      bptui watch run.jsonl
    """
    need_terminal()
    from tui import app
    from tui.session.watched_log import WatchedLog

    click.get_current_context().exit(app.watch(WatchedLog(log)))
