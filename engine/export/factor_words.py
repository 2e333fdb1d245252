"""The small vocabulary of written derivations: what each factor is called, what a check found.

∂Ŷ_00/∂f[2]_00    slope of the sigmoid
∂f[2]_00/∂a[1]_10    weight on the way
∂a[1]_10/∂f[1]_10    the ReLU is on
"""

from __future__ import annotations

from engine.autodiff.graph import Graph
from engine.derivation.terms import Term


def factor_words(graph: Graph, term: Term) -> str:
    """A factor of the chain rule in a few words: ``slope of the sigmoid``; its op says it."""
    op, below = graph.nodes[term.via.matrix].op, term.symbol.by
    if op is None:
        raise ValueError(f"nothing computes {term.via.plain()}")
    i = next(place for place, node in enumerate(op.inputs) if node.symbol == below.matrix)
    return op.factor_words(i, below.index or (0, 0), term.via.index or (0, 0))


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
