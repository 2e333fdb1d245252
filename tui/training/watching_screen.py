"""What the screens that watch a training draw with: one snapshot a redraw, a clock, the filter and the cross-hair.

    clock ──> redraw ──snapshot──> title, progress, draw(snapshot): chart, findings, units …

What the keys do with the training stands in `training_controls.py` and `present_weights.py`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator

from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer

from engine.experiment.errors import ExperimentError
from engine.formula.course_notation import CANONICAL
from engine.formula.notation import Style
from engine.formula.numbers_in_words import counted
from engine.runs.layer_selection import matching
from tui.session.network_session import NetworkSession
from tui.session.training_run import TrainingRun
from tui.session.training_snapshot import LITTLE, ColumnView, State, TrainingSnapshot, Wanted
from tui.session.watched_training import WatchedTraining
from tui.shell.busy_screen import Answer, at_length
from tui.shell.learner_deeds import Deed, Done
from tui.shell.messages import Did
from tui.shell.static_text import StaticText
from tui.training.cross_hair import with_cross_hair
from tui.training.drawn_chart import Chart
from tui.training.run_marks import run_marks
from tui.training.title_and_progress import progress_line, title_line

REFRESH_SECONDS = 0.2
"""Charts are redrawn five times a second while a training runs."""

ANOTHER_S = "Another program trains this; here one can only look."


class WatchingScreen(Screen[None]):
    """A screen that watches a training. A subclass draws in `draw`, which is called when there is something new."""

    def __init__(self, training: WatchedTraining, session: NetworkSession | None) -> None:
        """`session` is what the training's parameters can be looked at in; None where another program has them."""
        super().__init__()
        self.training = training
        self.session = session
        self._clock: Timer | None = None
        self._drawn: object = None
        self._last: TrainingSnapshot | None = None
        """What was drawn last."""
        self._unread_told = 0
        self._names: tuple[str, ...] = ()
        self._deeds_told: tuple[Done, ...] = ()

    def controls(self) -> TrainingRun | None:
        """The training, where it is this program's; says so where it is another's."""
        if isinstance(self.training, TrainingRun):
            return self.training
        self.notify(ANOTHER_S)
        return None

    @property
    def hint(self) -> str:
        """The hint while there is nothing to see."""
        if isinstance(self.training, TrainingRun):
            return "Press space to train, . for one step."
        return "Another program trains this: its steps will be shown here."

    @property
    def glyphs(self) -> Style:
        """How numbers are drawn, and in which letters names."""
        names = CANONICAL if self.session is None else self.session.names
        return Style(digits=4, ascii=self.app.has_class("-ascii"), names=names)

    def on_mount(self) -> None:
        """Starts the clock."""
        self._clock = self.set_interval(REFRESH_SECONDS, self._tick)
        self.call_after_refresh(self.redraw)

    def on_screen_suspend(self) -> None:
        """Draws nothing while another screen is in front."""
        if self._clock is not None:
            self._clock.pause()

    def on_screen_resume(self) -> None:
        """Draws again."""
        if self._clock is not None:
            self._clock.resume()
        self.call_after_refresh(self.redraw)

    def on_resize(self) -> None:
        """Fits the new size."""
        self.call_after_refresh(self.redraw)

    def on_chart_view_resized(self) -> None:
        """A chart was given more or less room, as when a second line of progress appears."""
        self.redraw()

    def _tick(self) -> None:
        """Redraws where the training has moved since the last time; raises what went wrong in a step."""
        now = self.training.pulse()
        if now != self._drawn:
            self._drawn = now
            self.redraw()

    def redraw(self) -> None:
        """Draws everything from one snapshot: title, chart and verdict are of the same step."""
        if not self.is_mounted or not self.query("#title, #layer") or not self.size.width:
            return  # not there yet, or left again by a key that came sooner than this call
        self.training.stand_back()
        snapshot = self.training.latest(self.wanted())
        if snapshot is None:
            self._wait()
            return
        self._last = snapshot
        self._draw_status(snapshot)
        self.draw(snapshot)
        shown = (Done(Deed.TRAIN, snapshot.first.steps_done), *self.shown_deeds(snapshot))
        if shown != self._deeds_told:
            self._deeds_told = shown
            self.tell(*shown)
        unread = len(snapshot.first.unread_lines)
        if unread > self._unread_told:
            self.notify(
                f"{counted(unread, 'line')} of the log could not be read: ! lists them.", markup=False
            )
        self._unread_told = unread
        self.call_after_refresh(self.training.go_on)

    def seen(self, wanted: Wanted = LITTLE) -> TrainingSnapshot:
        """The snapshot to answer a key from: the present one, or the last drawn where one would wait for that."""
        waits = isinstance(self.training, TrainingRun) and self.training.is_large
        return self._last if waits and self._last is not None else self.training.snapshot(wanted)

    def _wait(self) -> None:
        """In the middle of a long step: says so, and draws when it is done."""
        self._drawn = None  # the clock asks again
        rests = isinstance(self.training, TrainingRun) and self.training.state is not State.RUNNING
        if not rests:  # otherwise its weights are being copied, for a moment
            line = self.query_one("#progress", StaticText)
            line.update(Content.styled(" waiting for the present step; space pauses after it", "$faint"))
        self.training.go_on()

    # ── which layers, and which step ────────────────────────────────────────────────────────────────

    @property
    def shown(self) -> list[int]:
        """The places of the layers that the filter lets through."""
        return matching(self._names, self.training.looking.layers)

    def newest_places(self) -> list[int]:
        """The places of the layers that the filter lets through, of those that the training has now."""
        self._names = self.seen().first.layers
        return self.shown

    def crossed(self, chart: Chart, column: ColumnView) -> Chart:
        """The chart with the cross-hair, where it has steps along its axis."""
        series = column.over_steps
        if self.training.looking.step is None or series is None or len(series.step) < 2:
            return chart
        first, last = float(series.step[0]), float(series.step[-1])
        return with_cross_hair(chart, (column.step - first) / (last - first), self.glyphs.ascii)

    @abstractmethod
    def wanted(self) -> Wanted:
        """The parts of a snapshot that `draw` needs."""

    @abstractmethod
    def draw(self, snapshot: TrainingSnapshot) -> None:
        """Draws what is particular to the screen."""

    @abstractmethod
    def shown_deeds(self, snapshot: TrainingSnapshot) -> Iterator[Done]:
        """What is on the screen, as a lesson may ask for it."""

    def tell(self, *done: Done) -> None:
        """Says what was done, to whom it matters."""
        if self.session is not None:
            self.post_message(Did(self.session.name, *done))

    @property
    def room(self) -> int:
        """Columns that the screen has, without what stands beside it."""
        return self.query_one("#title, #layer").size.width

    def _draw_status(self, snapshot: TrainingSnapshot) -> None:
        style, width, runs = self.glyphs, self.room, snapshot.runs
        self.query_one("#title", StaticText).update(title_line(snapshot, width, style))
        for place, name in enumerate(("#progress", "#progress-2")):
            line = self.query_one(name, StaticText)
            line.display = place < len(runs)
            if place < len(runs):
                label = f"{run_marks(style)[place]} {runs[place].name}" if len(runs) > 1 else ""
                line.update(progress_line(runs[place], style, width, label))

    def control(
        self,
        doing: str,
        work: Callable[[TrainingRun], Answer],
        finished: Callable[[Answer], None] | None = None,
    ) -> None:
        """Has the training do something: at once, or where its steps take long behind a line that says so."""
        training = self.controls()
        if training is not None:
            done = finished or (lambda _: self.redraw())
            at_length(self, training.is_large, doing, lambda: work(training), done, self.redraw, self.refuse)

    def refuse(self, error: Exception) -> None:
        """Says what an experiment is refused for; anything else is a fault, and raised."""
        if not isinstance(error, ExperimentError):
            raise error
        self.notify(str(error), severity="error", markup=False)
        self.redraw()
