"""A grid of character cells to draw on, each with a style; becomes text line by line."""

from __future__ import annotations

from textual.content import Content


class Canvas:
    """A canvas of `width` × `height` character cells, blank at first. What is put outside is cut off."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._cells = [[" "] * width for _ in range(height)]
        self._styles = [[""] * width for _ in range(height)]

    def put(self, x: int, y: int, text: str, style: str = "") -> None:
        """Writes text from (x, y) to the right."""
        if not 0 <= y < self.height:
            return
        for column, character in enumerate(text, start=x):
            if 0 <= column < self.width:
                self._cells[y][column] = character
                self._styles[y][column] = style

    def at(self, x: int, y: int) -> str:
        """The character at (x, y), a space outside."""
        return self._cells[y][x] if 0 <= y < self.height and 0 <= x < self.width else " "

    def content(self) -> Content:
        """The canvas as coloured text, each run of equal style in one span."""
        return Content("\n").join([self._line(y) for y in range(self.height)])

    def _line(self, y: int) -> Content:
        runs: list[Content] = []
        start = 0
        cells, styles = self._cells[y], self._styles[y]
        for x in range(1, self.width + 1):
            if x == self.width or styles[x] != styles[start]:
                runs.append(Content.styled("".join(cells[start:x]), styles[start]))
                start = x
        return Content("").join(runs)
