"""Shows a drawn chart: its rows as strips, made once per row and theme, served line by line.

Where one chart follows another, only the rows that differ are made, drawn and sent to the terminal.
"""

from __future__ import annotations

from itertools import zip_longest

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.training.drawn_chart import AXIS, FIFTH, FIRST, FOURTH, MARK, PREDICTED, SECOND, THIRD, Chart, Row
from tui.training.unit_map import CURSOR

ROLE_VARIABLES = {
    AXIS: "faint",
    FIRST: "value",
    SECOND: "gradient",
    THIRD: "done",
    FOURTH: "remark",
    FIFTH: "foreground",
    PREDICTED: "done",
    MARK: "remark",
}
"""The theme's colour for each role of a chart."""

PLAIN = 0
"""The role of what is just text."""

MOST_STRIPS = 500
"""So many rows are remembered before all are forgotten."""


class ChartView(Widget):
    """A chart as a widget. `show` is cheap: drawing happened before, on the way from data to `Chart`."""

    DEFAULT_CSS = "ChartView { height: 1fr; }"

    class Resized(Message):
        """The chart has another size now, and wants to be drawn for it."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._chart = Chart(())
        self._strips: dict[Row, Strip] = {}
        self._styles: dict[int, Style] = {}
        self._made_for = ("", 0)

    @property
    def chart(self) -> Chart:
        """The chart that is shown."""
        return self._chart

    def show(self, chart: Chart) -> None:
        """Shows another chart."""
        before, self._chart = self._chart, chart
        changed = [
            Region(0, y, self.size.width, 1)
            for y, (old, new) in enumerate(zip_longest(before.rows, chart.rows))
            if old != new
        ]
        if changed:
            self.refresh(*changed)

    def show_text(self, text: str) -> None:
        """Shows a sentence in the middle instead of a chart."""
        width, height = self.size
        blank: tuple[tuple[str, int], ...] = ((" " * width, AXIS),)
        middle: tuple[tuple[str, int], ...] = ((text[:width].center(width), AXIS),)
        self.show(Chart(tuple(middle if row == height // 2 else blank for row in range(height))))

    def on_resize(self) -> None:
        """Asks for a drawing that fits."""
        self.post_message(self.Resized())

    def render_line(self, y: int) -> Strip:
        """One row of the chart, padded to the widget's width."""
        made_for = (self.app.theme, self.size.width)
        if self._made_for != made_for or len(self._strips) > MOST_STRIPS:
            self._made_for = made_for
            self._styles = self._styles_of_roles()
            self._strips = {}
        row = self._chart.rows[y] if y < len(self._chart.rows) else ()
        strip = self._strips.get(row)
        if strip is None:
            strip = self._strips[row] = self._strip(row)
        return strip

    def _styles_of_roles(self) -> dict[int, Style]:
        base = self.rich_style  # asks every ancestor, so once for all rows
        styles = {PLAIN: base, CURSOR: base + Style(reverse=True, bold=True)}
        for role, name in ROLE_VARIABLES.items():
            colour = Color.parse(self.app.theme_variables[name])
            styles[role] = base + Style(color=colour.rich_color)
        return styles

    def _strip(self, row: Row) -> Strip:
        plain = self._styles[PLAIN]
        segments = [Segment(text, self._styles.get(role, plain)) for text, role in row]
        return Strip(segments).adjust_cell_length(self.size.width, plain)
