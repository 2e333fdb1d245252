"""The gradients screen: magnitude against layer while a network trains, and what is wrong with it.

title, progress            what is trained, how far, how well
chart                      profile, history, heat strip or factor budget; beside it the loss, where there is room
layer                      the numbers of the layer under the cursor
findings                   vanishing, plateau, dead units … why, and what helps
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from typing_extensions import override

from engine.experiment.spec import View as ExperimentView
from engine.metrics.step_record import StepRecord
from engine.runs.history import Series
from tui.session.network_session import NetworkSession
from tui.session.training_snapshot import RunSnapshot, TrainingSnapshot, Wanted
from tui.session.watched_training import WatchedTraining
from tui.shell.csv_table import CsvTable, Rows
from tui.shell.key_bar import KeyBar
from tui.shell.key_command import bindings
from tui.shell.keys import GRADIENTS_COMMANDS
from tui.shell.learner_deeds import Deed, Done
from tui.shell.static_text import StaticPanel, StaticText
from tui.shell.too_small import TooSmall
from tui.training.chart_view import ChartView
from tui.training.drawn_chart import MARKERS, SERIES, Chart
from tui.training.findings_panel import FindingsPanel
from tui.training.gradient_charts import (
    ACTIVATION,
    CHARTS,
    DELTA,
    MAX,
    METRICS,
    WEIGHTS,
    GradientMagnitudes,
    View,
    chart_metrics,
    columns_of,
    draw_budget,
    draw_history,
    draw_losses,
    draw_profile,
    magnitudes,
    predicted_profile,
    spread,
)
from tui.training.heat_strip import draw_strip
from tui.training.layer_bars import draw_rows
from tui.training.layer_line import layer_line
from tui.training.layer_rows import block_of, layer_rows, row_of
from tui.training.run_comparison import RunComparison
from tui.training.run_findings import RunFindings
from tui.training.training_csv import EVERY_STEP, csv_budget_rows, csv_layer_rows
from tui.training.training_screen import TrainingScreen

MANY_LAYERS = 60
"""From so many layers on, the first picture is the one with names."""


def is_about_delta(session: NetworkSession) -> bool:
    """Whether a preset shows its point in δ: where weights explode, ∂ℰ/∂W is as large in every layer."""
    return session.name in ("exploding-50", "exploding-50-clip", "exploding-50-adam")


class GradientsScreen(TrainingScreen):
    """The gradients screen: watches the gradient of every layer."""

    CSS_PATH = "training_screen.tcss"
    COMMANDS_SHOWN = GRADIENTS_COMMANDS
    BINDINGS = bindings(GRADIENTS_COMMANDS)

    def __init__(self, training: WatchedTraining, session: NetworkSession | None) -> None:
        super().__init__(training, session)
        asked = session.view if session is not None else ExperimentView()
        about_delta = session is not None and is_about_delta(session)
        self.view = CHARTS[asked.chart] if asked.chart else View.PROFILE
        self.metric = METRICS[asked.metric] if asked.metric else DELTA if about_delta else MAX
        self.at_layer = (asked.layer or 1) - 1
        self.log_axis = asked.axis != "linear"
        self.findings = RunFindings(self)
        self.comparison = RunComparison(self, self.control_keys)
        self.unfolded: set[str] = set()
        """The blocks whose parameters are shown one by one."""
        self._chosen = asked.chart is not None

    def compose(self) -> ComposeResult:
        """From top to bottom as pictured above."""
        yield StaticText(id="title")
        yield StaticText(id="progress")
        yield StaticText(id="progress-2")
        with Horizontal(id="charts"):
            with StaticPanel(id="chart-panel"):
                yield ChartView(id="chart")
            with StaticPanel(id="loss-panel"):
                yield ChartView(id="loss")
        yield StaticText(id="layer")
        panel = FindingsPanel(id="verdict-panel")
        panel.set_class(self.session is None, "-of-log")
        yield panel
        yield TooSmall()
        yield KeyBar()

    @override
    def wanted(self) -> Wanted:
        """What the chart needs of the runs: the pictures over the steps more than the others."""
        over_steps = self.view in (View.HISTORY, View.STRIP)
        points = max(self.query_one("#chart").size.width - 10, 20) if over_steps else 0
        loss = self.query_one("#loss").size.width
        return Wanted(self.metric.field, points, loss_points=2 * loss, at=self.training.looking.step)

    def data_tables(self) -> Sequence[CsvTable]:
        """The numbers of the picture."""
        return [CsvTable(self._budget_rows if self.view is View.BUDGET else self._metric_rows)]

    def _budget_rows(self) -> Rows:
        """What multiplies δ on its way down, layer by layer."""
        return csv_budget_rows(
            self.training.snapshot(Wanted(self.metric.field, at=self.training.looking.step))
        )

    def _metric_rows(self) -> Rows:
        """The metric of every layer: over the steps where the picture is, otherwise now."""
        over_steps = self.view in (View.HISTORY, View.STRIP)
        wanted = Wanted(self.metric.field, EVERY_STEP if over_steps else 0, at=self.training.looking.step)
        return csv_layer_rows(self.training.snapshot(wanted), self.metric.field, over_steps)

    @override
    def view_options(self) -> Sequence[str]:
        chart = next(name for name, one in CHARTS.items() if one is self.view)
        options = [*(["--metric", self.metric.view] if self.metric.view else []), "--chart", chart]
        options += ["--layer", str(self.at_layer + 1)] if self.at_layer else []
        return options if self.log_axis else [*options, "--axis", "linear"]

    @override
    def shown_deeds(self, snapshot: TrainingSnapshot) -> Iterator[Done]:
        yield Done(Deed.SCREEN, "gradients")
        if snapshot.first.record is None:  # no picture yet
            return
        yield Done(Deed.VIEW, self.view.value)
        yield Done(Deed.METRIC, self.metric.field)
        yield Done(Deed.LAYER, self.at_layer + 1)
        if not self.log_axis and self.view in (View.PROFILE, View.HISTORY):
            yield Done(Deed.LINEAR_AXIS)
        for run in snapshot.runs[1:]:
            if run.steps_done:
                yield Done(Deed.COMPARE, run.name)

    def _choose(self, run: RunSnapshot, record: StepRecord) -> bool:
        """Begins with what a log has and what its layers need; whether that is another picture than before."""
        before = self.view, self.metric
        if self.metric.field not in record.fields:
            self.metric = next((one for one in chart_metrics() if one.field in record.fields), self.metric)
        if not self._chosen and len(run.layers) > MANY_LAYERS:
            self.view = View.LAYERS
        self._chosen = True
        return (self.view, self.metric) != before

    @override
    def draw(self, snapshot: TrainingSnapshot) -> None:
        """The chart, the layer's numbers and the verdict."""
        view = self.query_one("#chart", ChartView)
        width, height = view.size.width, view.size.height
        self._draw_losses(snapshot)
        lines = [one for one in map(magnitudes, snapshot.runs) if one is not None]
        told = [(run, run.record) for run in snapshot.runs if run.record is not None]
        first, record = snapshot.first, snapshot.first.record
        if record is None or first.column is None or not width:
            self._invite(first)
            return
        if self._choose(first, record):
            self.redraw()
            return
        self._names = first.layers
        shown, looking = self.shown, self.training.looking
        predicted = (
            predicted_profile(first, self.metric) if not looking.layers and looking.step is None else None
        )
        self.at_layer = min(self.at_layer, len(lines[0].now) - 1)
        if shown and self.at_layer not in shown:
            self.at_layer = shown[0]
        self._set_title(
            self._title(lines[0].step, predicted is not None, _breaking(first, record)),
            self._legend(len(lines[0].now)),
            f"(only {lines[0].name})" if len(lines) > 1 and self.view is not View.PROFILE else "",
            f"/{looking.layers}" if looking.layers else "",
            f"at step {first.column.step:,}" if looking.step is not None else "",
        )
        if first.column.over_steps is None and self.view in (View.HISTORY, View.STRIP):
            view.show_text(self.hint)
        elif self.view is View.BUDGET and len(lines[0].now) == 1:
            view.show_text("There is only one layer: δ has no way down.")
        elif self.session is None and first.problem is None and np.isnan(lines[0].now).all():
            view.show_text("The log holds no gradients.")
        elif not shown:
            view.show_text("No layer's name fits the filter; / changes it.")
        else:
            chart = self._chart(lines, first.column.over_steps, predicted, width, height)
            view.show(self.crossed(chart, first.column))
        self._draw_layer(first.column.record if looking.step is not None else record)
        self._draw_verdict(snapshot, told)

    def _draw_losses(self, snapshot: TrainingSnapshot) -> None:
        """Beside the chart, where there is room for it: the loss of every run over its steps."""
        view = self.query_one("#loss", ChartView)
        if not view.size.width:
            return
        columns = [(run.name, run.column, run.column.loss_over_steps) for run in snapshot.runs if run.column]
        known = [
            (name, column, loss)
            for name, column, loss in columns
            if loss is not None and np.isfinite(loss.value).any()
        ]
        linear = True
        if known:
            size = view.size
            runs = [(name, loss) for name, _, loss in known]
            chart, linear = draw_losses(runs, size.width, size.height, self.glyphs.ascii)
            view.show(self.crossed(chart, replace(known[0][1], over_steps=known[0][2])))
        else:
            view.show_text("There is no loss yet.")
        batches = self.session is not None and self.session.experiment.train.batch != "full"
        title = self.glyphs.names.said("ℰ by step") + (", of mini-batches" if batches else "")
        self.query_one("#loss-panel", StaticPanel).set_title(title + ("" if linear else ", log axis"))

    def _set_title(self, *title: str) -> None:
        """What the chart shows above it, and below it which of the pictures that is."""
        views = " · ".join(f"{'▸' if one is self.view else ''}{one.value}" for one in self._views())
        if self.view is View.LAYERS:
            views += "   / filter  H fold"
        self.query_one("#chart-panel", StaticPanel).set_title(
            "  ".join(part for part in title if part), views
        )

    def _title(self, step: int = 0, predicted: bool = False, breaking: str = "") -> str:
        """What is drawn, and of which step; of a run that broke `breaking` says how the two lie."""
        if self.view is View.BUDGET:
            return f"log10 of what multiplies ‖{self.glyphs.names.said('δ')}‖, step {step:,}:"
        profile = self.view is View.PROFILE
        kind = self.view.value
        if profile:
            kind = f"{breaking or kind}, step {step:,}"
        dots = "; dots: predicted for the initial weights" if profile and predicted else ""
        linear = "" if self.log_axis or self.view in (View.STRIP, View.BUDGET) else ", linear axis"
        return f"{kind}: {self.glyphs.names.said(self.metric.words)}{' by layer' * (not dots)}{dots}{linear}"

    def _legend(self, layers: int) -> str:
        """Which mark is whose, where several lines are drawn."""
        marks = MARKERS[self.glyphs.ascii]
        match self.view:
            case View.HISTORY:
                shown = zip(SERIES, self._spread(), strict=False)
                return "  ".join(f"{marks[role]} {layer + 1}" for role, layer in shown)
            case View.BUDGET:
                return f"{marks[WEIGHTS]} weights  {marks[ACTIVATION]} activation"
        return ""

    def _invite(self, run: RunSnapshot) -> None:
        self._set_title(self._title())
        self.query_one("#chart", ChartView).show_text(self.hint)
        self.query_one("#layer", StaticText).update("")
        self._show_verdict(Content.styled(run.about, "$faint"))

    def _chart(
        self,
        runs: Sequence[GradientMagnitudes],
        series: Series | None,
        predicted: npt.NDArray[np.float64] | None,
        width: int,
        height: int,
    ) -> Chart:
        ascii_only = self.glyphs.ascii
        if self.view is View.LAYERS:
            rows = layer_rows(self._names, self.shown, self.unfolded)
            cursor = row_of(rows, self.at_layer)
            return draw_rows(rows, runs[0].now, self.metric.field, cursor, width, height, ascii_only)
        if self.training.looking.layers:
            runs = [one.only(self.shown) for one in runs]
        if series is not None:
            if self.view is View.STRIP:
                return draw_strip(columns_of(series, self.shown), width, height, ascii_only)
            return draw_history(series, self._spread(), width, height, ascii_only, log=self.log_axis)
        if self.view is View.BUDGET:
            return draw_budget(runs[0], width, height, ascii_only)
        return draw_profile(runs, predicted, width, height, ascii_only, log=self.log_axis)

    def _spread(self) -> list[int]:
        """The layers whose history is drawn, of those that are shown."""
        shown = self.shown
        place = shown.index(self.at_layer) if self.at_layer in shown else 0
        return [shown[one] for one in spread(len(shown), place)]

    def _draw_layer(self, record: StepRecord) -> None:
        name = self._names[self.at_layer] if self._names else None
        with_step = self.training.looking.step is not None
        line = layer_line(record, self.at_layer, name, self.glyphs, self.room, with_step=with_step)
        self.query_one("#layer", StaticText).update(line)

    def _draw_verdict(
        self, snapshot: TrainingSnapshot, told: Sequence[tuple[RunSnapshot, StepRecord]]
    ) -> None:
        if self.view is View.BUDGET:
            self._show_verdict(self.findings.of_budget(*told[0], snapshot))
        else:
            self._show_verdict(self.findings.of_runs(told, snapshot))

    def _show_verdict(self, verdict: Content) -> None:
        self.query_one(FindingsPanel).show_text(verdict)

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────

    def action_view(self, by: int) -> None:
        """Shows the next view: profile, history, heat strip, factor budget, layers."""
        views = self._views()
        place = views.index(self.view) if self.view in views else 0
        self.view = views[(place + by) % len(views)]
        self.redraw()

    def _views(self) -> list[View]:
        """The pictures that there are."""
        return [one for one in View if one is not View.BUDGET or self._has_budget()]

    def _has_budget(self) -> bool:
        """Whether it is known what multiplies δ on its way; a log may not say."""
        record = self.seen().first.record
        return record is None or "weight_gain" in record.fields

    def action_metric(self) -> None:
        """Charts the next metric: max, mean, L2, and again."""
        record = self.seen().first.record
        every = chart_metrics()
        metrics = [one for one in every if record is None or one.field in record.fields] or every
        if self.metric not in metrics:
            self.metric = metrics[-1]
        self.metric = metrics[(metrics.index(self.metric) + 1) % len(metrics)]
        self.redraw()

    def action_axis(self) -> None:
        """Changes to a linear axis, as the tutorial's figure has it, or to the logarithmic one again."""
        self.log_axis = not self.log_axis
        self.redraw()

    def action_findings(self, lines: int) -> None:
        """Scrolls through what was found; through the rows where the layers are a list."""
        if self.view is View.LAYERS:
            self.action_row(lines)
        else:
            self.query_one(FindingsPanel).move(lines)

    def action_try_remedy(self) -> None:
        """Begins anew, with the first remedy that can be tried beside the run as it was."""
        self.comparison.try_remedy()

    def action_blame(self) -> None:
        """Shows the factor budget, or the profile again."""
        if not self._has_budget():
            self.notify("What the weights and the activations make of the gradient is not logged.")
            return
        self.view = View.PROFILE if self.view is View.BUDGET else View.BUDGET
        self.redraw()

    def action_layer(self, by: int) -> None:
        """Moves the cursor over the layers that are shown."""
        shown = self.newest_places()
        place = shown.index(self.at_layer) if self.at_layer in shown else 0
        if shown:
            self._move_to(shown[max(min(place + by, len(shown) - 1), 0)])

    def action_row(self, by: int) -> None:
        """Moves over the rows of the list of layers; over the layers in the other pictures."""
        if self.view is not View.LAYERS:
            self.action_layer(by)
            return
        rows = layer_rows(self._names, self.newest_places(), self.unfolded)
        if rows:
            place = row_of(rows, self.at_layer)
            here = max(min(place + by, len(rows) - 1), 0)
            members = rows[here].members
            if rows[here].folded is False:  # an unfolded block's own row: its first parameter stands below
                here = max(min(here + (1 if by > 0 else -1), len(rows) - 1), 0)
                members = rows[here].members
            self._move_to(members[0])

    def action_fold(self) -> None:
        """Folds or unfolds the block under the cursor."""
        if self.newest_places() and self._names:
            self.unfolded ^= {block_of(self._names[self.at_layer])}
            self.view = View.LAYERS
            self.redraw()

    def action_fold_all(self) -> None:
        """Folds or unfolds every block."""
        self.unfolded = (
            set() if self.unfolded else {block_of(self._names[one]) for one in self.newest_places()}
        )
        self.view = View.LAYERS
        self.redraw()

    def action_layer_end(self, last: bool) -> None:
        """Moves the cursor to the first or the last layer that is shown."""
        shown = self.newest_places()
        if shown:
            self._move_to(shown[-1 if last else 0])

    def _move_to(self, layer: int) -> None:
        """Draws only what the cursor changes: a chart takes too long for a key that is held down."""
        self.at_layer = layer
        self.training.stand_back()
        record = self.seen().first.record
        if (
            self.view in (View.HISTORY, View.LAYERS)
            or self.training.looking.step is not None
            or record is None
        ):
            self.redraw()
        elif self.children:
            self._draw_layer(record)
            self.call_after_refresh(self.training.go_on)

    def action_compare(self) -> None:
        """Trains the counterpart beside it, or ends the comparison."""
        self.comparison.toggle_counterpart()

    def action_compare_with(self) -> None:
        """Asks for another experiment to train beside it."""
        self.comparison.ask()

    def action_stepper(self) -> None:
        """Opens the stepper on the layer's largest gradient, the one that the bar under the cursor shows."""
        self.weights.open_stepper(self.at_layer + 1, matrix="f" if self.metric == DELTA else "W")


def _breaking(run: RunSnapshot, last: StepRecord) -> str:
    """Where the picture is of the last step with a finite number, and not of the last one."""
    if run.column is None or run.column.step == last.step:
        return ""
    return "as it broke" if run.column.breaking else "before it broke"
