"""The rigorous route through a batch (tutorial A3): a row of gradients times the Jacobian over the samples.

    [∂ℰ/∂Ŷ_00 … ∂ℰ/∂Ŷ_0,n-1] · [∂Ŷ_i/∂f_j] = [∂ℰ/∂f_00 … ∂ℰ/∂f_0,n-1]
             1×n                    n×n                   1×n

Where every sample is computed on its own the Jacobian is diagonal; batch normalisation couples the samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.autodiff.graph import Array, Entries, Graph
from engine.derivation.edges import Edge
from engine.formula.expression import Entry, Symbol

TOLERANCE, SINGLE_TOLERANCE = 1e-9, 1e-4
"""How far two ways of computing a row may be apart, relative to what was added up for it: float64, float32."""

MOST_COLUMNS = 2000
"""With more samples than this only the columns of those that are shown are made: a column takes 50 µs and more."""


@dataclass(frozen=True, slots=True)
class SampleJacobian:
    """The Jacobian over the samples between one row of a node and one row of what is computed from it.

    `matrix[i, j]` is ∂above_i/∂below_j for samples[i] and samples[j]. `left` is the row ∂ℰ/∂above over all n samples,
    `product` the row `left · matrix` and `gradient` the row ∂ℰ/∂below that the backward pass found, both over
    `columns`: all samples, or with more than MOST_COLUMNS of them those in `samples`.
    `rounding` is how far apart rounding may put those two: batch norm adds up numbers that nearly cancel, and the
    derivative of a saturated tanh is what is left when they do.
    """

    above: Symbol
    below: Symbol
    above_row: int
    below_row: int
    samples: tuple[int, ...]
    columns: Sequence[int]
    matrix: Array
    left: Array
    product: Array
    gradient: Array
    diagonal: bool
    rounding: float

    @property
    def agrees(self) -> bool:
        """Whether the Jacobian's product is the whole gradient, in `columns`: where nothing else feeds on the row."""
        leeway = self.rounding if np.isfinite(self.rounding) else 0.0  # what has overflowed leaves no room
        return bool(np.allclose(self.product, self.gradient, rtol=0.0, atol=leeway))


@np.errstate(all="ignore")  # what overflows is shown, not warned of
def sample_jacobian(graph: Graph, edge: Edge, samples: Sequence[int]) -> SampleJacobian | None:
    """The Jacobian of an edge's output row by its input row; None where either side has no column per sample."""
    below, above = edge.below.node, edge.above.node
    if not (below.per_sample and above.per_sample):
        return None
    row_in, row_out = edge.below.entry[0], edge.above.entry[0]
    place = {sample: position for position, sample in enumerate(samples)}
    matrix = np.zeros((len(samples), len(samples)))
    left = above.grad[row_out].astype(np.float64)
    columns = range(graph.n) if graph.n <= MOST_COLUMNS else list(samples)
    product, size = np.zeros(len(columns)), np.zeros(len(columns))
    diagonal = True
    for number, column in enumerate(columns):
        for (rows, reaching), values in _routes(graph, edge, (row_in, column)):
            reached, locals_ = reaching[rows == row_out], values[rows == row_out]
            product[number] += float(left[reached] @ locals_)
            size[number] += float(np.abs(left[reached]) @ np.abs(locals_))
            diagonal = diagonal and bool((reached == column).all())
            if column in place:
                for sample, value in zip(reached.tolist(), locals_.tolist(), strict=True):
                    if sample in place:
                        matrix[place[sample], place[column]] += value
    tolerance = TOLERANCE if below.grad.dtype == np.float64 else SINGLE_TOLERANCE
    # A derivative may itself be a difference of numbers about 1, as 1 - tanh² where tanh is saturated.
    cancelled = 4.0 * float(np.finfo(below.grad.dtype).eps) * float(np.abs(left).max())
    return SampleJacobian(
        above=above.symbol,
        below=below.symbol,
        above_row=row_out,
        below_row=row_in,
        samples=tuple(samples),
        columns=columns,
        matrix=matrix,
        left=left,
        product=product,
        gradient=below.grad[row_in, columns].astype(np.float64),
        diagonal=diagonal,
        rounding=tolerance * float(size.max()) + cancelled,
    )


def _routes(graph: Graph, edge: Edge, entry: Entry) -> Iterator[tuple[Entries, Array]]:
    """How one entry of an edge's input reaches its output: by the edge, and by way of what all samples share.

    Batch norm has three such routes: f to h itself, through the mean and through the std.
    """
    yield edge.op.local_values(edge.i, entry, graph.value_of)
    for op, i in edge.below.node.consumers:
        if op.output.per_sample:
            continue
        for later, j in op.output.consumers:
            if later is edge.op:
                (rows, columns), inner = op.local_values(i, entry, graph.value_of)
                for row, column, value in zip(rows.tolist(), columns.tolist(), inner.tolist(), strict=True):
                    reached, outer = later.local_values(j, (row, column), graph.value_of)
                    yield reached, outer * value
