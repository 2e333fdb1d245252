"""The widget that shows a chart: its rows in the theme's colours, in any size."""

from __future__ import annotations

import pytest
from rich.color import Color
from textual.app import App, ComposeResult
from textual.geometry import Region

from tui.shell.theme import DARK, LIGHT, THEMES
from tui.training.chart_view import ROLE_VARIABLES, ChartView
from tui.training.drawn_chart import AXIS, FIRST, MARK, PREDICTED, SERIES, Chart
from tui.training.unit_map import CURSOR

CHART = Chart(((("ab", FIRST), ("c", MARK)), (("x", CURSOR), ("yz", 0))))


class Page(App[None]):
    def compose(self) -> ComposeResult:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name
        yield ChartView(id="view")


def test_every_role_has_a_colour():
    assert {AXIS, MARK, PREDICTED, *SERIES} == set(ROLE_VARIABLES)


async def test_rows_are_as_wide_as_the_widget_and_styled_by_their_roles():
    app = Page()
    async with app.run_test(size=(10, 5)) as pilot:
        view = app.query_one(ChartView)
        view.show(CHART)
        await pilot.pause()
        for y in range(6):
            assert view.render_line(y).cell_length == 10
        assert view.render_line(0).text == "abc       "
        first, mark, *_ = view.render_line(0)
        assert first.style.color == Color.parse(app.theme_variables["value"])
        assert mark.style.color == Color.parse(app.theme_variables["remark"])
        cursor = next(iter(view.render_line(1)))
        assert cursor.style.reverse
        assert view.chart is CHART


async def test_only_the_rows_that_differ_are_drawn_again(monkeypatch):
    app = Page()
    async with app.run_test(size=(10, 5)) as pilot:
        view = app.query_one(ChartView)
        view.show(CHART)
        await pilot.pause()
        drawn: list[Region] = []
        monkeypatch.setattr(ChartView, "refresh", lambda self, *regions: drawn.extend(regions))
        view.show(Chart(CHART.rows))
        assert drawn == []
        view.show(Chart((CHART.rows[0], (("new", FIRST),), (("more", FIRST),))))
        assert drawn == [Region(0, 1, 10, 1), Region(0, 2, 10, 1)]
        drawn.clear()
        view.show(CHART)
        assert drawn == [Region(0, 1, 10, 1), Region(0, 2, 10, 1)]


async def test_another_theme_changes_the_colours_of_the_same_chart():
    app = Page()
    async with app.run_test(size=(10, 5)) as pilot:
        view = app.query_one(ChartView)
        view.show(CHART)
        await pilot.pause()
        before = next(iter(view.render_line(0))).style.color
        app.theme = LIGHT.name
        await pilot.pause()
        assert next(iter(view.render_line(0))).style.color != before


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (120, 40)])
async def test_a_chart_of_another_size_is_cut_or_padded(size):
    app = Page()
    async with app.run_test(size=size) as pilot:
        view = app.query_one(ChartView)
        view.show(CHART)
        await pilot.pause()
        assert view.render_line(0).cell_length == size[0]


async def test_a_sentence_stands_in_the_middle():
    app = Page()
    async with app.run_test(size=(30, 7)) as pilot:
        view = app.query_one(ChartView)
        view.show_text("press space")
        await pilot.pause()
        assert view.render_line(3).text.strip() == "press space"
        assert not view.render_line(2).text.strip()
