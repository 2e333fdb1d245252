"""`bptui` and `bptui open`: the app."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

import click

from engine.experiment.presets import is_preset
from tui.cli.arguments import ComparedType, ExperimentType, TargetType, of_option
from tui.cli.output import complain
from tui.shell.garbage_collection import resting_while_starting

if TYPE_CHECKING:
    from tui.session.opening import Trained

SCREENS = ("stepper", "gradients", "relu")
PHASES = ("forward", "loss", "backward", "update")
METRICS = ("max", "mean", "l2", "delta")
CHARTS = ("profile", "layers", "history", "strip", "budget")
AXES = ("log", "linear")

MANY_STEPS = 1000
"""From so many on it is said that one waits for them."""

FIRST, COUNTED = click.IntRange(min=0), click.IntRange(min=1)


@click.command("open")
@click.argument("experiment", type=ExperimentType(), required=False)
@click.option(
    "--wrt", "target", type=TargetType(), metavar="TARGET", help='The entry to differentiate by: "W[1][1,1]".'
)
@of_option
@click.option("--sample", type=FIRST, help="The sample that is shown.")
@click.option(
    "--phase", type=click.Choice(PHASES), help="The phase of the stepper; backward where not given."
)
@click.option("--step", type=COUNTED, help="The step of that phase, from 1 on.")
@click.option("--term", type=COUNTED, help="At a fork, the term of that step, from 1 on.")
@click.option(
    "--follow", metavar="BRANCHES", help="The branches of the path, 2.1,4.3: a step from the target, a term."
)
@click.option(
    "--digits", type=click.Choice(("4", "6", "10")), help="How many digits of every number are shown."
)
@click.option("--screen", type=click.Choice(SCREENS), help="The screen in front.")
@click.option("--metric", type=click.Choice(METRICS), help="The magnitude that the gradients screen shows.")
@click.option("--chart", type=click.Choice(CHARTS), help="Its picture.")
@click.option("--axis", type=click.Choice(AXES), help="Its axis.")
@click.option("--layer", type=COUNTED, help="The layer under the cursor, from 1 on.")
@click.option("--unit", type=FIRST, help="The unit under the cursor of the units screen, from 0 on.")
@click.option("--filter", "filter", metavar="TEXT", help="Only layers whose name holds or fits this.")
@click.option("--train", "steps", type=FIRST, metavar="STEPS", help="Train so many steps first.")
@click.option(
    "--compare",
    type=ComparedType(),
    metavar="EXPERIMENT",
    help='Train another one beside it; "counterpart" is the one that the key c chooses.',
)
@click.option("--cross-hair", type=FIRST, metavar="STEP", help="The step that values are read off.")
def open_command(
    experiment: str | None, steps: int | None, compare: str | None, cross_hair: int | None, **view: Any
) -> None:
    """Open the app, with EXPERIMENT or at its start.

    EXPERIMENT is a preset's name (see bptui presets), the path of a TOML file, or an item of the tutorials, such as
    B1: then the experiment of its lesson opens, on the lesson's screen. In the app, Y copies the command that leads to
    what is on the screen.

    \b
    Examples:
      bptui open
      bptui open tutorial-b
      bptui open B1
      bptui open lab/wine.toml --wrt "W[1][1,1]" --sample 17 --step 3
      bptui open tutorial-b --of "Y_hat[0,0]" --wrt "W[1][1,1]"
      bptui open relu-50 --train 20 --chart history --metric l2
      bptui open vanishing-sigmoid-50 --compare relu-50 --train 20
    """
    asked = {key: value for key, value in view.items() if value is not None}
    if "digits" in asked:
        asked["digits"] = int(asked["digits"])
    trains = steps is not None or compare is not None or cross_hair is not None
    if experiment is None and (asked or trains):
        raise click.UsageError("all options of open are for an EXPERIMENT")
    trained = None
    if trains:
        from tui.session.opening import Trained

        trained = Trained(steps or 0, compare, cross_hair)
    open_app(experiment, asked, trained)


def _lesson(name: str) -> tuple[str, dict[str, Any]] | None:
    """The experiment and the screen of a lesson; None where there is no item of that name."""
    if is_preset(name):
        return None
    from tui.lessons.lesson import ITEMS, read_lesson

    if name.upper() not in ITEMS:
        return None
    lesson = read_lesson(name)
    return lesson.preset, {"screen": lesson.screen}


def open_app(
    experiment: str | None, view: dict[str, Any] | None = None, trained: Trained | None = None
) -> None:
    """Checks that there is a terminal and an experiment, then hands over to the app."""
    need_terminal()
    with resting_while_starting():
        status = _started(experiment, view, trained)
    click.get_current_context().exit(status)


def _started(experiment: str | None, view: dict[str, Any] | None, trained: Trained | None) -> int:
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
        elif trained is not None and trained.steps >= MANY_STEPS:
            complain(f"training {trained.steps:,} steps first; Ctrl+C ends it")
    return run(experiment, view=view, trained=trained)


def need_terminal() -> None:
    """Raises a usage error where the app would have no terminal to draw on."""
    # Where Textual is told to use another driver (a browser), its input and output are no terminal.
    if "TEXTUAL_DRIVER" not in os.environ and not (_is_terminal(sys.stdin) and _is_terminal(sys.stdout)):
        raise click.ClickException("the app needs a terminal; bptui grads, explain, check and train do not")


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()  # None: closed by whoever started us
