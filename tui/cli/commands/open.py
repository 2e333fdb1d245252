"""`bptui` and `bptui open`: the app."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

import click

from tui.cli.arguments import ExperimentType
from tui.cli.output import complain

SCREENS = ("stepper", "gradients", "relu")


@click.command("open")
@click.argument("experiment", type=ExperimentType(), required=False)
@click.option("--wrt", metavar="TARGET", help='The entry whose gradient is taken apart: "W[1][1,1]".')
@click.option("--sample", type=click.IntRange(min=0), help="The sample that is shown.")
@click.option("--step", type=click.IntRange(min=1), help="The step of the derivation, from 1 on.")
@click.option("--screen", type=click.Choice(SCREENS), help="The screen in front.")
def open_command(
    experiment: str | None, wrt: str | None, sample: int | None, step: int | None, screen: str | None
) -> None:
    """Open the app, with EXPERIMENT or at its start.

    EXPERIMENT is a preset's name (see bptui presets), the path of a TOML file, or an item of the tutorials, such as
    B1: then the experiment of its lesson opens, on the lesson's screen.

    \b
    Examples:
      bptui open
      bptui open tutorial-b
      bptui open B1
      bptui open lab/wine.toml --wrt "W[1][1,1]" --sample 17 --step 3
    """
    view = {"target": wrt, "sample": sample, "step": step, "screen": screen}
    asked = {key: value for key, value in view.items() if value is not None}
    if experiment is None and asked:
        raise click.UsageError("--wrt, --sample, --step and --screen are for an EXPERIMENT")
    open_app(experiment, asked)


def _lesson(name: str) -> tuple[str, dict[str, Any]] | None:
    """The experiment and the screen of a lesson; None where there is no item of that name."""
    from tui.lessons.lesson import ITEMS, read_lesson

    if name.upper() not in ITEMS:
        return None
    lesson = read_lesson(name)
    return lesson.preset, {"screen": lesson.screen}


def open_app(experiment: str | None, view: dict[str, Any] | None = None) -> None:
    """Checks that there is a terminal and an experiment, then hands over to the app."""
    need_terminal()
    if experiment is not None:
        from engine.experiment.loading import load_any

        if (lesson := _lesson(experiment)) is not None:
            experiment, view = lesson[0], {**lesson[1], **(view or {})}
        load_any(experiment)  # a mistake in it is told here, before the screen is taken over
    from tui.app import run

    if experiment is not None:
        from tui.session.opening import is_long_to_open

        if is_long_to_open(experiment):
            complain(f"{experiment} is large and takes a while to open; Ctrl+C ends it")
    click.get_current_context().exit(run(experiment, view=view))


def need_terminal() -> None:
    """Raises a usage error where the app would have no terminal to draw on."""
    # Where Textual is told to use another driver (a browser), its input and output are no terminal.
    if "TEXTUAL_DRIVER" not in os.environ and not (_is_terminal(sys.stdin) and _is_terminal(sys.stdout)):
        raise click.ClickException("the app needs a terminal; bptui grads, explain, check and train do not")


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()  # None: closed by whoever started us
