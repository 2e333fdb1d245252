"""Single numbers of a network and its data set by hand: what changes, or why it may not.

W[1][0,1] = 0.5   ──>  a copy of W[1] with that entry          Y[0,0] = 2   ──>  refused as the file would be
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np

from engine.autodiff.graph import Array
from engine.experiment.datasets import DataSet
from engine.experiment.errors import ExperimentError, mismatch
from engine.experiment.spec import Experiment
from engine.experiment.validation import validate
from engine.formula.expression import Symbol
from engine.model.network import Network, X, Y
from engine.model.network_to_experiment import inline

Assignments = Sequence[tuple[Symbol, float]]
"""Entries of given matrices, and the numbers that they are to have."""


def with_entries(
    experiment: Experiment, network: Network, data: DataSet, assignments: Assignments, source: str
) -> tuple[dict[Symbol, Array], DataSet]:
    """The parameters and data with some entries set by hand: copies of what changes; what is given stays as it is.

    Raises ExperimentError, in the words of a file's refusal, for numbers that the experiment does not take.
    """
    changed: dict[Symbol, Array] = {}
    matrices = {**network.parameters, X: data.X, Y: data.Y}
    for entry, number in assignments:
        matrix = changed.setdefault(entry.matrix, matrices[entry.matrix].copy())
        index = entry.index or (0, 0)
        with np.errstate(over="ignore"):
            matrix[index] = number
        if not np.isfinite(matrix[index]):
            expected = f'a number that dtype = "{experiment.dtype}" can hold'
            raise ExperimentError(source, entry.plain(), mismatch(str(number), expected))
    inputs, labels = changed.pop(X, None), changed.pop(Y, None)
    if inputs is None and labels is None:
        return changed, data
    data = replace(data, X=_kept(inputs, data.X), Y=_kept(labels, data.Y))
    learned = replace(data, held_out=None)  # numbered as they are on the screen
    validate(msgspec.structs.replace(experiment, data=inline(experiment, learned)), source)
    return changed, data


def _kept(changed: Array | None, otherwise: Array) -> Array:
    if changed is None:
        return otherwise
    changed.setflags(write=False)
    return changed
