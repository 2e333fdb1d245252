"""The largest curvature of the loss: how long a step may be before gradient descent climbs out of the valley.

    v ──> H v ≈ (∇ℰ(θ + ε v) - ∇ℰ(θ - ε v)) / 2ε ──> Lanczos ──> λ, the largest eigenvalue of H      stable: η < 2/λ

Along the eigenvector of λ the loss is ½ λ x², and a step takes x to (1 - ηλ) x: it grows once ηλ > 2 (with momentum β
once ηλ > 2(1 + β): Polyak 1964). Lanczos' three-term recurrence loses orthogonality in floating-point numbers; every
new vector is therefore made orthogonal to all before it, twice (Golub & Van Loan, 4th edition, section 10.3); where
they are so long that not all fit, to the last ones: then some eigenvalues come twice, and the
largest is right (Paige 1980).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from engine.diagnosis.diagnosed_run import OwnRun
from engine.experiment.optimizer_specs import MomentumTraining, SgdTraining

Floats = npt.NDArray[np.float64]

MOST_PRODUCTS = 30
"""Hessian products at most: each takes two gradients over all data."""

BASIS_BYTES, FEWEST_VECTORS = 256 * 2**20, 2
"""So much memory the vectors take that a new one is made orthogonal to; the recurrence itself needs two of them."""

DIFFERENCE = 1e-5
"""The step of the central difference, times max(1, ‖θ‖)."""


def largest_eigenvalue(
    gradient: Callable[[Floats], Floats], point: Floats, products: int = MOST_PRODUCTS
) -> float:
    """The largest algebraic eigenvalue λ of the Hessian at `point` (parameters,); NaN where numbers overflow."""
    epsilon = DIFFERENCE * max(1.0, float(np.linalg.norm(point)))
    vector = np.random.default_rng(0).standard_normal(point.size)
    vector /= np.linalg.norm(vector)
    kept = max(BASIS_BYTES // point.nbytes, FEWEST_VECTORS)
    basis: list[Floats] = []
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(min(products, point.size)):
        basis.append(vector)
        del basis[:-kept]
        with np.errstate(all="ignore"):
            product = gradient(point + epsilon * vector)
            product -= gradient(point - epsilon * vector)
            product /= 2 * epsilon
        if not np.isfinite(product).all():
            return math.nan
        diagonal.append(float(vector @ product))
        for _ in range(2):
            for other in basis:
                product -= (other @ product) * other
        length = float(np.linalg.norm(product))
        if length <= 1e-9 * max(map(abs, diagonal)):
            break  # the Krylov space is exhausted: the eigenvalue is exact
        beside.append(length)
        product /= length
        vector = product
    size = len(diagonal)
    tridiagonal = np.diag(diagonal) + np.diag(beside[: size - 1], 1) + np.diag(beside[: size - 1], -1)
    return float(np.linalg.eigvalsh(tridiagonal)[-1])


def momentum(own: OwnRun) -> float | None:
    """The momentum β of the optimiser, 0 for plain descent; None for those whose step is not along the gradient."""
    match own.experiment.train:
        case SgdTraining():
            return 0.0
        case MomentumTraining(momentum=beta):
            return beta
        case _:
            return None
