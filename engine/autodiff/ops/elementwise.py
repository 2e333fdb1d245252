"""Applies one function to every entry of a matrix: a = g(f).

    ∂a_ik/∂f_ik = g'(f_ik)        and 0 between different entries

The function is a `ScalarFunction`: its value and derivative as in-place kernels, and the same two as formulas. A
property test holds the four together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from typing_extensions import override

from engine.autodiff.array_memory import ScratchMemory, in_blocks
from engine.autodiff.graph import Array, Columns, Node, Op
from engine.formula.expression import Entry, Expr

FormulaOf = Callable[[Expr], Expr]


def _nothing_notable(x: float) -> str | None:
    return None


@dataclass(frozen=True)
class ScalarFunction:
    """A differentiable function of one number: its kernels, its formula, its derivative and words for it.

    `value(x, out)` and `derivative(x, y, out)` are kernels that write into `out` (y is the value at x);
    `formula` and `derivative_formula` say the same in symbols. `remark` describes what is notable at an x.
    `kinks` are the points where the derivative jumps: there a central difference has no single answer.
    `in_place` says that `value` may write over x, and that `derivative` then needs nothing but y.
    """

    name: str
    value: Callable[[Array, Array], object]
    derivative: Callable[[Array, Array, Array], object]
    formula: FormulaOf
    derivative_formula: FormulaOf
    remark: Callable[[float], str | None] = field(default=_nothing_notable)
    kinks: tuple[float, ...] = ()
    in_place: bool = False

    def in_words(self, slope: float) -> str:
        """A derivative of this value, in a few words: ``slope of tanh``."""
        return f"slope of {self.name}"


class Elementwise(Op):
    """An activation, entry by entry: output = function(input), same shape.

    Assign `function` to change a leaky ReLU's slope while training.
    """

    def __init__(self, function: ScalarFunction, node: Node, output: Node) -> None:
        super().__init__((node,), output)
        self.function = function

    @property
    @override
    def overwrites(self) -> bool:
        """Whether the output may be written over the input: the function allows it and no loss reads the input."""
        return self.function.in_place and not self.fused

    @property
    @override
    def overwrites_gradient(self) -> bool:
        """Whether the input's gradient may be written over the output's: always, since each entry stands alone."""
        return not self.fused

    @override
    def prepare(self, scratch: ScratchMemory) -> None:
        """Cuts all arrays into blocks; takes a working array for one block's derivatives."""
        (node,) = self.inputs
        self._blocks: list[tuple[Array, ...]] = []
        if not self.needs_grad[0]:
            return
        whole = (node.value, self.output.value, self.output.grad, node.grad)
        if all(one.flags.c_contiguous for one in whole):
            # One block after the other, so that what one call wrote is still near in the next.
            blocks = zip(*(in_blocks(one.reshape(-1)) for one in whole), strict=True)
        else:
            blocks = zip(*([one] for one in whole), strict=True)
        self._blocks = [(*arrays, scratch.like(arrays[0])) for arrays in blocks]

    @override
    def forward(self) -> None:
        """a = g(f)."""
        self.function.value(self.inputs[0].value, self.output.value)

    @override
    def backward(self) -> None:
        """∂ℰ/∂f = g'(f) ∂ℰ/∂a."""
        accumulates, derivative = self.accumulates[0], self.function.derivative
        for x, y, arriving, target, slope in self._blocks:
            derivative(x, y, slope)
            if accumulates:
                np.multiply(slope, arriving, out=slope)
                np.add(target, slope, out=target)
            else:
                np.multiply(slope, arriving, out=target)

    def slopes(self) -> Array:
        """The derivative g'(f) at every entry of the last forward pass, in an array of its own."""
        found = np.empty_like(self.output.value)
        self.function.derivative(self.inputs[0].value, self.output.value, found)
        return found

    @override
    def formula(self, entry: Entry) -> Expr:
        """g of the entry."""
        return self.function.formula(self.inputs[0].entry(entry))

    @override
    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        """Each entry reaches its own output entry only."""
        return ((entry, self.function.derivative_formula(self.inputs[0].entry(entry))),)

    @override
    def only_entry(self, i: int, entry: Entry) -> Entry:
        return entry

    @override
    def fan_out(self, i: int) -> int:
        return 1

    @override
    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        """log|g'(f)| + beyond."""
        x, y = self.inputs[0].value[:, columns], self.output.value[:, columns]
        magnitude = np.empty_like(x)
        self.function.derivative(x, y, magnitude)
        np.log(np.abs(magnitude, out=magnitude), out=magnitude)
        result: Array = np.add(magnitude, beyond, out=magnitude)
        return result

    @override
    def kinks(self) -> list[tuple[Node, Array]]:
        (node,) = self.inputs
        return [(node, np.full_like(node.value, kink)) for kink in self.function.kinks]

    @override
    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        """The slope at this entry's value, in a few words."""
        slope = np.empty((1, 1), self.output.value.dtype)
        row, column = entry
        here = slice(row, row + 1), slice(column, column + 1)
        with np.errstate(all="ignore"):
            self.function.derivative(self.inputs[0].value[here], self.output.value[here], slope)
        return self.function.in_words(float(slope[0, 0]))

    @override
    def remark(self, i: int, entry: Entry, output_entry: Entry) -> str | None:
        """The remark on this entry's value: that the unit is off, or saturated."""
        return self.function.remark(float(self.inputs[0].value[entry]))
