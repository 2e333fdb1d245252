"""One scalar entry of one node of the graph."""

from __future__ import annotations

from dataclasses import dataclass

from engine.autodiff.graph import Node
from engine.formula.expression import Entry, Symbol


@dataclass(frozen=True, slots=True)
class EntryRef:
    """One scalar entry of one node."""

    node: Node
    entry: Entry

    @property
    def symbol(self) -> Symbol:
        """The entry's name, such as f[2][0,0]."""
        return self.node.entry(self.entry)

    @property
    def value(self) -> float:
        """The entry's value in the last forward pass."""
        return float(self.node.value[self.entry])

    @property
    def gradient(self) -> float:
        """The gradient ∂ℰ/∂entry of the last backward pass."""
        return float(self.node.grad[self.entry])
