"""`bptui run`: records a command's torch training without a change to its code."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.output import complain

MOST_NAMED = 4
"""So many logs are named, a line each: a program that searches for the best of many settings writes hundreds."""

MOST_JUDGED = 16 * 2**20
"""Bytes of a log of which something is said at once: reading more would keep the shell waiting."""


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
    if logs and (said := _first_finding(Path(logs[0]))) is not None:
        complain(said)
    context.exit(end_like(outcome.status))


def _first_finding(log: Path) -> str | None:
    """What bptui report says first of a log, in one line; None where that is nothing, or takes long."""
    from engine.diagnosis.log_report import read_for_report, report_on
    from engine.formula.untrusted_text import one_line
    from engine.runs.layer_selection import SelectedLayers
    from engine.runs.run_log_reader import RunLogReader

    try:
        if log.stat().st_size > MOST_JUDGED:
            return None
        source = SelectedLayers(RunLogReader(log))
        try:
            report = report_on(read_for_report(source))
        finally:
            source.close()
    except (
        Exception
    ):  # moved away, or not written for want of room: the command's exit status is kept all the same
        return None
    findings = report.diagnosis.findings
    if not findings:
        return None
    before = report.before_break
    header = report.lines.header
    after = before.sentences(header.dtype) if before is not None and header is not None else []
    return one_line(" ".join([f"{findings[0].title}.", findings[0].text, *after]))
