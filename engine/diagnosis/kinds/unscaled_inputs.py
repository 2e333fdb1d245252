"""unscaled-inputs: features of very different size, or far from 0, make the loss a long narrow valley."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.diagnosis.diagnosed_run import DiagnosedRun, Needs
from engine.diagnosis.finding import Finding, Kind
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.input_features import features
from engine.diagnosis.sentence_parts import short

TIMES = 100.0
"""Standard deviations further apart than this, constant features left out."""

LARGE = 10.0
"""Beyond this |mean| or standard deviation, one step moves what the feature adds to f by its square."""


def find(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds features of very different sizes, which make the loss badly conditioned.

    LeCun et al. 1998 ("Efficient BackProp", section 4.3) for why: the Hessian's largest eigenvalues come of it.
    """
    own = case.own
    assert own is not None
    rows, names = features(own)
    if not len(rows):
        return None
    means, spreads = rows.mean(axis=1), rows.std(axis=1)
    varying = spreads > 0
    ratio = float(spreads[varying].max() / spreads[varying].min()) if varying.any() else 1.0
    sizes = np.maximum(np.abs(means), spreads)
    worst = int(sizes.argmax())
    if not (ratio > TIMES or sizes[worst] > LARGE):
        return None
    evidence = {
        "mean": float(means[worst]),
        "std": float(spreads[worst]),
        "std_ratio": ratio,
        "features": len(names),
    }
    said = []
    if sizes[worst] > LARGE:
        said.append(
            f"Feature {names[worst]} has mean {short(means[worst])} and standard deviation {short(spreads[worst])}"
        )
    if ratio > TIMES:
        said.append(f"{'the' if said else 'The'} features' standard deviations differ {short(ratio)} times")
    text = (
        f"{'; '.join(said)}: the loss curves far more in some directions than in others, and a step that is short "
        "enough for the one is nothing for the other."
    )
    n = rows.shape[1]
    return Finding(
        Kind.UNSCALED_INPUTS,
        case.step,
        evidence,
        text,
        remedy="Standardise the inputs: mean 0 and standard deviation 1 for each feature.",
        change={"data.standardize": True} if n > 1 else None,
    )


RULE = Rule(Kind.UNSCALED_INPUTS, frozenset({Needs.OWN}), find)
