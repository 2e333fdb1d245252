"""Entries of the graph, and the edges between them: what an entry is made of, and the local derivative along each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from engine.autodiff.graph import Node, Op
from engine.formula.expression import Entry, Expr, Symbol

Indices = npt.NDArray[np.intp]


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


@dataclass(frozen=True)  # without slots: the formula is made when it is looked at
class Edge:
    """One edge of the graph of scalars, from the entry `below` to the output `above`, with its local derivative."""

    op: Op
    i: int
    below: EntryRef
    above: EntryRef

    @cached_property
    def formula(self) -> Expr:
        """∂above/∂below."""
        return self.op.local_at(self.i, self.below.entry, self.above.entry)


def edges_from(ref: EntryRef) -> Iterator[Edge]:
    """Every edge from an entry towards the loss, consumer by consumer."""
    for op, i in ref.node.consumers:
        for entry, formula in op.local(i, ref.entry):
            edge = Edge(op, i, ref, EntryRef(op.output, entry))
            edge.__dict__["formula"] = formula  # it is at hand
            yield edge
