"""Softmax of each column: Ŷ_ik = e^{f_ik} / Σ_j e^{f_jk}.

∂Ŷ_ik/∂f_jk = Ŷ_ik (1{i=j} - Ŷ_jk)        and 0 between different samples
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from typing_extensions import override

from engine.autodiff.array_memory import ScratchMemory
from engine.autodiff.graph import Array, Columns, Op
from engine.formula.expression import Entry, Expr, Sum, call


class Softmax(Op):
    """The softmax of every sample: Ŷ (outputs, n) from f (outputs, n)."""

    @override
    def prepare(self, scratch: ScratchMemory) -> None:
        self._row = np.empty((1, self.output.shape[1]), self.output.value.dtype)
        self._scratch = scratch.like(self.output.value)

    @override
    def forward(self) -> None:
        """Subtracts each column's maximum first, so that no exponential overflows."""
        x, y = self.inputs[0].value, self.output.value
        np.maximum.reduce(x, axis=0, keepdims=True, out=self._row)
        np.subtract(x, self._row, out=y)
        np.exp(y, out=y)
        np.add.reduce(y, axis=0, keepdims=True, out=self._row)
        np.divide(y, self._row, out=y)

    @override
    def backward(self) -> None:
        """∂ℰ/∂f_j = Ŷ_j (∂ℰ/∂Ŷ_j - Σ_i ∂ℰ/∂Ŷ_i Ŷ_i)."""
        if not self.needs_grad[0]:
            return
        y, gradient, target = self.output.value, self.output.grad, self.inputs[0].grad
        np.multiply(gradient, y, out=self._scratch)
        np.add.reduce(self._scratch, axis=0, keepdims=True, out=self._row)
        np.subtract(gradient, self._row, out=self._scratch)
        np.multiply(self._scratch, y, out=self._scratch)
        if self.accumulates[0]:
            np.add(target, self._scratch, out=target)
        else:
            np.copyto(target, self._scratch)

    @override
    def formula(self, entry: Entry) -> Expr:
        """e^{f_ik} / Σ_j e^{f_jk}."""
        (node,) = self.inputs
        i, k = entry
        total = Sum(tuple(call("exp", node.entry((j, k))) for j in range(node.shape[0])))
        return call("exp", node.entry((i, k))) / total

    @override
    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        """One f reaches every output of its sample."""
        j, k = entry
        own = self.output.entry(entry)
        for row in range(self.output.shape[0]):
            output = self.output.entry((row, k))
            yield (row, k), own * (1 - own) if row == j else -(output * own)

    @override
    def fan_out(self, i: int) -> int:
        """How many entries of Ŷ one entry of f reaches: every output of its sample."""
        return self.output.shape[0]

    @override
    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        return f"softmax, to {'its own' if entry == output_entry else 'another'} output"

    @override
    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        """max over i of log|Ŷ_i (1{i=j} - Ŷ_j)| + beyond_i."""
        y = self.output.value[:, columns]
        result = np.empty_like(y)
        for j in range(y.shape[0]):
            magnitude = y * y[j]
            magnitude[j] = y[j] * (1.0 - y[j])
            (np.log(magnitude) + beyond).max(axis=0, out=result[j])
        return result
