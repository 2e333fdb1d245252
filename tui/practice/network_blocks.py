"""The network as a chain of its matrices, in the order in which they are computed: what is given, what is to be found.

      X             W⁽¹⁾                f⁽¹⁾            a⁽¹⁾
     3×1            3×2                 2×1             ReLU
  ⎡  1   ⎤     ⎡  0.1  −0.4 ⎤  →     ⎡ f⁽¹⁾₀₀ ⎤  →   ⎡ a⁽¹⁾₀₀ ⎤
  ⎢  0.5 ⎥     ⎢  0.3   0.2 ⎥        ⎣ f⁽¹⁾₁₀ ⎦      ⎣ a⁽¹⁾₁₀ ⎦
  ⎣ −1.2 ⎦     ⎣ −0.5   0.7 ⎦

A learner who is to find a number sees the names of what is computed, and the numbers of what is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from textual.content import Content

from engine.autodiff.graph import Array, Graph, Node
from engine.autodiff.ops.elementwise import Elementwise
from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import number_text
from engine.model.expression_graph import is_constant
from tui.shell.matrix_lines import MOST_COLUMNS, MOST_ROWS, matrix_lines

PARAMETERS = ("W", "b", "scale", "shift")
"""What stands after the activations that it is multiplied with."""
MOST_BLOCKS, AT_EACH_END = 26, 8
"""Of a deep network so many matrices are shown at each end."""
NARROWEST_GAP, GAP, WIDEST_GAP = 2, 3, 8
"""Columns between two matrices: where the chain then fits on one line, where it does not, and where there is room."""


@dataclass(frozen=True)
class NetworkBlock:
    """A matrix as it is drawn: lines of equal width, each with its paint."""

    lines: tuple[tuple[str, str], ...]
    arrow: bool = False
    """Whether it is computed from what stands before it."""

    @property
    def width(self) -> int:
        """Columns."""
        return len(self.lines[0][0])


def network_blocks(
    graph: Graph,
    style: Style,
    width: int,
    *,
    numbers: bool,
    gradient: Callable[[Node], Array | None] = lambda _: None,
) -> Content:
    """The network as blocks in lines of at most `width` columns, to be drawn beside a question.

    `gradient` gives what is drawn below a matrix.
    """
    blocks = [_block(node, style, numbers or node.op is None, gradient(node)) for node in _in_order(graph)]
    if len(blocks) > MOST_BLOCKS:
        dots = style.glyphs.dots
        left = len(blocks) - 2 * AT_EACH_END
        between = NetworkBlock(
            tuple((line.center(len(str(left)) + 5), "$faint") for line in (dots, f"{left} more", dots))
        )
        blocks = [*blocks[:AT_EACH_END], between, *blocks[-AT_EACH_END:]]
    rows: list[list[NetworkBlock]] = [[]]
    whole = sum(block.width for block in blocks) + NARROWEST_GAP * (len(blocks) - 1)
    for block in blocks if whole > width else ():
        if rows[-1] and sum(one.width + GAP for one in rows[-1]) + block.width > width:
            rows.append([])
        rows[-1].append(block)
    rows = [blocks] if whole <= width else rows
    return Content("\n\n").join([_side_by_side(row, style, width) for row in rows if row])


def _in_order(graph: Graph) -> Iterator[Node]:
    """Every matrix before what is computed from it, the parameters of a layer beside it."""
    seen: set[int] = set()
    for op in graph.ops:
        taken = sorted(op.inputs, key=lambda node: node.op is None and node.symbol.name in PARAMETERS)
        for node in (*taken, op.output):
            if id(node) not in seen and not is_constant(node):
                seen.add(id(node))
                yield node


def _block(node: Node, style: Style, numbers: bool, gradient: Array | None) -> NetworkBlock:
    name = symbol_text(node.symbol, style)
    rows, columns = node.shape
    times = style.glyphs.by
    under = f"{rows}{times}{columns}"
    if isinstance(node.op, Elementwise):
        under = node.op.function.name
    if node.scalar:
        text = number_text(float(node.value[0, 0]), style) if numbers else ""
        lines = [(name, "bold"), ("", ""), (text, "$value")]
        if gradient is not None:
            lines.append((number_text(float(gradient[0, 0]), style), "$gradient"))
    else:

        def entry(row: int, column: int) -> str:
            if numbers:
                return number_text(float(node.value[row, column]), style)
            return symbol_text(node.entry((row, column)), style)

        lines = [(name, "bold"), (under, "$faint")]
        large = rows > MOST_ROWS or columns > MOST_COLUMNS
        if large and not numbers:  # names of entries that are left out say nothing
            lines.append((f"[ {rows}{times}{columns} ]", "$faint"))
            widest = max(len(line) for line, _ in lines)
            return NetworkBlock(
                tuple((line.center(widest), paint) for line, paint in lines), node.op is not None
            )
        lines += [
            (line, "$value" if numbers else "$faint") for line in matrix_lines(node.shape, entry, style)
        ]
        if gradient is not None:
            array = gradient
            lines += [
                (line, "$gradient")
                for line in matrix_lines(
                    node.shape, lambda row, column: number_text(float(array[row, column]), style), style
                )
            ]
    widest = max(len(line) for line, _ in lines)
    return NetworkBlock(tuple((line.center(widest), paint) for line, paint in lines), node.op is not None)


def _side_by_side(blocks: list[NetworkBlock], style: Style, width: int) -> Content:
    spare = width - sum(block.width for block in blocks)
    gap = min(max(spare // max(len(blocks) - 1, 1), NARROWEST_GAP), WIDEST_GAP)
    height = max(len(block.lines) for block in blocks)
    arrow = style.glyphs.arrow
    lines = []
    for y in range(height):
        pieces: list[Content] = []
        for place, block in enumerate(blocks):
            if place:
                between = arrow.center(gap) if block.arrow and y == 2 else " " * gap
                pieces.append(Content.styled(between, "$faint"))
            text, paint = block.lines[y] if y < len(block.lines) else (" " * block.width, "")
            pieces.append(Content.styled(text, paint))
        lines.append(Content("").join(pieces))
    return Content("\n").join(lines)
