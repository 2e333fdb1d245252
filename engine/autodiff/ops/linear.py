"""The weighted sum of a layer, f = Wᵀa + b, one column per sample.

∂f_jk/∂W_ij = a_ik        ∂f_jk/∂a_ik = W_ij        ∂f_jk/∂b_j0 = 1
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from typing_extensions import override

from engine.autodiff.graph import Array, Columns, Entries, Op, Scratch
from engine.formula.expression import Entry, Expr, Number, Sum, Values

WEIGHT, ACTIVATION, BIAS = range(3)


class Linear(Op):
    """f (fan_out, n) from W (fan_in, fan_out), a (fan_in, n) and, where the layer has one, b (fan_out, 1)."""

    @override
    def prepare(self, scratch: Scratch) -> None:
        """Binds the transposed views that BLAS reads without copying."""
        weight, activation = self.inputs[:2]
        self._weight_transposed = weight.value.T
        self._activation_transposed = activation.value.T
        self._scratch = [
            scratch.like(node.value) if add else None
            for node, add in zip(self.inputs, self.accumulates, strict=True)
        ]

    @override
    def forward(self) -> None:
        """f = Wᵀa + b."""
        output = self.output.value
        np.dot(self._weight_transposed, self.inputs[ACTIVATION].value, out=output)
        if len(self.inputs) > BIAS:
            np.add(output, self.inputs[BIAS].value, out=output)

    @override
    def backward(self) -> None:
        """∂ℰ/∂W = a (∂ℰ/∂f)ᵀ, ∂ℰ/∂a = W ∂ℰ/∂f, ∂ℰ/∂b = the sum of ∂ℰ/∂f over the samples."""
        weight, activation = self.inputs[:2]
        gradient = self.output.grad
        if self.needs_grad[WEIGHT]:
            self._send_product(WEIGHT, activation.value, gradient.T)
        if self.needs_grad[ACTIVATION]:
            self._send_product(ACTIVATION, weight.value, gradient)
        if len(self.inputs) > BIAS and self.needs_grad[BIAS]:
            bias, scratch = self.inputs[BIAS], self._scratch[BIAS]
            np.add.reduce(gradient, axis=1, keepdims=True, out=bias.grad if scratch is None else scratch)
            if scratch is not None:
                np.add(bias.grad, scratch, out=bias.grad)

    def _send_product(self, i: int, left: Array, right: Array) -> None:
        target, scratch = self.inputs[i].grad, self._scratch[i]
        if scratch is None:
            np.dot(left, right, out=target)
        else:
            np.dot(left, right, out=scratch)
            np.add(target, scratch, out=target)

    @override
    def formula(self, entry: Entry) -> Expr:
        """f_jk = Σ_i W_ij a_ik + b_j0."""
        j, k = entry
        weight, activation = self.inputs[:2]
        terms: list[Expr] = [weight.entry((i, j)) * activation.entry((i, k)) for i in range(weight.shape[0])]
        if len(self.inputs) > BIAS:
            terms.append(self.inputs[BIAS].entry((j, 0)))
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))

    @override
    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        """A weight reaches its unit in every sample; an activation every unit of its sample; a bias as a weight."""
        weight, activation = self.inputs[:2]
        fan_out, n = self.output.shape
        row, column = entry
        if i == WEIGHT:
            return (((column, k), activation.entry((row, k))) for k in range(n))
        if i == ACTIVATION:
            return (((j, column), weight.entry((row, j))) for j in range(fan_out))
        return (((row, k), Number(1.0)) for k in range(n))

    @override
    def local_at(self, i: int, entry: Entry, output_entry: Entry) -> Expr:
        """The activation of the sample, the weight to the unit, or 1."""
        weight, activation = self.inputs[:2]
        row, (unit, sample) = entry[0], output_entry
        if i == WEIGHT:
            return activation.entry((row, sample))
        return weight.entry((row, unit)) if i == ACTIVATION else Number(1.0)

    @override
    def local_values(self, i: int, entry: Entry, values: Values) -> tuple[Entries, Array]:
        """A row of the activations for a weight, a row of the weights for an activation, ones for a bias."""
        weight, activation = self.inputs[:2]
        fan_out, n = self.output.shape
        row, column = entry
        if i == ACTIVATION:
            return (np.arange(fan_out), np.full(fan_out, column)), weight.value[row]
        unit = column if i == WEIGHT else row
        return (np.full(n, unit), np.arange(n)), activation.value[row] if i == WEIGHT else np.ones(n)

    @override
    def fan_out(self, i: int) -> int:
        """fan_out units for an activation, n samples for a weight or a bias."""
        fan_out, n = self.output.shape
        return fan_out if i == ACTIVATION else n

    @override
    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        """For an activation max over j of log|W_ij| + beyond_jk; for weight and bias the best sample."""
        weight, activation = self.inputs[:2]
        if i == ACTIVATION:
            return _max_plus(np.log(np.abs(weight.value)), beyond)
        if i == WEIGHT:
            return _max_plus(np.log(np.abs(activation.value[:, columns])), beyond.T)
        best: Array = beyond.max(axis=1, keepdims=True)
        return best

    @override
    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        if i == WEIGHT:
            return "the activation below" if self.inputs[ACTIVATION].op else "the input"
        return "weight on the way" if i == ACTIVATION else "the bias enters as it is"

    @override
    def remark(self, i: int, entry: Entry, output_entry: Entry) -> str | None:
        """A zero input, or a zero weight, passes nothing back."""
        weight, activation = self.inputs[:2]
        row, (unit, sample) = entry[0], output_entry
        if i == WEIGHT and activation.value[row, sample] == 0:
            return "zero input: this weight gets no gradient from this sample"
        if i == ACTIVATION and weight.value[row, unit] == 0:
            return "zero weight: nothing passes back through it"
        return None


def _max_plus(left: Array, right: Array) -> Array:
    """The (max, +) product: result_ik = max over j of left_ij + right_jk. left (p, q), right (q, r)."""
    if right.shape[1] == 1:
        best: Array = (left + right.T).max(axis=1, keepdims=True)
        return best
    result = np.empty((left.shape[0], right.shape[1]), dtype=np.result_type(left, right))
    for row, sums in enumerate(left):
        (sums[:, None] + right).max(axis=0, out=result[row])
    return result
