"""`bptui answer`: is this the gradient, and if not, which mistake is it?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.arguments import ascii_option, experiment_argument
from tui.cli.formula_argument import FormulaCommand, formula_of
from tui.cli.output import complain, output_style, output_width, write, write_json

if TYPE_CHECKING:
    from engine.practice.judging.judge import Judge
    from engine.practice.verdict import Verdict

FORMATS = ("text", "json", "gradescope", "prairielearn", "junit", "csv")


@click.command(cls=FormulaCommand)
@experiment_argument
@click.option(
    "--wrt",
    "target",
    required=True,
    metavar="TARGET",
    help='What is asked for: an entry "W[1][1,1]", a whole matrix "W[1]", or one factor "f[2][0,0] / a[1][1,0]".',
)
@click.option("--sample", type=int, help="What one sample alone adds to the gradient.")
@click.option("--of", metavar="ENTRY", help='The derivative of another entry than the loss: "Y_hat[0,0]".')
@click.option(
    "--update", is_flag=True, help="The parameter after one step of gradient descent, with η as eta."
)
@click.option(
    "--derivation",
    type=click.Path(path_type=Path),
    help="A file of lines, each equal to the one before; the first that breaks is named.",
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to write it."
)
@ascii_option
@click.pass_context
def answer(
    ctx: click.Context,
    experiment: str,
    target: str,
    sample: int | None,
    of: str | None,
    update: bool,
    derivation: Path | None,
    form: str,
    ascii: bool,
) -> None:
    """Check a formula that you derived, and name its mistake.

    EXPERIMENT is a preset's name (see bptui presets) or the path of a TOML file. FORMULA may be written as
    explain --json writes it, in NumPy's matrices, in LaTeX, or in the characters that the screen shows; it may
    use dE/df[2] as an earlier result. It is compared at 64 random networks, so any equivalent form is right.
    Exit status: 0 right, 1 wrong, 2 it cannot be read, or told.

    \b
    Examples:
      bptui answer tutorial-a --wrt "W[1][2,0]" "(Y_hat[0,0] - Y[0,0])*X[2,0]"
      bptui answer tutorial-b --wrt "W[2]" "a[1] @ (Y_hat - Y).T"
      bptui answer tutorial-b --wrt "f[2][0,0] / a[1][1,0]" "W[2][1,0]"
      bptui answer tutorial-a --wrt "W[1]" --update "W[1] - eta*(Y_hat-Y)*X"
      bptui answer tutorial-b --wrt "W[1][1,1]" --derivation lines.txt
    """
    from engine.derivation.evaluated_experiment import EvaluatedExperiment
    from engine.experiment.loading import load_experiment
    from engine.practice.judging.judge import Judge
    from engine.practice.question.asked_target import parse_asked_target

    formula = formula_of(ctx)
    if (formula is None) == (derivation is None):
        raise click.UsageError("expected a FORMULA, or --derivation with a file", ctx)
    evaluated = EvaluatedExperiment.of(load_experiment(experiment), experiment)
    asked = parse_asked_target(target, of, sample, evaluated.names)
    judge = Judge(evaluated, asked.updated(evaluated.experiment) if update else asked, given=None)
    verdict, text = _verdict(judge, formula, derivation)
    _write(verdict, judge, text, form, ascii)
    if verdict.status:
        ctx.exit(verdict.status)


def _verdict(judge: Judge, formula: str | None, derivation: Path | None) -> tuple[Verdict, str]:
    """The verdict on the formula, or on the lines of a file; and the text that was judged."""
    from engine.experiment.text_file import read_text_file
    from engine.practice.judging.derivation_lines import judge_derivation, lines_of

    if derivation is None:
        text = formula or ""
        return judge.judge(text), text
    lines = lines_of(read_text_file(derivation, str(derivation), 2**20))
    verdict = judge_derivation(judge, lines)
    place = verdict.line if verdict.line is not None else (lines[-1][0] if lines else 0)
    return verdict, next((text for number, text in lines if number == place), "")


def _write(verdict: Verdict, judge: Judge, text: str, form: str, ascii: bool) -> None:
    from engine.formula.ascii_text import in_characters_of
    from engine.practice.assignments import result_formats as formats
    from engine.practice.assignments.grading import GradedFile, Result
    from engine.practice.assignments.verdict_text import verdict_text
    from engine.practice.reading.unreadable import UnreadableError

    style = output_style(ascii, judge.question.evaluated.names)
    if verdict.verdict == "unreadable":
        where = UnreadableError(verdict.problem or "", text, verdict.column or 1)
        line = "" if verdict.line is None else f"line {verdict.line}, "
        said = in_characters_of(f"{line}{where.marked('^' if style.ascii else '‸')}", style)
        complain(said)
    if form == "text":
        if verdict.verdict != "unreadable":
            write(verdict_text(verdict, style, output_width()))
        return
    result = Result(
        judge.question.target.plain(),
        "",
        text,
        verdict,
        verdict.share if verdict.verdict == "right" else 0.0,
        1.0,
    )
    files = [GradedFile("", (result,))]
    match form:
        case "json":
            write_json(verdict.record(), ascii)
        case "gradescope":
            write(formats.foreign_json(formats.gradescope(files), ascii=style.ascii))
        case "prairielearn":
            write(formats.foreign_json(formats.prairielearn(files), ascii=style.ascii))
        case "junit":
            write(formats.junit(files, judge.question.evaluated.experiment.title))
        case "csv":
            write(formats.csv_table(files))
