"""Pages of text to read: matrix products with their shapes, the Jacobian over the samples, a simplification."""

from __future__ import annotations

from textual.content import Content

from engine.chain import Derivation
from engine.expression import Partial, Symbol
from engine.graph import Graph
from engine.jacobian import SampleJacobian, sample_jacobian
from engine.layout import Style, draw, number_text, one_line, symbol_text
from engine.matrix_calculus import Factor, MatrixLine, matrix_lines
from tui.typeset import indented, paint, stacked

JACOBIAN_SAMPLES = 5
"""Rows and columns of a Jacobian that are shown; the others are counted."""


def matrices_view(graph: Graph, style: Style, width: int) -> Content:
    """The forward and the backward pass as matrix products (tutorial B4), each shape shown, each product checked."""
    parts: list[Content | str] = []
    phase = ""
    for line in matrix_lines(graph):
        if line.phase != phase:
            phase = line.phase
            heading = "Forward" if phase == "forward" else "Backward"
            parts += ([""] if parts else []) + [Content.styled(heading, "bold $primary")]
        parts += _matrix_line(line, style, width)
    tick = "ok" if style.ascii else "✓"
    parts += [
        "",
        Content.styled(
            f"{tick}  recomputed with plain NumPy from the matrices named, equal to what the network holds",
            "$faint",
        ),
    ]
    return stacked(parts)


def _matrix_line(line: MatrixLine, style: Style, width: int) -> list[Content | str]:
    """One product; its remark stands beside it, or below where that is too wide."""
    tick, cross = ("ok", "WRONG") if style.ascii else ("✓", "✗")
    arrow = "->" if style.ascii else "→"
    operator = (
        {"·": " * ", "⊙": " (.) "}.get(line.operator, f" {line.operator} ")
        if style.ascii
        else (f" {line.operator} ".replace("-", "−"))
    )
    names = [_factor_name(factor, style) for factor in line.factors]
    right = f"{line.function}({', '.join(names)})" if line.function else operator.join(names)
    between = ", " if line.function else operator
    shapes = between.join(_shape(factor.shape, style) for factor in line.factors)
    mark, colour = (tick, "$done") if line.agrees else (cross, "bold $error")
    main = Content.assemble(
        (f"{mark:<3}", colour),
        f"{one_line(line.result, style):>12} = {right:<22}  ",
        (f"{shapes} {arrow} {_shape(line.shape, style)}", "$value"),
    )
    if not line.remark:
        return [main]
    if main.cell_length + len(line.remark) + 3 <= width:
        return [Content.assemble(main, (f"   {line.remark}", "$faint"))]
    return [main, Content.styled(" " * 18 + line.remark, "$faint")]


def _factor_name(factor: Factor, style: Style) -> str:
    name = one_line(factor.name, style)
    if not factor.transposed:
        return name
    transposed = "^T" if style.ascii else "ᵀ"
    return f"({name}){transposed}" if isinstance(factor.name, Partial) else f"{name}{transposed}"


def _shape(shape: tuple[int, int], style: Style) -> str:
    return f"({shape[0]}{'x' if style.ascii else '×'}{shape[1]})"


def jacobian_view(derivation: Derivation, index: int, style: Style) -> Content:
    """The rigorous route through the batch (tutorial A3) at a step of a derivation, or at the nearest that has one."""
    graph = derivation.graph
    samples = _shown_samples(derivation.sample, graph.n)
    for step in sorted(range(len(derivation)), key=lambda other: abs(other - index)):
        jacobian = sample_jacobian(graph, derivation.link(step), samples)
        if jacobian is not None:
            return _jacobian_page(derivation, step, jacobian, samples, style)
    return Content("No two neighbouring matrices of this path have a column for each sample.")


def _jacobian_page(
    derivation: Derivation, index: int, jacobian: SampleJacobian, samples: list[int], style: Style
) -> Content:
    graph = derivation.graph
    above, below = symbol_text(jacobian.above, style), symbol_text(jacobian.below, style)
    partial = Partial(Symbol("E"), jacobian.above)
    parts: list[Content | str] = [
        Content.styled(
            f"Row {jacobian.above_row} of {above} by row {jacobian.below_row} of {below}: {graph.n}×{graph.n}, "
            f"∂ of sample i (down) by sample j (across)".replace("×", "x" if style.ascii else "×"),
            "bold",
        ),
        "",
        _jacobian_grid(jacobian, graph.n, style),
        "",
    ]
    if jacobian.diagonal:
        parts.append("It is diagonal: each sample is computed on its own, so ∂ of one by another is 0.")
    else:
        parts.append("It is not diagonal: through mean and std every sample depends on every other.")
    parts += [
        "",
        Content.styled(f"Row ({one_line(partial, style)}, 1×{graph.n}) times this Jacobian", "bold"),
    ]
    parts.append(_row_text("row", jacobian.left.tolist(), samples, style))
    parts.append(_row_text("times", jacobian.product.tolist(), samples, style))
    gradient = one_line(Partial(Symbol("E"), jacobian.below), style)
    tick = "ok" if style.ascii else "✓"
    if jacobian.agrees:
        parts.append(
            Content.styled(
                f"{tick} equal to row {jacobian.below_row} of {gradient} from the backward pass", "$done"
            )
        )
    else:
        parts.append(f"One of the contributions that add up to row {jacobian.below_row} of {gradient}.")
    return stacked(parts)


def _shown_samples(sample: int, n: int) -> list[int]:
    first = min(max(sample - JACOBIAN_SAMPLES // 2, 0), max(n - JACOBIAN_SAMPLES, 0))
    return list(range(first, min(first + JACOBIAN_SAMPLES, n)))


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


def _row_text(name: str, row: list[float], samples: list[int], style: Style) -> Content:
    cells = "".join(f"{number_text(row[sample], style):>11}" for sample in samples)
    return Content.assemble((f"{name:<6}", "$faint"), (cells, "$gradient"))


def simplification_view(derivation: Derivation, style: Style) -> Content | None:
    """The separate factors of sigmoid and cross-entropy, multiplied out line by line (tutorial A1b); None without."""
    step = next((step for step in derivation if step.simplification), None)
    if step is None:
        return None
    values = derivation.graph.value_of
    parts: list[Content | str] = [
        paint(draw(Partial(Symbol("E"), step.node), style)),
        "",
    ]
    for line in step.simplification:
        value = line.evaluate(values)
        parts += [
            indented(paint(draw(line, style)), 2),
            Content.styled(f"  = {number_text(value, style)}", "bold $gradient"),
            "",
        ]
    parts.append(Content.styled("Every line is a formula that was evaluated by itself.", "$faint"))
    return stacked(parts)
