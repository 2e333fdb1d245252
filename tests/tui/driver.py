"""Driving the app without a terminal: opening it, reading its screen, waiting for a state."""

from __future__ import annotations

from collections.abc import Callable

from textual.pilot import Pilot

from tests.tui.experiments import session
from tui.app import BptuiApp
from tui.stepper.screen import StepperScreen

LARGE, SMALL = (120, 40), (80, 24)


def app_on(experiment: str | None = None, *, ascii_only: bool = False) -> BptuiApp:
    """The app with an experiment open in it, or at its start."""
    return BptuiApp(None if experiment is None else session(experiment), ascii_only=ascii_only)


def screen_text(app: BptuiApp) -> str:
    """What is on the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def stepper(app: BptuiApp) -> StepperScreen:
    """The stepper, wherever it is in the stack."""
    return next(screen for screen in reversed(app.screen_stack) if isinstance(screen, StepperScreen))


async def until(pilot: Pilot[None], state: Callable[[], object], tries: int = 200) -> None:
    """Lets the app work until a state is reached."""
    for _ in range(tries):
        if state():
            return
        await pilot.pause()
    raise AssertionError(f"never reached: {state}\n{screen_text(pilot.app)}")  # type: ignore[arg-type]


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Presses keys, and lets the app draw."""
    await pilot.press(*keys)
    await pilot.pause()


def typed(text: str) -> list[str]:
    """The keys of a text."""
    names = {" ": "space", "[": "left_square_bracket", "]": "right_square_bracket", ",": "comma"}
    return [names.get(character, character) for character in text]
