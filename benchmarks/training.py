"""How fast training is, with and without its measurements, beside PyTorch, JAX and the bare matrix products.

    python -m benchmarks.training [--threads 1] [--seconds 2] [--only TEXT]

Peers that are not installed are left out. One run, everything in turns, medians; the table is Markdown.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
from collections.abc import Callable
from typing import Any

from benchmarks.timing import in_turns, set_threads

OURS, OURS_STEP, OURS_BARE = "bptui", "bptui, step", "bptui, bare"
TORCH, TORCH_BARE, JAX, FLOOR = "PyTorch, hooks", "PyTorch, bare", "JAX jit, bare", "products"
AGREEMENT = 1e-4
"""How far the losses of two programs may be apart after the same steps, relative."""


def contestants(case: Any, threads: int) -> dict[str, Callable[[], object]]:
    """One step of every way there is to train this case."""
    from benchmarks.floor import floor
    from engine.runs.history import History
    from engine.training.trainer import Trainer

    ours, unread, bare = (Trainer(case.experiment()) for _ in range(3))
    history = History()
    steps: dict[str, Callable[[], object]] = {
        OURS: lambda: history.append(ours.step()),  # every number of a record is made, and kept
        OURS_STEP: unread.step,  # measured; what nobody reads is not worked out
        OURS_BARE: lambda: bare.step(measure=False),
    }
    if importlib.util.find_spec("torch"):
        from benchmarks import torch_peer

        steps[TORCH] = torch_peer.measured(case, threads)
        steps[TORCH_BARE] = torch_peer.bare(case, threads)
    if importlib.util.find_spec("jax"):
        from benchmarks import jax_peer

        steps[JAX] = jax_peer.bare(case)
    steps[FLOOR] = floor(case)
    check_agreement(case, threads)
    return steps


def check_agreement(case: Any, threads: int) -> None:
    """Every program must find the same loss in its third step, or it is not the same work that is timed."""
    from engine.training.trainer import Trainer

    trainer = Trainer(case.experiment())
    ours = [next(trainer).loss for _ in range(3)][-1]
    others = {}
    if importlib.util.find_spec("torch"):
        from benchmarks import torch_peer

        bare, measured = torch_peer.bare(case, threads), torch_peer.measured(case, threads)
        others[TORCH_BARE] = [bare() for _ in range(3)][-1]
        others[TORCH] = [measured() for _ in range(3)][-1][-1]
    if importlib.util.find_spec("jax"):
        from benchmarks import jax_peer

        step = jax_peer.bare(case)
        others[JAX] = [step() for _ in range(3)][-1]
    for name, loss in others.items():
        if not math.isclose(ours, loss, rel_tol=AGREEMENT):
            raise SystemExit(f"{case.name}: {name} finds the loss {loss}, bptui {ours}")


def in_words(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds * 1e6:.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def row(name: str, times: dict[str, float]) -> str:
    ours = times[OURS]

    def ratio(other: str, base: float = ours) -> str:
        return f"{times[other] / base:.2f}×" if other in times else "–"

    columns = [
        in_words(times.get(key)) for key in (OURS, OURS_STEP, OURS_BARE, TORCH, TORCH_BARE, JAX, FLOOR)
    ]
    ratios = [
        f"{times[OURS_STEP] / times[OURS_BARE]:.2f}×",
        f"{ours / times[OURS_BARE]:.2f}×",
        ratio(TORCH),
        ratio(TORCH_BARE, times[OURS_BARE]),
        ratio(JAX, times[OURS_BARE]),
        f"{ours / times[FLOOR]:.2f}×",
    ]
    return f"| {name} | {' | '.join(columns + ratios)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1, help="threads that every library may use")
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each contestant in each case")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    options = parser.parse_args()
    set_threads(options.threads)

    from benchmarks.cases import CASES

    names = [OURS, OURS_STEP, OURS_BARE, TORCH, TORCH_BARE, JAX, FLOOR]
    ratios = [
        "step / bare",
        "bptui / bare",
        "PyTorch, hooks / bptui",
        "PyTorch / bptui, bare",
        "JAX / bptui, bare",
        "bptui / products",
    ]
    print(f"| one step | {' | '.join(names + ratios)} |")
    print("|---" * (1 + len(names) + len(ratios)) + "|")
    for case in CASES:
        if options.only in case.name:
            print(
                row(
                    case.name, in_turns(contestants(case, options.threads), options.seconds, options.threads)
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
