"""The small vocabulary of written derivations: what each factor is called, how each loss is defined.

∂Ŷ_00/∂f[2]_00    slope of the sigmoid
∂f[2]_00/∂a[1]_10    weight on the way
∂a[1]_10/∂f[1]_10    the ReLU is on
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.autodiff.graph import Graph, Op
from engine.autodiff.ops.loss import BinaryCrossEntropy, CrossEntropy, SquaredError
from engine.derivation.terms import Term
from engine.formula.expression import Expr, Symbol, call
from engine.model.network import PREDICTION, Y


def factor_words(graph: Graph, term: Term) -> str:
    """What a factor of the chain rule is, in a few words: its op says it."""
    op, below = graph.nodes[term.via.matrix].op, term.symbol.by
    if op is None:
        raise ValueError(f"nothing computes {term.via.plain()}")
    i = next(place for place, node in enumerate(op.inputs) if node.symbol == below.matrix)
    return op.factor_words(i, below.index or (0, 0), term.via.index or (0, 0))


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
    "kink": "at a kink: the slope has two values, and backward takes one of them",
    "undecided": "the differences on both sides leave the piece: they cannot decide",
    "below noise": "the difference is smaller than rounding lets anybody see",
    "suspicious": "they differ more than they should",
    "wrong": "they do not agree",
    "not finite": "what is not finite cannot be compared",
}
"""What each verdict of the gradient check means."""
