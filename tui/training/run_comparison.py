"""A second run beside the first: the counterpart, another experiment, or the same one with a remedy in it."""

from __future__ import annotations

from engine.diagnosis.remedy_trial import with_remedy
from engine.experiment.datasets import load_data
from engine.experiment.errors import ExperimentError
from engine.experiment.loading import PRESET_NAMES, load_experiment
from engine.experiment.spec import Experiment
from tui.session.experiment_variants import COUNTERPART, counterpart
from tui.session.training_run import TrainingRun
from tui.session.training_snapshot import State
from tui.shell.file_suggester import FileSuggester
from tui.shell.learner_deeds import Deed, Done
from tui.shell.prompt import Prompt
from tui.training.finding_text import change_text
from tui.training.training_controls import TrainingControls
from tui.training.watching_screen import WatchingScreen

FEW_STEPS = 50
"""So many are trained while one waits."""


class RunComparison:
    """Begins and ends the training of a second run beside a screen's first."""

    def __init__(self, screen: WatchingScreen, controls: TrainingControls) -> None:
        """`controls` say with which learning rate the runs begin anew."""
        self._screen = screen
        self._controls = controls

    def toggle_counterpart(self) -> None:
        """Trains the counterpart beside it, or ends the comparison."""
        training = self._screen.controls()
        if training is None:
            return
        if len(training.runs) > 1:
            self._screen.control("Ending the comparison", lambda training: training.compare("", None))
        else:
            self._compare_beside(*counterpart(training.first.name, training.first.experiment), COUNTERPART)

    def _compare_beside(self, name: str, experiment: Experiment, said: str | None = None) -> None:
        """`said` is how a command says what it is compared with, where one can."""
        training = self._screen.training
        before = training.first.trainer.learning_rate if isinstance(training, TrainingRun) else None

        def begun(_: None) -> None:
            self._controls.say_begun(before)
            self._screen.redraw()

        self._screen.control(
            f"Beginning anew, beside {name}",
            lambda training: self._train_beside(training, name, experiment, said),
            begun,
        )

    @staticmethod
    def _train_beside(training: TrainingRun, name: str, experiment: Experiment, said: str | None) -> None:
        """Both begin anew, and go on; or, after a few single steps, only as far as the first one was."""
        steps = training.first.steps_done
        stepping = training.state is State.PAUSED and 0 < steps <= FEW_STEPS
        training.compare(name, experiment, said)
        training.one_step(steps) if stepping else training.run()

    def ask(self) -> None:
        """Asks for another experiment to train beside it."""
        if self._screen.controls() is not None:
            prompt = Prompt(
                "Compare with",
                "a preset's name or a TOML file",
                _experiment_problem,
                suggester=FileSuggester(PRESET_NAMES),
            )
            self._screen.app.push_screen(prompt, self._compare_with)

    def _compare_with(self, name: str | None) -> None:
        if name:
            self._compare_beside(name, load_experiment(name), name)

    def try_remedy(self) -> None:
        """Begins anew, with the first remedy that can be tried beside the run as it was."""
        training = self._screen.controls()
        if training is None:
            return
        diagnosis = training.first.diagnosis
        finding = None if diagnosis is None else diagnosis.remedy
        if diagnosis is not None and diagnosis.untried:
            self._screen.notify("Whether it helps is still being tried.")
            return
        if finding is None or finding.change is None:
            self._screen.notify("No finding here has a change that can be tried.")
            return
        try:
            experiment = with_remedy(training.first.experiment, finding.change)
            self._compare_beside(f"with {change_text(finding.change)}", experiment)
            self._screen.tell(Done(Deed.REMEDY))
        except ExperimentError as error:
            self._screen.refuse(error)


def _experiment_problem(name: str) -> str | None:
    """Why a second experiment cannot be opened, in one line."""
    try:
        load_data(load_experiment(name), source=name)
    except ExperimentError as error:
        return str(error)
    return None
