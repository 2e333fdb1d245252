"""`bptui watch`: the training screens on a run log that another program is writing."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.arguments import ascii_option, layers_option, log_argument, log_names_option
from tui.cli.commands.open import need_terminal
from tui.cli.output import fitted, output_style, output_width, write


@click.command
@log_argument
@layers_option
@log_names_option
@click.option("--once", is_flag=True, help="Print one frame instead of opening the app.")
@ascii_option
def watch(log: Path, layers: str | None, names: str | None, once: bool, ascii: bool) -> None:
    """Watch a run log grow, in the app.

    LOG is a run log (of bptui run, bptui.watch or bptui train --log), JSON Lines, csv, TensorBoard event files,
    Lightning's metrics.csv, a trainer_state.json, a trackio database, or a folder, whose newest run is watched.
    A file need not exist yet.

    \b
    Examples:
      bptui watch run.jsonl
      bptui watch runs/ --layers "weight$"
      bptui watch bptui-run.jsonl --once
    """
    if once:
        write(_frame(log, names, layers, ascii))
        return
    need_terminal()
    from tui import app
    from tui.session.watched_log import WatchedLog

    click.get_current_context().exit(app.watch(WatchedLog(log, names, layers)))


def _frame(log: Path, names: str | None, layers: str | None, ascii: bool) -> str:
    """What the app would show first: title, progress, every layer, findings."""
    from engine.diagnosis.log_report import said_of
    from engine.runs.run_log_lines import RunLogError
    from tui.session.training_snapshot import Wanted
    from tui.session.watched_log import WatchedLog
    from tui.training.layer_bars import draw_rows
    from tui.training.layer_rows import layer_rows
    from tui.training.title_and_progress import progress_line, title_line

    if not log.exists():
        raise RunLogError(f"{log}: no such file")
    watched = WatchedLog(log, names, layers)
    try:
        watched.read_all()
        snapshot = watched.snapshot(Wanted("grad_l2"))
    finally:
        watched.close()
    run, record = snapshot.first, snapshot.first.record
    style, width = output_style(ascii), output_width()
    lines = [
        title_line(snapshot, width, style).plain.rstrip(),
        progress_line(run, style, width).plain.rstrip(),
    ]
    if record is None:
        return "\n".join([*lines, run.about])
    column = next(
        (name for name in ("grad_l2", "grad_max", "grad_mean", "delta_l2") if name in record.fields), ""
    )
    sound = watched.run.followed.last_sound or record
    values = getattr(sound, column)
    rows = layer_rows(run.layers, range(len(run.layers)), ())
    chart = draw_rows(rows, values, column, -1, width, len(rows) + 2, style.ascii)
    if watched.run.followed.broken is not None:
        lines.append(f" before it broke, step {sound.step:,}:")
    return "\n".join([*lines, "", chart.plain, "", *(fitted(line) for line in said_of(watched.run.followed))])
