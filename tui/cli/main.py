"""The `bptui` command: what it is called with, and which command answers.

bptui ─┬─ open        the app (also without any command)
       ├─ presets     the experiments that come with it
       ├─ schema      what an experiment file may say
       ├─ new         a file of your own to begin with
       ├─ lesson      what the tutorials teach, item by item
       ├─ grads       every value and every gradient
       ├─ explain     one gradient, factor by factor
       ├─ expr        any expression, its value and its gradients
       ├─ check       against central differences
       ├─ compare     gradients of yours with ours
       ├─ answer      is this formula the gradient, and if not, why not?
       ├─ grade       the answers of a class
       ├─ worksheet   a handout
       ├─ exercise    new questions
       ├─ step        what a step of training does to every parameter
       ├─ export      the same in PyTorch, NumPy or a notebook
       ├─ train       without the app, with a progress bar
       ├─ run         a command whose torch training is recorded
       ├─ watch       a run log that is being written
       ├─ report      what a run log says
       ├─ screenshot  the pictures of the documentation
       └─ completion  for the shell
"""

from __future__ import annotations

import os

import click

from tui.cli.command_modules import CommandModules
from tui.cli.one_line_errors import OneLineGroup
from tui.cli.output import write
from tui.shell.version import version


def _show_version(ctx: click.Context, param: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        write(f"bptui {version()}")
        ctx.exit()


COMMANDS = CommandModules(
    (
        "open",
        "presets",
        "schema",
        "new",
        "lesson",
        "grads",
        "explain",
        "expr",
        "check",
        "compare",
        "answer",
        "grade",
        "worksheet",
        "exercise",
        "step",
        "train",
        "export",
        "run",
        "watch",
        "report",
        "screenshot",
        "completion",
    )
)
"""In the order in which they are listed."""


@click.group(
    cls=OneLineGroup,
    commands=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.option(
    "--keys",
    type=click.Choice(["default", "vim"]),
    envvar="BPTUI_KEYS",
    default="default",
    help="The app's keys: vim adds h j k l to the arrows.",
)
@click.pass_context
def cli(ctx: click.Context, keys: str) -> None:
    """Understand backpropagation in the terminal: every gradient taken apart into its chain-rule terms.

    Without a command, the app opens. The other commands write to the terminal, a file or a pipe: data to
    stdout, everything else to stderr. Exit status: 0 done, 1 a check failed, 2 bad usage or bad input.

    \b
    Examples:
      bptui                                        open the app
      bptui open tutorial-b                        open an experiment in it
      bptui lesson B1                              read what it teaches
      bptui explain tutorial-b --wrt "W[1][1,1]"   derive one gradient
      bptui check lab/wine.toml                    check your own experiment
      bptui train relu-50 --plot                   train, and draw the gradients
    """
    os.environ["BPTUI_KEYS"] = keys  # for the app, whichever command opens it
    if ctx.invoked_subcommand is None:
        from tui.cli.commands.open import open_app

        open_app(None)
