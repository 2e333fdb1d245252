"""`bptui expr`: any expression, its value and every gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli.arguments import TargetType, ascii_option, digits_option, typed_symbol
from tui.cli.derivation_output import write_derivation
from tui.cli.finite_gradients import fail_unless_finite
from tui.cli.output import output_style, write, write_json

if TYPE_CHECKING:
    from engine.derivation.evaluated_expression import EvaluatedExpression
    from engine.formula.expression import Symbol

FORMATS = ("text", "markdown", "latex", "json")


class ExprCommand(click.Command):
    """FORMULA may begin with a minus, and so may a value: what begins with one and is no option is an argument."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts the arguments behind the options, where click takes them as they are."""
        flags = {
            name for one in self.params if isinstance(one, click.Option) and one.is_flag for name in one.opts
        }
        valued = {
            name
            for one in self.params
            if isinstance(one, click.Option) and not one.is_flag
            for name in one.opts
        }
        options: list[str] = []
        rest: list[str] = []
        waiting = list(args)
        while waiting:
            arg = waiting.pop(0)
            if arg == "--":
                rest += waiting
                break
            if arg in valued:
                options += [arg, *waiting[:1]]
                del waiting[:1]
            elif arg in flags or arg in ctx.help_option_names or arg.partition("=")[0] in valued:
                options.append(arg)
            else:
                rest.append(arg)
        return super().parse_args(ctx, [*options, "--", *rest])


@click.command(cls=ExprCommand)
@click.argument("formula")
@click.argument("values", nargs=-1, metavar="[NAME=NUMBER]…")
@click.option(
    "--wrt", type=TargetType(), metavar="NAME", help="Take the derivative by this name (or result) apart."
)
@click.option(
    "--of", type=TargetType(), metavar="NAME", help="Differentiate this result in place of the last line's."
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to write it."
)
@click.option(
    "--expect",
    metavar="NUMBER",
    help="Your number for --wrt: does it agree, and if not, which factor is it off by?",
)
@digits_option
@ascii_option
def expr(
    formula: str,
    values: tuple[str, ...],
    wrt: str | None,
    of: str | None,
    form: str,
    expect: str | None,
    ascii: bool,
) -> None:
    """Differentiate any expression.

    FORMULA is arithmetic (+ - * / **) with sigmoid, tanh, exp, log, sqrt, sin, cos, erf, abs, relu, max, min; several
    lines end at ; and may have names. Every operation becomes a node; shared parts are forks. The last line is
    differentiated by every name that is given a number.

    \b
    Examples:
      bptui expr "(x+y)*z" x=-2 y=5 z=-4
      bptui expr "h = sin(x); f = h*y + h**2" x=0.5 y=2 --wrt x
      bptui expr "h = sin(x); f = h*y + h**2" x=0.5 y=2 --of h
      bptui expr "(x+y)*z" x=-2 y=5 z=-4 --wrt x --expect 4
      bptui expr "-log(sigmoid(w*x))" w=2 x=-1 --format json
    """
    from engine.derivation.evaluated_expression import EvaluatedExpression
    from engine.experiment.expression_spec import ExpressionExperiment, ExpressionTable

    table = ExpressionTable(formula=formula, values=dict(map(_named_number, values)))
    if len(table.values) != len(values):
        raise click.UsageError("each name is given its number once")
    evaluated = EvaluatedExpression.of(ExpressionExperiment(expression=table, title=formula), "expr")
    evaluated = evaluated if of is None else evaluated.differentiating(typed_symbol(of, "--of"))
    if expect is not None and wrt is None:
        raise click.UsageError("--expect is the number of one derivative: --wrt says which")
    show_expression(
        evaluated, None if wrt is None else typed_symbol(wrt, "--wrt"), form, ascii, expect=expect
    )


def _named_number(text: str) -> tuple[str, float]:
    from engine.formula.parser import ParseError
    from engine.formula.typed_assignments import read_assigned_number

    name, equals, number = text.partition("=")
    try:
        value = read_assigned_number(number)
    except ParseError:
        value = None
    if not equals or value is None:
        raise click.UsageError(f'"{text}": expected a name and its number, such as x=-2 or x=1/3')
    return name.strip(), value


def show_expression(
    evaluated: EvaluatedExpression,
    wrt: Symbol | None,
    form: str,
    ascii: bool,
    *,
    numbers: bool = True,
    expect: str | None = None,
) -> None:
    """Writes all values and gradients of an expression, or one derivative, in one of the forms.

    JSON has the derivation beside all `numbers`, or by itself.
    """
    from engine.export.expression_tables import expression_blocks, expression_record, written_expression

    style = output_style(ascii)
    if wrt is None:
        if form == "json":
            write_json(expression_record(evaluated), ascii)
        elif form == "text":
            write(written_expression(evaluated, style=style))
        else:
            from engine.export.latex_document import render_latex
            from engine.export.markdown_document import render_markdown

            render = render_latex if form == "latex" else render_markdown
            title = evaluated.title or "Values and derivatives"
            write(render(expression_blocks(evaluated, title), style))
        fail_unless_finite(evaluated.graph)
        return
    from engine.derivation.chain_rule import explain
    from engine.derivation.targets import resolve_target
    from engine.export.json_records import explain_record

    target = resolve_target(evaluated.graph, wrt)
    if expect is not None:
        from engine.practice.question.asked_target import AskedTarget
        from tui.cli.expected_number import compare_expected

        compare_expected(evaluated.graph, AskedTarget(target), expect, ascii)
        return
    derivation = explain(evaluated.graph, target)
    check = evaluated.check(derivation.target)
    title = evaluated.title
    if form == "json":
        record = explain_record(derivation, check)
        write_json({**expression_record(evaluated), "explain": record} if numbers else record, ascii)
    else:
        write_derivation(derivation, title, check, form, style)
    fail_unless_finite(evaluated.graph, [derivation.target])
