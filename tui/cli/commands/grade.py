"""`bptui grade`: the answer files of a class, against one assignment."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.arguments import ascii_option
from tui.cli.commands.answer import FORMATS
from tui.cli.group import BAD_INPUT
from tui.cli.output import complain, output_style, write, write_json


@click.command
@click.argument("assignment", metavar="ASSIGNMENT")
@click.argument("answers", metavar="ANSWERS", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to write it."
)
@ascii_option
@click.pass_context
def grade(ctx: click.Context, assignment: str, answers: tuple[Path, ...], form: str, ascii: bool) -> None:
    """Grade answer files against an assignment.

    ASSIGNMENT is a TOML file of questions, or "tutorials" for those that come with bptui. Each of ANSWERS is a
    TOML or JSON file that gives a formula for each question's id. A file that cannot be read fails alone.

    \b
    Examples:
      bptui grade week3.toml answers/ada.toml answers/grace.json
      bptui grade week3.toml answers/*.toml --format csv > marks.csv
      bptui grade week3.toml submission.toml --format gradescope > results.json
    """
    from engine.formula.text import ascii_text
    from engine.practice import result_formats as formats
    from engine.practice.assignment import load_assignment
    from engine.practice.grading import GradedFile, grade_files

    asked = load_assignment(assignment)
    files: list[GradedFile] = []
    for graded in grade_files(asked, answers):
        files.append(graded)
        if graded.problem is not None:
            complain(graded.problem)
    match form:
        case "json":
            write_json(formats.grade_record(files, asked.title), ascii)
        case "gradescope":
            write_json(formats.gradescope(files), ascii)
        case "prairielearn":
            write_json(formats.prairielearn(files), ascii)
        case "junit":
            write(formats.junit(files, asked.title))
        case "csv":
            write(formats.csv_table(files))
        case _:
            text = formats.grade_text(files, asked.title)
            write(ascii_text(text.replace("✓", "+").replace("✗", "x")) if output_style(ascii).ascii else text)
    if all(not file.readable for file in files):
        ctx.exit(BAD_INPUT)
