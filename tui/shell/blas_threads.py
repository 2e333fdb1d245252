"""How many threads matrix products get: one, unless they are large enough that more are faster.

    bptui train   ── all cores ───────────────┐
                                              ├── from LARGE_PRODUCT on, otherwise one
    bptui open    ── all but the screen's ────┘

Handing a small product to several threads costs more than it gains. Where the cores are busy with something else it
always does: the threads wait for each other, and a step takes seven times as long (measured with ten programs on two
cores). So a training tries both and goes on with the faster. What the user has set in the environment stands.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
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


TRIED_STEPS, ROUNDS = 3, 2
"""So many steps are timed with each number of threads, after one that only warms up; and all of that so often."""

CLEARLY = 0.9
"""More threads have to be faster by so much."""

AGAIN_SECONDS, AGAIN_TRIALS = 20.0, 50.0
"""The next trial comes after so long, or after so many times what the last one took: it costs 2 % at most."""


class ThreadPace:
    """Finds out with how many threads steps are fastest: a few with each in turns, and again from time to time.

    1 1 1 1  2 2 2 2  1 1 1 1  2 2 2 2  ── the faster ───────────────  1 1 1 1  2 2 2 2 …
    """

    def __init__(
        self,
        use: Callable[[int], object],
        counts: Sequence[int],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`counts` are the numbers of threads to choose from, the fewest first."""
        self._use, self._counts, self._clock = use, counts, clock
        self._last = clock()
        self._again = 0.0
        self._begin()

    def _begin(self) -> None:
        self._plan = [count for _ in range(ROUNDS) for count in self._counts for _ in range(1 + TRIED_STEPS)]
        self._took = dict.fromkeys(self._counts, 0.0)
        self._place, self._began = 0, self._last
        self._set(self._plan[0])

    def _set(self, count: int) -> None:
        self.count = count
        self._use(count)

    def stepped(self) -> None:
        """Takes note of a step, after which another number of threads may be tried."""
        now = self._clock()
        took, self._last = now - self._last, now
        if self._place == len(self._plan):
            if now >= self._again:
                self._begin()
            return
        if self._place % (1 + TRIED_STEPS):
            self._took[self.count] += took
        self._place += 1
        if self._place < len(self._plan):
            self._set(self._plan[self._place])
            return
        fewest, *more = self._counts
        best = min(more, key=self._took.__getitem__)
        self._set(best if self._took[best] < CLEARLY * self._took[fewest] else fewest)
        self._again = now + max(AGAIN_SECONDS, AGAIN_TRIALS * (now - self._began))


class Threads:
    """How many threads BLAS takes for matrix products, and whether this program may choose."""

    def __init__(self) -> None:
        self.ours_to_choose = False
        self._given = 1

    def begin_with_one(self) -> None:
        """Has BLAS begin with one thread, unless the user has said how many; to be called before NumPy is imported."""
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
        self.set(count)
        return count

    def set(self, count: int) -> None:
        """Sets the number of threads of BLAS."""
        if count != self._given:
            from threadpoolctl import threadpool_limits

            threadpool_limits(count, user_api="blas")
            self._given = count

    def pace(self, product: float) -> ThreadPace | None:
        """The measurement of how many threads are fastest, where there is something to choose."""
        if not self.ours_to_choose or product < LARGE_PRODUCT or cores() == 1:
            return None
        return ThreadPace(self.set, (1, cores()))

    @contextmanager
    def for_product(self, product: float) -> Iterator[None]:
        """A context in which BLAS has all cores where that pays, and one thread again afterwards."""
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
