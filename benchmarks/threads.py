"""One thread or all cores, by the size of the products: a training step, and the bare matrix products beside it.

    python -m benchmarks.threads [--seconds 1] [--only TEXT]

Everything in turns, wall time, medians; "chosen" is what `bptui train` does (`tui.shell.blas_threads`). Markdown.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from benchmarks.timing import in_turns
from benchmarks.training import in_words


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each contestant in each case")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    options = parser.parse_args()

    from tui.shell.blas_threads import ROUNDS, TRIED_STEPS, cores, threads

    threads.begin_with_one()  # before NumPy is imported, as the command does
    if not threads.ours_to_choose:
        raise SystemExit(
            "a number of threads is set in the environment: unset it, or there is nothing to compare"
        )

    from threadpoolctl import threadpool_limits

    from benchmarks.cases import CASES
    from benchmarks.floor import floor
    from engine.training.trainer import Trainer

    def with_threads(count: int, step: Callable[[], object], steps: int) -> Callable[[], object]:
        def run() -> None:
            threadpool_limits(count, user_api="blas")
            for _ in range(steps):  # what changing the number of threads costs is not to be seen
                step()

        return run

    every = cores()
    print(
        f"| one step | largest product | step, 1 thread | step, {every} | products, 1 | products, {every} | chosen "
        "| chosen / products | chosen / 1 thread |"
    )
    print("|---" * 9 + "|")
    for case in CASES:
        if options.only not in case.name:
            continue
        trainer, products = Trainer(case.experiment()), floor(case)
        trainer.limit = None
        steps = _steps_in(CALL_SECONDS, trainer.step)
        times = in_turns(
            {
                f"{name} {count}": with_threads(count, step, steps)
                for name, step in (("step", trainer.step), ("products", products))
                for count in (1, every)
            },
            options.seconds,
            every,
        )
        times = {name: seconds / steps for name, seconds in times.items()}
        largest = trainer.network.largest_product(trainer.samples_a_step)
        pace = threads.pace(largest)
        for _ in range(2 * ROUNDS * (1 + TRIED_STEPS) if pace is not None else 0):  # as `bptui train` does
            trainer.step()
            pace.stepped()
        chosen = 1 if pace is None else pace.count
        threads.set(1)
        ours, bare = times[f"step {chosen}"], min(times["products 1"], times[f"products {every}"])
        cells = [
            f"{largest / 1e6:.2g} million",
            *(
                in_words(times[name])
                for name in ("step 1", f"step {every}", "products 1", f"products {every}")
            ),
            f"{chosen}",
            f"{ours / bare:.2f}×",
            f"{ours / times['step 1']:.2f}×",
        ]
        print(f"| {case.name} | {' | '.join(cells)} |", flush=True)


CALL_SECONDS = 0.05
"""How long the steps between two changes of the number of threads take; a change takes about 0.0003 s."""


def _steps_in(seconds: float, step: Callable[[], object]) -> int:
    step()
    began = time.perf_counter()
    step()
    return max(int(seconds / (time.perf_counter() - began)), 3)


if __name__ == "__main__":
    main()
