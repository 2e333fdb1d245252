"""One line of a pass in matrix form as text: in names, `X · (∂ℰ/∂f⁽¹⁾)ᵀ`, and in shapes, `(2×3) · (3×1)`."""

from __future__ import annotations

from engine.derivation.matrix_form import MatrixFactor, MatrixLine
from engine.formula.expression import Partial, Product
from engine.formula.layout import one_line
from engine.formula.notation import Style


def line_in_names(line: MatrixLine, style: Style, product: str) -> str:
    """The right-hand side of a line in names; `product` is the sign of a matrix product."""
    names = [_factor_name(factor, style) for factor in line.factors]
    right = (
        f"{line.function}({', '.join(names)})" if line.function else _sign(line, style, product).join(names)
    )
    if line.divisor is None:
        return right
    divisor = one_line(line.divisor, style)
    return f"({right})/{f'({divisor})' if isinstance(line.divisor, Product) else divisor}"


def line_in_shapes(line: MatrixLine, style: Style, product: str) -> str:
    """The shapes of a line's factors, and of what comes of them."""
    between = ", " if line.function else _sign(line, style, product)
    shapes = between.join(_shape(factor.shape, style) for factor in line.factors)
    return f"{shapes} {style.glyphs.arrow} {_shape(line.shape, style)}"


def _sign(line: MatrixLine, style: Style, product: str) -> str:
    signs = {"·": product, "⊙": style.glyphs.hadamard, "-": style.glyphs.minus}
    return f" {signs.get(line.operator, line.operator)} "


def _factor_name(factor: MatrixFactor, style: Style) -> str:
    name = one_line(factor.name, style)
    if not factor.transposed:
        return name
    raised = style.glyphs.transposed
    return f"({name}){raised}" if isinstance(factor.name, Partial) else f"{name}{raised}"


def _shape(shape: tuple[int, int], style: Style) -> str:
    return f"({shape[0]}{style.glyphs.by}{shape[1]})"
