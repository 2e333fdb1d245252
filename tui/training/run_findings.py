"""What the findings panel of the gradients screen says: each run's diagnosis, found at once or in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from textual.content import Content
from textual.worker import get_current_worker

from engine.autodiff.interruption import interruptible
from engine.diagnosis.diagnosis import Diagnosis, judge_record
from engine.metrics.step_record import StepRecord
from tui.session.training_run import TrainingRun
from tui.session.training_snapshot import RunSnapshot, State, TrainingSnapshot
from tui.shell.busy_screen import Ended
from tui.training.factor_budget_text import budget_lines
from tui.training.finding_content import (
    THINKING,
    compared,
    diagnosis_content,
    finding_content,
)
from tui.training.gradient_flow_content import flow_lines
from tui.training.run_marks import run_marks
from tui.training.watching_screen import WatchingScreen

TRIES = "F"
"""The key that tries a remedy, as the findings call it."""


class RunFindings:
    """The findings of a training's runs: has them diagnosed, and says what was found."""

    def __init__(self, screen: WatchingScreen) -> None:
        self._screen = screen
        self.thinking = False
        """Whether the reason for something is being looked for, in a thread."""

    def of_runs(self, told: Sequence[tuple[RunSnapshot, StepRecord]], snapshot: TrainingSnapshot) -> Content:
        """The findings of each run: of one all that is known, of several what tells them apart."""
        self._find_out(snapshot)
        if len(told) == 1:
            return Content("\n").join(self._told(snapshot, *told[0]))
        marked = zip(run_marks(self._screen.glyphs), told, strict=False)
        diagnoses = [(mark, self._found(one) or self._glance(one, seen)) for mark, (one, seen) in marked]
        return Content("\n").join(compared(diagnoses, TRIES))

    def of_budget(self, run: RunSnapshot, record: StepRecord, snapshot: TrainingSnapshot) -> Content:
        """The factor budget in words: what makes the gradient smaller or larger from layer to layer."""
        self._find_out(snapshot)
        first, *others = map(self._screen.glyphs.names.said, budget_lines(run.described, record))
        return Content("\n").join([Content.styled(first, "bold"), *map(Content, others)])

    def _told(self, snapshot: TrainingSnapshot, run: RunSnapshot, record: StepRecord) -> list[Content]:
        """The findings of one run: of all of it while it rests, of the last step while it goes on."""
        if run.said:  # a log, of which more is known than its last record
            headline, *others = run.said
            first = Content.assemble((headline, "bold"), *(f"   {line}" for line in others[:1]))
            return [first, *map(Content, others[1:])]
        diagnosis = self._found(run)
        seen, said = self._glance(run, record), self._screen.glyphs.names.said
        flow = [Content(said(line)) for line in flow_lines(run, record, diagnosis or seen)]
        if diagnosis is not None:
            return [*diagnosis_content(diagnosis, tries=TRIES), *flow]
        if run.steps_done == 0 and isinstance(self._screen.training, TrainingRun):
            first = Content.assemble(("Not trained yet", "bold"), f"   {self._screen.hint}")
            about = [Content.styled(run.about, "$faint")] if run.about else []
            return [first, *about, *(finding_content(seen, finding) for finding in seen.findings), *flow]
        running = snapshot.state is State.RUNNING
        headline = "Training" if running else THINKING if self.thinking else "Nothing found"
        return [*diagnosis_content(seen, headline), *flow]

    def _found(self, run: RunSnapshot) -> Diagnosis | None:
        """What is wrong with a run that rests; one that was examined only now is asked again."""
        if (
            run.diagnosis is not None
            or not run.undiagnosed
            or not isinstance(self._screen.training, TrainingRun)
        ):
            found = run.diagnosis
        else:
            found = next((one.diagnosis for one in self._screen.training.runs if one.name == run.name), None)
        return None if found is None else found.said_in(self._screen.glyphs.names)

    def _glance(self, run: RunSnapshot, record: StepRecord) -> Diagnosis:
        """What the last record alone says."""
        return judge_record(record, run.described).said_in(self._screen.glyphs.names)

    def _find_out(self, snapshot: TrainingSnapshot) -> None:
        """Finds out what is wrong: at once where that is quick, otherwise in a thread."""
        training = self._screen.training
        waiting = [run for run in snapshot.runs if run.undiagnosed]
        if self.thinking or not isinstance(training, TrainingRun):
            return
        if not waiting:
            found = snapshot.first.diagnosis
            if found is not None and found.untried:
                self.thinking = True
                self._screen.run_worker(self._try_remedies, thread=True, group="diagnosis")
            return
        if all(run.quick_to_diagnose for run in waiting):
            training.examine()
        else:
            self.thinking = True
            self._screen.run_worker(self._examine, thread=True, group="diagnosis")

    def _try_remedies(self) -> None:
        """In a thread, like `_examine`."""
        try:
            if isinstance(self._screen.training, TrainingRun):
                self._screen.training.try_remedies()
        finally:
            self.thinking = False

    def _examine(self) -> None:
        """In a thread; the pulse then tells that there is something new to draw. Leaving ends it."""
        worker = get_current_worker()

        training = self._screen.training
        try:
            if isinstance(training, TrainingRun):
                runs = training.runs

                def look() -> None:
                    if worker.is_cancelled or training.runs is not runs:  # left, or begun anew
                        raise Ended

                with suppress(Ended), interruptible(look):
                    training.examine()
        finally:
            self.thinking = False
