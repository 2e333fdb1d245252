"""Whether the loss of a run is convex in its weights: then a plateau is the least loss there is."""

from __future__ import annotations

from engine.diagnosis.diagnosed_run import DiagnosedRun
from engine.experiment.spec import BceLoss, CrossEntropyLoss, SquaredErrorLoss


def convex(case: DiagnosedRun) -> bool:
    """Whether the loss is convex in the weights: one layer whose output and loss fit each other."""
    own = case.own
    if own is None or len(own.layers.layers) != 1:
        return False
    layer = own.layers.layers[0]
    if layer.norm is not None or layer.residual:
        return False
    match own.layers.loss:
        case SquaredErrorLoss():
            return layer.activation == "linear"
        case BceLoss():
            return layer.activation == "sigmoid"
        case CrossEntropyLoss():
            return layer.activation == "softmax"
    return False
