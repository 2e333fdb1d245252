"""The Jacobian page: the rigorous route through a batch, one row of gradients times the Jacobian over the samples."""

from __future__ import annotations

import numpy as np
from textual.content import Content

from engine.derivation.chain_rule import Derivation
from engine.derivation.jacobian import SampleJacobian, sample_jacobian
from engine.formula.ascii_text import in_characters_of
from engine.formula.expression import Partial
from engine.formula.layout import one_line
from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import number_text
from tui.shell.csv_table import Cell, Rows
from tui.shell.stacked_content import stacked

MOST_SHOWN = 200
"""Of more samples than this, those around the one that is shown are written into a table."""


def jacobian_view(derivation: Derivation, index: int, style: Style, width: int) -> Content:
    """The page of the Jacobian over the samples (tutorial A3) at a step of a derivation."""
    samples = _shown_samples(derivation.sample, derivation.graph.n, max((width - 8) // 11, 2))
    found = _nearest(derivation, index, samples)
    if found is None:
        return Content("No two neighbouring matrices of this path have a column for each sample.")
    return _jacobian_page(derivation, *found, samples, style)


def jacobian_rows(derivation: Derivation, index: int) -> Rows:
    """The Jacobian as csv rows, one an entry, of at most MOST_SHOWN samples around the one that is shown."""
    samples = _shown_samples(derivation.sample, derivation.graph.n, MOST_SHOWN)
    found = _nearest(derivation, index, samples)
    rows: list[list[Cell]] = [["above", "below", "derivative"]]
    if found is not None:
        _, jacobian = found
        for i, j in np.ndindex(jacobian.matrix.shape):
            above = jacobian.above.at((jacobian.above_row, samples[i]))
            below = jacobian.below.at((jacobian.below_row, samples[j]))
            rows.append([above.plain(), below.plain(), float(jacobian.matrix[i, j])])
    return rows


def _nearest(derivation: Derivation, index: int, samples: list[int]) -> tuple[int, SampleJacobian] | None:
    """The step nearest to one that goes from samples to samples, and its Jacobian."""
    for step in sorted(range(len(derivation)), key=lambda other: abs(other - index)):
        jacobian = sample_jacobian(derivation.graph, derivation.edge(step), samples)
        if jacobian is not None:
            return step, jacobian
    return None


def _jacobian_page(
    derivation: Derivation, index: int, jacobian: SampleJacobian, samples: list[int], style: Style
) -> Content:
    def said(text: str, how: str = "") -> Content:
        return Content.styled(in_characters_of(text, style), how)

    n = derivation.graph.n
    above, below = symbol_text(jacobian.above, style), symbol_text(jacobian.below, style)
    left = one_line(Partial(derivation.of, jacobian.above), style)
    gradient = one_line(Partial(derivation.of, jacobian.below), style)
    parts: list[Content | str] = [
        said(f"Row {jacobian.above_row} of {above} by row {jacobian.below_row} of {below}: {n}×{n}", "bold"),
        said("∂ of sample i (down) by sample j (across)", "$faint"),
        "",
        _jacobian_grid(jacobian, n, style),
        "",
    ]
    if jacobian.diagonal:
        parts.append(said("It is diagonal: each sample is computed on its own, so ∂ of one by another is 0."))
    else:
        parts.append(said("It is not diagonal: through mean and std every sample depends on every other."))
    parts += [
        "",
        said(f"Row ({left}, 1×{n}) times this Jacobian", "bold"),
        _row_text("row", [float(jacobian.left[sample]) for sample in samples], style),
        _row_text(
            "times", [float(jacobian.product[jacobian.columns.index(sample)]) for sample in samples], style
        ),
    ]
    if jacobian.agrees:
        tick = style.glyphs.tick
        where = "" if len(jacobian.columns) == n else ", for the samples shown"
        parts.append(
            Content.styled(
                f"{tick} equal to row {jacobian.below_row} of {gradient} from the backward pass{where}",
                "$done",
            )
        )
    else:
        parts.append(f"One of the contributions that add up to row {jacobian.below_row} of {gradient}.")
    return stacked(parts)


def _shown_samples(sample: int, n: int, count: int) -> list[int]:
    """As many samples around one as there is room for."""
    first = min(max(sample - count // 2, 0), max(n - count, 0))
    return list(range(first, min(first + count, n)))


def _jacobian_grid(jacobian: SampleJacobian, n: int, style: Style) -> Content:
    width = 11
    heading = " " * 6 + "".join(f"{'j=' + str(sample):>{width}}" for sample in jacobian.samples)
    lines = [Content.styled(heading, "$faint")]
    for place, sample in enumerate(jacobian.samples):
        cells = []
        for column in range(len(jacobian.samples)):
            text = f"{number_text(float(jacobian.matrix[place, column]), style):>{width}}"
            cells.append((text, "bold $gradient" if column == place else "$faint"))
        lines.append(Content.assemble((f"i={sample:<4}", "$faint"), *cells))
    if n > len(jacobian.samples):
        lines.append(
            Content.styled(f"samples {jacobian.samples[0]} to {jacobian.samples[-1]} of {n}", "$faint")
        )
    return stacked(lines)


def _row_text(name: str, row: list[float], style: Style) -> Content:
    cells = "".join(f"{number_text(value, style):>11}" for value in row)
    return Content.assemble((f"{name:<6}", "$faint"), (cells, "$gradient"))
