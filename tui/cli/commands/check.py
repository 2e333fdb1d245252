"""`bptui check`: backward against central differences, parameter by parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli.arguments import ascii_option, experiment_argument, json_option, of_option
from tui.cli.group import FAILED
from tui.cli.output import output_style, write, write_json

if TYPE_CHECKING:
    from engine.formula.expression import Symbol


@click.command
@experiment_argument
@of_option
@json_option
@ascii_option
def check(experiment: str, of: Symbol | None, as_json: bool, ascii: bool) -> None:
    """Check every parameter against central differences.

    EXPERIMENT is a preset's name (see bptui presets) or the path of a TOML file. Computed in float64; of each
    large parameter 200 randomly chosen entries are checked. For each parameter the worst entry is shown, with
    its relative error |a-n| / max(|a|,|n|). The exit status is 1 when an entry fails.

    \b
    Examples:
      bptui check tutorial-b
      bptui check tutorial-b --of "Y_hat[0,0]"
      bptui check lab/wine.toml --json
    """
    from engine.derivation.evaluated import EvaluatedExperiment
    from engine.experiment.loading import load_experiment

    evaluated = EvaluatedExperiment.of(load_experiment(experiment), experiment)
    evaluated = evaluated if of is None else evaluated.differentiating(of)
    checks = evaluated.check_parameters()
    if as_json:
        from engine.export.json_records import check_record

        record = check_record(checks)
        write_json(record, ascii)
        passed = record["passed"]
    else:
        from engine.export.check_table import CheckTable, check_summary

        table = CheckTable(
            [evaluated.graph.nodes[name] for name in evaluated.parameters], output_style(ascii)
        )
        write(table.header)
        done = []
        for one in checks:  # each is written as soon as it is known: a large network takes its time
            write(table.line(one))
            done.append(one)
        write(f"\n{check_summary(done)}")
        passed = all(one.passed for one in done)
    if not passed:
        click.get_current_context().exit(FAILED)
