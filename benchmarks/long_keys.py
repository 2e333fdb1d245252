"""How long the app stands still at each key of an experiment that is too large for its keys to be quick.

    python -m benchmarks.long_keys [--only TEXT]

A task asks for its turn every 10 ms; the longest time that it had to wait is how long the screen stood still. Beside it
how long the answer took, which for what is computed in a thread comes behind a line that Escape ends. Markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.scaling import LARGE_SIZES, text

BEAT = 0.01
STEPPER = (
    "right",
    "tab",
    "semicolon",
    "M",
    "escape",
    "enter",
    "escape",
    "J",
    "escape",
    "x",
    "escape",
    "c",
    "w",
    "z",
)
TRAINING = ("g", "full_stop", "s", "g", "plus", "m", "space", "m", "space", "u")
MOST_SECONDS = 600.0


async def measure(path: Path, told: Callable[[str, float, float], None]) -> None:
    """Opens an experiment and presses the keys; tells of each how long it took and how long the app stood still."""
    from tui.app import BptuiApp
    from tui.shell.busy_screen import BusyScreen
    from tui.shell.garbage_collection import resting_while_starting

    still = 0.0

    async def beat() -> None:
        nonlocal still
        last = time.perf_counter()
        while True:
            await asyncio.sleep(BEAT)
            now = time.perf_counter()
            still, last = max(still, now - last - BEAT), now

    async def told_of(name: str, act: Callable[[], object]) -> None:
        nonlocal still
        still, began = 0.0, time.perf_counter()
        act()
        await asyncio.sleep(10 * BEAT)
        while isinstance(app.screen, BusyScreen) and time.perf_counter() - began < MOST_SECONDS:
            await asyncio.sleep(BEAT)
        await asyncio.sleep(5 * BEAT)  # and drawn
        told(name, time.perf_counter() - began - 5 * BEAT, still)

    app = BptuiApp(None, personal=False)
    with resting_while_starting():  # as the command has it
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            task = asyncio.create_task(beat())
            await told_of("opening", lambda: app.opened.open(str(path)))
            await told_of("stepper", lambda: app.opened.show("stepper"))
            for key in (*STEPPER, *TRAINING):
                await told_of(key, lambda key=key: app.simulate_key(key))
            task.cancel()
            began = time.perf_counter()
        told("leaving", time.perf_counter() - began, 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="n=10⁶", help="only experiments whose name contains this")
    options = parser.parse_args()
    print("| experiment | key | answered after | stood still for |\n|---|---|---|---|")
    for name, sizes in LARGE_SIZES.items():
        if options.only not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "experiment.toml"
            path.write_text(text(*sizes), encoding="utf-8")
            asyncio.run(
                measure(
                    path,
                    lambda key, took, still, name=name: print(
                        f"| {name} | {key} | {took:.2f} s | {still * 1e3:.0f} ms |", flush=True
                    ),
                )
            )


if __name__ == "__main__":
    main()
