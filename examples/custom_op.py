"""An operation of one's own: how it computes, how it sends gradients back, what its local derivative is.

    x ── SmoothStep ── E = x²(3 − 2x)

Those three parts are all it takes: derivation, formulas, LaTeX and the gradient check read them.

    python examples/custom_op.py
"""

from collections.abc import Iterable

import numpy as np

from engine import Graph, Op, Symbol, explain, written_text
from engine.autodiff.graph import Array, Columns
from engine.derivation.chain_rule import find_target
from engine.derivation.gradcheck import check_entry
from engine.formula.expression import Entry, Expr


class SmoothStep(Op):
    """x²(3 − 2x), entry by entry: 0 at 0, 1 at 1, flat at both ends."""

    def forward(self) -> None:
        x = self.inputs[0].value
        np.copyto(self.output.value, x * x * (3.0 - 2.0 * x))

    def backward(self) -> None:
        node = self.inputs[0]
        sent = 6.0 * node.value * (1.0 - node.value) * self.output.grad
        np.copyto(node.grad, node.grad + sent if self.accumulates[0] else sent)

    def formula(self, entry: Entry) -> Expr:
        x = self.inputs[0].entry(entry)
        return x**2 * (3 - 2 * x)

    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        x = self.inputs[0].entry(entry)
        return ((entry, 6 * x * (1 - x)),)

    def fan_out(self, i: int) -> int:
        return 1

    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        x = self.inputs[0].value[:, columns]
        with np.errstate(divide="ignore"):
            return np.log(np.abs(6.0 * x * (1.0 - x))) + beyond


graph = Graph(1, np.dtype("float64"))
x = graph.leaf(Symbol("x"), np.array([[0.3]]), scalar=True)
once = graph.add(SmoothStep([x], graph.result(Symbol("s"), (1, 1), [x], per_sample=False, scalar=True)))
graph.add(SmoothStep([once], graph.result(Symbol("E"), (1, 1), [once], per_sample=False, scalar=True)))
graph.finish()
graph.forward()
graph.backward()

check = check_entry(graph, find_target(graph, Symbol("x")))
print(written_text(explain(graph, Symbol("x")), "The smooth step of a smooth step", check))
print(f"gradient {check.analytic:.10f}, central difference {check.numeric:.10f}: {check.verdict}")
