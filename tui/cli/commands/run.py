"""`bptui run`: records a command's torch training without a change to its code."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.output import complain

MOST_NAMED = 4
"""So many logs are named, a line each: a program that searches for the best of many settings writes hundreds."""


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("bptui-run.jsonl"),
    metavar="FILE.jsonl",
    help="Where the run log goes (default bptui-run.jsonl); one that is there is never overwritten.",
)
@click.option(
    "--every",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Measure every N-th update (default 1).",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND [ARGS]...")
def run(log: Path, every: int, command: tuple[str, ...]) -> None:
    """Run COMMAND and record its torch training.

    At every step of an optimizer: loss, learning rate and the gradient of every parameter. The command runs as it
    would without bptui, and its exit status is kept. Watch the log meanwhile with bptui watch, or read what it
    says with bptui report.

    \b
    Examples:
      bptui run -- python train.py --epochs 3
      bptui run -- python -m package.train
      bptui run --every 10 -- torchrun --nproc-per-node 2 train.py
      bptui run -- uv run train.py
    """
    from bptui.recorded_command import NOT_EXECUTABLE, NOT_FOUND, end_like
    from bptui.recorded_command import run as launch

    context = click.get_current_context()
    try:
        outcome = launch(command, log, every)
    except OSError as error:
        complain(f"{command[0]}: cannot be started: {error.strerror or error}")
        context.exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE)
    reason = outcome.nothing_recorded
    if reason is not None:
        complain(f"nothing was recorded: {reason}")
    logs = outcome.logs
    for path in logs if len(logs) <= MOST_NAMED else logs[: MOST_NAMED - 1]:
        complain(f"recorded in {path}; bptui watch and bptui report read it")
    if len(logs) > MOST_NAMED:
        complain(f"recorded in {len(logs) - MOST_NAMED + 1} more files, the last of them {logs[-1]}")
    context.exit(end_like(outcome.status))
