"""Pages about a network as a whole: what it predicts (tutorial A4), and the one matrix that a linear one is (D3)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from textual.content import Content

from engine.autodiff.graph import Graph
from engine.formula.expression import Symbol
from engine.formula.notation import Style, number_text
from engine.formula.text import ascii_text
from engine.model.linear_collapse import NotLinearError, collapsed
from engine.model.network import PREDICTION, Network, X, Y
from tui.shell.paint import stacked

SHOWN = 6
"""Rows and columns of a matrix that are shown; the others are counted."""

SHOWN_SAMPLES = 4
"""Samples whose sums are compared: with the name before them they fit a page in a small window."""

NUMBER = 11
"""Columns of a number."""

MANY_CLASSES, SHOWN_WORST = 20, 10
"""From so many classes on, so many of the worst confusions are shown."""

Matrix = npt.NDArray[np.floating[Any]]
Classes = npt.NDArray[np.intp]


def confusion_view(graph: Graph, class_names: tuple[str, ...], style: Style) -> Content:
    """How many samples of each class are taken for which: counts over the whole data set, with recall and precision.

    From MANY_CLASSES on, the worst confusions and the classes least found in place of a table of all by all.
    """
    prediction, label = graph.nodes[PREDICTION].value, graph.nodes[Y].value
    if len(class_names) < 2:
        return Content("The labels are numbers, not classes: there is nothing to confuse.")
    finite: npt.NDArray[np.bool_] = np.asarray(np.isfinite(prediction).all(axis=0))
    true, taken = _classes(label)[finite], _classes(prediction)[finite]
    parts = (_table if len(class_names) < MANY_CLASSES else _worst)(true, taken, class_names)
    right, whole = int(np.count_nonzero(true == taken)), len(finite)
    parts += [
        "",
        f"{right} of {whole} right: {_share(right, whole)}. Recall is the share of a class that is found: "
        "where a class is rare, the share of all that is right hardly shows whether it is found.",
    ]
    if len(true) < whole:
        parts.append(f"The outputs for {whole - len(true)} of them are not finite: they say no class.")
    return _shown(parts, style)


def _table(true: Classes, taken: Classes, class_names: tuple[str, ...]) -> list[Content | str]:
    count = len(class_names)
    table = np.zeros((count, count), dtype=int)
    np.add.at(table, (true, taken), 1)
    width = max(*(len(name) for name in class_names), 9) + 2
    heading = f"{'':<{width}}" + "".join(f"{name:>{width}}" for name in class_names) + f"{'recall':>{width}}"
    parts: list[Content | str] = [
        Content.styled("Rows: what a sample is. Columns: what the network takes it for.", "bold"),
        "",
        Content.styled(heading, "$faint"),
    ]
    for place, name in enumerate(class_names):
        cells = [
            (f"{table[place, other]:>{width}}", "bold $done" if place == other else "$gradient")
            for other in range(count)
        ]
        parts.append(
            Content.assemble(
                (f"{name:<{width}}", "bold"),
                *cells,
                f"{_share(table[place, place], table[place].sum()):>{width}}",
            )
        )
    precision = "".join(f"{_share(table[k, k], table[:, k].sum()):>{width}}" for k in range(count))
    return [*parts, Content.styled(f"{'precision':<{width}}{precision}", "$faint")]


def _worst(true: Classes, taken: Classes, class_names: tuple[str, ...]) -> list[Content | str]:
    """Only pairs that occur are counted: of k classes there are k² pairs, but no more than there are samples."""
    count = len(class_names)
    wrong = true != taken
    pairs, times = np.unique(true[wrong] * count + taken[wrong], return_counts=True)
    order = np.argsort(-times, kind="stable")[:SHOWN_WORST]
    samples = np.bincount(true, minlength=count)
    found = np.bincount(true[~wrong], minlength=count)
    width = max(len(name) for name in class_names)
    parts: list[Content | str] = [
        Content.styled(f"{count} classes: the pairs that are confused most, of {len(pairs)}", "bold"),
        Content.styled(f"{'is':<{width}}  {'taken for':<{width}}  samples  of its class", "$faint"),
    ]
    for pair, number in zip(pairs[order].tolist(), times[order].tolist(), strict=True):
        is_one, is_taken = divmod(pair, count)
        parts.append(
            f"{class_names[is_one]:<{width}}  {class_names[is_taken]:<{width}}  {number:>7}"
            f"  {_share(number, int(samples[is_one])):>12}"
        )
    recall = found / np.maximum(samples, 1) + (samples == 0) * 2.0  # a class without samples comes last
    least = np.argsort(recall, kind="stable")[:SHOWN_WORST]
    parts += ["", Content.styled("The classes that are found least", "bold")]
    parts += [
        f"{class_names[k]:<{width}}  recall {_share(int(found[k]), int(samples[k])):>7}  ({found[k]} of {samples[k]})"
        for k in least.tolist()
        if samples[k]
    ]
    return parts


def _classes(outputs: Matrix) -> Classes:
    """The class of each column: the larger half of one row of probabilities, or the largest of several rows."""
    classes: Classes = outputs.argmax(axis=0)
    return (outputs[0] > 0.5).astype(np.intp) if len(outputs) == 1 else classes


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"


def collapse_view(network: Network, graph: Graph, style: Style) -> Content:
    """The product of all matrices of a linear network, and that it gives the same outputs; or what is in the way."""
    try:
        one = collapsed(network)
    except NotLinearError as error:
        return _shown(
            [
                Content.styled("This network is more than one matrix.", "bold"),
                "",
                str(error),
                "",
                "With slope 1 for every leaky ReLU (or linear activations) it would be one: see leaky-slope-1.",
            ],
            style,
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
    return _shown(parts, style)


def _shape(matrix: Matrix) -> str:
    return f"({matrix.shape[0]}×{matrix.shape[1]})"


def _grid(matrix: Matrix, style: Style) -> list[Content | str]:
    rows: list[Content | str] = []
    for row in matrix[:SHOWN]:
        text = "".join(f"{number_text(float(value), style):>{NUMBER}}" for value in row[:SHOWN])
        rows.append(Content.styled(f"  {text}{'  …' if matrix.shape[1] > SHOWN else ''}", "$value"))
    if len(matrix) > SHOWN:
        rows.append(Content.styled(f"  … {len(matrix) - SHOWN} more rows", "$faint"))
    return rows


def _row(name: str, values: Matrix, style: Style) -> Content:
    text = "".join(f"{number_text(float(value), style):>{NUMBER}}" for value in values)
    return Content.assemble((f"  {name:<16}", "$faint"), (text, "$value"))


def _shown(parts: list[Content | str], style: Style) -> Content:
    page = stacked(parts)
    return Content(ascii_text(page.plain)) if style.ascii else page
