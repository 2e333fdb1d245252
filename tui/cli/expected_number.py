"""`--expect`: whether somebody's number agrees with a gradient, and which factor it is off by where it does not."""

from __future__ import annotations

import click

from engine.autodiff.graph import Graph
from engine.formula.ascii_text import in_characters_of
from engine.formula.course_notation import CANONICAL, CourseNames
from engine.formula.number_text import number_text
from engine.practice.judging.expected_number import expectation_lines
from engine.practice.mistakes.factors_between_numbers import find_factors
from engine.practice.mistakes.updated_too_early import UPDATED_TOO_EARLY, gradients_updated_too_early
from engine.practice.question.asked_target import AskedTarget
from engine.practice.reading.typed_number import TypedNumber
from engine.practice.reading.unreadable import UnreadableError
from tui.cli.one_line_errors import FAILED
from tui.cli.output import output_style, write


def compare_expected(
    graph: Graph,
    asked: AskedTarget,
    expect: str,
    ascii_only: bool,
    names: CourseNames = CANONICAL,
    learning_rate: float | None = None,
) -> None:
    """Compares a gradient with an expected number, says so, and ends with status 1 where they do not agree.

    Raises UsageError and TargetError.

    With the `learning_rate` it is seen where weights were updated too early.
    """
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
    lines = expectation_lines(typed, truth, candidates, style)
    if not typed.agrees(truth) and not candidates and _updated_too_early(typed, graph, asked, learning_rate):
        lines = [f"Yours is not ours ({number_text(truth, style)}): {UPDATED_TOO_EARLY}."]
    lines = [names.said(line) for line in lines]
    write("\n".join(in_characters_of(line, style) for line in lines))
    if not typed.agrees(truth):
        click.get_current_context().exit(FAILED)


def _updated_too_early(
    typed: TypedNumber, graph: Graph, asked: AskedTarget, learning_rate: float | None
) -> bool:
    if learning_rate is None or asked.of is not None or asked.sample is not None:
        return False
    early = gradients_updated_too_early(graph, learning_rate)[asked.wrt.matrix]
    return typed.agrees(float(early[asked.wrt.index or (0, 0)]))
