"""`--expect`: whether somebody's number agrees with a gradient, and which factor it is off by where it does not."""

from __future__ import annotations

import click

from engine.autodiff.graph import Graph
from engine.formula.ascii_text import ascii_text
from engine.formula.own_notation import CANONICAL, OwnNames
from engine.practice.judging.asked_target import Target
from engine.practice.judging.number_answers import TypedNumber, expectation_lines, find_factors
from engine.practice.reading.unreadable import UnreadableError
from tui.cli.one_line_errors import FAILED
from tui.cli.output import output_style, write


def compare_expected(
    graph: Graph, asked: Target, expect: str, ascii_only: bool, names: OwnNames = CANONICAL
) -> None:
    """Says it, and ends with exit status 1 where they do not agree. Raises UsageError and TargetError."""
    if asked.is_matrix and not graph.nodes[asked.wrt].scalar:
        raise click.UsageError(f"{asked.wrt.plain()} is a whole matrix: --expect takes one entry's number")
    asked.check(graph)
    try:
        typed = TypedNumber.parse(expect)
    except UnreadableError as error:
        raise click.BadParameter(f"{expect}: {error.problem}", param_hint="--expect") from None
    truth = float(asked.reader(graph)()[0, 0])
    candidates = [] if typed.agrees(truth) else find_factors(typed, truth, graph, asked)
    style = output_style(ascii_only, names)
    lines = [names.said(line) for line in expectation_lines(typed, truth, candidates, style)]
    write("\n".join(ascii_text(line) if style.ascii else line for line in lines))
    if not typed.agrees(truth):
        click.get_current_context().exit(FAILED)
