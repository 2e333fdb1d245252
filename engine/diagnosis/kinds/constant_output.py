"""constant-output: the network says the same, whatever it is shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.diagnosis.diagnosed_run import DiagnosedRun, Needs
from engine.diagnosis.finding import Finding, Kind, finite_evidence
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.sentence_parts import short
from engine.diagnosis.useful_prediction import same_for_all

EARLY = 20
"""Before so many updates it is not said: a deep network with good initial weights begins by saying nearly the same."""


def find(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds an output that is the same for every sample, though the labels differ."""
    own = case.own
    assert own is not None
    if case.step < EARLY:
        return None
    said = np.asarray(own.whole.prediction, np.float64)
    labels = np.asarray(own.data.Y, np.float64)
    if not same_for_all(own):
        return None
    spread, wanted = said.std(axis=1), labels.std(axis=1)
    prediction, label = said.mean(axis=1), labels.mean(axis=1)
    evidence: dict[str, float | int | None] = {
        "prediction": finite_evidence(float(prediction.mean())),
        "label_mean": float(label.mean()),
        "prediction_std": finite_evidence(float(spread.max())),
        "label_std": float(wanted.max()),
    }
    if len(said) == 1:
        means = f"{short(prediction[0])}; the labels' mean is {short(label[0])}"
    else:
        for row, (one, other) in enumerate(zip(prediction, label, strict=True)):
            evidence[f"prediction[{row}]"], evidence[f"label_mean[{row}]"] = (
                finite_evidence(float(one)),
                float(other),
            )
        means = f"{_listed(prediction)}; the labels' means are {_listed(label)}"
    text = (
        f"Whatever the network is shown, it says {means}. Its outputs spread by {short(float(spread.max()))} over the "
        f"samples, the labels by {short(float(wanted.max()))}."
    )
    return Finding(Kind.CONSTANT_OUTPUT, case.step, evidence, text, layers=(case.depth,))


def _listed(numbers: Sequence[float] | np.ndarray, most: int = 4) -> str:
    told = ", ".join(short(float(one)) for one in numbers[:most])
    return f"({told}{', …' if len(numbers) > most else ''})"


RULE = Rule(Kind.CONSTANT_OUTPUT, frozenset({Needs.OWN}), find, if_diverged=False)
