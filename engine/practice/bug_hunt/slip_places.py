"""Where a slip of the backward pass can happen: predicates on an op and one of its inputs."""

from __future__ import annotations

from engine.autodiff.graph import Op
from engine.autodiff.ops.cross_entropy import BinaryCrossEntropy
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.linear import ACTIVATION, BIAS, WEIGHT, Linear
from engine.autodiff.ops.loss import Loss
from engine.autodiff.ops.normalization import NormalizationMean, NormalizationStd
from engine.autodiff.ops.regression_losses import SquaredError
from engine.autodiff.ops.residual import ResidualAdd
from engine.autodiff.ops.softmax import Softmax
from engine.formula.expression import Symbol
from engine.practice.bug_hunt.slipping_backward_pass import has_square_weight


def at_loss(op: Op, i: int) -> bool:
    """Whether an op's input is the prediction that a loss reads."""
    return isinstance(op, Loss) and i == 0


def at_mean_loss(op: Op, i: int) -> bool:
    """Whether an op's input is the prediction of a loss that is a mean over several samples."""
    return isinstance(op, Loss) and i == 0 and op.n > 1 and bool(op.scaled(Symbol("x")) != Symbol("x"))


def at_weighted_loss(op: Op, i: int) -> bool:
    """Whether an op's input is the prediction of a binary cross-entropy whose α and β differ."""
    return isinstance(op, BinaryCrossEntropy) and i == 0 and op.alpha != op.beta


def at_squared_error(op: Op, i: int) -> bool:
    """Whether an op's input is the prediction of a squared error."""
    return isinstance(op, SquaredError) and i == 0


def at_curved(op: Op, i: int) -> bool:
    """Whether an op's input is that of an activation with a slope of its own: neither linear nor step."""
    return isinstance(op, Elementwise) and op.function.name not in ("linear", "step")


def at_sigmoid(op: Op, i: int) -> bool:
    """Whether an op's input is that of a sigmoid."""
    return isinstance(op, Elementwise) and op.function.name == "sigmoid"


def at_tanh(op: Op, i: int) -> bool:
    """Whether an op's input is that of a tanh."""
    return isinstance(op, Elementwise) and op.function.name == "tanh"


def at_other_curved(op: Op, i: int) -> bool:
    """Whether an op's input is that of an activation with a slope of its own: no ReLU, sigmoid or tanh."""
    return at_curved(op, i) and not (at_relu(op, i) or at_sigmoid(op, i) or at_tanh(op, i))


def at_relu(op: Op, i: int) -> bool:
    """Whether an op's input is that of a ReLU."""
    return isinstance(op, Elementwise) and op.function.name == "relu"


def at_leaky_relu(op: Op, i: int) -> bool:
    """Whether an op's input is that of a leaky ReLU."""
    return isinstance(op, Elementwise) and op.function.name == "leaky_relu"


def at_square_layer(op: Op, i: int) -> bool:
    """Whether an op's input is the activation that a layer with a square W reads."""
    return i == ACTIVATION and has_square_weight(op) and op.inputs[WEIGHT].shape[0] > 1


def at_square_weight(op: Op, i: int) -> bool:
    """Whether an op's input is a square W."""
    return i == WEIGHT and has_square_weight(op) and op.inputs[WEIGHT].shape[0] > 1


def at_weight(op: Op, i: int) -> bool:
    """Whether an op's input is a layer's W."""
    return isinstance(op, Linear) and i == WEIGHT


def at_weight_over_samples(op: Op, i: int) -> bool:
    """Whether an op's input is a layer's W where there are several samples."""
    return at_weight(op, i) and op.output.shape[1] > 1


def at_weight_above_activation(op: Op, i: int) -> bool:
    """Whether an op's input is a layer's W above another layer's activation."""
    if not at_weight(op, i):
        return False
    made = op.inputs[ACTIVATION].op
    return isinstance(made, Elementwise) and made.function.name != "linear"


def at_bias(op: Op, i: int) -> bool:
    """Whether an op's input is a layer's b where there are several samples."""
    return isinstance(op, Linear) and i == BIAS and (op.output.shape[1] > 1)


def at_wide_bias(op: Op, i: int) -> bool:
    """Whether an op's input is a layer's b with several entries."""
    return isinstance(op, Linear) and i == BIAS and op.output.shape[0] > 1


def at_shortcut(op: Op, i: int) -> bool:
    """Whether an op's input is the shortcut of a residual layer."""
    return isinstance(op, ResidualAdd) and i == 1


def at_second_of_fork(op: Op, i: int) -> bool:
    """Whether another op has already sent to this input when this one does."""
    node = op.inputs[i]
    return len(node.consumers) > 1 and node.consumers[0][0] is op and node.op is not None


def at_mean(op: Op, i: int) -> bool:
    """Whether an op's input is what a normalisation takes the mean of."""
    return isinstance(op, NormalizationMean)


def at_std(op: Op, i: int) -> bool:
    """Whether an op's input is what a normalisation takes the standard deviation of."""
    return isinstance(op, NormalizationStd)


def at_softmax(op: Op, i: int) -> bool:
    """Whether an op's input is that of a softmax."""
    return isinstance(op, Softmax)
