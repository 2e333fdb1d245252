"""`bptui grade`: the answer files of a class, against one assignment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.arguments import ascii_option
from tui.cli.commands.answer import FORMATS
from tui.cli.one_line_errors import BAD_INPUT
from tui.cli.output import complain, output_style, write

if TYPE_CHECKING:
    from engine.practice.assignments.grading import GradedFile


@click.command
@click.argument("assignment", metavar="ASSIGNMENT")
@click.argument("answers", metavar="ANSWERS", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to write it."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder: the results of each answer file in a file of its own, as Gradescope and PrairieLearn want them.",
)
@ascii_option
@click.pass_context
def grade(
    ctx: click.Context,
    assignment: str,
    answers: tuple[Path, ...],
    form: str,
    out: Path | None,
    ascii: bool,
) -> None:
    """Grade answer files against an assignment.

    ASSIGNMENT is a TOML file of questions, or "tutorials" for those that come with bptui. Each of ANSWERS is a
    TOML or JSON file that gives a formula for each question's id. A file that cannot be read fails alone.

    \b
    Examples:
      bptui grade week3.toml answers/ada.toml answers/grace.json
      bptui grade week3.toml answers/*.toml --format csv > marks.csv
      bptui grade week3.toml submission.toml --format gradescope > results.json
      bptui grade week3.toml answers/*.toml --format gradescope --out results/
    """
    from engine.practice.assignments.assignment import load_assignment
    from engine.practice.assignments.grading import grade_files

    asked = load_assignment(assignment)
    files: list[GradedFile] = []
    for graded in grade_files(asked, answers):
        files.append(graded)
        if graded.problem is not None:
            complain(graded.problem)
    kept = out is None or _write_each(files, asked.title, form, out, ascii)
    if out is None:
        write(_written(files, asked.title, form, ascii))
    if not kept or all(not file.readable for file in files):
        ctx.exit(BAD_INPUT)


def _written(files: Sequence[GradedFile], title: str, form: str, ascii: bool) -> str:
    """The results in a format."""
    from engine.export.json_records import to_json
    from engine.formula.ascii_text import ascii_text
    from engine.practice.assignments import result_formats as formats

    ascii = ascii or output_style(False).ascii
    match form:
        case "json":
            return to_json(formats.grade_record(files, title), ascii=ascii)
        case "gradescope":
            return formats.foreign_json(formats.gradescope(files), ascii=ascii)
        case "prairielearn":
            return formats.foreign_json(formats.prairielearn(files), ascii=ascii)
        case "junit":
            return formats.junit(files, title)
        case "csv":
            return formats.csv_table(files)
    text = formats.grade_text(files, title)
    return ascii_text(text.replace("✓", "+").replace("✗", "x")) if output_style(ascii).ascii else text


def _write_each(files: Sequence[GradedFile], title: str, form: str, out: Path, ascii: bool) -> bool:
    """Writes each file's results into a folder, and never over a file that is there; whether all could be."""
    from tui.shell.atomic_file import create_file

    suffix = {"junit": ".xml", "csv": ".csv", "text": ".txt"}.get(form, ".json")
    kept = True
    for file in files:
        path = out / f"{Path(file.file).stem}{suffix}"
        try:
            out.mkdir(parents=True, exist_ok=True)
            create_file(path, _written([file], title, form, ascii).rstrip("\n") + "\n")
        except OSError as error:
            complain(f"{path}: {error.strerror or error}")
            kept = False
        else:
            complain(f"{path}: {file.points:g} of {file.max_points:g} points")
    return kept
