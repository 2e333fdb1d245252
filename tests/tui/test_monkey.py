"""A monkey at the keyboard: whatever is pressed, in whatever window, nothing breaks."""

from __future__ import annotations

import os
import random

import pytest
from textual import events

from tests.tui.driver import app_on, screen_text, until
from tui.shell.home_screen import HomeScreen
from tui.shell.keys import (
    APP_COMMANDS,
    EXPORT_COMMANDS,
    HOME_COMMANDS,
    LESSON_COMMANDS,
    LESSONS_COMMANDS,
    MAP_COMMANDS,
    PROMPT_COMMANDS,
    READING_COMMANDS,
    STEPPER_COMMANDS,
)

ROUNDS, KEYS_A_ROUND = 50, 4
SIZES = [(80, 24), (120, 40), (60, 20), (200, 60), (40, 10), (1, 1)]
COMMANDS = (
    *HOME_COMMANDS,
    *LESSONS_COMMANDS,
    *LESSON_COMMANDS,
    *STEPPER_COMMANDS,
    *MAP_COMMANDS,
    *READING_COMMANDS,
    *PROMPT_COMMANDS,
    *EXPORT_COMMANDS,
    *APP_COMMANDS,
)
SEED = 2236605234
"""MONKEY_SEED=… has the monkey press other keys. This one turns pages in the palette of a window too small for it."""

KEYS = sorted(
    {
        key
        for command in COMMANDS
        if command.action != "quit" and not command.action.startswith("screen(")
        for key in command.keys.split(",")
    }
    - {"q"}
)
"""Every key of these screens but those that leave them; the training screens have a monkey of their own."""
OTHER_KEYS = [
    *"0123456789",
    "W",
    "circumflex_accent",
    "²",
    "left_square_bracket",
    "pagedown",
    "delete",
    "f9",
    "é",
]


@pytest.mark.parametrize(
    ("name", "ascii_only"), [("tutorial-b", False), ("residual-fork", True), ("batch-norm", False)]
)
async def test_no_sequence_of_keys_and_sizes_breaks_it(name, ascii_only, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # it may save files
    seed = int(os.environ.get("MONKEY_SEED", SEED))
    monkey = random.Random(seed)
    app = app_on(name, ascii_only=ascii_only)
    done: list[str] = []
    try:
        async with app.run_test() as pilot:
            for _ in range(ROUNDS):
                if monkey.random() < 0.2:
                    size = monkey.choice(SIZES)
                    done.append(f"{size[0]}x{size[1]}")
                    await pilot.resize_terminal(*size)
                keys = [
                    monkey.choice(KEYS if monkey.random() < 0.8 else OTHER_KEYS) for _ in range(KEYS_A_ROUND)
                ]
                if isinstance(app.screen, HomeScreen):
                    keys.append("enter")
                done += keys
                for key in keys:  # faster than anything is drawn
                    app.post_message(events.Key(key, key if len(key) == 1 else None))
                await pilot.pause()
            await pilot.resize_terminal(80, 24)
            await until(pilot, lambda: len(screen_text(app).split("\n")) == 24)
        assert app.crash is None
    except BaseException as error:
        raise AssertionError(f"MONKEY_SEED={seed}: {error!r} after {' '.join(done)}") from error
