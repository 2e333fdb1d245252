"""Driving the app without a terminal: opening it, reading its screen, waiting for a state."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from textual.pilot import Pilot, WaitForScreenTimeout

from engine.experiment.presets import EXPRESSION_PRESETS
from tests.tui.experiments import session
from tui.app import BptuiApp
from tui.session.opening import open_session
from tui.stepper.stepper_screen import StepperScreen

LARGE, SMALL = (120, 40), (80, 24)
SIZES = {"80x24": SMALL, "120x40": LARGE, "60x20": (60, 20), "55x15": (55, 15), "200x60": (200, 60)}
"""The terminals that screens are looked at in."""


def app_on(experiment: str | None = None, *, ascii_only: bool = False) -> BptuiApp:
    """The app with an experiment open in it, or at its start."""
    opened = None
    if experiment is not None:
        opened = open_session(experiment) if experiment in EXPRESSION_PRESETS else session(experiment)
    return BptuiApp(opened, ascii_only=ascii_only)


def screen_text(app: BptuiApp) -> str:
    """What is on the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def stepper(app: BptuiApp) -> StepperScreen:
    """The stepper, wherever it is in the stack."""
    return next(screen for screen in reversed(app.screen_stack) if isinstance(screen, StepperScreen))


async def let_work(pilot: Pilot[None], delay: float | None = None) -> None:
    """Lets the app work. A widget that is taken away meanwhile never says that it is done, which is no failure."""
    with suppress(WaitForScreenTimeout):
        await pilot.pause(delay)


async def until(pilot: Pilot[None], state: Callable[[], object], tries: int = 200) -> None:
    """Lets the app work until a state is reached."""
    for _ in range(tries):
        if state():
            return
        await let_work(pilot)
    raise AssertionError(f"never reached: {state}\n{screen_text(pilot.app)}")  # type: ignore[arg-type]


async def eventually(state: Callable[[], object], seconds: float = 60.0) -> None:
    """Waits for a state that another thread brings about: as long as it takes, on however busy a machine."""
    end = time.monotonic() + seconds
    while not state():
        assert time.monotonic() < end, f"never reached: {state}"
        await asyncio.sleep(0.01)


async def at_rest(pilot: Pilot[None]) -> None:
    """Lets the app finish its layout and draw, without the notices that would go by themselves."""
    app = pilot.app
    app.clear_notifications()
    await pilot.pause()
    await until(pilot, lambda: not app.screen._layout_required)
    await pilot.pause()


async def text_after(
    app: BptuiApp, play: Callable[[Pilot[None]], Awaitable[None]], size: tuple[int, int]
) -> str:
    """What is on the screen after a scene was played, without the spaces that end its lines."""
    async with app.run_test(size=size) as pilot:
        await play(pilot)
        return "\n".join(line.rstrip() for line in screen_text(app).split("\n"))


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Presses keys, and lets the app draw."""
    await pilot.press(*keys)
    await pilot.pause()


def typed(text: str) -> list[str]:
    """The keys of a text."""
    names = {" ": "space", "[": "left_square_bracket", "]": "right_square_bracket", ",": "comma"}
    return [names.get(character, character) for character in text]
