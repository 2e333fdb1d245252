"""The controls of a training: run, step, speed, learning rate, slope, begin anew, travel in time."""

from __future__ import annotations

from engine.experiment.spec import Experiment
from engine.formula.notation import Style
from engine.formula.number_text import number_text
from engine.formula.numbers_in_words import counted
from tui.session.experiment_variants import differences, with_next_init, with_relu_swapped
from tui.session.training_run import TrainingRun
from tui.session.training_snapshot import FULL_SPEED, State
from tui.shell.learner_deeds import Deed, Done
from tui.training.watching_screen import WatchingScreen


class TrainingControls:
    """Does with a screen's training what a key asks for, and says what was done."""

    def __init__(self, screen: WatchingScreen) -> None:
        self._screen = screen

    def run_or_pause(self) -> None:
        """Trains, or pauses."""
        training = self._screen.controls()
        if training is None:
            return
        if training.state is State.RUNNING:
            training.pause()
            self._screen.redraw()
        else:
            if training.state is State.FINISHED:
                self._screen.notify("Finished before: it goes on from there, for as many steps again.")
            self._screen.control("Beginning to train", TrainingRun.run, lambda _: self._begun(training))

    def _begun(self, training: TrainingRun) -> None:
        if training.state is State.BROKEN:
            self._screen.notify(
                "It met a number that is not finite: r begins anew, [ goes back in time.", markup=False
            )
        self._screen.redraw()

    def one_step(self) -> None:
        """Makes one step of training."""
        self._screen.control("One step of training", TrainingRun.one_step)

    def change_speed(self, by: int) -> None:
        """Trains faster or slower."""
        self._screen.control(
            "Changing the speed", lambda training: training.change_speed(by), self._speed_changed
        )

    def _speed_changed(self, speed: float) -> None:
        self._screen.notify(
            "as fast as it goes" if speed == FULL_SPEED else f"{counted(speed, 'step')} a second"
        )

    def reset(self) -> None:
        """Begins anew with the same weights."""
        self._restart("", None, done=Done(Deed.RESET))

    def reseed(self) -> None:
        """Begins anew with other random weights."""
        if (training := self._screen.controls()) is not None:
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

        before = (
            self._screen.training.first.trainer.learning_rate
            if isinstance(self._screen.training, TrainingRun)
            else None
        )

        def begun(_: None) -> None:
            if done is not None:
                self._screen.tell(done)
            self.say_begun(before, said)
            self._screen.redraw()

        self._screen.control(
            "Beginning anew", lambda training: training.restart(experiment, seed=seed), begun
        )

    def say_begun(self, before: float | None, said: str = "") -> None:
        """After `said`: what begins anew has the experiment's learning rate, also where it was another `before`."""
        training = self._screen.training
        if isinstance(training, TrainingRun):
            rate = training.first.trainer.learning_rate
            again = f"learning rate {number_text(rate, self._screen.glyphs)} again" if rate != before else ""
            if said or again:
                self._screen.notify("; ".join(filter(None, (said, again))))

    def change_slope(self, direction: int) -> None:
        """Makes the leaky ReLUs' slope steeper or flatter, from the next step on."""
        training = self._screen.controls()
        if training is None:
            return
        slope = training.first.trainer.slope
        if slope is None:
            self._screen.notify("No layer is a leaky ReLU: press L to begin anew with one.")
            return
        steeper = min(max(slope, 0.005) * 2, 1.0) if direction > 0 else slope / 2
        said = f"slope {number_text(steeper, self._screen.glyphs)}"

        def changed(_: bool) -> None:
            self._screen.tell(Done(Deed.SLOPE, number_text(steeper, Style())))
            self._screen.notify(said)
            self._screen.redraw()

        self._screen.control("Changing the slope", lambda training: training.set_slope(steeper), changed)

    def swap_relu(self) -> None:
        """Begins anew with leaky ReLUs, or with ReLUs again."""
        training = self._screen.controls()
        if training is None:
            return
        swapped = with_relu_swapped(training.first.experiment)
        if swapped is None:
            self._screen.notify("This network has no ReLUs to swap.")
            return
        told = f"begun anew with {differences(training.first.experiment, swapped)}"
        self._restart(told, swapped, done=Done(Deed.LEAKY))

    def use_next_init(self) -> None:
        """Begins anew with the next way to initialise the weights."""
        if (training := self._screen.controls()) is not None:
            experiment = with_next_init(training.first.experiment)
            scheme = experiment.network.init.scheme
            self._restart(f"initialised with {scheme}", experiment, done=Done(Deed.INIT, scheme))

    def scale_learning_rate(self, direction: int) -> None:
        """Doubles or halves the learning rate, from the next step on."""
        factor = 2.0 if direction > 0 else 0.5
        self._screen.control(
            "Changing the learning rate",
            lambda training: training.scale_learning_rate(factor),
            self._rate_changed,
        )

    def _rate_changed(self, rate: float) -> None:
        self._screen.notify(f"learning rate {number_text(rate, self._screen.glyphs)}")
        self._screen.redraw()

    def travel(self, by: int) -> None:
        """Goes back or forward among the kept moments of the training."""
        self._screen.control("Going to another moment", lambda training: training.travel(by), self._travelled)

    def _travelled(self, step: int) -> None:
        self._screen.tell(Done(Deed.TRAVEL))
        weights = f"The weights after {counted(step, 'step')}" if step else "The initial weights"
        self._screen.notify(f"{weights}. Running goes on from here.")
        self._screen.redraw()
