"""The rigorous route through a batch (tutorial A3): a row of gradients times the Jacobian over the samples.

    [∂ℰ/∂Ŷ_00 … ∂ℰ/∂Ŷ_0,n-1] · [∂Ŷ_i/∂f_j] = [∂ℰ/∂f_00 … ∂ℰ/∂f_0,n-1]
             1×n                    n×n                   1×n

Where every sample is computed on its own the Jacobian is diagonal; batch normalisation couples the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.expression import Symbol
from engine.graph import Array, Graph
from engine.paths import Link


@dataclass(frozen=True, slots=True)
class SampleJacobian:
    """The Jacobian between one row of a node and one row of what is computed from it, over some of the samples.

    `matrix[i, j]` is ∂above_i/∂below_j for samples[i] and samples[j]. `left` is the row ∂ℰ/∂above, `product` the
    row `left · matrix` and `gradient` the row ∂ℰ/∂below that the backward pass found, all over all n samples.
    """

    above: Symbol
    below: Symbol
    above_row: int
    below_row: int
    samples: tuple[int, ...]
    matrix: Array
    left: Array
    product: Array
    gradient: Array
    diagonal: bool

    @property
    def agrees(self) -> bool:
        """Whether the product is the whole gradient: it is where nothing else feeds on this row."""
        return bool(
            np.allclose(
                self.product, self.gradient, rtol=1e-9, atol=1e-12 * np.abs(self.gradient).max(initial=0.0)
            )
        )


def sample_jacobian(graph: Graph, link: Link, samples: Sequence[int]) -> SampleJacobian | None:
    """The Jacobian of a link's output row by its input row; None where either side has no column per sample."""
    below, above = link.below.node, link.above.node
    if not (below.per_sample and above.per_sample):
        return None
    row_in, row_out = link.below.entry[0], link.above.entry[0]
    place = {sample: position for position, sample in enumerate(samples)}
    matrix = np.zeros((len(samples), len(samples)))
    left = above.grad[row_out].astype(np.float64)
    product = np.zeros(graph.n)
    diagonal = True
    for column in range(graph.n):
        (rows, columns), values = link.op.local_values(link.i, (row_in, column), graph.value_of)
        for row, reached, value in zip(rows.tolist(), columns.tolist(), values.tolist(), strict=True):
            if row != row_out:
                continue
            product[column] += left[reached] * value
            diagonal = diagonal and reached == column
            if reached in place and column in place:
                matrix[place[reached], place[column]] = value
    gradient = below.grad[row_in].astype(np.float64)
    return SampleJacobian(
        above.symbol, below.symbol, row_out, row_in, tuple(samples), matrix, left, product, gradient, diagonal
    )
