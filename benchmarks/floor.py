"""The floor: nothing but the matrix products that a step cannot do without, in NumPy, into arrays made once.

f = Wᵀa, ∂ℰ/∂W = a δᵀ and, but for the first layer, ∂ℰ/∂a = W δ; no activation, no loss, no update.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.cases import Case


def floor(case: Case) -> Callable[[], object]:
    generator = np.random.default_rng(0)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return generator.standard_normal((rows, columns)).astype(case.dtype)

    products = []
    for number, (fan_in, fan_out) in enumerate(zip(case.widths, case.widths[1:], strict=False)):
        weights, below, delta = matrix(fan_in, fan_out), matrix(fan_in, case.n), matrix(fan_out, case.n)
        products.append((weights.T, below, matrix(fan_out, case.n)))
        products.append((below, delta.T, matrix(fan_in, fan_out)))
        if number > 0:
            products.append((weights, delta, matrix(fan_in, case.n)))

    def step() -> None:
        for left, right, out in products:
            np.dot(left, right, out=out)

    return step
