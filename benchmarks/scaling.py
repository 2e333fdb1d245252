"""What depth, width and samples cost: opening, a step, explaining, a key; and memory, stated and real.

    python -m benchmarks.scaling [--only TEXT] [--full]
    python -m benchmarks.scaling --steady SECONDS      memory of a training app, every minute

Each row is a process of its own: its peak of resident memory is real, and beside it stands what the program says
before it opens anything. Wall time, once; `--full` adds the rows that take minutes or gigabytes. Markdown.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = {
    "10×32, n=128": (10, 32, 128, 32, 1),
    "50×32, n=128": (50, 32, 128, 32, 1),
    "200×32, n=128": (200, 32, 128, 32, 1),
    "10×16, n=1000": (10, 16, 1000, 32, 1),
    "10×256, n=1000": (10, 256, 1000, 32, 1),
    "3×1024, n=1000": (3, 1024, 1000, 32, 1),
    "1×16, n=1": (1, 16, 1, 10, 1),
    "1×16, n=10⁴": (1, 16, 10**4, 10, 1),
    "1×16, n=10⁵": (1, 16, 10**5, 10, 1),
    "1×64, n=3000, 2000 classes": (1, 64, 3000, 20, 2000),
}
LARGE_SIZES = {
    "1×16, n=10⁶": (1, 16, 10**6, 10, 1),
    "200×512, n=128": (200, 512, 128, 32, 1),
    "200×512, n=1000": (200, 512, 1000, 32, 1),
}
"""Hidden layers, units of each, samples, features, outputs."""

KEYS = ("right", "tab", "semicolon", "c")
"""A step, a phase, the next sample, the check."""


def text(depth: int, width: int, n: int, features: int, outputs: int) -> str:
    last, loss = ("sigmoid", "bce") if outputs == 1 else ("softmax", "cross_entropy")
    return f"""
        [data]
        kind = "random"
        n = {n}
        features = {features}
        outputs = {outputs}
        [network]
        layers = [
            {{units = {width}, activation = "relu", repeat = {depth}}},
            {{units = {outputs}, activation = "{last}"}},
        ]
        [loss]
        kind = "{loss}"
    """


def peak() -> float:
    """Bytes of resident memory at most so far, of this process."""
    import resource

    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


def use(path: str) -> dict[str, float]:
    """Everything that the app does with an experiment, once: seconds, and bytes at the end."""
    import asyncio

    from engine.experiment.data_shape import declared_shape
    from engine.experiment.loading import load_experiment
    from engine.experiment.memory_needed import MOST_CHECKPOINTS, UNDO_BYTES, memory_needed
    from tui.app import BptuiApp
    from tui.session.network_session import NetworkSession
    from tui.shell.busy_screen import BusyScreen

    experiment = load_experiment(path)
    found: dict[str, float] = {"stated": memory_needed(experiment, declared_shape(experiment))}
    clock = time.perf_counter

    began = clock()
    session = NetworkSession.open(path)
    found["open"] = clock() - began
    began = clock()
    derivation = session.explain(session.first_target())
    list(derivation)
    derivation.top_paths(5)
    found["explain"] = clock() - began

    async def keys() -> None:
        app = BptuiApp(session, personal=False)

        async def answered() -> None:
            await pilot.pause()
            while isinstance(app.screen, BusyScreen):
                await asyncio.sleep(0.01)

        began = clock()
        async with app.run_test(size=(120, 40)) as pilot:
            app.opened.show("stepper")
            await pilot.pause()
            found["frame"] = clock() - began
            longest = 0.0
            for key in KEYS:
                began = clock()
                await pilot.press(key)
                await answered()
                longest = max(longest, clock() - began)
            found["key"] = longest
            for _ in range(min(UNDO_BYTES // session.by_hand.memory().nbytes + 1, MOST_CHECKPOINTS)):
                session.update(())
            app.opened.show("gradients")
            await answered()
            training = session.training
            began = clock()
            training.one_step(3)
            found["step"] = (clock() - began) / 3
            run = training.runs[0]
            while run.diagnosis is None:
                await asyncio.sleep(0.1)  # a thread of the screen finds out what is wrong
            for _ in range(MOST_CHECKPOINTS):  # as many as are kept of a long training
                run.keep()
            began = clock()
        found["quit"] = clock() - began

    asyncio.run(keys())
    found["real"] = peak()
    return found


def row(name: str, sizes: tuple[int, ...]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "experiment.toml"
        path.write_text(text(*sizes), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.scaling", "--use", str(path)], capture_output=True, text=True
        )
    if done.returncode:
        return f"| {name} | {done.stderr.strip().splitlines()[-1]} |"
    found = json.loads(done.stdout.splitlines()[-1])
    times = [f"{found[key] * 1e3:,.0f} ms" for key in ("open", "step", "explain", "frame", "key", "quit")]
    memory = [f"{found[key] / 1e6:,.0f} MB" for key in ("stated", "real")]
    return f"| {name} | {' | '.join(times + memory)} | {found['stated'] / found['real']:.2f}× |"


def steady(seconds: float) -> None:
    """Memory of the app while it trains: within 5 % of what it was after the first minute (or tenth)."""
    import asyncio

    import psutil

    from tui.app import BptuiApp
    from tui.session.network_session import NetworkSession

    async def train() -> None:
        session = NetworkSession.open("relu-50")
        app, process = BptuiApp(session, personal=False), psutil.Process()
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            training = session.training
            training.first.trainer.limit = None  # it goes on for as long as it is looked at
            training.run()
            began, first = time.monotonic(), 0
            pause = min(60.0, seconds / 10.0)
            while (now := time.monotonic() - began) < seconds:
                await asyncio.sleep(pause)
                size = process.memory_info().rss
                first = first or size
                steps = training.first.steps_done
                cells = [
                    f"{now + pause:,.0f} s",
                    f"{steps:,}",
                    f"{size / 1e6:,.1f} MB",
                    f"{size / first - 1:+.1%}",
                ]
                print(f"| {' | '.join(cells)} |", flush=True)

    print("| after | steps | resident memory | against the first |\n|---|---|---|---|")
    asyncio.run(train())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="only rows whose name contains this")
    parser.add_argument("--full", action="store_true", help="also what takes minutes or gigabytes")
    parser.add_argument(
        "--steady", type=float, metavar="SECONDS", help="memory of a training app for so long"
    )
    parser.add_argument("--use", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.use:
        print(json.dumps(use(options.use)))
        return
    if options.steady:
        steady(options.steady)
        return
    print(
        "| hidden layers × units | open | training step | explain | first frame | slowest key | quit | stated | real "
        "| stated / real |"
    )
    print("|---" * 10 + "|")
    for name, sizes in {**SIZES, **(LARGE_SIZES if options.full else {})}.items():
        if options.only in name:
            print(row(name, sizes), flush=True)


if __name__ == "__main__":
    main()
