"""The confusion page: which class the network takes for which (tutorial A4), however many there are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from textual.content import Content

from engine.autodiff.graph import Array, Graph
from engine.formula.notation import Style
from engine.model.network import PREDICTION, Y
from tui.shell.csv_table import Cell, Rows
from tui.shell.stacked_content import stacked_in

MANY_CLASSES, SHOWN_WORST = 20, 10
"""From so many classes on, so many of the worst confusions are shown."""

WIDEST = 72
"""Columns of a page in a terminal of 80: a table that is wider would be wrapped, and its columns lost."""

Classes = npt.NDArray[np.intp]


def confusion_view(graph: Graph, class_names: tuple[str, ...], style: Style) -> Content:
    """The page of the confusion matrix over the whole data set, with recall and precision.

    From MANY_CLASSES on, or where a table would be too wide, the worst confusions and the classes least found in place
    of a table of all by all.
    """
    prediction, label = graph.nodes[PREDICTION].value, graph.nodes[Y].value
    if len(class_names) < 2:
        return Content("The labels are numbers, not classes: there is nothing to confuse.")
    finite: npt.NDArray[np.bool_] = np.asarray(np.isfinite(prediction).all(axis=0))
    true, taken = _classes(label)[finite], _classes(prediction)[finite]
    table = _table(true, taken, class_names) if len(class_names) < MANY_CLASSES else None
    parts = table or _worst(true, taken, class_names)
    right, whole = int(np.count_nonzero(true == taken)), len(finite)
    parts += [
        "",
        f"{right} of {whole} right: {_share(right, whole)}. Recall is the share of a class that is found: "
        "where a class is rare, the share of all that is right hardly shows whether it is found.",
    ]
    if len(true) < whole:
        parts.append(f"The outputs for {whole - len(true)} of them are not finite: they say no class.")
    return stacked_in(style, parts)


def confusion_rows(graph: Graph, class_names: tuple[str, ...]) -> Rows:
    """The confusion matrix as csv rows: the pairs of classes that occur."""
    rows: list[list[Cell]] = [["is", "taken_for", "samples"]]
    if len(class_names) < 2:
        return rows
    prediction, label = graph.nodes[PREDICTION].value, graph.nodes[Y].value
    finite: npt.NDArray[np.bool_] = np.asarray(np.isfinite(prediction).all(axis=0))
    true, taken = _classes(label)[finite], _classes(prediction)[finite]
    pairs, times = np.unique(true * len(class_names) + taken, return_counts=True)
    for pair, number in zip(pairs.tolist(), times.tolist(), strict=True):
        is_one, is_taken = divmod(pair, len(class_names))
        rows.append([class_names[is_one], class_names[is_taken], number])
    return rows


def _table(true: Classes, taken: Classes, class_names: tuple[str, ...]) -> list[Content | str] | None:
    """Counts of all by all, close together where there are many classes; None where even so there is no room."""
    count = len(class_names)
    table = np.zeros((count, count), dtype=int)
    np.add.at(table, (true, taken), 1)
    longest = max(len(name) for name in class_names)
    first = width = max(longest, 9) + 2
    unit, digits = " %", 1
    if (count + 2) * width > WIDEST:
        unit, digits = "", 0
        first = max(longest, len("precision, %"))
        width = max(longest, len(str(table.max(initial=0))), 3) + 1
        if first + count * width + len("  recall, %") > WIDEST:
            return None
    in_unit = ", %" if not unit else ""
    end = max(width, len(f"  recall{in_unit}"))

    def share(part: int, whole: int) -> str:
        return f"{100 * part / whole:.{digits}f}{unit}" if whole else "none" if unit else "-"

    heading = f"{'':<{first}}" + "".join(f"{name:>{width}}" for name in class_names)
    parts: list[Content | str] = [
        Content.styled("Rows: what a sample is. Columns: what the network takes it for.", "bold"),
        "",
        Content.styled(f"{heading}{f'recall{in_unit}':>{end}}", "$faint"),
    ]
    for place, name in enumerate(class_names):
        cells = [
            (f"{table[place, other]:>{width}}", "bold $done" if place == other else "$gradient")
            for other in range(count)
        ]
        recall = share(table[place, place], table[place].sum())
        parts.append(Content.assemble((f"{name:<{first}}", "bold"), *cells, f"{recall:>{end}}"))
    precision = "".join(f"{share(table[k, k], table[:, k].sum()):>{width}}" for k in range(count))
    return [*parts, Content.styled(f"{f'precision{in_unit}':<{first}}{precision}", "$faint")]


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


def _classes(outputs: Array) -> Classes:
    """The class of each column: the larger half of one row of probabilities, or the largest of several rows."""
    classes: Classes = outputs.argmax(axis=0)
    return (outputs[0] > 0.5).astype(np.intp) if len(outputs) == 1 else classes


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"
