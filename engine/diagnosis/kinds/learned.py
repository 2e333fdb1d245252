"""learned: every sample is classified rightly, or what is left of the error is a thousandth of the labels' variance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.diagnosis.diagnosed_run import DiagnosedRun, Needs
from engine.diagnosis.finding import Finding, Kind, finite_evidence
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.sentence_parts import short
from engine.diagnosis.useful_prediction import same_for_all

LEFT = 1e-3
"""A mean squared error below this share of the labels' variance: 99.9 % of it is explained (R² > 0.999)."""


def find(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds that a run has learned: all is classified rightly, or next to no error is left.

    That is Σ over the outputs of mean (Ŷ - Y)², without any ½, against Σ of the labels' variances.
    """
    own = case.own
    assert own is not None
    accuracy = own.whole.record.accuracy
    labels = np.asarray(own.data.Y, np.float64)
    error = float(np.square(own.whole.prediction - labels).mean(axis=1).sum())
    variance = float(labels.var(axis=1).sum())
    scale = variance or float(np.square(labels).mean(axis=1).sum())
    evidence = {"accuracy": accuracy, "mean_square": finite_evidence(error), "label_variance": variance}
    if accuracy == 1.0 and not same_for_all(own):
        n = labels.shape[1]
        text = (
            f"All {n:,} samples are classified rightly." if n > 1 else "The one sample is classified rightly."
        )
        return Finding(Kind.LEARNED, case.step, evidence | {"samples": n}, text)
    if error < LEFT * scale or error == 0.0:
        of = "variance" if variance else "mean square"
        text = f"The mean squared error is {short(error)}, less than a thousandth of the labels' {of}, {short(scale)}."
        return Finding(Kind.LEARNED, case.step, evidence | {"scale": scale}, text)
    return None


RULE = Rule(Kind.LEARNED, frozenset({Needs.OWN}), find, of_loss=True, if_diverged=False)
