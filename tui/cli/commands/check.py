"""`bptui check`: backward against central differences, parameter by parameter."""

from __future__ import annotations

import click

from tui.cli.arguments import ascii_option, experiment_argument, json_option
from tui.cli.group import FAILED
from tui.cli.output import output_style, write, write_json


@click.command
@experiment_argument
@json_option
@ascii_option
def check(experiment: str, as_json: bool, ascii: bool) -> None:
    """Check every parameter against central differences.

    EXPERIMENT is a preset's name (see bptui presets) or the path of a TOML file. Computed in float64; of each
    large parameter 200 randomly chosen entries are checked. For each parameter the worst entry is shown, with
    its relative error |a-n| / max(|a|,|n|). The exit status is 1 when an entry fails.

    \b
    Examples:
      bptui check tutorial-b
      bptui check lab/wine.toml --json
    """
    from engine.derivation.evaluated import EvaluatedExperiment
    from engine.derivation.gradcheck import check_network
    from engine.experiment.loading import load_experiment

    evaluated = EvaluatedExperiment.of(load_experiment(experiment), experiment)
    checks = check_network(evaluated.network, evaluated.data.X, evaluated.data.Y)
    if as_json:
        from engine.export.json_records import check_record

        record = check_record(checks)
        write_json(record, ascii)
        passed = record["passed"]
    else:
        from engine.export.check_table import CheckTable, check_summary

        table = CheckTable(
            [evaluated.graph.nodes[name] for name in evaluated.network.parameters], output_style(ascii)
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
