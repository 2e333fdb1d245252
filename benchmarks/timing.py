"""Timing several ways of doing the same work fairly: in turns, many times, and by the median.

In turns, because a shared machine is sometimes slow for seconds on end: every contestant then has its share of it.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping

Step = Callable[[], object]


def set_threads(count: int) -> None:
    """Holds every library to so many threads; to be called before any of them is imported."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(count)
    if hasattr(os, "sched_setaffinity"):  # so that none can use more
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def in_turns(steps: Mapping[str, Step], seconds: float, threads: int) -> dict[str, float]:
    """The median time of one call of each, in seconds, from rounds that together take about `seconds` each.

    With one thread it is processor time, which other programs on the machine do not add to; otherwise wall time.
    """
    clock = time.process_time if threads == 1 else time.perf_counter
    rounds = 15
    calls = {name: _calls_in(step, seconds / rounds, clock) for name, step in steps.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            begin = clock()
            for _ in range(calls[name]):
                step()
            times[name].append((clock() - begin) / calls[name])
    return {name: statistics.median(found) for name, found in times.items()}


def _calls_in(step: Step, seconds: float, clock: Callable[[], float]) -> int:
    for _ in range(3):  # the first calls compile, allocate and fill caches
        step()
    begin, count = clock(), 0
    while clock() - begin < seconds:
        step()
        count += 1
    return max(count, 2)
