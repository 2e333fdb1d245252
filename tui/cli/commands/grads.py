"""`bptui grads`: every value and every gradient of one forward and backward pass."""

from __future__ import annotations

import click

from tui.cli.arguments import ascii_option, digits_option, experiment_argument, json_option
from tui.cli.finite_gradients import fail_unless_finite
from tui.cli.output import output_style, output_width, write, write_json, write_page


@click.command
@experiment_argument
@click.option("--shapes", is_flag=True, help="Show instead every matrix product with its shapes, checked.")
@click.option("--one-matrix", is_flag=True, help="Show instead the one matrix that a linear network is.")
@json_option
@digits_option
@ascii_option
def grads(experiment: str, shapes: bool, one_matrix: bool, as_json: bool, ascii: bool) -> None:
    """Show every value and every gradient.

    EXPERIMENT is a preset's name (see bptui presets) or the path of a TOML file. It goes forward and backward
    once. Each matrix stands beside its gradient; large ones are abridged, and complete in JSON.

    \b
    Examples:
      bptui grads tutorial-b
      bptui grads tutorial-b --shapes
      bptui grads leaky-slope-1 --one-matrix
      bptui grads lab/wine.toml --json > wine.json
    """
    from engine.derivation.evaluated_experiment import EvaluatedExperiment
    from engine.experiment.expression_spec import ExpressionExperiment
    from engine.experiment.loading import load_any
    from engine.export.json_records import grads_record

    loaded = load_any(experiment)
    if isinstance(loaded, ExpressionExperiment):
        from engine.derivation.evaluated_expression import EvaluatedExpression
        from tui.cli.commands.expr import show_expression

        if shapes or one_matrix:
            raise click.UsageError(
                f"{experiment} is an expression of single numbers: there are no matrices to show"
            )
        show_expression(
            EvaluatedExpression.of(loaded, experiment), None, "json" if as_json else "text", ascii
        )
        return
    evaluated = EvaluatedExperiment.of(loaded, experiment)
    if shapes:
        from engine.derivation.matrix_form import matrix_lines
        from engine.experiment.weight_orientation import square_note
        from tui.stepper.matrices_page import matrices_view

        style, note = output_style(ascii, evaluated.names), square_note(evaluated.experiment)
        lines = list(matrix_lines(evaluated.graph))
        write_page(matrices_view(lines, style, output_width(), note).plain)
        return
    if one_matrix:
        from tui.training.linear_collapse_page import collapse_view

        write_page(
            collapse_view(evaluated.network, evaluated.graph, output_style(ascii, evaluated.names)).plain
        )
        return
    if as_json:
        write_json(grads_record(evaluated.graph), ascii)
        fail_unless_finite(evaluated.graph)
        return
    from engine.export.value_gradient_tables import written_matrices
    from engine.formula.untrusted_text import one_line

    title = evaluated.experiment.title or one_line(experiment)
    style = output_style(ascii, evaluated.names)
    write(written_matrices(evaluated.graph, title, width=output_width(), style=style))
    fail_unless_finite(evaluated.graph)
