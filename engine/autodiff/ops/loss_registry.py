"""From a loss of the experiment file to the op that computes it: the one registry of losses.

bce ──> BinaryCrossEntropy        squared_error ──> SquaredError        one that says its term ──> FormulaLoss
"""

from __future__ import annotations

from engine.autodiff.graph import Node
from engine.autodiff.ops.cross_entropy import BinaryCrossEntropy, CrossEntropy
from engine.autodiff.ops.formula_loss import FormulaLoss
from engine.autodiff.ops.loss import Loss
from engine.autodiff.ops.regression_losses import AbsoluteError, Huber, SquaredError
from engine.experiment.loss_specs import (
    LOSS_SPECS,
    AbsoluteErrorLoss,
    BceLoss,
    CrossEntropyLoss,
    HuberLoss,
    LossSpec,
    LossWithTerm,
    SquaredErrorLoss,
)

LOSSES: dict[type[LossSpec], type[Loss]] = {
    BceLoss: BinaryCrossEntropy,
    SquaredErrorLoss: SquaredError,
    CrossEntropyLoss: CrossEntropy,
    AbsoluteErrorLoss: AbsoluteError,
    HuberLoss: Huber,
}
"""The op of every loss with kernels of its own: made of Ŷ, Y, ℰ, the specification, and the logits where it computes
from them."""


def make_loss(
    spec: LossSpec, prediction: Node, label: Node, output: Node, logits: Node, activation: str
) -> Loss:
    """The op of a loss specification; it computes from the `logits` where it fuses with the output's `activation`.

    Raises TypeError for a specification that nothing computes.
    """
    op = LOSSES.get(type(spec), FormulaLoss if isinstance(spec, LossWithTerm) else None)
    if op is None:
        raise TypeError(f"nothing computes the loss {type(spec).__name__}")
    return op(prediction, label, output, spec, logits if op.fuses_with == activation else None)


def register_loss(spec: type[LossSpec], op: type[Loss] | None = None) -> None:
    """Adds a loss for this process: experiment files may name its kind from now on.

    Without an `op` the specification says its term and its slope.
    """
    LOSS_SPECS[str(spec.__struct_config__.tag)] = spec
    if op is not None:
        LOSSES[spec] = op
