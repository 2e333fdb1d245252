"""A monkey at the keyboard while networks train: whatever is pressed, in whatever window, nothing breaks.

The keys are seeded, so a failure comes again with the same seed. It never quits; what it saves is saved in
a folder of the test's own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from textual import events
from textual.geometry import Size

from tests.tui.experiments import session_of
from tests.tui.trainings import SMALL_NET, reached, training_threads
from tui.app import BptuiApp
from tui.session.network_session import NetworkSession
from tui.shell.keys import APP_COMMANDS, GRADIENTS_COMMANDS, RELU_COMMANDS, STEPPER_COMMANDS

KEYS_IN_ALL = 5_000
"""Over all the batches below."""

LEAVING = {"quit", "interrupt", "palette", "export", "back", "training-back", "help"}
PAGES = {"derivation", "jacobian", "lines", "check", "digits", "autoplay"}
"""Commands that a monkey does not get: they end the app, or open what is tested elsewhere and takes long."""

KEYS = sorted(
    {
        key
        for command in (*APP_COMMANDS, *STEPPER_COMMANDS, *GRADIENTS_COMMANDS, *RELU_COMMANDS)
        if command.id not in LEAVING | PAGES
        for key in command.keys.split(",")
    }
    - {"q", "escape", "y", "ctrl+p", "ctrl+c", "ctrl+q", "question_mark", "f1"}
    | {"1", "7", "9"}
)
OFTEN = (
    "space",
    "full_stop",
    "left_square_bracket",
    "right_square_bracket",
    "s",
    "g",
    "u",
    "enter",
    "escape",
)
"""What leads from screen to screen and from step to step, so that the monkey gets everywhere."""

SIZES = [(80, 24), (60, 20), (59, 19), (30, 10), (1, 1), (100, 35), (70, 22)]

BUSY = 240.0
"""Seconds that forty keys may take on a machine with other work to do: each may build a screen of fifty layers."""

BATCHES = [("small", 1, 2000), ("dying-relu", 2, 1200), ("exploding-50", 3, 800), ("leaky-slope-1", 4, 1000)]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert not training_threads()


def opened(name: str) -> NetworkSession:
    return session_of(SMALL_NET, name) if name == "small" else NetworkSession.open(name)


@pytest.mark.parametrize(("name", "seed", "count"), BATCHES)
async def test_a_monkey_breaks_nothing(name, seed, count, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # it saves files
    monkey = random.Random(seed)
    app = BptuiApp(opened(name), personal=False)
    pressed: list[str] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.opened.show("gradients")
        await pilot.pause()
        while len(pressed) < count:
            burst = [
                monkey.choice(OFTEN) if monkey.random() < 0.3 else monkey.choice(KEYS) for _ in range(40)
            ]
            if len(app.screen_stack) == 1 and type(app.screen).__name__ != "StepperScreen":
                burst = [key for key in burst if key != "escape"]
            for key in burst:
                pressed.append(key)
                app.simulate_key(key)
            if monkey.random() < 0.3:
                size = Size(*monkey.choice(SIZES))
                app.post_message(events.Resize(size, size))
            await reached(pilot, lambda: not app.message_queue_size, BUSY)
            if len(app.screen_stack) < 2 and app.opened.session is None:  # escape led home
                app.opened.enter(opened(name))
                await pilot.pause()
            assert app.crash is None, pressed[-60:]
    assert app.crash is None, pressed[-60:]
    assert len(pressed) >= count


def test_the_monkey_presses_as_many_keys_as_promised():
    assert sum(count for _, _, count in BATCHES) >= KEYS_IN_ALL
