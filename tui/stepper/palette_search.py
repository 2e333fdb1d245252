"""What the command palette finds in the stepper besides commands: every entry that can be gone to."""

from __future__ import annotations

from functools import partial
from itertools import islice

from textual.command import Hit, Hits, Provider
from typing_extensions import override

from tui.stepper.stepper_screen import StepperScreen

MOST_HITS = 20
"""So many entries at most: what is typed further makes them fewer."""


class Entries(Provider):
    """``go to f[3][2,0]``"""

    @override
    async def search(self, query: str) -> Hits:
        screen = self.screen
        if not isinstance(screen, StepperScreen):
            return
        wanted = "".join(query.casefold().removeprefix("go to ").split())
        hits = (name for name in screen.entries() if wanted and wanted in name.casefold())
        for place, name in enumerate(islice(hits, MOST_HITS)):
            label = f"Go to {name}"
            yield Hit(1.0 / (1 + place), label, partial(screen.go_to, name), text=label, help="Its gradient")
