"""What the screens that watch a training share: the keys that control it, and what is opened from it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from textual.content import Content

from tui.session.network_session import NetworkSession
from tui.session.training_run import TrainingRun
from tui.session.watched_training import WatchedTraining
from tui.shell.messages import ShowHome, ShowLessons, ShowScreen
from tui.shell.prompt import Prompt
from tui.shell.reading_screen import ReadingScreen
from tui.training.present_weights import PresentWeights
from tui.training.training_controls import TrainingControls
from tui.training.watching_screen import WatchingScreen

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
        "try_remedy",
        "screen",
    }
)
"""Actions that need a training of this program, or its weights."""

OF_LOGS = frozenset({"filter", "cross_hair"})
"""Actions that the footer has room for, and most use, where a training is looked at and not controlled."""

FRAME_COLUMNS, FEWEST_COLUMNS = 10, 20
"""What a chart's frame and numbers take of its width; so many steps it has at least."""


class TrainingScreen(WatchingScreen):
    """A watching screen with keys: each is one action here."""

    SCREEN_NAME = "gradients"
    """How an experiment's [view] names it."""

    def __init__(self, training: WatchedTraining, session: NetworkSession | None) -> None:
        """`session` is what the training's parameters can be looked at in; None where another program has them."""
        super().__init__(training, session)
        self.control_keys = TrainingControls(self)
        self.weights = PresentWeights(self)

    @property
    def not_here(self) -> frozenset[str]:
        """The actions that the footer leaves out: nobody can control another program's training from here."""
        return OF_LOGS if isinstance(self.training, TrainingRun) else CONTROLS

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

    @abstractmethod
    def view_options(self) -> Sequence[str]:
        """The options of the command that lead to what is particular to the screen."""

    def not_in_command(self) -> str | None:
        """A sentence on what is seen here and no command says."""
        training, session = self.training, self.session
        if not isinstance(training, TrainingRun) or session is None:
            return None
        if session.edited or session.updates or training.was_changed:
            return "What keys have changed is not in it."
        if len(training.runs) > 1 and training.beside is None:
            return "What it is compared with is not in it."
        return None

    # ── which layers, and which step ────────────────────────────────────────────────────────────────

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

    # ── controls ────────────────────────────────────────────────────────────────────────────────────

    def action_run(self) -> None:
        """Trains, or pauses."""
        self.control_keys.run_or_pause()

    def action_one_step(self) -> None:
        """Makes one step of training."""
        self.control_keys.one_step()

    def action_speed(self, by: int) -> None:
        """Trains faster or slower."""
        self.control_keys.change_speed(by)

    def action_reset(self) -> None:
        """Begins anew with the same weights."""
        self.control_keys.reset()

    def action_reseed(self) -> None:
        """Begins anew with other random weights."""
        self.control_keys.reseed()

    def action_slope(self, direction: int) -> None:
        """Makes the leaky ReLUs' slope steeper or flatter, from the next step on."""
        self.control_keys.change_slope(direction)

    def action_leaky(self) -> None:
        """Begins anew with leaky ReLUs, or with ReLUs again."""
        self.control_keys.swap_relu()

    def action_next_init(self) -> None:
        """Begins anew with the next way to initialise the weights."""
        self.control_keys.use_next_init()

    def action_learning_rate(self, direction: int) -> None:
        """Doubles or halves the learning rate, from the next step on."""
        self.control_keys.scale_learning_rate(direction)

    def action_travel(self, by: int) -> None:
        """Goes back or forward among the kept moments."""
        self.control_keys.travel(by)

    # ── opening ─────────────────────────────────────────────────────────────────────────────────────

    def action_stepper(self) -> None:
        """Opens the stepper at the present weights."""
        self.weights.open_stepper(None)

    def action_confusion(self) -> None:
        """Opens the confusion matrix of the present weights over the whole data set."""
        self.weights.open_confusion()

    def action_collapse(self) -> None:
        """Opens the page of the product of all matrices, where the network is linear."""
        self.weights.open_collapse()

    def action_screen(self, name: str) -> None:
        """Shows another screen of this experiment."""
        self.post_message(ShowScreen(name))

    def action_unread(self) -> None:
        """Lists the lines of a log that could not be read, each with its number and why."""
        unread = self.seen().first.unread_lines
        if not unread:
            self.notify("Every line could be read.")
            return
        page = Content("\n".join(unread))
        self.app.push_screen(ReadingScreen("Lines that could not be read", lambda _: page))

    def action_lessons(self) -> None:
        """Lists the lessons on this experiment; a training goes on meanwhile."""
        self.post_message(ShowLessons())

    def action_back(self) -> None:
        """Goes back to the list of experiments."""
        self.post_message(ShowHome())
