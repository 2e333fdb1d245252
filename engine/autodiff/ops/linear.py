"""The weighted sum of a layer, one column per sample, in either of the two ways of writing its weights.

in_out    f = Wᵀa + b, W (fan_in, fan_out)    ∂f_jk/∂W_ij = a_ik    ∂f_jk/∂a_ik = W_ij    ∂f_jk/∂b_j0 = 1
out_in    f = W a + b, W (fan_out, fan_in)    ∂f_jk/∂W_ji = a_ik    ∂f_jk/∂a_ik = W_ji    ∂f_jk/∂b_j0 = 1
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from engine.autodiff.array_memory import ScratchMemory
from engine.autodiff.graph import Array, Columns, Entries, Node, Op
from engine.formula.expression import Entry, Expr, Number, Sum, Values

WEIGHT, ACTIVATION, BIAS = range(3)


class Linear(Op):
    """A layer's weighted sums: f (fan_out, n) from W, a (fan_in, n) and, where the layer has one, b (fan_out, 1).

    W is (fan_in, fan_out), or (fan_out, fan_in) where the op is `out_in`.
    """

    def __init__(self, inputs: Sequence[Node], output: Node, out_in: bool = False) -> None:
        super().__init__(inputs, output)
        self.out_in = out_in

    @property
    def weights(self) -> Array:
        """The weights as (fan_in, fan_out), whichever way they are written."""
        weight = self.inputs[WEIGHT].value
        return weight.T if self.out_in else weight

    def place(self, i: int, j: int) -> Entry:
        """The place in W of the weight that leads from input i to unit j."""
        return (j, i) if self.out_in else (i, j)

    def _weight(self, i: int, j: int) -> Expr:
        return self.inputs[WEIGHT].entry(self.place(i, j))

    @override
    def prepare(self, scratch: ScratchMemory) -> None:
        """Binds the transposed views that BLAS reads without copying."""
        weight = self.inputs[WEIGHT].value
        # To the sums, and back from them.
        self._onwards, self._back = (weight, weight.T) if self.out_in else (weight.T, weight)
        self._scratch = [
            scratch.like(node.value) if add else None
            for node, add in zip(self.inputs, self.accumulates, strict=True)
        ]

    @override
    def forward(self) -> None:
        """f = Wᵀa + b."""
        output = self.output.value
        np.dot(self._onwards, self.inputs[ACTIVATION].value, out=output)
        if len(self.inputs) > BIAS:
            np.add(output, self.inputs[BIAS].value, out=output)

    @override
    def backward(self) -> None:
        """∂ℰ/∂W = a (∂ℰ/∂f)ᵀ, ∂ℰ/∂a = W ∂ℰ/∂f, ∂ℰ/∂b = the sum of ∂ℰ/∂f over the samples; turned with out_in."""
        activation, gradient = self.inputs[ACTIVATION].value, self.output.grad
        if self.needs_grad[WEIGHT] and self.out_in:
            self._send_product(WEIGHT, gradient, activation.T)
        elif self.needs_grad[WEIGHT]:
            self._send_product(WEIGHT, activation, gradient.T)
        if self.needs_grad[ACTIVATION]:
            self._send_product(ACTIVATION, self._back, gradient)
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
        activation = self.inputs[ACTIVATION]
        terms: list[Expr] = [
            self._weight(i, j) * activation.entry((i, k)) for i in range(activation.shape[0])
        ]
        if len(self.inputs) > BIAS:
            terms.append(self.inputs[BIAS].entry((j, 0)))
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))

    @override
    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        """A weight reaches its unit in every sample; an activation every unit of its sample; a bias as a weight."""
        activation = self.inputs[ACTIVATION]
        fan_out, n = self.output.shape
        if i == WEIGHT:
            below, unit = self.place(*entry)
            return (((unit, k), activation.entry((below, k))) for k in range(n))
        row, column = entry
        if i == ACTIVATION:
            return (((j, column), self._weight(row, j)) for j in range(fan_out))
        return (((row, k), Number(1.0)) for k in range(n))

    @override
    def local_at(self, i: int, entry: Entry, output_entry: Entry) -> Expr:
        """The local derivative between two entries: the sample's activation, the unit's weight, or 1."""
        unit, sample = output_entry
        if i == WEIGHT:
            return self.inputs[ACTIVATION].entry((self.place(*entry)[0], sample))
        return self._weight(entry[0], unit) if i == ACTIVATION else Number(1.0)

    @override
    def local_values(self, i: int, entry: Entry, values: Values) -> tuple[Entries, Array]:
        """The local derivatives as numbers: activations for a weight, weights for an activation, ones for b."""
        fan_out, n = self.output.shape
        row, column = entry
        if i == ACTIVATION:
            return (np.arange(fan_out), np.full(fan_out, column)), self.weights[row]
        if i == WEIGHT:
            below, unit = self.place(row, column)
            return (np.full(n, unit), np.arange(n)), self.inputs[ACTIVATION].value[below]
        return (np.full(n, row), np.arange(n)), np.ones(n)

    @override
    def fan_out(self, i: int) -> int:
        """How many entries of f one entry reaches: fan_out units for an activation, n samples for W or b."""
        fan_out, n = self.output.shape
        return fan_out if i == ACTIVATION else n

    @override
    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        """For an activation max over j of log|W_ij| + beyond_jk; for weight and bias the best sample."""
        if i == ACTIVATION:
            return _max_plus(_log_magnitudes(self.weights), beyond)
        if i == WEIGHT:
            activation = self.inputs[ACTIVATION].value[:, columns]
            best = _max_plus(_log_magnitudes(activation), beyond.T)
            return best.T if self.out_in else best
        strongest: Array = beyond.max(axis=1, keepdims=True)
        return strongest

    @override
    def strongest_entry(self, i: int, entry: Entry, beyond: Array, columns: Columns) -> Entry | None:
        """The entry of f with the strongest path upwards: of an activation the best unit of its sample."""
        if i != ACTIVATION:
            return None
        row, column = entry
        totals = _log_magnitudes(self.weights[row]) + beyond[:, column - (columns.start or 0)]
        unit = int(totals.argmax())
        if totals[unit] != totals[unit]:
            unit = int(np.fmax(totals, -np.inf).argmax())  # NaN counts as -inf
        return unit, column

    @override
    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        if i == WEIGHT:
            return "the activation below" if self.inputs[ACTIVATION].op else "the input"
        return "weight on the way" if i == ACTIVATION else "the bias enters as it is"

    @override
    def remark(self, i: int, entry: Entry, output_entry: Entry) -> str | None:
        """The remark on an input or a weight that is 0: it passes nothing back."""
        unit, sample = output_entry
        if i == WEIGHT and self.inputs[ACTIVATION].value[self.place(*entry)[0], sample] == 0:
            return "zero input: this weight gets no gradient from this sample"
        if i == ACTIVATION and self.weights[entry[0], unit] == 0:
            return "zero weight: nothing passes back through it"
        return None


def _log_magnitudes(factors: Array) -> Array:
    """log|factor|, in an array of its own."""
    logs = np.abs(factors)
    return np.asarray(np.log(logs, out=logs))


@cache
def _places(count: int) -> npt.NDArray[np.intp]:
    """0, 1, … below `count`: layers of one width ask for the same again and again."""
    places = np.arange(count)
    places.setflags(write=False)
    return places


def _max_plus(left: Array, right: Array) -> Array:
    """The (max, +) product: result_ik = max over j of left_ij + right_jk. `left` (p, q) is used up, right (q, r)."""
    if right.shape[1] == 1:
        sums = np.add(left, right.T, out=left if left.dtype == right.dtype else None)
        # Along a row NumPy finds where the largest stands several times faster than it finds the largest.
        best: Array = sums[_places(len(sums)), sums.argmax(axis=1)]
        return best[:, None]
    result = np.empty((left.shape[0], right.shape[1]), dtype=np.result_type(left, right))
    for row, sums in enumerate(left):
        (sums[:, None] + right).max(axis=0, out=result[row])
    return result
