"""Draws the network: a column for each matrix, a cell for each unit with value and gradient, the path as a line.

Wide layers show the units around the path, deep networks the columns around the current one, page by page.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from engine.formula.expression import Symbol
from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import short_number
from tui.shell.character_canvas import Canvas
from tui.stepper.diagram import Cell, Column, Diagram

CELL = 9
GUTTER = 3
LINES = 2
"""A cell is this many columns and lines; between two columns is a gutter."""

WIDEST_GUTTER, HIGHEST_ROW = 7, 4
"""Where there is room, the cells stand so far apart at most."""


class NetworkDiagram(Static):
    """Shows a `Diagram`; a click on a cell chooses it."""

    _cells: Mapping[tuple[int, int], Symbol] = MappingProxyType({})

    class Chosen(Message):
        """A cell was clicked."""

        def __init__(self, symbol: Symbol) -> None:
            super().__init__()
            self.symbol = symbol

    def show(self, diagram: Diagram, style: Style, width: int, height: int) -> None:
        """Draws the columns around the current one in `width` × `height` cells."""
        drawing = _Drawing(diagram, style, width, height)
        self._cells = drawing.places
        self.update(drawing.content())

    def on_click(self, event: events.Click) -> None:
        """Chooses the cell under the mouse."""
        x, y = event.x - self.gutter.left, event.y - self.gutter.top
        for (left, top), symbol in self._cells.items():
            if left <= x < left + CELL and top <= y < top + LINES:
                self.post_message(self.Chosen(symbol))


class _Drawing:
    """One picture of the network."""

    def __init__(self, diagram: Diagram, style: Style, width: int, height: int) -> None:
        self.diagram, self.style = diagram, style
        self.canvas = Canvas(width, height)
        most = max(column.size for column in diagram.columns)
        self.pitch = min(max((height - 2) // most, LINES), HIGHEST_ROW)
        self.rows = max((height - 2) // self.pitch, 1)
        self.places: dict[tuple[int, int], Symbol] = {}
        per_page = max((width + GUTTER - 2) // (CELL + GUTTER), 2)
        shown = min(per_page, len(diagram.columns))
        self.gutter = min(max((width - 2 - shown * CELL) // max(shown - 1, 1), GUTTER), WIDEST_GUTTER)
        self.first = self._first_column(per_page)
        self.columns = diagram.columns[self.first : self.first + per_page]
        self._draw()

    def _first_column(self, per_page: int) -> int:
        """Pages overlap by one column, so that one sees where the path comes from."""
        total = len(self.diagram.columns)
        if total <= per_page:
            return 0
        current = self.diagram.current_column()
        page = min(max(current - 1, 0) // (per_page - 1), (total - 1) // (per_page - 1))
        return min(page * (per_page - 1), total - per_page)

    def content(self) -> Content:
        return self.canvas.content()

    def _draw(self) -> None:
        tops: list[int | None] = []  # the line of the path's row in each column, where it is in sight
        for place, column in enumerate(self.columns):
            left = self._left(place)
            first = self._first_row(column)
            self._title(left, column, first)
            for row in range(first, min(first + self.rows, column.size)):
                top = 2 + (row - first) * self.pitch
                cell = self.diagram.cell(column, row)
                self.places[left, top] = cell.symbol
                self._cell(left, top, cell)
            in_sight = first <= column.focus < first + self.rows
            tops.append(2 + (column.focus - first) * self.pitch if in_sight else None)
        for place in range(len(self.columns) - 1):
            left_top, right_top = tops[place], tops[place + 1]
            if left_top is not None and right_top is not None and self._joined(place):
                self._edge(self._left(place) + CELL, left_top, right_top)
        self._bypasses(tops)
        more_left, more_right = self.style.glyphs.before, self.style.glyphs.after
        if self.first:
            self.canvas.put(0, 0, more_left, "bold $accent")
        if self.first + len(self.columns) < len(self.diagram.columns):
            self.canvas.put(self.canvas.width - 1, 0, more_right, "bold $accent")

    def _left(self, place: int) -> int:
        """Where a column begins."""
        return place * (CELL + self.gutter) + 1

    def _first_row(self, column: Column) -> int:
        """The rows around the path's own."""
        return min(max(column.centre - self.rows // 2, 0), max(column.size - self.rows, 0))

    def _title(self, left: int, column: Column, first: int) -> None:
        name = symbol_text(column.matrix, self.style)
        if column.unit is not None:
            name += f"{self.style.glyphs.arrow}{column.unit}"
        style = "bold" if column.on_path else "$faint"
        self.canvas.put(left, 0, name[:CELL].center(CELL), style)
        if column.size > self.rows:
            last = min(first + self.rows, column.size) - 1
            self.canvas.put(left, 1, f"{first}-{last}/{column.size}".center(CELL), "$faint")

    def _cell(self, left: int, top: int, cell: Cell) -> None:
        on, off = self.style.glyphs.on, self.style.glyphs.off
        mark = on if cell.on_path else off
        plain = "" if cell.on_path else "$faint"
        value_style, gradient_style = (
            ("bold $value", "bold $gradient") if cell.on_path else ("$value-aside", "$gradient-aside")
        )
        if cell.current:
            plain = value_style = gradient_style = "bold reverse $accent"
        value = "" if cell.value is None else short_number(cell.value, CELL - 1, self.style)
        self.canvas.put(left, top, mark, plain)
        self.canvas.put(left + 1, top, value.rjust(CELL - 1), value_style)
        if cell.gradient is not None:
            partial = self.style.glyphs.partial
            text = partial + short_number(cell.gradient, CELL - 1, self.style)
            self.canvas.put(left + CELL - len(text), top + 1, text, gradient_style)

    def _joined(self, place: int) -> bool:
        """Whether the path goes straight from one column to the next."""
        left, right = self.columns[place], self.columns[place + 1]
        return left.on_path and right.on_path and self._follows(left, right)

    def _follows(self, left: Column, right: Column) -> bool:
        if right.unit is not None:  # an activation meets its weight, unless the path begins at the weight
            return self._step_of(left) is not None and self._step_of(left) != 0
        if left.unit is not None:
            return True
        below, above = self._step_of(left), self._step_of(right)
        return below is not None and above is not None and below - above == 1

    def _step_of(self, column: Column) -> int | None:
        for symbol, index in self.diagram.path.items():
            if symbol.matrix == column.matrix:
                return index
        return None

    def _edge(self, x: int, top: int, bottom: int) -> None:
        """A line through the gutter from one row to another."""
        style = "bold $accent"
        straight, vertical = self.style.glyphs.bar, self.style.glyphs.vertical
        from_left, to_left, from_below, to_below = (self.style.glyphs.turns[place] for place in (1, 2, 3, 0))
        if top == bottom:
            self.canvas.put(x, top, straight * self.gutter, style)
            return
        down, middle = bottom > top, self.gutter // 2
        self.canvas.put(x, top, straight * middle + (from_left if down else from_below), style)
        for y in range(min(top, bottom) + 1, max(top, bottom)):
            self.canvas.put(x + middle, y, vertical, style)
        rest = straight * (self.gutter - middle - 1)
        self.canvas.put(x + middle, bottom, (to_left if down else to_below) + rest, style)

    def _bypasses(self, tops: list[int | None]) -> None:
        """Where the path skips columns (a residual shortcut, or past mean and std): a line above the cells."""
        places = {column.matrix: place for place, column in enumerate(self.columns)}
        path = [symbol.matrix for symbol in self.diagram.derivation.path]
        style = "bold $accent"
        glyphs = self.style.glyphs
        straight, vertical = glyphs.bar, glyphs.vertical
        upper_left, upper_right, lower_left, lower_right = glyphs.corners
        for above, below in pairwise(path):
            start, end = places.get(below), places.get(above)
            if start is None or end is None:
                continue
            between = self.columns[start + 1 : end]
            if not between or (len(between) == 1 and between[0].unit is not None):
                continue
            left, right = tops[start], tops[end]
            if left is None or right is None:
                continue
            x0 = self._left(start) + CELL
            x1 = self._left(end) - 2
            self.canvas.put(x0 + 1, 1, upper_left, style)
            self.canvas.put(x0 + 2, 1, straight * (x1 - x0 - 2), style)
            self.canvas.put(x1, 1, upper_right, style)
            for y in range(2, left):
                self.canvas.put(x0 + 1, y, vertical, style)
            for y in range(2, right):
                self.canvas.put(x1, y, vertical, style)
            self.canvas.put(x0, left, straight + lower_right, style)
            self.canvas.put(x1, right, lower_left + straight, style)
