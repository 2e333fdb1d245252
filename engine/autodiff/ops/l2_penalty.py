"""The penalty on large weights, and the loss as the sum of two scalars.

    Ŷ ── a loss ── fit ──────┐
                             ├─ Total ── E
    W[1], W[2], … ─ penalty ─┘           ∂penalty/∂W_ij = λ W_ij

penalty = (λ/2) Σ ‖W[l]‖² over all weights, biases left out, is one way more from every weight to ℰ, and it belongs to
no sample.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from typing_extensions import override

from engine.autodiff.array_memory import ScratchMemory
from engine.autodiff.graph import Array, Columns, Node, Op
from engine.autodiff.ops.residual import ResidualAdd
from engine.formula.expression import Entry, Expr, Number, Sum


class L2Penalty(Op):
    """The L2 penalty (λ/2) Σ W² over all entries of all inputs, a scalar."""

    def __init__(self, strength: float, weights: Sequence[Node], output: Node) -> None:
        super().__init__(weights, output)
        self.strength = strength

    @override
    def prepare(self, scratch: ScratchMemory) -> None:
        self._scratch = [
            scratch.like(node.value) if accumulates else None
            for node, accumulates in zip(self.inputs, self.accumulates, strict=True)
        ]

    @override
    def forward(self) -> None:
        squares = sum(float(np.vdot(node.value, node.value)) for node in self.inputs)
        self.output.value[0, 0] = 0.5 * self.strength * squares

    @override
    def backward(self) -> None:
        """∂ℰ/∂W = λW ∂ℰ/∂penalty."""
        factor = self.strength * float(self.output.grad[0, 0])
        for node, needs_grad, scratch in zip(self.inputs, self.needs_grad, self._scratch, strict=True):
            if not needs_grad:
                continue
            if scratch is None:
                np.multiply(node.value, factor, out=node.grad)
            else:
                np.multiply(node.value, factor, out=scratch)
                np.add(node.grad, scratch, out=node.grad)

    @override
    def formula(self, entry: Entry) -> Expr:
        """(λ/2)(W_00² + W_01² + …)."""
        squares = tuple(
            node.entry((row, column)) ** 2
            for node in self.inputs
            for row in range(node.shape[0])
            for column in range(node.shape[1])
        )
        return Number(self.strength) / 2 * (squares[0] if len(squares) == 1 else Sum(squares))

    @override
    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        """λ W_ij."""
        return (((0, 0), Number(self.strength) * self.inputs[i].entry(entry)),)

    @override
    def fan_out(self, i: int) -> int:
        return 1

    @override
    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        """log|λW| + beyond."""
        result: Array = np.log(np.abs(self.strength * self.inputs[i].value)) + beyond
        return result

    @override
    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        return "the penalty pulls the weight towards 0"


class Total(ResidualAdd):
    """The loss with its penalty: ℰ = fit + penalty."""

    @override
    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        return "the penalty is a part of the loss" if i else "the fit is a part of the loss"
