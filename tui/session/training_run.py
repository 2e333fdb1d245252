"""A training in this program: its runs, the thread that steps them, and the controls.

    worker:   step, step, step …  ──records──> History      full speed: see `tui.session.training_thread`
    screens:  snapshot() a few times a second               a slow terminal drops frames, not steps

Several runs (an experiment and the one it is compared with) are stepped in turn, so that step k of one stands beside
step k of the other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
from typing_extensions import override

from engine.autodiff.interruption import uninterruptible
from engine.diagnosis.diagnosis import diagnose
from engine.diagnosis.remedy_trial import NoLongerWanted, confirmed
from engine.experiment.datasets import DataSet
from engine.experiment.spec import Experiment
from engine.model.network import Network
from tui.session.experiment_variants import differences
from tui.session.single_run import SingleRun
from tui.session.training_snapshot import FULL_SPEED, LITTLE, State, TrainingSnapshot, Wanted
from tui.session.training_thread import TrainingThread
from tui.session.watched_training import WatchedTraining

SPEEDS = (1.0, 10.0, 100.0, FULL_SPEED)
"""Steps per second to choose from, the last one as fast as it goes."""

SMALLEST_RATE, LARGEST_RATE = 1e-12, 1e12
"""The keys for the learning rate lead no further."""

FURTHER_STEPS = 200
"""How many steps a finished run goes on for where its experiment says 0."""


class TrainingRun(WatchedTraining):
    """A training in this program: its runs, the thread that trains them, and the controls."""

    def __init__(
        self, name: str, experiment: Experiment, data: DataSet | None = None, network: Network | None = None
    ) -> None:
        """`network`, where given, is trained in place."""
        self.runs = [SingleRun(name, experiment, data, network)]
        self._opened = experiment
        self.beside: str | None = None
        """How a command says what it is compared with: an experiment's name, or COUNTERPART; None where none can."""
        self._touched = False
        """Whether the learning rate or a slope is another since it began."""
        self._left = False
        """Whether nobody looks any more."""
        self.travelled: int | None = None
        """The step of the past that is looked at; None in the present."""
        self._worker = TrainingThread(self._advance)
        self._asked: Wanted | None = None
        self._made: tuple[Wanted, TrainingSnapshot] | None = None
        """What a screen asked for in the middle of a step, made after each from then on."""

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────

    @override
    def snapshot(self, wanted: Wanted = LITTLE) -> TrainingSnapshot:
        with self._worker.between_steps():
            return self._snapshot(wanted)

    @override
    def latest(self, wanted: Wanted = LITTLE) -> TrainingSnapshot | None:
        if not self.is_large:
            return self.snapshot(wanted)
        with self._worker.at_once() as taken:
            if taken:
                self._asked = self._made = None
                return self._snapshot(wanted)
        self._asked, made = wanted, self._made
        return made[1] if made is not None and made[0] == wanted else None

    def _snapshot(self, wanted: Wanted) -> TrainingSnapshot:
        return TrainingSnapshot(
            runs=tuple(run.snapshot(wanted, not self._worker.running) for run in self.runs),
            state=self.state,
            speed=self._worker.speed,
            steps_per_second=self._worker.steps_per_second,
            travelled=self.travelled,
        )

    @property
    def is_large(self) -> bool:
        """Whether a step takes so long that one does not wait for it."""
        return any(run.is_large for run in self.runs)

    def examine(self) -> None:
        """Diagnoses every run that rests: in a thread, where it may take a while.

        The weights are copied between two steps; measuring and thinking hold nobody up.
        """
        for run in list(self.runs):
            with self._worker.between_steps():
                moment, observer = run.observer.moment, run.observer
                if self._worker.running or run.diagnosis is not None:
                    continue
                measuring = None if observer.measured is not None else observer.measuring()
            whole = None if measuring is None else measuring()
            _ = observer.first  # of copies; measured here, where it holds nobody up
            with self._worker.between_steps():
                if moment != observer.moment:
                    continue
                if whole is not None:
                    observer.accept(moment, whole)
                case = observer.case()
            found = diagnose(case)
            with self._worker.between_steps():
                run.accept(moment, found, case)

    def try_remedies(self) -> None:
        """Trains the first run again with each remedy of its findings: only what helps is offered.

        In a thread: that takes as long as the run did. It is given up when the run goes on or is left.
        """
        with self._worker.between_steps():
            run = self.first
            untried, last = run.untried, run.trainer.last
        if untried is None:
            return
        moment, case, found = untried
        seconds = 0.0 if last is None else last.seconds
        try:
            found = confirmed(case, found, seconds, partial(self._still_there, run, moment))
        except NoLongerWanted:
            return
        with self._worker.between_steps():
            run.accept(moment, found)

    def _still_there(self, run: SingleRun, moment: int) -> bool:
        return moment == run.observer.moment and run in self.runs and not self._left

    @override
    def pulse(self) -> object:
        """A value that differs where there is something new to draw; raises what went wrong in a step."""
        if self._worker.failure is not None:
            raise self._worker.failure
        told = [(run.steps_done, run.diagnosis is None, run.untried is None) for run in self.runs]
        return told, self.state, round(self._worker.steps_per_second), self._made

    @override
    def stand_back(self) -> None:
        self._worker.stand_back()

    @override
    def go_on(self) -> None:
        self._worker.go_on()

    @property
    def first(self) -> SingleRun:
        """The run of the experiment that was opened."""
        return self.runs[0]

    @property
    def speed(self) -> float:
        """The speed in steps a second that is asked for, one of SPEEDS."""
        return self._worker.speed

    @property
    def state(self) -> State:
        """The state of the training: running, paused, finished or broken."""
        if self._worker.running:
            return State.RUNNING
        if any(run.problem is not None for run in self.runs):
            return State.BROKEN
        return State.FINISHED if all(run.done for run in self.runs) else State.PAUSED

    # ── running ─────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Trains from here on; a run that was finished goes on for as many steps again."""
        with self._worker.between_steps():
            self._left = False
            if all(run.done for run in self.runs):
                self._extend()
            self._go_on()
            if not all(run.done for run in self.runs):
                self._worker.run()

    def _advance(self) -> bool:
        """One step of every run; whether there is another."""
        more = [run.advance() for run in self.runs]
        if (asked := self._asked) is not None:
            self._made = asked, self._snapshot(asked)
        return any(more)

    def _extend(self) -> None:
        """Another round of steps, as many for every run: they are trained in lockstep."""
        most = max(run.steps_done for run in self.runs) + (self.first.experiment.train.steps or FURTHER_STEPS)
        for run in self.runs:
            run.trainer.limit = most

    def _go_on(self) -> None:
        """After a journey into the past: what came later is forgotten, since it will come differently."""
        if self.travelled is not None:
            for run in self.runs:
                run.forget_later()
            self.travelled = None

    def pause(self) -> None:
        """Stops after the present step, and waits for it, unless that takes long."""
        self._worker.stop() if self.is_large else self._worker.pause()

    def one_step(self, steps: int = 1) -> None:
        """Trains a few steps, and no further."""
        with self._worker.between_steps():
            self._worker.pause()
            self._go_on()
            for _ in range(steps):
                self.first.advance()
                with uninterruptible():  # both or none
                    for run in self.runs[1:]:
                        run.advance()

    @override
    def close(self) -> None:
        """Ends the training's thread; `run` begins again."""
        self._left = True
        self._worker.close()

    def hand_parameters(self, load: Callable[[Network, DataSet, int], None]) -> None:
        """Hands the first run's network, data and number of steps to `load`, which must copy what it keeps."""
        with self._worker.between_steps():
            load(self.first.trainer.network, self.first.trainer.data, self.first.steps_done)

    # ── changing ────────────────────────────────────────────────────────────────────────────────────

    @property
    def was_changed(self) -> bool:
        """Whether keys have made it another training than that of the experiment that was opened."""
        return self._touched or self.first.experiment != self._opened

    def scale_learning_rate(self, factor: float) -> float:
        """Multiplies the learning rate η, from the next step on, and returns it."""
        with self._worker.between_steps():
            self._touched = True
            for run in self.runs:
                rate = run.trainer.learning_rate * factor
                run.trainer.learning_rate = min(max(rate, SMALLEST_RATE), LARGEST_RATE)
            return self.first.trainer.learning_rate

    def set_slope(self, slope: float) -> bool:
        """Sets the slope of every leaky ReLU from the next step on; False where there is none."""
        with self._worker.between_steps():
            leaky = [run for run in self.runs if run.trainer.slope is not None]
            for run in leaky:
                self._touched = True
                run.trainer.slope = slope
            return bool(leaky)

    def change_speed(self, by: int) -> float:
        """Changes to the next faster or slower of SPEEDS."""
        place = min(max(SPEEDS.index(self.speed) + by, 0), len(SPEEDS) - 1)
        self._worker.change_speed(SPEEDS[place])
        return self.speed

    def restart(self, experiment: Experiment | None = None, *, seed: int | None = None) -> None:
        """Begins the training anew: with another experiment in the first run, or with another seed in all of them."""
        with self._worker.between_steps():
            self._worker.pause()
            self.travelled = None
            self._touched = False
            runs = []
            for place, run in enumerate(self.runs):
                one = experiment if experiment is not None and place == 0 else run.experiment
                if seed is not None:
                    one = msgspec.structs.replace(one, seed=seed)
                # The same data, unless another seed draws others: a file may have changed meanwhile.
                same = one.seed == run.experiment.seed and one.data == run.experiment.data
                runs.append(SingleRun(run.name, one, run.trainer.data if same else None))
            self._describe(runs[0])
            self._begin(runs)

    def _describe(self, run: SingleRun) -> None:
        """The first run's title and text are of the experiment that was opened: of another they would be false."""
        run.changed = differences(self._opened, run.experiment)
        if run.changed:
            run.title, run.about = f"with {run.changed}", ""

    def _begin(self, runs: list[SingleRun]) -> None:
        """Puts other runs in place, all of them with as many steps to go."""
        most = max(run.experiment.train.steps for run in runs)
        for run in runs:
            run.trainer.limit = most
        self.runs = runs

    def compare(self, name: str, experiment: Experiment | None, beside: str | None = None) -> None:
        """Trains another experiment in lockstep, both from step 0; None ends the comparison.

        `beside` is how a command says which, where one can.
        """
        with self._worker.between_steps():
            self._worker.pause()
            self.beside = beside
            if experiment is None:  # the run that stays may be looked at in its past
                self.runs = self.runs[:1]
                self.travelled = self._past_step()
                return
            self.travelled = None
            self._touched = False
            again = SingleRun(self.first.name, self.first.experiment, self.first.trainer.data)
            self._describe(again)
            self._begin([again, SingleRun(name, experiment)])

    # ── travelling in time ──────────────────────────────────────────────────────────────────────────

    def travel(self, by: int) -> int:
        """Goes to an earlier or later kept moment, in every run, and returns its step; `run` goes on from there."""
        with self._worker.between_steps():
            self._worker.pause()
            for run in self.runs:
                if run.problem is None and run.at_its_end and run.kept[-1].step < run.steps_done:
                    run.keep()  # so that `later` leads back to the present
            kept = self.first.kept
            here = self.first.trainer.steps_done
            place = max((i for i, one in enumerate(kept) if one.step <= here), default=0)
            if by < 0 and kept[place].step < here:
                place += 1  # the present is not among them: the first step back leads to the last one kept
            place = min(max(place + by, 0), len(kept) - 1)
            step = kept[place].step
            for run in self.runs:
                if run.problem is None or step < run.steps_done:  # a broken run stays at its end
                    run.revisit(step)
            self.travelled = self._past_step()
            return step

    def _past_step(self) -> int | None:
        """The step that is looked at where more is known of some run than that; None in the present."""
        return None if all(run.at_its_end for run in self.runs) else self.first.steps_done
