"""Random events on every screen of the app: keys, text, pastes, the mouse, windows of every size. Seeded.

The app is driven without a terminal. Whatever comes, it goes on, and what it draws holds no command for a terminal.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

from textual import events
from textual.geometry import Size
from textual.pilot import Pilot, WaitForScreenTimeout

from tests.tui.driver import screen_text
from tui.app import BptuiApp
from tui.session.opening import open_session
from tui.shell.home_screen import HomeScreen
from tui.shell.keys import ALL_COMMANDS
from tui.shell.modal import Modal

LEAVING = {"quit", "interrupt"}
KEYS = sorted(
    {key for command in ALL_COMMANDS if command.id not in LEAVING for key in command.keys.split(",")}
    - {key for command in ALL_COMMANDS if command.id in LEAVING for key in command.keys.split(",")}
    | {
        *"0123456789",
        "enter",
        "escape",
        "tab",
        "shift+tab",
        "backspace",
        "delete",
        "home",
        "end",
        "pageup",
        "pagedown",
    }
)
OPENING = (
    "T",
    "t",
    "m",
    "y",
    "d",
    "J",
    "G",
    "U",
    "o",
    "question_mark",
    "ctrl+p",
    "enter",
    "n",
    "C",
    "full_stop",
    "P",
    "B",
    "p",
    "e",
    "N",
    "M",
    "x",
    "X",
    "g",
    "u",
    "ctrl+s",
    "slash",
)
"""What leads to other screens, so that the events get everywhere."""

TEXTS = (
    "W[1][0,0]",
    "9" * 50,
    "\x1b]52;c;QQ==\x07",
    "\u202e",
    "tutorial-b",
    "~/x",
    "",
    "é\u0301",
    "[b]x[/b]",
    "a" * 500,
    "\x00",
)
SIZES = ((80, 24), (120, 40), (60, 20), (59, 19), (30, 10), (1, 1), (200, 60), (1000, 400))
NAMES = (
    "tutorial-b",
    "residual-fork",
    "xor",
    "dying-relu",
    "exploding-50",
    "leaky-slope-1",
    "batch-norm",
    "micrograd",
)
BURST = 20

WAITS = 10
"""So often half a minute, in which a screen of 1000×400 is drawn even beside other programs."""


async def settled(pilot: Pilot[None]) -> None:
    """Waits until everything that was sent has been dealt with, on however busy a machine."""
    for _ in range(WAITS):
        with suppress(WaitForScreenTimeout):
            await pilot.pause()
            return
    raise AssertionError("it hangs")


class RandomEvents:
    """So many events from a seed. `screens` counts on which screens they came."""

    def __init__(self, seed: int, count: int) -> None:
        self.chance = random.Random(seed)
        self.count = count
        self.screens: Counter[str] = Counter()
        self.done: list[str] = []

    async def run(self) -> None:
        """Sends them all. Raises AssertionError with the last ones where the app does not bear them."""
        sent = 0
        while sent < self.count:  # an app now and then, so that each begins anew
            app = BptuiApp(open_session(self.chance.choice(NAMES)), ascii_only=self.chance.random() < 0.2)
            try:
                async with app.run_test(size=(80, 24)) as pilot:
                    await settled(pilot)
                    for _ in range(25):
                        sent += await self._burst(app, pilot)
                        if sent >= self.count or app.status is not None:
                            break
                    if app.status is None:
                        app.exit()  # as a person leaves it: whatever was just begun is not finished
            except Exception:
                if app.status is None:
                    raise  # after the palette's Quit, the events that are on their way find no screen any more
            assert app.crash is None, (app.crash, self.done[-60:])

    async def _burst(self, app: BptuiApp, pilot: Pilot[None]) -> int:
        for _ in range(BURST):
            if app.status is not None:
                break
            self.screens[type(app.screen).__name__] += 1
            self._one(app)
            if self.chance.random() < 0.2:
                await settled(pilot)
        await settled(pilot)
        assert app.crash is None, (app.crash, self.done[-60:])
        if isinstance(app.screen, HomeScreen) and self.chance.random() < 0.7:
            app.simulate_key("enter")
            await settled(pilot)  # no event is under way when the app is closed
        if self.chance.random() < 0.1:
            text = screen_text(app)
            assert not {"\x1b", "\x9b", "\u202e"} & set(text), (text, self.done[-60:])
        return BURST

    def _one(self, app: BptuiApp) -> None:
        kind = self.chance.random()
        if kind < 0.08 and isinstance(app.screen, Modal):  # which takes most keys for text, and leads nowhere
            self._say("key", "escape")
            app.simulate_key("escape")
        elif kind < 0.78:
            key = self.chance.choice(OPENING if self.chance.random() < 0.2 else KEYS)
            self._say("key", key)
            app.simulate_key(key)
        elif kind < 0.84:
            text = self.chance.choice(TEXTS)
            self._say("paste", text)
            app.post_message(events.Paste(text))
        elif kind < 0.96:
            self._mouse(app)
        else:
            size = Size(*self.chance.choices(SIZES, weights=(9, 9, 5, 3, 3, 2, 2, 0.2))[0])
            self._say("size", size)
            app.post_message(events.Resize(size, size))

    def _mouse(self, app: BptuiApp) -> None:
        x, y = self.chance.randrange(-1, 130), self.chance.randrange(-1, 50)
        kinds: Iterable[type[events.MouseEvent]] = self.chance.choice(
            (
                (events.MouseDown, events.MouseUp),  # of which the app makes a click, where something was hit
                (events.MouseMove,),
                (events.MouseScrollDown,),
                (events.MouseScrollUp,),
                (events.MouseDown, events.MouseMove),
            )
        )
        for kind in kinds:
            self._say(kind.__name__, (x, y))
            app.post_message(kind(None, x, y, 0, 0, 1, False, False, False, screen_x=x, screen_y=y))

    def _say(self, *what: object) -> None:
        self.done.append(" ".join(map(str, what)))
