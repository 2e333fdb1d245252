"""Entries of the graph, and the edges between them: what an entry is made of, and the local derivative along each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from engine.autodiff.graph import Op
from engine.derivation.entry_ref import EntryRef
from engine.formula.expression import Expr

Indices = npt.NDArray[np.intp]


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
