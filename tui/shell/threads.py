"""How many threads matrix products get: one, unless they are large enough that more are faster.

    bptui train   ── all cores ───────────────┐
                                              ├── from LARGE_PRODUCT on, otherwise one
    bptui open    ── all but the screen's ────┘

Handing a small product to several threads costs more than it gains. What the user has set in the environment stands.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

NAMES = (
    "OPENBLAS_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
)
"""By which variables a user tells one or the other library how many threads to take."""

LARGE_PRODUCT = 2e7
"""Floating-point operations from which a second thread pays (`python -m benchmarks.threads`): 784×256 by 256×128 has
51 million and gains a quarter, 64×64 by 64×256 has 2 million and gains nothing."""


class Threads:
    """Whether this program may choose, and what it chooses."""

    def __init__(self) -> None:
        self.ours_to_choose = False
        self._given = 1

    def begin_with_one(self) -> None:
        """To be called before NumPy is imported: one thread, unless the user has said how many."""
        if not any(name in os.environ for name in NAMES):
            os.environ["OPENBLAS_NUM_THREADS"] = "1"
            self.ours_to_choose = True

    def give(self, product: float, *, spare: int = 0) -> int | None:
        """Gives matrix products as many threads as fit the largest, and says how many; None where the user chose.

        `product` is its number of floating-point operations; `spare` cores are left to others.
        """
        if not self.ours_to_choose:
            return None
        count = max(cores() - spare, 1) if product >= LARGE_PRODUCT else 1
        if count != self._given:
            from threadpoolctl import threadpool_limits

            threadpool_limits(count, user_api="blas")
            self._given = count
        return count

    @contextmanager
    def for_product(self, product: float) -> Iterator[None]:
        """All cores where that pays, and one again afterwards."""
        given = self.give(product) if product >= LARGE_PRODUCT else None
        try:
            yield
        finally:
            if given is not None:
                self.give(0.0)


threads = Threads()
"""There is one pool of threads in a program, and so one that chooses."""


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
