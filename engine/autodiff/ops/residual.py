"""Addition, entry by entry: how a residual block adds its input back, a = g + a_before (He et al. 2016).

∂o_ik/∂x_ik = ∂o_ik/∂y_ik = 1
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from typing_extensions import override

from engine.autodiff.graph import Array, Columns, Op
from engine.formula.expression import Entry, Expr, Number


class ResidualAdd(Op):
    """A residual layer's shortcut: output = x + y, all of one shape.

    The gradient passes unchanged to both: the fork of a residual block.
    """

    @override
    def forward(self) -> None:
        """x + y."""
        x, y = self.inputs
        np.add(x.value, y.value, out=self.output.value)

    @override
    def backward(self) -> None:
        """∂ℰ/∂x = ∂ℰ/∂y = ∂ℰ/∂output."""
        for node, needs_grad, accumulates in zip(self.inputs, self.needs_grad, self.accumulates, strict=True):
            if needs_grad and accumulates:
                np.add(node.grad, self.output.grad, out=node.grad)
            elif needs_grad:
                np.copyto(node.grad, self.output.grad)

    @override
    def formula(self, entry: Entry) -> Expr:
        """x_ik + y_ik."""
        x, y = self.inputs
        return x.entry(entry) + y.entry(entry)

    @override
    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        """1, to its own entry."""
        return ((entry, Number(1.0)),)

    @override
    def fan_out(self, i: int) -> int:
        return 1

    @override
    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        if self.output.scalar:
            return "added as it is"
        return "through the shortcut" if i else "through the block"

    @override
    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        """What lies beyond: log 1 = 0."""
        return beyond
