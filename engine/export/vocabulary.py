"""The small vocabulary of written derivations: what each factor is called, how each loss is defined.

∂Ŷ_00/∂f[2]_00    slope of the sigmoid
∂f[2]_00/∂a[1]_10    weight on the way
∂a[1]_10/∂f[1]_10    the ReLU is on
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.autodiff.graph import Graph, Op
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.linear import ACTIVATION, BIAS, WEIGHT, Linear
from engine.autodiff.ops.loss import BinaryCrossEntropy, CrossEntropy, Loss, SquaredError
from engine.autodiff.ops.norm import MEAN, STD, VALUE, Mean, Standardize, Std
from engine.autodiff.ops.residual import Add
from engine.autodiff.ops.softmax import Softmax
from engine.derivation.chain_rule import Term
from engine.formula.expression import Expr, Symbol, call
from engine.model.network import PREDICTION, X, Y

SLOPES = {
    "linear": "linear: passes as it is",
    "sigmoid": "slope of the sigmoid",
    "tanh": "slope of tanh",
    "elu": "slope of ELU",
    "selu": "slope of SELU",
    "gelu": "slope of GELU",
    "silu": "slope of SiLU",
    "softplus": "slope of softplus",
    "step": "the step function is flat",
}

BY_INPUT: dict[tuple[type[Op], int], str] = {
    (Linear, ACTIVATION): "weight on the way",
    (Linear, BIAS): "the bias enters as it is",
    (Mean, 0): "share in the mean",
    (Std, 0): "share in the standard deviation",
    (Standardize, VALUE): "divided by the standard deviation",
    (Standardize, MEAN): "the mean is subtracted",
    (Standardize, STD): "the standard deviation divides",
    (Add, 0): "through the block",
    (Add, 1): "through the shortcut",
}


def factor_words(graph: Graph, term: Term) -> str:
    """What a factor of the chain rule is, in a few words."""
    op, below = graph.nodes[term.via.matrix].op, term.symbol.by.matrix
    if op is None:
        raise ValueError(f"nothing computes {term.via.plain()}")
    if isinstance(op, Loss):
        return "how the loss changes with the prediction"
    if isinstance(op, Elementwise):
        return _slope_words(op.rule.name, term.local)
    if isinstance(op, Softmax):
        own = term.via.index == term.symbol.by.index
        return "softmax, to its own output" if own else "softmax, to another output"
    i = next(place for place, node in enumerate(op.inputs) if node.symbol == below)
    if isinstance(op, Linear) and i == WEIGHT:
        return "the input" if op.inputs[ACTIVATION].symbol == X else "the activation below"
    return BY_INPUT.get((type(op), i), "local derivative")


def _slope_words(rule: str, slope: float) -> str:
    if rule == "relu":
        return "the ReLU is on" if slope else "the ReLU is off"
    if rule == "leaky_relu":
        return "the leaky ReLU is on" if slope == 1.0 else "the leaky ReLU leaks"
    return SLOPES.get(rule, f"slope of {rule}")


@dataclass(frozen=True, slots=True)
class LossDefinition:
    """A loss in words and as the term that is summed over all outputs and samples; `negative` puts a minus before."""

    name: str
    term: Expr
    negative: bool


def loss_definition(loss: Op) -> LossDefinition | None:
    """How a loss is defined; None for a scalar that is not one of the losses (a typed expression)."""
    match loss:
        case BinaryCrossEntropy():
            if_one, if_zero = Y * call("log", PREDICTION), (1 - Y) * call("log", 1 - PREDICTION)
            if loss.weighted:
                if_one = Symbol("alpha") * Y * call("log", PREDICTION)
                if_zero = Symbol("beta") * (1 - Y) * call("log", 1 - PREDICTION)
            return LossDefinition("binary cross-entropy", if_one + if_zero, negative=True)
        case CrossEntropy():
            return LossDefinition("cross-entropy", Y * call("log", PREDICTION), negative=True)
        case SquaredError():
            return LossDefinition("squared error", (PREDICTION - Y) ** 2 / 2, negative=False)
    return None


VERDICTS = {
    "good": "they agree",
    "acceptable": "they agree well enough for a difference",
    "kink": "agrees with one side of a kink, where the slope has two values",
    "undecided": "the differences on both sides leave the piece: they cannot decide",
    "below noise": "the difference is smaller than rounding lets anybody see",
    "suspicious": "they differ more than they should",
    "wrong": "they do not agree",
}
"""What each verdict of the gradient check means."""
