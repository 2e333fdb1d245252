"""Draws an expression: its operations from left to right, each with value and gradient, the path marked.

    ● x               ● q1 = x + y      ● q2 = q1·z
           −2    ∂−4           3    ∂−4         −12    ∂1
    ○ y               …

A column holds what is as many operations away from the given numbers; wide ones show the rows around the current one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from textual import events
from textual.widgets import Static

from engine.autodiff.graph import Graph, Node
from engine.formula.expression import Symbol
from engine.formula.layout import one_line
from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import short_number
from engine.model.expression_graph import is_constant
from tui.shell.character_canvas import Canvas
from tui.stepper.network_diagram import NetworkDiagram
from tui.stepper.traversal import Phase, Position, Traversal

CELL, GUTTER, LINES = 20, 2, 3
"""Columns and lines of a node, the blank line below it included, and columns between two."""

NUMBER = 9
"""Columns of a value; the gradient has the rest."""


def columns_of(graph: Graph) -> list[list[Node]]:
    """The columns of an expression's diagram: its nodes by how many operations stand below them."""
    depth: dict[Symbol, int] = {}
    for name, node in graph.nodes.items():
        inputs = () if node.op is None else node.op.inputs
        depth[name] = 1 + max((depth[one.symbol] for one in inputs), default=-1)
    columns: list[list[Node]] = [[] for _ in range(max(depth.values()) + 1)]
    for name, node in graph.nodes.items():
        if not is_constant(node):
            columns[depth[name]].append(node)
    return [column for column in columns if column]


def moved_in_diagram(graph: Graph, cursor: Symbol, right: int, down: int) -> Symbol:
    """The node next to the cursor in a direction; the cursor itself at the rim.

    To the right is what it is used for, to the left what it is made of, where that stands in the next column. What is
    differentiated is no place to go to.
    """
    columns = [[one for one in column if one is not graph.loss] for column in columns_of(graph)]
    columns = [column for column in columns if column]
    here = graph.nodes[cursor]
    place = next((number for number, column in enumerate(columns) if here in column), len(columns) - 1)
    row = columns[place].index(here) if here in columns[place] else 0
    other = columns[min(max(place + right, 0), len(columns) - 1)]
    if other is columns[place]:
        return other[min(max(row + down, 0), len(other) - 1)].symbol
    joined = (
        (op.output for op, _ in here.consumers) if right > 0 else () if here.op is None else here.op.inputs
    )
    return next((one for one in joined if one in other), other[min(row, len(other) - 1)]).symbol


@dataclass(frozen=True)
class ReachedInDiagram:
    """How far the stepper has come in the diagram: which values are computed, which gradients are known."""

    traversal: Traversal
    position: Position
    choosing: bool = False
    known: int | None = None
    """How many factors have been answered where one predicts: no further gradient is shown."""

    def computed(self, node: Node) -> bool:
        """Whether the forward pass has come to a node."""
        if self.choosing or node.op is None or self.position.phase > Phase.FORWARD:
            return True
        return self._order(node) <= self.position.index

    def has_gradient(self, node: Node) -> bool:
        """Whether the backward pass has come to a node."""
        if self.choosing:
            return node.needs_gradient
        derivation = self.traversal.derivation
        if self.known is not None:
            # The last factor's node is the target, whose gradient is asked for last of all.
            last = derivation.graph.nodes[derivation.path[min(self.known, len(derivation) - 1)].matrix]
            return node.needs_gradient and self._order(node) >= self._order(last)
        if self.position.phase is not Phase.BACKWARD:
            return False
        reached = derivation.graph.nodes[derivation.path[self.position.index + 1].matrix]
        return node.needs_gradient and (node is reached or self._order(node) > self._order(reached))

    def _order(self, node: Node) -> float:
        ops = self.traversal.derivation.graph.ops
        if node.op is not None:
            return ops.index(node.op)
        return ops.index(node.consumers[0][0]) - 0.5


class ExpressionDiagram(Static):
    """The graph of an expression at a position; a click on a node chooses it."""

    _cells: Mapping[tuple[int, int], Symbol] = MappingProxyType({})

    def show(
        self,
        traversal: Traversal,
        position: Position,
        style: Style,
        cursor: Symbol | None = None,
        known: int | None = None,
    ) -> None:
        """Draws what fits of the graph around the current node, or around the `cursor`.

        `known` is how many factors have been answered where one predicts.
        """
        graph, canvas = traversal.derivation.graph, Canvas(self.size.width, self.size.height)
        columns = columns_of(graph)
        current = traversal.symbol(position) if cursor is None else cursor
        here = next(
            (i for i, column in enumerate(columns) if any(one.symbol == current for one in column)), 0
        )
        per_page = max((canvas.width + GUTTER - 2) // (CELL + GUTTER), 1)
        first = min(max(here - per_page // 2, 0), max(len(columns) - per_page, 0))
        rows = max((canvas.height + 1) // LINES, 1)
        path, reached = (
            set(traversal.derivation.path),
            ReachedInDiagram(traversal, position, cursor is not None, known),
        )
        cells: dict[tuple[int, int], Symbol] = {}
        for place, column in enumerate(columns[first : first + per_page]):
            left = place * (CELL + GUTTER) + 1
            centre = next((i for i, one in enumerate(column) if one.symbol == current), None)
            if centre is None:
                centre = next((i for i, one in enumerate(column) if one.symbol in path), 0)
            top_row = min(max(centre - rows // 2, 0), max(len(column) - rows, 0))
            for row, node in enumerate(column[top_row : top_row + rows]):
                cells[left, row * LINES] = node.symbol
                _draw(
                    canvas,
                    left,
                    row * LINES,
                    node,
                    node.symbol in path,
                    node.symbol == current,
                    reached,
                    style,
                )
        more_left, more_right = style.glyphs.before, style.glyphs.after
        if first:
            canvas.put(0, 0, more_left, "bold $accent")
        if first + per_page < len(columns):
            canvas.put(canvas.width - 1, 0, more_right, "bold $accent")
        self._cells = cells
        self.update(canvas.content())

    def on_click(self, event: events.Click) -> None:
        """Chooses the node under the mouse."""
        x, y = event.x - self.gutter.left, event.y - self.gutter.top
        for (left, top), symbol in self._cells.items():
            if left <= x < left + CELL and top <= y < top + LINES:
                self.post_message(NetworkDiagram.Chosen(symbol))


def _draw(
    canvas: Canvas,
    left: int,
    top: int,
    node: Node,
    on_path: bool,
    current: bool,
    reached: ReachedInDiagram,
    style: Style,
) -> None:
    on, off = style.glyphs.on, style.glyphs.off
    name = symbol_text(node.symbol, style)
    if node.op is not None:
        name += f" = {one_line(node.op.formula((0, 0)), style)}"
    title = f"{on if on_path else off} {name}"
    if len(title) > CELL:
        dots = style.glyphs.ellipsis
        title = title[: CELL - len(dots)] + dots
    plain = "bold reverse $accent" if current else "bold" if on_path else "$faint"
    canvas.put(left, top, title, plain)
    value_style, gradient_style = (
        ("bold $value", "bold $gradient") if on_path else ("$value-aside", "$gradient-aside")
    )
    if reached.computed(node):
        canvas.put(
            left, top + 1, short_number(float(node.value[0, 0]), NUMBER, style).rjust(NUMBER + 1), value_style
        )
    if reached.has_gradient(node):
        text = style.glyphs.partial + short_number(float(node.grad[0, 0]), NUMBER - 1, style)
        canvas.put(left + CELL - len(text), top + 1, text, gradient_style)
