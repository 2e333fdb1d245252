"""What the screens that watch a training share: its state above, the controls, and a clock that redraws them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer

from engine.experiment.errors import ExperimentError
from engine.experiment.spec import Experiment
from engine.formula.course_notation import CANONICAL
from engine.formula.notation import Style, number_text
from engine.formula.plain_words import counted
from engine.runs.layer_selection import matching
from tui.session.experiment_variants import differences, with_next_init, with_relu_swapped
from tui.session.network_session import NetworkSession
from tui.session.training_run import TrainingRun
from tui.session.training_snapshot import (
    FULL_SPEED,
    LITTLE,
    ColumnView,
    State,
    TrainingSnapshot,
    Wanted,
    WatchedTraining,
)
from tui.shell.busy_screen import Answer, at_length
from tui.shell.learner_deeds import Deed, Done
from tui.shell.messages import Did, ShowHome, ShowLessons, ShowScreen, StepInto
from tui.shell.prompt import Prompt
from tui.shell.reading_screen import ReadingScreen
from tui.shell.static_text import StaticText
from tui.training.charts import Chart
from tui.training.confusion_page import confusion_rows, confusion_view
from tui.training.cross_hair import with_cross_hair
from tui.training.linear_collapse_page import collapse_rows, collapse_view
from tui.training.status_lines import progress_line, run_marks, title_line

REFRESH_SECONDS = 0.2
"""Charts are redrawn five times a second while a training runs."""

CONTROLS = frozenset(
    {
        "run",
        "one_step",
        "speed",
        "learning_rate",
        "reset",
        "reseed",
        "travel",
        "stepper",
        "confusion",
        "collapse",
        "compare",
        "compare_with",
        "screen",
    }
)
"""Actions that need a training of this program, or its weights."""

FRAME_COLUMNS, FEWEST_COLUMNS = 10, 20
"""What a chart's frame and numbers take of its width; so many steps it has at least."""

ANOTHER_S = "Another program trains this; here one can only look."


