"""Judges for the tests: of a preset, or of a small network that is written out."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.loading import load_experiment
from engine.experiment.spec import Experiment
from engine.practice.judging.judge import Judge
from engine.practice.question.asked_target import AskedTarget
from engine.practice.verdict import Verdict


@cache
def judge_on(name: str, wrt: str, of: str | None = None, sample: int | None = None) -> Judge:
    """The judge of one gradient of a preset; earlier results may be used."""
    return Judge(
        EvaluatedExperiment.of(load_experiment(name), name), AskedTarget.parse(wrt, of, sample), given=None
    )


def judge_in(wrt: str, **tables: Any) -> Judge:
    """The judge of one gradient of an experiment given as tables."""
    experiment = msgspec.convert(tables, Experiment)
    return Judge(EvaluatedExperiment.of(experiment), AskedTarget.parse(wrt), given=None)


def named(verdict: Verdict) -> list[tuple[str, str, str | None]]:
    """The mistakes of a verdict, without their sentences."""
    assert verdict.verdict == "wrong", verdict
    return sorted(((one.kind, one.what, one.instead) for one in verdict.mistakes), key=str)


def network(*layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The table of a network."""
    return {"layers": list(layers), **more}


def inline(X: list[list[float]], Y: list[list[float]]) -> dict[str, Any]:
    """The table of some data."""
    return {"kind": "inline", "X": X, "Y": Y}
