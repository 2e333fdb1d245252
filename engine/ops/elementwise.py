"""Applies one function to every entry of a matrix: a = g(f).

    ∂a_ik/∂f_ik = g'(f_ik)        and 0 between different entries

The function is a `Rule`: its value and derivative as in-place kernels, and the same two as formulas. A
property test holds the four together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from engine.expression import Entry, Expr
from engine.graph import Array, Columns, Node, Op, Scratch

FormulaOf = Callable[[Expr], Expr]


def _nothing_notable(x: float) -> str | None:
    return None


@dataclass(frozen=True)
class Rule:
    """A differentiable function of one number, known four ways.

    `value(x, out)` and `derivative(x, y, out)` are kernels that write into `out` (y is the value at x);
    `formula` and `derivative_formula` say the same in symbols. `remark` describes what is notable at an x.
    `kinks` are the points where the derivative jumps: there a central difference has no single answer.
    """

    name: str
    value: Callable[[Array, Array], object]
    derivative: Callable[[Array, Array, Array], object]
    formula: FormulaOf
    derivative_formula: FormulaOf
    remark: Callable[[float], str | None] = field(default=_nothing_notable)
    kinks: tuple[float, ...] = ()


class Elementwise(Op):
    """output = rule(input), same shape. Assign `rule` to change, say, a leaky ReLU's slope while training."""

    def __init__(self, rule: Rule, node: Node, output: Node) -> None:
        super().__init__((node,), output)
        self.rule = rule

    def prepare(self, scratch: Scratch) -> None:
        """Takes a working array where the gradient must be added to another's."""
        self._scratch = scratch.like(self.output.value) if self.adds[0] else None

    def forward(self) -> None:
        """a = g(f)."""
        self.rule.value(self.inputs[0].value, self.output.value)

    def backward(self) -> None:
        """∂ℰ/∂f = g'(f) ∂ℰ/∂a."""
        if not self.sends[0]:
            return
        (node,) = self.inputs
        target = node.grad if self._scratch is None else self._scratch
        self.rule.derivative(node.value, self.output.value, target)
        np.multiply(target, self.output.grad, out=target)
        if self._scratch is not None:
            np.add(node.grad, target, out=node.grad)

    def formula(self, entry: Entry) -> Expr:
        """g of the entry."""
        return self.rule.formula(self.inputs[0].entry(entry))

    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        """Each entry reaches its own output entry only."""
        return ((entry, self.rule.derivative_formula(self.inputs[0].entry(entry))),)

    def reach(self, i: int) -> int:
        """One."""
        return 1

    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        """log|g'(f)| + beyond."""
        x, y = self.inputs[0].value[:, columns], self.output.value[:, columns]
        magnitude = np.empty_like(x)
        self.rule.derivative(x, y, magnitude)
        np.log(np.abs(magnitude, out=magnitude), out=magnitude)
        result: Array = np.add(magnitude, beyond, out=magnitude)
        return result

    def remark(self, i: int, entry: Entry, output_entry: Entry) -> str | None:
        """What the rule finds notable at this entry's value."""
        return self.rule.remark(float(self.inputs[0].value[entry]))
