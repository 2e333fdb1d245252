"""Trying a remedy: the same run with the change, and whether the finding is gone.

Experiment ── {"train.learning_rate": 0.01} ──> Experiment ──> trained again ──> diagnosed again
                                                               without the finding, and, where it is one of
                                                               the loss, with a lower end: the change helps
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import msgspec

from engine.diagnosis.diagnosed_run import DiagnosedRun
from engine.diagnosis.diagnosis import Diagnosis, diagnose
from engine.diagnosis.finding import Change, Finding
from engine.diagnosis.kinds import RULES
from engine.diagnosis.run_observer import RunObserver
from engine.experiment.datasets import DataSet, standardized
from engine.experiment.spec import Experiment
from engine.training.trainer import Trainer

OF_LOSS = frozenset(rule.kind for rule in RULES if rule.of_loss)
"""The kinds whose remedy must also end with a lower loss."""

PATIENCE = 20.0
"""Seconds that a run may have taken for its remedies to be tried without being asked."""


def with_remedy(experiment: Experiment, change: Change) -> Experiment:
    """The experiment with a remedy's values for some keys ("train.learning_rate"). Raises msgspec.ValidationError."""
    tables = msgspec.to_builtins(experiment)
    for key, value in change.items():
        *path, last = key.split(".")
        table = tables
        for part in path:
            table = table.setdefault(part, {})
        table[last] = value
    return msgspec.convert(tables, Experiment)


def data_with_remedy(data: DataSet, change: Change) -> DataSet:
    """The data of the experiment with a remedy: the same samples, without reading a file again."""
    if change.get("data.standardize") is not True:
        return data
    inputs = standardized(data.X.astype("float64")).astype(data.X.dtype)
    inputs.flags.writeable = False
    return dataclasses.replace(data, X=inputs)


class NoLongerWanted(Exception):  # noqa: N818
    """Raised where the trial of a remedy is given up: what is asked is another question by now."""


def tried(
    case: DiagnosedRun, change: Change, wanted: Callable[[], bool] = lambda: True
) -> tuple[Diagnosis, float]:
    """Trains a run again with a remedy: its diagnosis and where its loss over all data ends; infinity if it breaks.

    `wanted` is asked before every step; where it says no, NoLongerWanted is raised.
    """
    own, losses = case.own, case.losses
    assert own is not None
    assert losses is not None
    trainer = Trainer(with_remedy(own.experiment, change), data_with_remedy(own.data, change))
    trainer.limit = case.limit if case.problem is not None and case.limit is not None else losses.steps
    observer = RunObserver(trainer)
    try:
        for record in trainer:
            observer.saw(record)
            if not wanted():
                raise NoLongerWanted
        again = observer.case()
        end = math.inf if trainer.problem is not None or again.losses is None else again.losses.last
        return diagnose(again), end
    finally:
        trainer.release()


def helps(case: DiagnosedRun, finding: Finding, wanted: Callable[[], bool] = lambda: True) -> bool:
    """Whether a finding's remedy does away with it, and, for findings of the loss, ends lower."""
    assert finding.change is not None
    assert case.losses is not None
    before = math.inf if case.problem is not None else case.losses.last
    diagnosis, end = tried(case, finding.change, wanted)
    return finding.kind not in diagnosis.kinds and (finding.kind not in OF_LOSS or end < before)


def confirmed(
    case: DiagnosedRun, diagnosis: Diagnosis, seconds: float = 0.0, wanted: Callable[[], bool] = lambda: True
) -> Diagnosis:
    """The diagnosis with only those remedies that help when they are tried.

    `wanted` is asked before every step of them; where it says no, NoLongerWanted is raised.
    """
    diagnosis = dataclasses.replace(diagnosis, untried=False)
    if case.own is None or seconds > PATIENCE:
        return diagnosis
    findings = tuple(
        dataclasses.replace(one, change=None, remedy=one.untested or one.remedy)
        if one.change is not None and not helps(case, one, wanted)
        else one
        for one in diagnosis.findings
    )
    return dataclasses.replace(diagnosis, findings=findings)