class TrainingScreen(Screen[None]):
    """Watches a training. A subclass draws in `draw`, which is called when there is something new."""

    SCREEN_NAME = "gradients"
    """How an experiment's [view] names it."""

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
    def not_here(self) -> frozenset[str]:
        """What the footer leaves out: nobody can control another program's training from here."""
        return frozenset() if isinstance(self.training, TrainingRun) else CONTROLS

    @property
    def hint(self) -> str:
        """What to do while there is nothing to see."""
        if isinstance(self.training, TrainingRun):
            return "Press space to train, . for one step."
        return "Another program trains this: its steps will be shown here."

    def command(self) -> Sequence[str]:
        """The command that opens the app here; none where another program trains."""
        training, session = self.training, self.session
        if session is None or not isinstance(training, TrainingRun):
            return []
        arguments = ["open", session.name, "--screen", self.SCREEN_NAME, *self.view_options()]
        if training.looking.layers:
            arguments += ["--filter", training.looking.layers]
        if training.first.steps_done:
            arguments += ["--train", str(training.first.steps_done)]
        if training.looking.step is not None:
            arguments += ["--cross-hair", str(training.looking.step)]
        beside = training.beside
        return arguments if beside is None else [*arguments, "--compare", beside]

    def view_options(self) -> Sequence[str]:
        """The options of the command that lead to what is particular to the screen."""
        raise NotImplementedError

    def not_in_command(self) -> str | None:
        """What is seen here and no command says."""
        training, session = self.training, self.session
        if not isinstance(training, TrainingRun) or session is None:
            return None
        if session.edited or session.updates or training.was_changed:
            return "What keys have changed is not in it."
        if len(training.runs) > 1 and training.beside is None:
            return "What it is compared with is not in it."
        return None

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
        """What there is to be seen: the present moment, or what was drawn last where one would wait for that."""
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

    def _places(self) -> list[int]:
        self._names = self.seen().first.layers
        return self.shown

    def crossed(self, chart: Chart, column: ColumnView) -> Chart:
        """The chart with the cross-hair, where it has steps along its axis."""
        series = column.over_steps
        if self.training.looking.step is None or series is None or len(series.step) < 2:
            return chart
        first, last = float(series.step[0]), float(series.step[-1])
        return with_cross_hair(chart, (column.step - first) / (last - first), self.glyphs.ascii)

    def action_filter(self) -> None:
        """Asks which layers are to be shown."""
        prompt = Prompt(
            "Show layers",
            "a text or an expression; empty for all",
            lambda _: None,
            answer=self.training.looking.layers,
        )
        self.app.push_screen(prompt, self._filter_by)

    def _filter_by(self, wanted: str | None) -> None:
        if wanted is not None:
            self.training.looking.layers = wanted
            self.redraw()

    def action_cross_hair(self) -> None:
        """Puts the cross-hair on the last step, or takes it away."""
        looking, record = self.training.looking, self.seen().first.record
        looking.step = None if looking.step is not None or record is None else record.step
        self.redraw()

    def action_cross(self, by: int) -> None:
        """Moves the cross-hair by about one column."""
        looking, snapshot = self.training.looking, self.seen().first
        if snapshot.record is None or snapshot.first is None:
            return
        first, last = snapshot.first.step, snapshot.record.step
        here = last if looking.step is None else looking.step
        columns = self.query_one("#chart").size.width - FRAME_COLUMNS
        stride = max((last - first) // max(columns, FEWEST_COLUMNS), 1)
        looking.step = max(min(here + by * stride, last), first)
        self.redraw()

    def wanted(self) -> Wanted:
        """What `draw` needs to see of the runs."""
        raise NotImplementedError

    def draw(self, snapshot: TrainingSnapshot) -> None:
        """Draws what is particular to the screen."""
        raise NotImplementedError

    def shown_deeds(self, snapshot: TrainingSnapshot) -> Iterator[Done]:
        """What is on the screen, as a lesson may ask for it."""
        raise NotImplementedError

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

    # ── controls ────────────────────────────────────────────────────────────────────────────────────

    def action_run(self) -> None:
        """Trains, or pauses."""
        training = self.controls()
        if training is None:
            return
        if training.state is State.RUNNING:
            training.pause()
            self.redraw()
        else:
            if training.state is State.FINISHED:
                self.notify("Finished before: it goes on from there, for as many steps again.")
            self._control("Beginning to train", TrainingRun.run, lambda _: self._begun(training))

    def _begun(self, training: TrainingRun) -> None:
        if training.state is State.BROKEN:
            self.notify(
                "It met a number that is not finite: r begins anew, [ goes back in time.", markup=False
            )
        self.redraw()

    def _control(
        self,
        doing: str,
        work: Callable[[TrainingRun], Answer],
        finished: Callable[[Answer], None] | None = None,
    ) -> None:
        """Has the training do something: at once, or where its steps take long behind a line that says so."""
        training = self.controls()
        if training is not None:
            done = finished or (lambda _: self.redraw())
            at_length(
                self, training.is_large, doing, lambda: work(training), done, self.redraw, self._not_begun
            )

    def _not_begun(self, error: Exception) -> None:
        if not isinstance(error, ExperimentError):
            raise error
        self.notify(str(error), severity="error", markup=False)
        self.redraw()

    def action_one_step(self) -> None:
        """One step of training."""
        self._control("One step of training", TrainingRun.one_step)

    def action_speed(self, by: int) -> None:
        """Faster or slower."""
        self._control("Changing the speed", lambda training: training.change_speed(by), self._speed_changed)

    def _speed_changed(self, speed: float) -> None:
        self.notify("as fast as it goes" if speed == FULL_SPEED else f"{counted(speed, 'step')} a second")

    def action_reset(self) -> None:
        """Begins anew with the same weights."""
        self._restart("", None, done=Done(Deed.RESET))

    def action_reseed(self) -> None:
        """Begins anew with other random weights."""
        if (training := self.controls()) is not None:
            seed = training.first.experiment.seed + 1
            self._restart(f"seed {seed}", seed=seed)

    def _restart(
        self,
        said: str,
        experiment: Experiment | None = None,
        *,
        seed: int | None = None,
        done: Done | None = None,
    ) -> None:
        """Begins anew, and says with what."""

        before = self.training.first.trainer.learning_rate if isinstance(self.training, TrainingRun) else None

        def begun(_: None) -> None:
            if done is not None:
                self.tell(done)
            self.say_begun(before, said)
            self.redraw()

        self._control("Beginning anew", lambda training: training.restart(experiment, seed=seed), begun)

    def say_begun(self, before: float | None, said: str = "") -> None:
        """After `said`: what begins anew has the experiment's learning rate, also where it was another `before`."""
        training = self.training
        if isinstance(training, TrainingRun):
            rate = training.first.trainer.learning_rate
            again = f"learning rate {number_text(rate, self.glyphs)} again" if rate != before else ""
            if said or again:
                self.notify("; ".join(filter(None, (said, again))))

    def action_slope(self, direction: int) -> None:
        """A steeper or flatter slope for negative inputs, from the next step on."""
        training = self.controls()
        if training is None:
            return
        slope = training.first.trainer.slope
        if slope is None:
            self.notify("No layer is a leaky ReLU: press L to begin anew with one.")
            return
        steeper = min(max(slope, 0.005) * 2, 1.0) if direction > 0 else slope / 2
        said = f"slope {number_text(steeper, self.glyphs)}"

        def changed(_: bool) -> None:
            self.tell(Done(Deed.SLOPE, number_text(steeper, Style())))
            self.notify(said)
            self.redraw()

        self._control("Changing the slope", lambda training: training.set_slope(steeper), changed)

    def action_leaky(self) -> None:
        """Begins anew with leaky ReLUs, or with ReLUs again."""
        training = self.controls()
        if training is None:
            return
        swapped = with_relu_swapped(training.first.experiment)
        if swapped is None:
            self.notify("This network has no ReLUs to swap.")
            return
        told = f"begun anew with {differences(training.first.experiment, swapped)}"
        self._restart(told, swapped, done=Done(Deed.LEAKY))

    def action_next_init(self) -> None:
        """Begins anew with the next way to initialise the weights."""
        if (training := self.controls()) is not None:
            experiment = with_next_init(training.first.experiment)
            scheme = experiment.network.init.scheme
            self._restart(f"initialised with {scheme}", experiment, done=Done(Deed.INIT, scheme))

    def action_learning_rate(self, direction: int) -> None:
        """Twice or half the learning rate, from the next step on."""
        factor = 2.0 if direction > 0 else 0.5
        self._control(
            "Changing the learning rate",
            lambda training: training.scale_learning_rate(factor),
            self._rate_changed,
        )

    def _rate_changed(self, rate: float) -> None:
        self.notify(f"learning rate {number_text(rate, self.glyphs)}")
        self.redraw()

    def action_travel(self, by: int) -> None:
        """Back or forward among the kept moments."""
        self._control("Going to another moment", lambda training: training.travel(by), self._travelled)

    def _travelled(self, step: int) -> None:
        self.tell(Done(Deed.TRAVEL))
        weights = f"The weights after {counted(step, 'step')}" if step else "The initial weights"
        self.notify(f"{weights}. Running goes on from here.")
        self.redraw()

    def action_stepper(self) -> None:
        """Opens the stepper at the present weights."""
        self.open_stepper(None)

    def open_stepper(self, layer: int | None, unit: int | None = None, matrix: str = "W") -> None:
        """Opens the stepper at the present weights: on the largest gradient of a layer's W (or f), or on one unit."""
        self.app.clear_notifications()  # it would hide what one goes there to see
        if isinstance(self.training, TrainingRun):
            self.training.pause()  # or another step might come between what is seen and what is opened
        self._load(lambda _: self.post_message(StepInto(layer, unit, matrix)))

    def action_confusion(self) -> None:
        """What the present weights make of the whole data set."""
        self._load(self._show_confusion)

    def _show_confusion(self, session: NetworkSession) -> None:
        view = confusion_view(session.graph, session.class_names, self.glyphs)
        names = session.class_names
        self.app.push_screen(
            ReadingScreen(
                "Outcomes with the present weights",
                lambda _: view,
                lambda: confusion_rows(session.graph, names),
            )
        )
        self.tell(Done(Deed.OUTCOMES))

    def action_collapse(self) -> None:
        """The product of all matrices, where the network is linear."""
        self._load(self._show_collapse)

    def _show_collapse(self, session: NetworkSession) -> None:
        view = collapse_view(session.network, session.graph, self.glyphs)
        self.app.push_screen(
            ReadingScreen("One matrix", lambda _: view, lambda: collapse_rows(session.network))
        )
        self.tell(Done(Deed.ONE_MATRIX, session.steps))

    def _load(self, then: Callable[[NetworkSession], object]) -> None:
        """Hands on the session with the present weights, or says why they are not to be had."""
        training, session = self.controls(), self.session
        if training is None or session is None:
            return
        if session.updates:
            self.notify(
                "Updates made in the stepper are not part of this training; its own weights are shown now."
            )

        def loaded(_: None) -> None:
            then(session)

        at_length(
            self,
            session.is_large,
            "One pass with the present weights",
            lambda: training.hand_parameters(session.load_parameters),
            loaded,
            self.redraw,
        )

    def action_screen(self, name: str) -> None:
        """Another screen of this experiment."""
        self.post_message(ShowScreen(name))

    def action_unread(self) -> None:
        """The lines of a log that could not be read, each with its number and why."""
        unread = self.seen().first.unread_lines
        if not unread:
            self.notify("Every line could be read.")
            return
        page = Content("\n".join(unread))
        self.app.push_screen(ReadingScreen("Lines that could not be read", lambda _: page))

    def action_lessons(self) -> None:
        """The lessons on this experiment; a training goes on meanwhile."""
        self.post_message(ShowLessons())

    def action_back(self) -> None:
        """Back to the list of experiments."""
        self.post_message(ShowHome())
