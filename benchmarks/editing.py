"""How long an edit takes until the screen shows it, on the tutorials' networks.

    python -m benchmarks.editing

From the number that is entered to the screen drawn with everything recomputed, at 120×40; the goal is 50 ms. It is
processor time, to which other programs add nothing.
"""

from __future__ import annotations

import asyncio
import statistics
import time

from engine.experiment.presets import PRESET_NAMES
from tui.app import BptuiApp
from tui.session.opening import open_session
from tui.stepper.stepper_screen import StepperScreen

EDITS = 20
SIZE = (120, 40)


async def _seconds(name: str) -> list[float]:
    """How long each of some edits of the same weight took."""
    app = BptuiApp(open_session(name), personal=False)
    taken: list[float] = []
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.opened.show("stepper")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, StepperScreen)
        target = screen.session.first_target()
        for number in range(EDITS):
            start = time.process_time()
            screen.session.edit([(target, 0.1 + 0.01 * number)])
            screen.editing.explain_edited()
            screen.refresh()
            await pilot.pause()
            taken.append(time.process_time() - start)
    return taken


def main() -> None:
    """Prints a row a network."""
    print("| network | median | largest |\n|---|---|---|")
    for name in PRESET_NAMES[: PRESET_NAMES.index("vanishing-sigmoid-50") + 2]:
        taken = asyncio.run(_seconds(name))
        print(
            f"| {name} | {1000 * statistics.median(taken):.1f} ms | {1000 * max(taken):.1f} ms |", flush=True
        )


if __name__ == "__main__":
    main()
