"""Shows a drawn chart: its rows as strips, made once per chart and theme, served line by line."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.charts import AXIS, FIFTH, FIRST, FOURTH, MARK, PREDICTED, SECOND, THIRD, Chart
from tui.unit_map import CURSOR

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


class ChartView(Widget):
    """A chart as a widget. `show` is cheap: drawing happened before, on the way from data to `Chart`."""

    DEFAULT_CSS = "ChartView { height: 1fr; }"

    class Resized(Message):
        """The chart has another size now, and wants to be drawn for it."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._chart = Chart(())
        self._strips: list[Strip] = []
        self._blank = Strip.blank(0)
        self._made_for: tuple[str, int] | None = None

    @property
    def chart(self) -> Chart:
        """What is shown."""
        return self._chart

    def show(self, chart: Chart) -> None:
        """Shows another chart."""
        self._chart = chart
        self._made_for = None
        self.refresh()

    def show_text(self, text: str) -> None:
        """A sentence in the middle instead of a chart."""
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
        if self._made_for != made_for:
            self._made_for = made_for
            self._make_strips(self.size.width)
        return self._strips[y] if y < len(self._strips) else self._blank

    def _make_strips(self, width: int) -> None:
        base = self.rich_style  # asks every ancestor, so once for all rows
        styles = {0: base, CURSOR: base + Style(reverse=True, bold=True)}
        for role, name in ROLE_VARIABLES.items():
            colour = Color.parse(self.app.theme_variables[name])
            styles[role] = base + Style(color=colour.rich_color)
        self._blank = Strip.blank(width, base)
        self._strips = [
            Strip([Segment(text, styles.get(role, base)) for text, role in row]).adjust_cell_length(
                width, base
            )
            for row in self._chart.rows
        ]
