"""The page about a linear network: the one matrix that all its layers are (tutorial D3), or why it is more than one."""

from __future__ import annotations

import numpy as np
from textual.content import Content

from engine.autodiff.graph import Array, Graph
from engine.formula.expression import Symbol
from engine.formula.notation import Style
from engine.formula.number_text import number_text
from engine.model.linear_collapse import NotLinearError, collapsed
from engine.model.network import Network, X
from tui.shell.csv_table import Cell, Rows
from tui.shell.stacked_content import stacked_in

SHOWN = 6
"""Rows and columns of a matrix that are shown; the others are counted."""

SHOWN_SAMPLES = 4
"""Samples whose sums are compared: with the name before them they fit a page in a small window."""

NUMBER = 11
"""Columns of a number."""


def collapse_view(network: Network, graph: Graph, style: Style) -> Content:
    """The page of a linear network as one matrix: the product of all, or what is in the way."""
    try:
        one = collapsed(network)
    except NotLinearError as error:
        return stacked_in(
            style,
            [
                Content.styled("This network is more than one matrix.", "bold"),
                "",
                str(error),
                "",
                "With slope 1 for every leaky ReLU (or linear activations) it would be one: see leaky-slope-1.",
            ],
        )
    depth = len(network.layers)
    times = " " if style.ascii else " · "
    names = [
        f"(I + W[{number}])" if layer.residual else f"W[{number}]"
        for number, layer in enumerate(network.layers, start=1)
    ]
    product = times.join(names if depth <= SHOWN else [*names[:2], "…", names[-1]])
    shapes = " · ".join(
        _shape(network.parameters[Symbol("W", number)]) for number in range(1, min(depth, SHOWN) + 1)
    )
    last = graph.nodes[Symbol("f", depth)].value
    through_one = one.pre_activation(graph.nodes[X].value)
    difference = float(np.abs(through_one - last).max() / max(float(np.abs(last).max()), 1e-300))
    agrees = difference <= 1e-12 if graph.dtype == np.float64 else difference <= 1e-5
    tick = style.glyphs.tick if agrees else "WRONG"
    parts: list[Content | str] = [
        Content.styled(f"{depth} layers, one matrix: {product}", "bold"),
        Content.styled(f"{shapes}{' · …' if depth > SHOWN else ''} = {_shape(one.W)}", "$faint"),
        "",
        *_grid(one.W, style),
    ]
    if one.b.any():
        parts += ["", "and one bias", *_grid(one.b, style)]
    columns = min(last.shape[1], SHOWN_SAMPLES)
    parts += [
        "",
        Content.styled(f"The last sums f[{depth}] of the first samples", "bold"),
        _row("layer by layer", last[0, :columns], style),
        _row("by one matrix", through_one[0, :columns], style),
        Content.styled(
            f"{tick}  the largest relative difference over {last.shape[1]} samples: {number_text(difference, style)}",
            "$done" if agrees else "bold $error",
        ),
    ]
    return stacked_in(style, parts)


def collapse_rows(network: Network) -> Rows:
    """The one matrix of a linear network and its bias as csv rows; only a heading where there is none."""
    rows: list[list[Cell]] = [["matrix", "row", "column", "value"]]
    try:
        one = collapsed(network)
    except NotLinearError:
        return rows
    for name, matrix in (("W", one.W), ("b", one.b)):
        rows += [[name, row, column, float(matrix[row, column])] for row, column in np.ndindex(matrix.shape)]
    return rows


def _shape(matrix: Array) -> str:
    return f"({matrix.shape[0]}×{matrix.shape[1]})"


def _grid(matrix: Array, style: Style) -> list[Content | str]:
    rows: list[Content | str] = []
    for row in matrix[:SHOWN]:
        text = "".join(f"{number_text(float(value), style):>{NUMBER}}" for value in row[:SHOWN])
        rows.append(Content.styled(f"  {text}{'  …' if matrix.shape[1] > SHOWN else ''}", "$value"))
    if len(matrix) > SHOWN:
        rows.append(Content.styled(f"  … {len(matrix) - SHOWN} more rows", "$faint"))
    return rows


def _row(name: str, values: Array, style: Style) -> Content:
    text = "".join(f"{number_text(float(value), style):>{NUMBER}}" for value in values)
    return Content.assemble((f"  {name:<16}", "$faint"), (text, "$value"))
