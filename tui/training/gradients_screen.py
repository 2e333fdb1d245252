"""The gradients screen: magnitude against layer while a network trains, and a verdict with its reason.

title, progress            what is trained, how far, how well
chart                      profile, history, heat strip or factor budget
layer                      the numbers of the layer under the cursor
verdict                    vanishing, healthy, exploding … and which factor is to blame
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from textual.app import ComposeResult
from textual.content import Content

from engine.experiment.datasets import load_data
from engine.experiment.errors import ExperimentError
from engine.experiment.loading import PRESET_NAMES, load_experiment
from engine.experiment.spec import Experiment
from engine.formula.notation import number_text
from engine.metrics.step_record import StepRecord
from engine.runs.history import Series
from tui.session.source import Source
from tui.session.training_run import LaneView, Live, State
from tui.session.variants import counterpart
from tui.shell.key_bar import KeyBar
from tui.shell.keys import GRADIENTS_COMMANDS, bindings
from tui.shell.prompt import Prompt
from tui.shell.static_text import FixedText, Panel
from tui.shell.too_small import TooSmall
from tui.training.chart_view import ChartView
from tui.training.charts import MARKERS, SERIES, Chart
from tui.training.gradient_charts import (
    ACTIVATION,
    METRIC_NAMES,
    WEIGHTS,
    Magnitudes,
    Metric,
    View,
    draw_budget,
    draw_history,
    draw_profile,
    draw_strip,
    magnitudes,
    spread,
)
from tui.training.screen import TrainingScreen
from tui.training.status_lines import LaneStatus, lane_marks
from tui.training.verdicts import budget_lines, compared, predicted_profile, verdict_lines

FEW_STEPS = 50
"""So many are trained while one waits."""


def source_is_about_delta(source: Source) -> bool:
    """Whether a preset shows its point in δ: where weights explode, ∂ℰ/∂W is as large in every layer."""
    # By the session's own name: the training itself is made when it is first looked at.
    return source.name in ("exploding-50", "exploding-50-clip", "exploding-50-adam")


def _experiment_problem(name: str) -> str | None:
    """Why a second experiment cannot be opened, in one line."""
    try:
        load_data(load_experiment(name), source=name)
    except ExperimentError as error:
        return str(error)
    return None


class GradientsScreen(TrainingScreen):
    """Watches the gradient of every layer."""

    CSS_PATH = "training.tcss"
    COMMANDS_SHOWN = GRADIENTS_COMMANDS
    BINDINGS = bindings(GRADIENTS_COMMANDS)

    def __init__(self, session: Source) -> None:
        super().__init__(session)
        self.view = View.PROFILE
        self.metric = Metric.DELTA if source_is_about_delta(session) else Metric.MAX
        self.at_layer = 0

    def compose(self) -> ComposeResult:
        """From top to bottom as pictured above."""
        yield FixedText(id="title")
        yield FixedText(id="progress")
        yield FixedText(id="progress-2")
        with Panel(id="chart-panel"):
            yield ChartView(id="chart")
        yield FixedText(id="layer")
        with Panel(id="verdict-panel"):
            yield FixedText(id="verdict")
        yield TooSmall()
        yield KeyBar()

    def draw(self, statuses: list[LaneStatus]) -> None:
        """The chart, the layer's numbers and the verdict."""
        view = self.query_one(ChartView)
        width, height = view.size.width, view.size.height
        # All in one look: between two of them the training may have gone on, and each makes it wait.
        found, records, predicted, series = self.live.look(
            lambda lanes: (
                [magnitudes(lane, self.metric) for lane in lanes],
                [(lane, lane.record) for lane in lanes],
                predicted_profile(lanes[0], self.metric),
                self._over_steps(lanes[0], max(width - 10, 20)),
            )
        )
        lanes = [one for one in found if one is not None]
        told = [(lane, record) for lane, record in records if record is not None]
        if found[0] is None or not width:
            self._invite()
            return
        record = told[0][1]
        self.at_layer = min(self.at_layer, len(lanes[0].now) - 1)
        self._entitle(
            self._title(lanes[0].step if lanes[0].step != record.step else None, predicted is not None),
            self._legend(len(lanes[0].now)),
            f"(only {lanes[0].name})" if len(lanes) > 1 and self.view is not View.PROFILE else "",
        )
        view.show(self._chart(lanes, series, predicted, width, height))
        self._draw_layer(record)
        self._draw_verdict(told)

    def _over_steps(self, lane: LaneView, points: int) -> Series | None:
        """What the pictures over the steps are drawn from; the others do without."""
        if self.view not in (View.HISTORY, View.STRIP):
            return None
        return lane.history.decimated(self.metric.value, points)

    def _entitle(self, *title: str) -> None:
        """What the chart shows above it, and below it which of the pictures that is."""
        views = " · ".join(f"{'▸' if one is self.view else ''}{one.value}" for one in View)
        self.query_one("#chart-panel", Panel).entitle("  ".join(part for part in title if part), views)

    def _title(self, broke_after: int | None = None, predicted: bool = False) -> str:
        """What is drawn; `broke_after` is the step that a broken run's profile is of."""
        if self.view is View.BUDGET:
            return "log10 of what multiplies ‖δ‖:"
        profile = self.view is View.PROFILE
        kind = self.view.value
        if profile and broke_after is not None:
            kind = f"before it broke, step {broke_after:,}"
        dots = "; dots: predicted for the initial weights" if profile and predicted else ""
        return f"{kind}: {METRIC_NAMES[self.metric]} by layer{dots}"

    def _legend(self, layers: int) -> str:
        """Which mark is whose, where several lines are drawn."""
        marks = MARKERS[self.glyphs.ascii]
        match self.view:
            case View.HISTORY:
                shown = zip(SERIES, spread(layers, self.at_layer), strict=False)
                return "  ".join(f"{marks[role]} {layer + 1}" for role, layer in shown)
            case View.BUDGET:
                return f"{marks[WEIGHTS]} weights  {marks[ACTIVATION]} activation"
        return ""

    def _invite(self) -> None:
        self._entitle(self._title())
        self.query_one(ChartView).show_text(self.hint)
        self.query_one("#layer", FixedText).say("")
        self._say(Content.styled(self.live.first.about, "$faint"))

    def _chart(
        self,
        lanes: Sequence[Magnitudes],
        series: Series | None,
        predicted: npt.NDArray[np.float64] | None,
        width: int,
        height: int,
    ) -> Chart:
        ascii_only = self.glyphs.ascii
        if series is not None:
            if self.view is View.STRIP:
                return draw_strip(series, width, height, ascii_only)
            return draw_history(series, spread(len(lanes[0].now), self.at_layer), width, height, ascii_only)
        if self.view is View.BUDGET:
            return draw_budget(lanes[0], width, height, ascii_only)
        return draw_profile(lanes, predicted, width, height, ascii_only)

    def _draw_layer(self, record: StepRecord) -> None:
        style, layer = self.glyphs, self.at_layer
        values = {
            "max": record.grad_max[layer],
            "mean": record.grad_mean[layer],
            "L2": record.grad_l2[layer],
            "‖ΔW‖/‖W‖": record.update_ratio[layer],
            "zeros": record.zero_fraction[layer],
        }
        parts: list[Content | str | tuple[str, str]] = [
            (f" layer {layer + 1} of {len(record.grad_max)} ", "bold reverse $accent")
        ]
        for name, value in values.items():
            text = f"{100 * value:.0f} %" if name == "zeros" else number_text(float(value), style)
            parts.append(Content.assemble((f"  {name} ", "$faint"), text))
        if record.saturated[layer] == record.saturated[layer]:
            parts.append(
                Content.assemble(("  saturated ", "$faint"), f"{100 * record.saturated[layer]:.0f} %")
            )
        while (line := Content.assemble(*parts)).cell_length > self.size.width and len(parts) > 1:
            parts.pop()
        self.query_one("#layer", FixedText).say(line)

    def _draw_verdict(self, told: Sequence[tuple[LaneView, StepRecord]]) -> None:
        lane, record = told[0]
        if self.view is View.BUDGET:
            first, *others = budget_lines(lane, record)
            found = Content.styled(first, "bold")
        elif len(told) > 1:
            marked = zip(lane_marks(self.glyphs), told, strict=False)
            verdicts, others = compared([(mark, *one) for mark, one in marked])
            found = Content("\n").join(
                Content.assemble((kind, "bold"), f"   {reason}") for kind, reason in verdicts
            )
        else:  # the verdict and its first reason share a line, so that all of it fits a small window
            verdict, *others = verdict_lines(lane, record)
            found = Content.assemble((verdict, "bold"), *(f"   {line}" for line in others[:1]))
            others = others[1:]
        self._say(Content("\n").join([found, *(Content(line) for line in others)]))

    def _say(self, verdict: Content) -> None:
        self.query_one("#verdict", FixedText).say(verdict)

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────

    def action_view(self, by: int) -> None:
        """The next picture."""
        views = list(View)
        self.view = views[(views.index(self.view) + by) % len(views)]
        self.redraw()

    def action_metric(self) -> None:
        """Max, mean, L2, and again."""
        metrics = list(Metric)
        self.metric = metrics[(metrics.index(self.metric) + 1) % len(metrics)]
        self.redraw()

    def action_blame(self) -> None:
        """The factor budget, or back to the profile."""
        self.view = View.PROFILE if self.view is View.BUDGET else View.BUDGET
        self.redraw()

    def action_layer(self, by: int) -> None:
        """Moves the cursor over the layers."""
        count = len(self.live.first.layers)
        self._move_to(max(min(self.at_layer + by, count - 1), 0))

    def action_layer_end(self, last: bool) -> None:
        """The first or the last layer."""
        self._move_to(max(len(self.live.first.layers) - 1, 0) if last else 0)

    def _move_to(self, layer: int) -> None:
        """Draws only what the cursor changes: a chart takes too long for a key that is held down."""
        self.at_layer = layer
        record = self.live.look(lambda lanes: lanes[0].record)
        if self.view is View.HISTORY or record is None:
            self.redraw()
        elif self.children:
            self._draw_layer(record)

    def action_compare(self) -> None:
        """Trains the counterpart beside it, or ends the comparison."""
        live = self.controls()
        if live is None:
            return
        if len(live.lanes) > 1:
            live.compare("", None)
        else:
            self._train_beside(live, *counterpart(live.lane.name, live.lane.experiment))
        self.redraw()

    @staticmethod
    def _train_beside(live: Live, name: str, experiment: Experiment) -> None:
        """Both begin anew, and go on; or, after a few single steps, only as far as the first one was."""
        steps = live.lane.steps_done
        stepping = live.state is State.PAUSED and 0 < steps <= FEW_STEPS
        live.compare(name, experiment)
        live.one_step(steps) if stepping else live.run()

    def action_compare_with(self) -> None:
        """Asks for another experiment to train beside it."""
        if self.controls() is not None:
            prompt = Prompt(
                "Compare with", "a preset's name or a TOML file", _experiment_problem, PRESET_NAMES
            )
            self.app.push_screen(prompt, self._compare_with)

    def _compare_with(self, name: str | None) -> None:
        live = self.controls()
        if name and live is not None:
            self._train_beside(live, name, load_experiment(name))
            self.redraw()

    def action_stepper(self) -> None:
        """The stepper on the largest gradient of the layer under the cursor."""
        self.open_stepper(self.at_layer + 1)
