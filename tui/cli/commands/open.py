"""`bptui` and `bptui open`: the app."""

from __future__ import annotations

import os
import sys
from typing import TextIO

import click

from tui.cli.arguments import ExperimentType


@click.command("open")
@click.argument("experiment", type=ExperimentType(), required=False)
def open_command(experiment: str | None) -> None:
    """Open the app, with EXPERIMENT or at its start.

    EXPERIMENT is a preset's name (see bptui presets) or the path of a TOML file.

    \b
    Examples:
      bptui open
      bptui open tutorial-b
      bptui open lab/wine.toml
    """
    open_app(experiment)


def open_app(experiment: str | None) -> None:
    """Checks that there is a terminal and an experiment, then hands over to the app."""
    need_terminal()
    if experiment is not None:
        from engine.experiment.loading import load_experiment

        load_experiment(experiment)  # a mistake in it is told here, before the screen is taken over
    from tui.app import run

    click.get_current_context().exit(run(experiment))


def need_terminal() -> None:
    """Raises a usage error where the app would have no terminal to draw on."""
    # Where Textual is told to use another driver (a browser), its input and output are no terminal.
    if "TEXTUAL_DRIVER" not in os.environ and not (_is_terminal(sys.stdin) and _is_terminal(sys.stdout)):
        raise click.ClickException("the app needs a terminal; bptui grads, explain, check and train do not")


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()  # None: closed by whoever started us
