"""`bptui check`: backward against central differences, parameter by parameter."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO, cast

import click

from tui.cli.arguments import (
    ascii_option,
    experiment_argument,
    json_option,
    of_option,
    speaking,
    typed_symbol,
)
from tui.cli.one_line_errors import FAILED
from tui.cli.output import fitted, output_style, write, write_json
from tui.cli.progress_bar import ProgressBarFile
from tui.shell.blas_threads import threads

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from engine.derivation.evaluated_experiment import EvaluatedExperiment
    from engine.derivation.gradcheck import ParameterCheck
    from engine.experiment.expression_spec import ExpressionExperiment
    from engine.formula.expression import Symbol


SEED = 0
"""Which entries are drawn, where not all are checked."""


@click.command
@experiment_argument
@of_option
@click.option("--all", "every", is_flag=True, help="Check every entry, however many there are.")
@json_option
@ascii_option
def check(experiment: str, of: str | None, every: bool, as_json: bool, ascii: bool) -> None:
    """Check every parameter against central differences.

    EXPERIMENT is a preset's name (see bptui presets) or the path of a TOML file. Computed in float64; of a network
    with more than 2,000 entries a sample is checked, some of every parameter, unless --all is given. For each
    parameter the worst entry is shown, with its relative error |a-n| / max(|a|,|n|). The exit status is 1 when an
    entry fails.

    \b
    Examples:
      bptui check tutorial-b
      bptui check tutorial-b --of "Y_hat[0,0]"
      bptui check relu-50 --all
      bptui check lab/wine.toml --json
    """
    from engine.derivation.evaluated_experiment import EvaluatedExperiment
    from engine.derivation.gradcheck import entries_to_check
    from engine.experiment.expression_spec import ExpressionExperiment
    from engine.experiment.loading import load_any

    loaded = load_any(experiment)
    if isinstance(loaded, ExpressionExperiment):
        output = None if of is None else typed_symbol(of, "--of")
        _check_expression(loaded, experiment, output, as_json, ascii)
        return
    one = EvaluatedExperiment.of(loaded, experiment)
    with speaking(one.names):
        one = one if of is None else one.differentiating(typed_symbol(of, "--of", one.names))
    sizes = {name: one.network.parameters[name].size for name in one.parameters}
    screen = ProgressBarFile(sys.stderr)
    bar: ProgressBar[int]
    with click.progressbar(
        length=sum(entries_to_check(sizes, every=every).values()),
        file=cast(TextIO, screen),
        hidden=not screen.isatty(),
        show_pos=True,
        show_eta=True,
        label="checking",
    ) as bar:
        checks = one.check_parameters(SEED, every=every, told=bar.update)
        # On one terminal the lines of the table would be written through the bar.
        with threads.for_product(one.network.largest_product(one.graph.n)):
            done = list(checks) if as_json or screen.isatty() else _write_each(one, checks, every, ascii)
    if as_json:
        from engine.export.json_records import check_record

        write_json(check_record(done, SEED), ascii)
    else:
        from engine.export.check_table import check_summary, sample_note

        if screen.isatty():
            _write_each(one, done, every, ascii)
        from engine.experiment.weight_orientation import square_note
        from engine.formula.ascii_text import ascii_text

        orientation = square_note(one.experiment)
        said = None if orientation is None else one.names.said(orientation, ascii=ascii)
        notes = [sample_note(done, SEED), None if said is None else fitted(said)]
        text = "\n".join([check_summary(done), *(note for note in notes if note is not None)])
        write("\n" + (ascii_text(text) if output_style(ascii).ascii else text))
    if not all(parameter.passed for parameter in done):
        click.get_current_context().exit(FAILED)


def _check_expression(
    loaded: ExpressionExperiment, name: str, of: Symbol | None, as_json: bool, ascii: bool
) -> None:
    """The check of a typed expression: by every name that is given a number."""
    from engine.derivation.evaluated_expression import EvaluatedExpression
    from engine.export.check_table import CheckTable, check_summary
    from engine.export.json_records import check_record

    one = EvaluatedExpression.of(loaded, name)
    one = one if of is None else one.differentiating(of)
    done = list(one.check_parameters())
    if as_json:
        write_json(check_record(done, SEED), ascii)
    else:
        table = CheckTable(
            [one.graph.nodes[symbol] for symbol in one.parameters], output_style(ascii), every=True
        )
        write("\n".join([table.header, *(table.line(check) for check in done), "", check_summary(done)]))
    if not all(parameter.passed for parameter in done):
        click.get_current_context().exit(FAILED)


def _write_each(
    one: EvaluatedExperiment, checks: Iterable[ParameterCheck], every: bool, ascii: bool
) -> list[ParameterCheck]:
    """The table, a line as soon as its parameter has been checked: a large network takes its time."""
    from engine.export.check_table import CheckTable

    nodes = [one.graph.nodes[name] for name in one.parameters]
    table = CheckTable(nodes, output_style(ascii, one.names), every=every)
    write(table.header)
    done = []
    for check in checks:
        write(table.line(check))
        done.append(check)
    return done
