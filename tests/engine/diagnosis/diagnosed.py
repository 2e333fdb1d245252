"""Runs that are trained and diagnosed once for all tests of a process."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from engine.diagnosis.diagnosed_run import DiagnosedRun
from engine.diagnosis.diagnosis import Diagnosis, diagnose
from engine.diagnosis.run_observer import RunObserver
from engine.experiment.datasets import load_data
from engine.experiment.loading import load_experiment
from engine.experiment.spec import Experiment
from engine.training.trainer import Trainer

CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Diagnosed:
    """One run to its end, and what was found."""

    experiment: Experiment
    trainer: Trainer
    case: DiagnosedRun
    diagnosis: Diagnosis

    @property
    def loss_last(self) -> float:
        """Infinite for a run that broke."""
        assert self.case.losses is not None
        return math.inf if self.trainer.problem else self.case.losses.last


def run(experiment: Experiment, steps: int | None = None, folder: Path | None = None) -> Diagnosed:
    trainer = Trainer(experiment, load_data(experiment, folder=folder))
    if steps is not None:
        trainer.limit = steps
    observer = RunObserver(trainer)
    for record in trainer:
        observer.saw(record)
    case = observer.case()
    return Diagnosed(experiment, trainer, case, diagnose(case))


@cache
def of_preset(name: str, steps: int | None = None) -> Diagnosed:
    return run(load_experiment(name), steps)


@cache
def of_case(name: str) -> Diagnosed:
    return run(load_experiment(str(CASES / f"{name}.toml")), folder=CASES)


def expected(page: str) -> dict[str, dict[str, Any]]:
    """What a page of expectations says: for each name, `first`, `has`, `not`, `only`, `evidence`, `text`."""
    return tomllib.loads((CASES / page).read_text("utf-8"))


def shortcomings(diagnosis: Diagnosis, wanted: dict[str, Any]) -> list[str]:
    """In what a diagnosis falls short of an expectation."""
    kinds = [kind.value for kind in diagnosis.kinds]
    found = []
    if "first" in wanted and (kinds[:1] or ["nothing"])[0] not in wanted["first"]:
        found.append(f"the headline is {kinds[:1]}, expected one of {wanted['first']}")
    if "only" in wanted and kinds != wanted["only"]:
        found.append(f"found {kinds}, expected {wanted['only']}")
    for kind, numbers in wanted.get("evidence", {}).items():
        held = {} if kind not in kinds else diagnosis.findings[kinds.index(kind)].evidence
        for name, value in numbers.items():
            if not math.isclose(held.get(name, math.nan), value, rel_tol=1e-6):
                found.append(f"{kind}: {name} is {held.get(name)}, expected {value}")
    texts = " ".join(finding.text for finding in diagnosis.findings)
    found += [f"{words!r} is not said" for words in wanted.get("text", ()) if words not in texts]
    found += [f"{kind} is missing" for kind in wanted.get("has", ()) if kind not in kinds]
    found += [f"{kind} is wrong" for kind in wanted.get("not", ()) if kind in kinds]
    return found
