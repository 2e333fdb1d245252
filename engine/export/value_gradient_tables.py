"""Every matrix of one pass as text, its value beside its gradient.

    W⁽¹⁾  3×2  ⎡  0.1  −0.4 ⎤  ⎡ 0.3844  −0.2883 ⎤
               ⎢  0.3   0.2 ⎥  ⎢ 0.1922  −0.1442 ⎥
               ⎣ −0.5  −0.7 ⎦  ⎣ …               ⎦

Of a large matrix the first rows and columns and the last are shown.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.autodiff.graph import Array, Graph, Node
from engine.export.document_blocks import HeadingBlock, ParagraphBlock, Spans, ValueBlock
from engine.export.text_document import NARROWEST, render_text
from engine.formula.ascii_text import ascii_text
from engine.formula.expression import Symbol
from engine.formula.matrix_brackets import bracketed
from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import number_text
from engine.formula.untrusted_text import one_line
from engine.model.network import LOSS, Y

STYLE = Style()
MOST_ROWS = 8
MOST_COLUMNS = 12
GAP = 2


def written_matrices(graph: Graph, title: str = "", *, width: int = 80, style: Style = STYLE) -> str:
    """The text of one pass: the loss, and every matrix with its gradient, at most `width` columns wide."""
    if width < NARROWEST:
        raise ValueError(f"width: expected at least {NARROWEST}, found {width}")
    loss: Spans = (
        LOSS,
        " ",
        ValueBlock(float(graph.loss.value[0, 0])),
        ", ",
        Symbol("n"),
        " ",
        ValueBlock(float(graph.n)),
    )
    head = render_text([HeadingBlock(one_line(title) or "One pass", 1), ParagraphBlock(loss)], width, style)
    return head + "\n" + "\n".join(line.rstrip() for line in _table(graph, width, style)) + "\n"


def _table(graph: Graph, width: int, style: Style) -> Iterator[str]:
    nodes = [node for node in graph.nodes.values() if node.symbol not in (Y, LOSS)]
    nodes += [node for node in graph.nodes.values() if node.symbol == Y]
    names = [symbol_text(node.symbol, style) for node in nodes]
    times = style.glyphs.by
    sizes = [f"{node.shape[0]}{times}{node.shape[1]}" for node in nodes]
    name_width, size_width = max(map(len, names)), max(map(len, sizes))
    room = (width - name_width - size_width - 3 * GAP) // 2
    drawn = [(matrix_in_table(node.value, room, style), _gradient(node, room, style)) for node in nodes]
    value_width = max(len(line) for value, _ in drawn for line in value)
    gap = " " * GAP
    partial = symbol_text(LOSS, style)
    sign = style.glyphs.partial
    gradients = f"{sign}{partial}/{sign}{style.glyphs.ellipsis}"
    yield gap.join([" " * name_width, " " * size_width, "value".ljust(value_width), f"gradient {gradients}"])
    for name, size, (value, gradient) in zip(names, sizes, drawn, strict=True):
        yield ""
        for place, line in enumerate(value):
            label = [name, size] if place == 0 else ["", ""]
            cells = [label[0].ljust(name_width), label[1].rjust(size_width), line.ljust(value_width)]
            yield gap.join([*cells, gradient[place] if place < len(gradient) else ""])


def _gradient(node: Node, room: int, style: Style) -> list[str]:
    if node.needs_gradient:
        return matrix_in_table(node.grad, room, style)
    text = "(labels, given)" if node.symbol == Y else "(given)"
    return [ascii_text(text)]


def matrix_in_table(values: Array, room: int, style: Style) -> list[str]:
    """A matrix in brackets, abridged to at most `room` columns where one number fits at all."""
    dots, vertical = style.glyphs.dots, style.glyphs.vertical_dots
    rows = _shown(values.shape[0], MOST_ROWS)
    most = min(values.shape[1], MOST_COLUMNS)
    for count in range(most, 0, -1):
        columns = _shown(values.shape[1], count)
        texts = [[_cell(values, row, column, style, dots, vertical) for column in columns] for row in rows]
        widths = [max(len(line[place]) for line in texts) for place in range(len(columns))]
        lines = [
            (" " * GAP).join(text.rjust(size) for text, size in zip(line, widths, strict=True))
            for line in texts
        ]
        if len(lines[0]) + 4 <= room or count == 1:
            break
    return bracketed(lines, style)


def _cell(values: Array, row: int | None, column: int | None, style: Style, dots: str, vertical: str) -> str:
    if row is None:
        return vertical
    return dots if column is None else number_text(float(values[row, column]), style)


def _shown(size: int, most: int) -> list[int | None]:
    """Which of `size` rows or columns are shown: all, or the first ones, None for a gap, and the last."""
    if size <= most:
        return list(range(size))
    return [*range(max(most - 1, 1)), None, *([size - 1] if most > 1 else [])]
