"""The dead-ReLU monitor: zero activations over the steps, every unit's state, and who died when.

title, progress            what is trained, how far, how well
chart                      fraction of zero activations, by layer, over the steps
map                        layer × unit: dead, quiet, or how often it fires
events                     "step 120: unit 3 of layer 2 died"
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from typing_extensions import override

from engine.experiment.layer_info import LayerInfo
from engine.experiment.spec import View
from engine.formula.number_text import number_text
from engine.metrics.unit_deaths import UnitEvent
from engine.training.trainer import UnitActivity
from tui.session.network_session import NetworkSession
from tui.session.training_snapshot import ColumnView, RunSnapshot, TrainingSnapshot, Wanted
from tui.session.watched_training import WatchedTraining
from tui.shell.csv_table import CsvTable, Rows
from tui.shell.key_bar import KeyBar
from tui.shell.key_command import bindings
from tui.shell.keys import RELU_COMMANDS
from tui.shell.learner_deeds import Deed, Done
from tui.shell.static_text import StaticPanel, StaticText
from tui.shell.too_small import TooSmall
from tui.training.chart_view import ChartView
from tui.training.charts import Line, lines_chart
from tui.training.drawn_chart import FIRST, MARKERS, SERIES, Chart
from tui.training.gradient_charts import spread
from tui.training.training_csv import EVERY_STEP, csv_layer_rows, csv_unit_rows
from tui.training.training_screen import TrainingScreen
from tui.training.unit_bars import bar_size, unit_bars
from tui.training.unit_map import QUIET, SATURATED, Cursor, UnitState, unit_map

EVENTS_SHOWN = 200

FRACTIONS = "Fraction of zero activations, by step"


class UnitsScreen(TrainingScreen):
    """The dead-ReLU monitor: watches the units of every layer."""

    SCREEN_NAME = "relu"
    CSS_PATH = "training_screen.tcss"
    COMMANDS_SHOWN = RELU_COMMANDS
    BINDINGS = bindings(RELU_COMMANDS)

    def __init__(self, training: WatchedTraining, session: NetworkSession | None) -> None:
        super().__init__(training, session)
        asked = session.view if session is not None else View()
        self.cursor = Cursor((asked.layer or 1) - 1, asked.unit or 0)
        self._widths: tuple[int, ...] = ()
        self._described: Sequence[LayerInfo] = ()

    def compose(self) -> ComposeResult:
        """From top to bottom as pictured above."""
        yield StaticText(id="title")
        yield StaticText(id="progress")
        yield StaticText(id="progress-2")
        with StaticPanel(id="chart-panel"):
            yield ChartView(id="chart")
        with Horizontal(id="units"):
            with StaticPanel(id="map-panel"):
                yield ChartView(id="map")
            with StaticPanel(id="events-panel"):
                yield StaticText(id="events")
        yield StaticText(id="layer")
        yield TooSmall()
        yield KeyBar()

    @override
    def wanted(self) -> Wanted:
        width = self.query_one("#chart").size.width
        return Wanted("zero_fraction", max(width, 20), units=True, at=self.training.looking.step)

    def data_tables(self) -> Sequence[CsvTable]:
        """Every unit of every layer, and what the chart above them shows."""
        return [
            CsvTable(self._unit_rows, "The units as csv"),
            CsvTable(self._fraction_rows, "The chart's numbers as csv"),
        ]

    def _fraction_rows(self) -> Rows:
        wanted = Wanted("zero_fraction", EVERY_STEP, at=self.training.looking.step)
        return csv_layer_rows(self.training.snapshot(wanted), "zero_fraction", over_steps=True)

    def _unit_rows(self) -> Rows:
        return csv_unit_rows(
            self.training.snapshot(Wanted("zero_fraction", units=True, at=self.training.looking.step))
        )

    @override
    def view_options(self) -> Sequence[str]:
        options = ["--layer", str(self.cursor.layer + 1), "--unit", str(self.cursor.unit)]
        return options if self.cursor != Cursor(0, 0) else []

    @override
    def shown_deeds(self, snapshot: TrainingSnapshot) -> Iterator[Done]:
        yield Done(Deed.SCREEN, "relu")

    @override
    def draw(self, snapshot: TrainingSnapshot) -> None:
        """The chart, the map and the events."""
        chart, units = self.query_one("#chart", ChartView), self.query_one("#map", ChartView)
        run, column = snapshot.first, snapshot.first.column
        self.query_one("#events-panel", StaticPanel).set_title("Events by step")
        self.query_one("#events").set_class(column is None, "-about")
        if column is None:
            chart.show_text(self.hint)
            units.show_text("")
            self.query_one("#chart-panel", StaticPanel).set_title(FRACTIONS)
            self.query_one("#map-panel", StaticPanel).set_title("")
            self.query_one("#layer", StaticText).update("")
            self.query_one("#events", StaticText).update(Content.styled(run.about, "$faint"))
            return
        activity = run.activity
        self._names, self._described = run.layers, run.described
        if activity is not None:
            self._widths = tuple(len(rates) for rates in activity.firing_rate)
            self.cursor = self._clamped(self.cursor)
        if column.over_steps is None:
            chart.show_text(self.hint)
            self.query_one("#chart-panel", StaticPanel).set_title(FRACTIONS)
        elif not self.shown:
            chart.show_text("No layer's name fits the filter; / changes it.")
            self.query_one("#chart-panel", StaticPanel).set_title(
                f"{FRACTIONS}  /{self.training.looking.layers}"
            )
        else:
            self._draw_fractions(chart, column)
        if self.training.looking.step is not None:
            self._draw_crossed(column)
        if activity is None:
            units.show(self._layer_counts(run))
            return
        self._draw_map(units, activity)
        self._draw_events(activity)
        if self.training.looking.step is None:
            self._draw_unit(activity, run.slope)

    def _layer_counts(self, run: RunSnapshot) -> Chart:
        """How many units of each layer are dead and quiet: all that a run log knows."""
        record = run.record
        if record is None:
            return Chart(())
        widths = [layer.units for layer in run.described] or [None] * len(record.dead)
        rows = ["A run log has no single units.", ""] + [
            f"layer {number}: {max(int(dead), 0)} dead, {int(quiet)} quiet{f' of {units}' if units else ''}"
            for number, (dead, quiet, units) in enumerate(
                zip(record.dead, record.quiet, widths, strict=True), start=1
            )
        ]
        return Chart(tuple(((row, FIRST),) for row in rows))

    def _clamped(self, cursor: Cursor) -> Cursor:
        layer = min(max(cursor.layer, 0), len(self._widths) - 1)
        shown = self.shown
        if shown and layer not in shown:
            layer = min(shown, key=lambda one: abs(one - layer))
        return Cursor(layer, min(max(cursor.unit, 0), self._widths[layer] - 1))

    def _drawn_layers(self, layers: int) -> list[int]:
        """The layers whose fraction is drawn, of those that are shown."""
        shown = [one for one in self.shown if one < layers]
        place = shown.index(self.cursor.layer) if self.cursor.layer in shown else 0
        return [shown[one] for one in spread(len(shown), place)]

    def _draw_fractions(self, chart: ChartView, column: ColumnView) -> None:
        series = column.over_steps
        assert series is not None
        layers = self._drawn_layers(series.value.shape[1])
        lines = [
            Line(f"layer {layer + 1}", series.step, series.value[:, layer], role)
            for layer, role in zip(layers, SERIES, strict=False)
        ]
        drawn = lines_chart(
            lines, chart.size.width, chart.size.height, log=False, ascii_only=self.glyphs.ascii, top=1.0
        )
        chart.show(self.crossed(drawn, column))
        marks = MARKERS[self.glyphs.ascii]
        legend = "  ".join(f"{marks[line.role]} {line.name}" for line in lines)
        looking = self.training.looking
        title = [
            FRACTIONS,
            f"/{looking.layers}" if looking.layers else "",
            f"at step {column.step:,}" if looking.step is not None else "",
        ]
        self.query_one("#chart-panel", StaticPanel).set_title(
            "  ".join(part for part in title if part), legend
        )

    def _draw_crossed(self, column: ColumnView) -> None:
        """The numbers under the cross-hair."""
        fractions = column.record.zero_fraction
        parts: list[Content | str | tuple[str, str]] = [(f" step {column.step:,} ", "bold reverse $accent")]
        parts.append(("  zero activations", "$faint"))
        for layer in self._drawn_layers(len(fractions)):
            value = Content.assemble((f"  layer {layer + 1} ", "$faint"), f"{100 * fractions[layer]:.0f} %")
            parts.append(value)
        while (line := Content.assemble(*parts)).cell_length > self.room and len(parts) > 2:
            parts.pop()
        self.query_one("#layer", StaticText).update(line)

    def _draw_map(self, view: ChartView, activity: UnitActivity) -> None:
        shown = self.shown
        states = [
            UnitState(
                f"layer {layer + 1}",
                activity.firing_rate[layer],
                activity.dead[layer],
                self._saturates(layer),
            )
            for layer in shown
        ]
        if states:
            cursor, ascii_only = Cursor(shown.index(self.cursor.layer), self.cursor.unit), self.glyphs.ascii
            width, height = view.size.width, view.size.height
            bars = bar_size(states, width, height)
            if bars is not None:
                view.show(unit_bars(states, cursor, bars, ascii_only=ascii_only))
            else:
                view.show(unit_map(states, cursor, width, height, ascii_only=ascii_only))
        else:
            bars = None
            view.show_text("")
        dead, quiet, saturated = self._counts(activity)
        total = sum(self._widths)
        marks = self.glyphs.ascii
        counts = [f"{dead} dead{_as_of(activity)}", f"{quiet} quiet"]
        legend = [f"x: dead   {QUIET[marks]}: quiet", self._fires(bars is not None)]
        if saturated:
            counts.append(f"{saturated} saturated")
            legend = [f"x: dead {QUIET[marks]}: quiet {SATURATED}: saturated", *legend[1:]]
        self.query_one("#map-panel", StaticPanel).set_title(
            f"Units: {', '.join(counts)}, of {total}", "   ".join(legend)
        )

    def _saturates(self, layer: int) -> bool:
        """Whether this layer's activation has tails, where it passes next to no gradient."""
        traits = self._described[layer].traits if layer < len(self._described) else None
        return traits is not None and traits.unsaturated is not None

    def _counts(self, activity: UnitActivity) -> tuple[int, int, int]:
        """How many units are dead, and of the others how many are quiet, and how many saturated, for every sample."""
        dead = sum(int(np.count_nonzero(mask)) for mask in activity.dead)
        idle = [
            int(np.count_nonzero((rates == 0) & ~mask))
            for rates, mask in zip(activity.firing_rate, activity.dead, strict=True)
        ]
        saturated = sum(count for layer, count in enumerate(idle) if self._saturates(layer))
        return dead, sum(idle) - saturated, saturated

    def _fires(self, bars: bool) -> str:
        """How the map tells how often a unit fires."""
        if bars:
            return "a number: fires for so many % of the samples"
        return "1-8: fires" if self.glyphs.ascii else "▁…█: fires"

    def _draw_events(self, activity: UnitActivity) -> None:
        room = self.query_one("#events").size
        latest = activity.events[-min(max(room.height, 1), EVENTS_SHOWN) :][::-1]
        lines = _event_lines(latest, room.width)
        text = "\n".join(lines) if lines else "No unit has died."
        self.query_one("#events", StaticText).update(text)

    def _draw_unit(self, activity: UnitActivity, slope: float | None) -> None:
        layer, unit = self.cursor.layer, self.cursor.unit
        rate, dead = activity.firing_rate[layer][unit], activity.dead[layer][unit]
        died_at = int(activity.died_at[layer][unit])
        parts: list[Content | str | tuple[str, str]] = [
            (f" unit {unit} of layer {layer + 1} ", "bold reverse $accent")
        ]
        if dead:
            parts.append((f"  dead since step {died_at}", "bold $remark"))
            parts.append((", 0 for every sample; Enter shows why", "bold $remark"))
        else:
            of = "all data" if activity.step == activity.dead_step else "the batch"
            verb = "  not saturated for " if self._saturates(layer) else "  fires for "
            parts += [(verb, "$faint"), f"{100 * rate:.0f} %", (f" of {of}", "$faint")]
            if rate == 0 and self._saturates(layer):
                parts.append((f"   saturated for every sample of {of}", "$remark"))
            elif rate == 0 and slope is not None:
                parts.append(("   leaks always", "$remark"))
            elif rate == 0:
                parts.append((f"   quiet: 0 for every sample of {of}", "$remark"))
        if slope is not None:
            parts.append((f"   slope {number_text(slope, self.glyphs)}", "$faint"))
        while (line := Content.assemble(*parts)).cell_length > self.room and len(parts) > 2:
            parts.pop()
        self.query_one("#layer", StaticText).update(line)

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────

    def action_move(self, layers: int, units: int) -> None:
        """Moves the cursor over the map; down is towards the output."""
        shown = self.shown
        if self._widths and shown:
            place = shown.index(self.cursor.layer) if self.cursor.layer in shown else 0
            layer = shown[min(max(place + layers, 0), len(shown) - 1)]
            self.cursor = self._clamped(Cursor(layer, self.cursor.unit + units))
            self.redraw()

    def action_next_dead(self) -> None:
        """Moves the cursor to the next dead unit, round and round."""
        activity = self.seen(Wanted(units=True)).first.activity
        places = [] if activity is None else _dead_units(activity)
        if not places:
            self.notify("No unit is dead.")
            return
        here = (self.cursor.layer, self.cursor.unit)
        layer, unit = next((place for place in places if place > here), places[0])
        if layer not in self.shown:
            self.training.looking.layers = ""  # what was asked for is to be seen
        self.cursor = Cursor(layer, unit)
        self.tell(Done(Deed.DEAD_UNIT))
        self.redraw()

    def action_stepper(self) -> None:
        """Opens the stepper on the unit under the cursor: for a dead one it shows the factor that is 0."""
        self.weights.open_stepper(self.cursor.layer + 1, self.cursor.unit)


def _event_lines(events: Sequence[UnitEvent], width: int) -> list[str]:
    """Events in sentences, or in fewer words where those are too long: what happened must not be cut off."""
    sentences = [str(event) for event in events]
    if all(len(sentence) <= width for sentence in sentences):
        return sentences
    return [
        f"{event.step} {'died' if event.died else 'recovered'}: unit {event.unit} of layer {event.layer}"
        for event in events
    ]


def _as_of(activity: UnitActivity) -> str:
    """The step of the last look at all data, where what else is shown is of another."""
    return "" if activity.dead_step == activity.step else f" (as of step {activity.dead_step:,})"


def _dead_units(activity: UnitActivity) -> list[tuple[int, int]]:
    """(layer, unit) of every dead unit, both from 0, in order."""
    return [(layer, int(unit)) for layer, mask in enumerate(activity.dead) for unit in np.flatnonzero(mask)]
