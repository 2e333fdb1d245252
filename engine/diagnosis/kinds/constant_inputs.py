"""constant-inputs: a feature is the same for every sample, so that no weight on it can tell two of them apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.diagnosis.diagnosed_run import DiagnosedRun, Needs
from engine.diagnosis.finding import Finding, Kind
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.input_features import features, named
from engine.formula.capitalised import capitalised


def find(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds features that are the same for every sample, but for the row of ones."""
    own = case.own
    assert own is not None
    rows, names = features(own)
    if not len(rows) or rows.shape[1] < 2:
        return None
    constant = (rows == rows[:, :1]).all(axis=1)
    if not constant.any():
        return None
    found = [name for name, one in zip(names, constant.tolist(), strict=True) if one]
    zeros = int(np.count_nonzero(constant & (rows[:, 0] == 0)))
    n = rows.shape[1]
    evidence = {"constant": len(found), "features": len(names), "zero": zeros, "samples": n}
    if zeros == len(names):
        text = (
            f"Every input is 0, in all {n:,} samples: no weight of layer 1 gets a gradient, since that is "
            "(∂ℰ/∂f) X, and the network cannot tell one sample from another."
        )
        remedy = "Give it inputs that differ from sample to sample."
    else:
        verb, them = ("are", "them") if len(found) > 1 else ("is", "it")
        text = (
            f"{capitalised(named(found))} {verb} the same for all {n:,} "
            f"samples ({len(found)} of {len(names)}): no weight on {them} can tell two of them apart."
        )
        if len(found) == len(names):
            remedy = "Give it inputs that differ from sample to sample."
        else:
            remedy = f"Leave {them} out; a constant part is what the bias is for."
    return Finding(Kind.CONSTANT_INPUTS, case.step, evidence, text, remedy=remedy)


RULE = Rule(Kind.CONSTANT_INPUTS, frozenset({Needs.OWN}), find)
