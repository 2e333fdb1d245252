"""`bptui worksheet`: a handout made of an assignment."""

from __future__ import annotations

import click

from tui.cli.arguments import ascii_option
from tui.cli.output import output_style, write


@click.command
@click.argument("assignment", metavar="ASSIGNMENT")
@click.option(
    "--format",
    "form",
    type=click.Choice(("latex", "markdown", "text")),
    default="text",
    show_default=True,
    help="How to write it.",
)
@click.option("--solutions", is_flag=True, help="With everything, instead of blank lines.")
@ascii_option
def worksheet(assignment: str, form: str, solutions: bool, ascii: bool) -> None:
    """Write a handout, with blank lines or solutions.

    It has the networks, their numbers and the questions.

    ASSIGNMENT is a TOML file of questions, or "tutorials" for those that come with bptui.

    \b
    Examples:
      bptui worksheet week3.toml --format latex > week3.tex
      bptui worksheet week3.toml --solutions
    """
    from engine.practice.assignments.assignment import load_assignment
    from engine.practice.assignments.worksheet import worksheet as written

    write(written(load_assignment(assignment), form, solutions, output_style(ascii)))
