"""Answers that are shapes: 3×2, rows first. n may stand for the number of samples, or its number.

8×n for f⁽¹⁾ over n samples      3x2, 3 by 2 and (3, 2) are the same      n×8: turned round
"""

from __future__ import annotations

import re

from engine.autodiff.graph import Graph, Node
from engine.formula.expression import Symbol
from engine.formula.layout import one_line
from engine.practice.reading.names_in_scope import SampleCount, Shape
from engine.practice.reading.shape_rules import shape_text
from engine.practice.verdict import Mistake, Verdict

_SHAPE = re.compile(
    r"[\[(]? \s* (?P<rows>[0-9]{1,7}|[nN]) \s* (?:[x×X*·,;]|by|\\times|\s) \s* (?P<columns>[0-9]{1,7}|[nN]) \s* [\])]?",
    re.VERBOSE,
)
_SINGLE = ("1", "scalar", "a scalar", "number", "a number", "single number", "a single number")


def shape_of(node: Node, graph: Graph) -> Shape:
    """A matrix's shape, the number of samples known as such."""
    rows, columns = node.shape
    return rows, SampleCount(columns) if node.per_sample and columns == graph.n else columns


def judge_shape(text: str, node: Node, graph: Graph) -> Verdict:
    """The verdict on the shape of a matrix, which is that of its gradient."""
    typed = " ".join(text.split())
    match = _SHAPE.fullmatch("1x1" if typed.lower() in _SINGLE else typed)
    if match is None:
        return Verdict("unreadable", problem="a shape is asked for, rows first, such as 3×2 or 8×n", column=1)
    rows, columns = (match[part].lower() for part in ("rows", "columns"))
    understood = f"{rows}×{columns}"
    wanted = shape_of(node, graph)
    if _is(rows, wanted[0]) and _is(columns, wanted[1]):
        return Verdict("right", understood)
    if _is(columns, wanted[0]) and _is(rows, wanted[1]):
        turned = "it is turned round: rows come first, then columns"
        return Verdict("wrong", understood, mistakes=(Mistake("transposed", understood, None, turned),))
    return Verdict("wrong", understood, mistakes=(_named(rows, columns, wanted, graph),))


def _is(typed: str, length: int) -> bool:
    return isinstance(length, SampleCount) if typed == "n" else int(typed) == length


def _named(rows: str, columns: str, wanted: Shape, graph: Graph) -> Mistake:
    """Whose shape it is, or which half of it is right."""
    others: list[Symbol] = [
        other.symbol
        for other in graph.nodes.values()
        if other is not graph.loss
        and all(_is(one, length) for one, length in zip((rows, columns), shape_of(other, graph), strict=True))
    ]
    understood = f"{rows}×{columns}"
    if "n" in (rows, columns) and not any(isinstance(length, SampleCount) for length in wanted):
        text = "n is the number of samples: a parameter's shape, and its gradient's, do not depend on it"
        return Mistake("swapped", understood, None, text)
    if len(others) == 1:
        return Mistake("swapped", understood, None, f"this is the shape of {one_line(others[0])}")
    if _is(rows, wanted[0]):
        return Mistake("unknown", understood, None, f"its {rows} rows are right, its columns are not")
    if _is(columns, wanted[1]):
        return Mistake("unknown", understood, None, f"its {columns} columns are right, its rows are not")
    return Mistake("unknown", understood, None, "neither its rows nor its columns are right")


def solution_shape(node: Node, graph: Graph) -> str:
    """The right shape in words, with the number of samples where that is in it."""
    shape = shape_of(node, graph)
    also = f", {node.shape[0]}×{node.shape[1]} here" if isinstance(shape[1], SampleCount) else ""
    return shape_text(shape) + also
