"""The data's features as a diagnosis sees them: which of them say something, and what they are called."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.diagnosis.diagnosed_run import OwnRun

Floats = npt.NDArray[np.float64]


def features(own: OwnRun) -> tuple[Floats, list[str]]:
    """The features (features, n) of a data set and their names, without rows of ones, which are the bias."""
    inputs = np.asarray(own.data.X, np.float64)
    kept = [row for row in range(len(inputs)) if not (inputs[row] == 1.0).all()]
    return inputs[kept], [own.data.feature_names[row] for row in kept]


def named(names: list[str], most: int = 3) -> str:
    """Features in words: ``feature x0``, ``features x0, x1, x2 and 4 more``."""
    noun = "feature" if len(names) == 1 else "features"
    if len(names) > most:
        return f"{noun} {', '.join(names[:most])} and {len(names) - most} more"
    return f"{noun} {' and '.join([', '.join(names[:-1])] * (len(names) > 1) + names[-1:])}"
