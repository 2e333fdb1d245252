"""`bptui report`: what a run log says, without the app: findings, and the first step that was not finite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.arguments import ascii_option, json_option, layers_option, log_argument, log_names_option
from tui.cli.output import fitted, output_style, write

if TYPE_CHECKING:
    from engine.diagnosis.log_report import LogReport
    from engine.formula.notation import Style

DAMAGE_TOLD = 8
"""So many unreadable lines are listed, the others counted."""

NAMES_TOLD = 6
"""So many layers are called by their names."""


@click.command
@log_argument
@layers_option
@log_names_option
@json_option
@ascii_option
def report(log: Path, layers: str | None, names: str | None, as_json: bool, ascii: bool) -> None:
    """Say what a run log tells of a training.

    LOG is a run log (of bptui run, bptui.watch or bptui train --log), JSON Lines, csv, TensorBoard event files,
    Lightning's metrics.csv, a trainer_state.json, a trackio database, or a folder, whose newest run is read.

    \b
    Examples:
      bptui report bptui-run.jsonl
      bptui report runs/ --layers "weight$"
      bptui report metrics.csv --json
      bptui report log.jsonl --names "norms/(?P<layer>.+)"
    """
    from engine.diagnosis.log_report import read_for_report, report_on
    from engine.runs.layer_selection import SelectedLayers
    from engine.runs.log_format_registry import open_log
    from engine.runs.run_log_lines import RunLogError

    if not log.exists():
        raise RunLogError(f"{log}: no such file")
    source = SelectedLayers(open_log(log, names), layers)
    try:
        found = report_on(read_for_report(source))
    finally:
        source.close()
    if as_json:
        record = {**found.record(), "log": str(source.path)}
        write(json.dumps(record, ensure_ascii=ascii, allow_nan=False))
        return
    write(fitted("\n".join(report_lines(str(source.path), found, output_style(ascii)))))


def report_lines(name: str, report: LogReport, style: Style) -> list[str]:
    """The report on a run log as lines of text."""
    from engine.formula.ascii_text import ascii_text

    lines = [*_about(name, report, style), ""]
    diagnosis = report.diagnosis
    for finding in diagnosis.findings:
        kind = finding.kind.value.replace("-", " ").capitalize()
        lines += [f"{kind} (step {finding.step:,})", f"  {finding.text}"]
        if finding.remedy is not None:
            lines.append(f"  {finding.remedy}")
        lines.append("")
    if not diagnosis.findings:
        lines += [diagnosis.nothing_found, ""]
    if diagnosis.gradients:
        lines += [diagnosis.gradients, ""]
    lines += _not_finite(report)
    if diagnosis.missing:
        lines.append(
            f"Other findings would need {' and '.join(diagnosis.missing)}, which this log does not hold."
        )
    lines += _damage(report)
    return [ascii_text(line) for line in lines] if style.ascii else lines


def _about(name: str, report: LogReport, style: Style) -> list[str]:
    from engine.formula.number_text import number_text
    from engine.formula.numbers_in_words import counted

    lines, header = report.lines, report.lines.header
    if header is None or lines.first is None or lines.last is None:
        return [f"{name}: nothing is logged yet"]
    title = f" ({header.title})" if header.title else ""
    said = [
        f"{name}{title}",
        f"{counted(lines.count, 'line')}, steps {lines.first.step:,} to {lines.last.step:,}, "
        f"{counted(len(header.layers), 'layer')}"
        + (
            f", of which {len(report.layers)} matrices are judged"
            if len(report.layers) < len(header.layers)
            else ""
        ),
    ]
    if "loss" in lines.last.fields:
        arrow = style.glyphs.arrow
        source = f" (from {header.loss_from})" if header.loss_from else ""
        losses = f"{number_text(lines.first.loss, style)} {arrow} {number_text(lines.last.loss, style)}"
        said.append(f"loss {losses}{source}")
    else:
        said.append("loss: not logged")
    if header.measured == "after clipping":
        said.append("The gradients were measured after clipping.")
    if header.shard:
        said.append("The norms are of one rank's part of each parameter.")
    if not header.ordered:
        said.append(
            "The log has lost the order of the layers; they are put into natural order, embeddings first, heads last. "
            "What is said of first and last layers rests on that."
        )
    if lines.skipped:
        said.append(
            f"{counted(lines.skipped, 'step')} made no update, as the gradient scaler found an overflow."
        )
    return said


def _not_finite(report: LogReport) -> list[str]:
    from engine.formula.numbers_in_words import counted

    found = report.not_finite
    if found is None or report.lines.header is None:
        return []
    step, names = found
    total = len(report.lines.header.layers)
    before = report.before_break
    after = [] if before is None else before.sentences(report.lines.header.dtype)
    if not names:
        return [f"The first number that is not finite is the loss of step {step:,}.", *after, ""]
    told = ", ".join(names[:NAMES_TOLD]) + (
        f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
    )
    if len(names) == total:
        told = f"all {counted(total, 'layer')}, the first of them {names[0]}" if total > 1 else names[0]
    return [f"The first gradients that are not finite are those of step {step:,}: {told}.", *after, ""]


def _damage(report: LogReport) -> list[str]:
    from engine.formula.numbers_in_words import counted

    damaged = report.lines.damaged
    if not damaged:
        return []
    listed = [f"  line {damage.line}: {damage.reason}" for damage in damaged[:DAMAGE_TOLD]]
    more = len(damaged) - DAMAGE_TOLD
    return [
        f"{counted(len(damaged), 'line')} could not be taken as they stand:",
        *listed,
        *([f"  and {more} more"] if more > 0 else []),
    ]
