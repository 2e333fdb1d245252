"""`bptui explain`: the derivation of one gradient, to read, to print or to process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli.arguments import (
    TargetType,
    ascii_option,
    digits_option,
    experiment_argument,
    of_option,
    speaking,
    typed_symbol,
)
from tui.cli.derivation_output import write_derivation
from tui.cli.finite_gradients import fail_unless_finite
from tui.cli.output import output_style, output_width, write, write_json, write_page

if TYPE_CHECKING:
    from engine.derivation.evaluated_experiment import EvaluatedExperiment
    from engine.formula.expression import Symbol

FORMATS = ("text", "markdown", "latex", "json")


@click.command
@experiment_argument
@click.option(
    "--wrt",
    "target",
    type=TargetType(),
    required=True,
    metavar="TARGET",
    help='What to differentiate by: an entry ("W[1][1,1]", "X[1,0]", "W^{[1]}_{11}") or a whole matrix ("W[1]").',
)
@of_option
@click.option("--sample", type=int, help="Whose steps to show; by default the sample that contributes most.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to write it."
)
@click.option(
    "--jacobian", is_flag=True, help="Show instead the Jacobian of one matrix by the next, over the samples."
)
@click.option(
    "--expect", metavar="NUMBER", help="Your number: does it agree, and if not, which factor is it off by?"
)
@digits_option
@ascii_option
def explain(
    experiment: str,
    target: str,
    of: str | None,
    sample: int | None,
    form: str,
    jacobian: bool,
    expect: str | None,
    ascii: bool,
) -> None:
    """Take one gradient apart, factor by factor.

    EXPERIMENT is a preset's name (see bptui presets) or the path of a TOML file. Every factor is named,
    evaluated and multiplied up, and the result is checked against a central difference. A whole matrix is given in
    matrix form, with every shape on the way and its largest entries evaluated.

    \b
    Examples:
      bptui explain tutorial-b --wrt "W[1][1,1]"
      bptui explain tutorial-b --wrt "W[1]"
      bptui explain tutorial-b --of "Y_hat[0,0]" --wrt "W[1][1,1]"
      bptui explain tutorial-a --wrt "W[1][2,0]" --format latex > derivation.tex
      bptui explain tutorial-a-loss --wrt "W[1][0,0]" --jacobian
      bptui explain tutorial-b-wine --wrt "W[1][1,1]" --sample 17 --format json
    """
    from engine.derivation.chain_rule import explain as derivation_of
    from engine.derivation.evaluated_experiment import EvaluatedExperiment
    from engine.derivation.targets import resolve_target
    from engine.experiment.expression_spec import ExpressionExperiment
    from engine.experiment.loading import load_any

    loaded = load_any(experiment)
    if isinstance(loaded, ExpressionExperiment):
        from engine.derivation.evaluated_expression import EvaluatedExpression
        from tui.cli.commands.expr import show_expression

        if jacobian or sample is not None:
            raise click.UsageError(f"{experiment} is an expression: --jacobian, --sample are for networks")
        expression = EvaluatedExpression.of(loaded, experiment)
        if of is not None:
            expression = expression.differentiating(typed_symbol(of, "--of"))
        symbol = typed_symbol(target, "--wrt")
        show_expression(expression, symbol, form, ascii, numbers=False, expect=expect)
        return
    evaluated = EvaluatedExperiment.of(loaded, experiment)
    names = evaluated.names
    output = None if of is None else typed_symbol(of, "--of", names)
    with speaking(names):
        evaluated = evaluated if output is None else evaluated.differentiating(output)
        asked = resolve_target(evaluated.graph, typed_symbol(target, "--wrt", names))
        if expect is not None:
            from engine.practice.question.asked_target import AskedTarget
            from tui.cli.expected_number import compare_expected

            rate = evaluated.experiment.train.learning_rate
            compare_expected(evaluated.graph, AskedTarget(asked, output, sample), expect, ascii, names, rate)
            return
        if asked.index is None and not evaluated.graph.nodes[asked].scalar and not jacobian:
            _write_matrix(evaluated, asked, sample, form, evaluated.experiment.title or experiment, ascii)
            fail_unless_finite(evaluated.graph, [asked])
            return
        derivation = derivation_of(evaluated.graph, asked, sample)
    if jacobian and form != "text":
        raise click.UsageError(f"--jacobian is written as text: found --format {form}")
    if jacobian:
        from tui.stepper.jacobian_page import jacobian_view

        write_page(jacobian_view(derivation, 1, output_style(ascii, names), output_width()).plain)
        return
    check = evaluated.check(derivation.target)
    if form == "json":
        from engine.export.json_records import explain_record

        write_json(explain_record(derivation, check), ascii)
        fail_unless_finite(evaluated.graph, [derivation.target])
        return
    from engine.formula.untrusted_text import one_line

    title, style = evaluated.experiment.title or one_line(experiment), output_style(ascii, names)
    write_derivation(derivation, title, check, form, style)
    fail_unless_finite(evaluated.graph, [derivation.target])


def _write_matrix(
    evaluated: EvaluatedExperiment, target: Symbol, sample: int | None, form: str, title: str, ascii: bool
) -> None:
    """The gradient of a whole matrix."""
    from engine.derivation.whole_matrix import whole_matrix
    from engine.export import whole_matrix_document

    if sample is not None:
        raise click.UsageError(
            f"{target.plain()} is a whole matrix, summed over all samples: leave --sample out"
        )
    whole, check, style = (
        whole_matrix(evaluated.graph, target),
        evaluated.check_matrix(target),
        output_style(ascii, evaluated.names),
    )
    if form == "json":
        write_json(whole_matrix_document.matrix_record(whole, check), ascii)
    elif form == "latex":
        write(whole_matrix_document.matrix_latex(whole, title, check, style=style))
    elif form == "markdown":
        write(whole_matrix_document.matrix_markdown(whole, title, check, style=style))
    else:
        write(whole_matrix_document.written_matrix(whole, title, check, width=output_width(), style=style))
