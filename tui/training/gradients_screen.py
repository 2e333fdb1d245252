"""The gradients screen: magnitude against layer while a network trains, and what is wrong with it.

title, progress            what is trained, how far, how well
chart                      profile, history, heat strip or factor budget
layer                      the numbers of the layer under the cursor
findings                   vanishing, plateau, dead units … why, and what helps
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from textual.app import ComposeResult
from textual.content import Content
from typing_extensions import override

from engine.diagnosis.diagnosis import Diagnosis
from engine.diagnosis.retry import changed
from engine.experiment.datasets import load_data
from engine.experiment.errors import ExperimentError
from engine.experiment.loading import PRESET_NAMES, load_experiment
from engine.experiment.spec import Experiment
from engine.formula.notation import number_text
from engine.metrics.step_record import StepRecord
from engine.runs.history import Series
from tui.session.session import Session
from tui.session.snapshot import RunSnapshot, State, Training, TrainingSnapshot, Wanted
from tui.session.training_run import TrainingRun
from tui.session.variants import counterpart
from tui.shell.key_bar import KeyBar
from tui.shell.keys import GRADIENTS_COMMANDS, bindings
from tui.shell.prompt import Prompt
from tui.shell.static_text import FixedText, Panel
from tui.shell.too_small import TooSmall
from tui.training.chart_view import ChartView
from tui.training.charts import MARKERS, SERIES, Chart
from tui.training.finding_content import (
    THINKING,
    compared,
    diagnosis_content,
    finding_content,
    flow_lines,
    glance,
)
from tui.training.finding_text import change_text
from tui.training.findings_panel import FindingsPanel
from tui.training.gradient_charts import (
    ACTIVATION,
    METRIC_NAMES,
    METRICS,
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
from tui.training.status_lines import run_marks
from tui.training.verdicts import budget_lines, predicted_profile

TRIES = "F"
"""The key that tries a remedy, as the findings call it."""

FEW_STEPS = 50
"""So many are trained while one waits."""


def is_about_delta(session: Session) -> bool:
    """Whether a preset shows its point in δ: where weights explode, ∂ℰ/∂W is as large in every layer."""
    return session.name in ("exploding-50", "exploding-50-clip", "exploding-50-adam")


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

    def __init__(self, training: Training, session: Session | None) -> None:
        super().__init__(training, session)
        self.view = View.PROFILE
        asked = session.experiment.view.metric if session is not None else None
        about_delta = session is not None and is_about_delta(session)
        self.metric = METRICS[asked] if asked else Metric.DELTA if about_delta else Metric.MAX
        self.at_layer = 0
        self.log_axis = True
        self.thinking = False
        """Whether the reason for something is being looked for, in a thread."""

    def compose(self) -> ComposeResult:
        """From top to bottom as pictured above."""
        yield FixedText(id="title")
        yield FixedText(id="progress")
        yield FixedText(id="progress-2")
        with Panel(id="chart-panel"):
            yield ChartView(id="chart")
        yield FixedText(id="layer")
        yield FindingsPanel(id="verdict-panel")
        yield TooSmall()
        yield KeyBar()

    @override
    def wanted(self) -> Wanted:
        """The pictures over the steps need more of them than the others."""
        over_steps = self.view in (View.HISTORY, View.STRIP)
        return Wanted(
            self.metric.value, max(self.query_one(ChartView).size.width - 10, 20) if over_steps else 0
        )

    @override
    def draw(self, snapshot: TrainingSnapshot) -> None:
        """The chart, the layer's numbers and the verdict."""
        view = self.query_one(ChartView)
        width, height = view.size.width, view.size.height
        lines = [one for one in map(magnitudes, snapshot.runs) if one is not None]
        told = [(run, run.record) for run in snapshot.runs if run.record is not None]
        first, record = snapshot.first, snapshot.first.record
        if record is None or first.column is None or not width:
            self._invite(first)
            return
        predicted = predicted_profile(first, self.metric)
        self.at_layer = min(self.at_layer, len(lines[0].now) - 1)
        self._set_title(
            self._title(lines[0].step, predicted is not None, broke=lines[0].step != record.step),
            self._legend(len(lines[0].now)),
            f"(only {lines[0].name})" if len(lines) > 1 and self.view is not View.PROFILE else "",
        )
        if first.column.over_steps is None and self.view in (View.HISTORY, View.STRIP):
            view.show_text(self.hint)
        elif self.view is View.BUDGET and len(lines[0].now) == 1:
            view.show_text("There is only one layer: δ has no way down.")
        else:
            view.show(self._chart(lines, first.column.over_steps, predicted, width, height))
        self._draw_layer(record)
        self._draw_verdict(snapshot, told)

    def _set_title(self, *title: str) -> None:
        """What the chart shows above it, and below it which of the pictures that is."""
        views = " · ".join(f"{'▸' if one is self.view else ''}{one.value}" for one in View)
        self.query_one("#chart-panel", Panel).set_title("  ".join(part for part in title if part), views)

    def _title(self, step: int = 0, predicted: bool = False, broke: bool = False) -> str:
        """What is drawn, and of which step; of a run that `broke` the profile is of the last step before."""
        if self.view is View.BUDGET:
            return f"log10 of what multiplies ‖δ‖, step {step:,}:"
        profile = self.view is View.PROFILE
        kind = self.view.value
        if profile:
            kind = f"before it broke, step {step:,}" if broke else f"{kind}, step {step:,}"
        dots = "; dots: predicted for the initial weights" if profile and predicted else ""
        linear = "" if self.log_axis or self.view in (View.STRIP, View.BUDGET) else ", linear axis"
        return f"{kind}: {METRIC_NAMES[self.metric]}{' by layer' * (not dots)}{dots}{linear}"

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

    def _invite(self, run: RunSnapshot) -> None:
        self._set_title(self._title())
        self.query_one(ChartView).show_text(self.hint)
        self.query_one("#layer", FixedText).update("")
        self._show_verdict(Content.styled(run.about, "$faint"))

    def _chart(
        self,
        runs: Sequence[Magnitudes],
        series: Series | None,
        predicted: npt.NDArray[np.float64] | None,
        width: int,
        height: int,
    ) -> Chart:
        ascii_only = self.glyphs.ascii
        if series is not None:
            if self.view is View.STRIP:
                return draw_strip(series, width, height, ascii_only)
            layers = spread(len(runs[0].now), self.at_layer)
            return draw_history(series, layers, width, height, ascii_only, log=self.log_axis)
        if self.view is View.BUDGET:
            return draw_budget(runs[0], width, height, ascii_only)
        return draw_profile(runs, predicted, width, height, ascii_only, log=self.log_axis)

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
            if value != value:  # there was no update yet
                continue
            text = f"{100 * value:.0f} %" if name == "zeros" else number_text(float(value), style)
            parts.append(Content.assemble((f"  {name} ", "$faint"), text))
        if record.saturated[layer] == record.saturated[layer]:
            parts.append(
                Content.assemble(("  saturated ", "$faint"), f"{100 * record.saturated[layer]:.0f} %")
            )
        while (line := Content.assemble(*parts)).cell_length > self.size.width and len(parts) > 1:
            parts.pop()
        self.query_one("#layer", FixedText).update(line)

    def _draw_verdict(
        self, snapshot: TrainingSnapshot, told: Sequence[tuple[RunSnapshot, StepRecord]]
    ) -> None:
        run, record = told[0]
        self._find_out(snapshot)
        if self.view is View.BUDGET:
            first, *others = budget_lines(run, record)
            found = [Content.styled(first, "bold"), *map(Content, others)]
        elif len(told) > 1:
            marked = zip(run_marks(self.glyphs), told, strict=False)
            diagnoses = [(mark, self._found(one) or glance(one, seen)) for mark, (one, seen) in marked]
            found = compared(diagnoses)
            found += diagnosis_content(diagnoses[0][1], tries=TRIES)
        else:
            found = self._told(snapshot, run, record)
        self._show_verdict(Content("\n").join(found))

    def _told(self, snapshot: TrainingSnapshot, run: RunSnapshot, record: StepRecord) -> list[Content]:
        """The findings of one run: of all of it while it rests, of the last step while it goes on."""
        diagnosis = self._found(run)
        seen = glance(run, record)
        flow = [Content(line) for line in flow_lines(run, record, diagnosis or seen)]
        if diagnosis is not None:
            return [*diagnosis_content(diagnosis, tries=TRIES), *flow]
        if run.steps_done == 0 and isinstance(self.training, TrainingRun):
            first = Content.assemble(("Not trained yet", "bold"), f"   {self.hint}")
            about = [Content.styled(run.about, "$faint")] if run.about else []
            return [first, *about, *(finding_content(seen, finding) for finding in seen.findings), *flow]
        running = snapshot.state is State.RUNNING
        headline = "Training" if running else THINKING if self.thinking else "Nothing found"
        return [*diagnosis_content(seen, headline), *flow]

    def _found(self, run: RunSnapshot) -> Diagnosis | None:
        """What is wrong with a run that rests; one that was examined only now is asked again."""
        if run.diagnosis is not None or not run.undiagnosed or not isinstance(self.training, TrainingRun):
            return run.diagnosis
        return next((one.diagnosis for one in self.training.runs if one.name == run.name), None)

    def _find_out(self, snapshot: TrainingSnapshot) -> None:
        """Finds out what is wrong: at once where that is quick, otherwise in a thread."""
        training = self.training
        waiting = [run for run in snapshot.runs if run.undiagnosed]
        if not waiting or self.thinking or not isinstance(training, TrainingRun):
            return
        if all(run.quick_to_diagnose for run in waiting):
            training.examine()
        else:
            self.thinking = True
            self.run_worker(self._examine, thread=True, group="diagnosis")

    def _examine(self) -> None:
        """In a thread; the pulse then tells that there is something new to draw."""
        try:
            if isinstance(self.training, TrainingRun):
                self.training.examine()
        finally:
            self.thinking = False

    def _show_verdict(self, verdict: Content) -> None:
        self.query_one(FindingsPanel).say(verdict)

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

    def action_axis(self) -> None:
        """A linear axis, as the tutorial's figure has it, or the logarithmic one again."""
        self.log_axis = not self.log_axis
        self.redraw()

    def action_findings(self, lines: int) -> None:
        """Scrolls through what was found."""
        self.query_one(FindingsPanel).move(lines)

    def action_try_remedy(self) -> None:
        """Begins anew, with the first remedy that can be tried beside the run as it was."""
        training = self.controls()
        if training is None:
            return
        diagnosis = training.first.diagnosis
        finding = None if diagnosis is None else diagnosis.remedy
        if finding is None or finding.change is None:
            self.notify("No finding here has a change that can be tried.")
            return
        try:
            experiment = changed(training.first.experiment, finding.change)
            self._train_beside(training, f"with {change_text(finding.change)}", experiment)
        except ExperimentError as error:
            self.notify(str(error), severity="error", markup=False)
        self.redraw()

    def action_blame(self) -> None:
        """The factor budget, or back to the profile."""
        self.view = View.PROFILE if self.view is View.BUDGET else View.BUDGET
        self.redraw()

    def action_layer(self, by: int) -> None:
        """Moves the cursor over the layers."""
        count = len(self.training.snapshot().first.layers)
        self._move_to(max(min(self.at_layer + by, count - 1), 0))

    def action_layer_end(self, last: bool) -> None:
        """The first or the last layer."""
        self._move_to(max(len(self.training.snapshot().first.layers) - 1, 0) if last else 0)

    def _move_to(self, layer: int) -> None:
        """Draws only what the cursor changes: a chart takes too long for a key that is held down."""
        self.at_layer = layer
        self.training.stand_back()
        record = self.training.snapshot().first.record
        if self.view is View.HISTORY or record is None:
            self.redraw()
        elif self.children:
            self._draw_layer(record)
            self.call_after_refresh(self.training.go_on)

    def action_compare(self) -> None:
        """Trains the counterpart beside it, or ends the comparison."""
        training = self.controls()
        if training is None:
            return
        if len(training.runs) > 1:
            training.compare("", None)
        else:
            self._train_beside(training, *counterpart(training.first.name, training.first.experiment))
        self.redraw()

    @staticmethod
    def _train_beside(training: TrainingRun, name: str, experiment: Experiment) -> None:
        """Both begin anew, and go on; or, after a few single steps, only as far as the first one was."""
        steps = training.first.steps_done
        stepping = training.state is State.PAUSED and 0 < steps <= FEW_STEPS
        training.compare(name, experiment)
        training.one_step(steps) if stepping else training.run()

    def action_compare_with(self) -> None:
        """Asks for another experiment to train beside it."""
        if self.controls() is not None:
            prompt = Prompt(
                "Compare with", "a preset's name or a TOML file", _experiment_problem, PRESET_NAMES
            )
            self.app.push_screen(prompt, self._compare_with)

    def _compare_with(self, name: str | None) -> None:
        training = self.controls()
        if name and training is not None:
            self._train_beside(training, name, load_experiment(name))
            self.redraw()

    def action_stepper(self) -> None:
        """The stepper on the gradient that the bar under the cursor shows: the layer's largest."""
        self.open_stepper(self.at_layer + 1, matrix="f" if self.metric is Metric.DELTA else "W")
