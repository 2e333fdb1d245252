"""Pages of text to read: matrix products with their shapes, the Jacobian over the samples, a simplification."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from engine.autodiff.ops.loss import loss_op
from engine.derivation.chain_rule import Derivation
from engine.derivation.jacobian import SampleJacobian, sample_jacobian
from engine.derivation.matrix_form import Factor, MatrixLine
from engine.formula.expression import Partial, Product
from engine.formula.layout import Box, draw, one_line, row
from engine.formula.notation import Style, is_exact, number_text, symbol_text
from engine.formula.text import ascii_text, wrapped
from tui.shell.paint import paint, stacked


def matrices_view(lines: Sequence[MatrixLine], style: Style, width: int, note: str | None = None) -> Content:
    """The forward and the backward pass as matrix products (tutorial B4), each shape shown, each product checked.

    `note` is what else is to be said of the matrices.
    """
    parts: list[Content | str] = []
    phase = ""
    for line in lines:
        if line.phase != phase:
            phase = line.phase
            heading = "Forward" if phase == "forward" else "Backward"
            parts += ([""] if parts else []) + [Content.styled(heading, "bold $primary")]
        parts += _matrix_line(line, style, width)
    tick = style.glyphs.tick
    said = f"{tick}  recomputed with plain NumPy from the matrices named, equal to what the network holds"
    unequal = sum(not line.agrees for line in lines)
    if unequal:
        said = (
            f"{unequal} of {len(lines)} lines are not, when recomputed, shown to equal what the network holds"
        )
    parts += ["", Content.styled(said, "$remark" if unequal else "$faint")]
    if note is not None:
        words = style.names.said(note, ascii=style.ascii)
        shown = wrapped(ascii_text(words) if style.ascii else words, width)
        parts += ["", *(Content.styled(part, "$remark") for part in shown)]
    return stacked(parts)


def _matrix_line(line: MatrixLine, style: Style, width: int) -> list[Content | str]:
    """One product; its remark stands beside it, or below where that is too wide."""
    tick, cross, arrow = style.glyphs.tick, style.glyphs.cross, style.glyphs.arrow
    operator = (
        {"·": " * ", "⊙": " (.) "}.get(line.operator, f" {line.operator} ")
        if style.ascii
        else (f" {line.operator} ".replace("-", "−"))
    )
    names = [_factor_name(factor, style) for factor in line.factors]
    right = f"{line.function}({', '.join(names)})" if line.function else operator.join(names)
    if line.divisor is not None:
        divisor = one_line(line.divisor, style)
        right = f"({right})/{f'({divisor})' if isinstance(line.divisor, Product) else divisor}"
    between = ", " if line.function else operator
    shapes = between.join(_shape(factor.shape, style) for factor in line.factors)
    about = style.names.said(line.remark, ascii=style.ascii)
    about = ascii_text(about) if style.ascii else about
    mark, colour = (tick, "$done") if line.agrees else (cross, "bold $error")
    if line.undefined:
        mark, colour = "?", "$remark"
    product = f"{one_line(line.result, style):>12} = {right:<22}  "
    shown_shapes = f"{shapes} {arrow} {_shape(line.shape, style)}"
    main = Content.assemble((f"{mark:<3}", colour), product, (shown_shapes, "$value"))
    below: list[Content | str] = [
        Content.styled(f"{' ' * 18}{line}", "$faint") for line in wrapped(about, width - 18)
    ]
    if main.cell_length > width:
        return [
            Content.assemble((f"{mark:<3}", colour), product.rstrip()),
            Content.styled(f"{' ' * 18}{shown_shapes}", "$value"),
            *below,
        ]
    if about and main.cell_length + len(about) + 3 <= width:
        return [Content.assemble(main, (f"   {about}", "$faint"))]
    return [main, *below]


def _factor_name(factor: Factor, style: Style) -> str:
    name = one_line(factor.name, style)
    if not factor.transposed:
        return name
    transposed = style.glyphs.transposed
    return f"({name}){transposed}" if isinstance(factor.name, Partial) else f"{name}{transposed}"


def _shape(shape: tuple[int, int], style: Style) -> str:
    return f"({shape[0]}{style.glyphs.by}{shape[1]})"


def jacobian_view(derivation: Derivation, index: int, style: Style, width: int) -> Content:
    """The rigorous route through the batch (tutorial A3) at a step of a derivation, or at the nearest that has one."""
    graph = derivation.graph
    samples = _shown_samples(derivation.sample, graph.n, max((width - 8) // 11, 2))
    for step in sorted(range(len(derivation)), key=lambda other: abs(other - index)):
        jacobian = sample_jacobian(graph, derivation.edge(step), samples)
        if jacobian is not None:
            return _jacobian_page(derivation, step, jacobian, samples, style)
    return Content("No two neighbouring matrices of this path have a column for each sample.")


def _jacobian_page(
    derivation: Derivation, index: int, jacobian: SampleJacobian, samples: list[int], style: Style
) -> Content:
    def said(text: str, how: str = "") -> Content:
        return Content.styled(ascii_text(text) if style.ascii else text, how)

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


def simplification_view(derivation: Derivation, style: Style, width: int) -> Content | None:
    """The separate factors of sigmoid and cross-entropy, multiplied out line by line (tutorial A1b); None without."""
    step = next((step for step in derivation if step.simplification), None)
    loss = loss_op(derivation.graph)
    if step is None or loss is None:
        return None
    values = derivation.graph.value_of
    reasons = loss.simplification_reasons(step.node.index or (0, 0))
    name = draw(Partial(derivation.of, step.node), style)
    room = max(width - name.width - 3, 20)
    parts: list[Content | str] = []
    for line, reason in zip(step.simplification, reasons, strict=True):
        value = line.evaluate(values)
        same = "=" if is_exact(value, style) else style.glyphs.about
        left = Box.of(" " * name.width) if parts else name
        parts += [
            paint(row([left, Box.of(" = "), draw(line, style)])),
            Content.assemble(" " * name.width, (f" {same} {number_text(value, style)}", "bold $gradient")),
        ]
        said = style.names.said(reason, ascii=style.ascii)
        said = ascii_text(said) if style.ascii else said
        parts += [Content.styled(" " * (name.width + 3) + text, "$faint") for text in wrapped(said, room)]
        parts.append("")
    parts.append(Content.styled("Every line is a formula that was evaluated by itself.", "$faint"))
    return stacked(parts)
