"""A line that says what is being computed, and for how long already, while a thread computes it; Escape ends that.

╭ Checking ∂ℰ/∂W⁽¹⁾₁₁ ──────────────╮
│ 1.4 s, 37 operations done          │
│ esc ends it                        │
╰────────────────────────────────────╯
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Static

from engine.autodiff.interruption import interruptible
from tui.shell.key_command import bindings
from tui.shell.keys import BUSY_COMMANDS
from tui.shell.modal import Modal

LOOK_SECONDS = 0.03
"""How often the screen asks whether it is computed: the thread itself touches nothing of it."""

TOLD_SECONDS = 0.1
"""What takes no longer is not told of."""

Answer = TypeVar("Answer")


class Ended(Exception):  # noqa: N818 - nothing went wrong: somebody pressed Escape
    """Raised in the computing thread where it is to stop."""


def nothing() -> None:
    """Does nothing."""


class BusyScreen(Modal[None], Generic[Answer]):
    """Computes `work` in a thread and hands its answer to `finished`, or its exception to `failed`.

    Escape ends it between two operations of the engine; then `ended` is called, with everything as it was. What is
    `detached` shares nothing with anybody, and is left to itself at once. What `work` computes with must be read by
    nobody else meanwhile: this screen is in front of those that would.
    """

    CSS_PATH = "busy_screen.tcss"
    COMMANDS_SHOWN = BUSY_COMMANDS
    BINDINGS = bindings(BUSY_COMMANDS)

    def __init__(
        self,
        doing: str,
        work: Callable[[], Answer],
        finished: Callable[[Answer], None],
        *,
        failed: Callable[[Exception], None] | None = None,
        ended: Callable[[], None] = nothing,
        detached: bool = False,
    ) -> None:
        super().__init__()
        self._doing, self._work, self._detached = doing, work, detached
        self._finished, self._failed, self._when_ended = finished, failed, ended
        self._parts = 0
        self._stop, self._computed = threading.Event(), threading.Event()
        self._answer: list[Answer] = []
        self._failure: BaseException | None = None
        self._began = time.monotonic()
        self._told = False

    def compose(self) -> ComposeResult:
        """A box with one line and the key; not to be seen where it takes but a moment."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = self._doing
            dialog.visible = False
            yield Static("", id="so-far", markup=False)
            yield Static("esc ends it", id="how", markup=False)

    def on_mount(self) -> None:
        """Begins."""
        threading.Thread(target=self._compute, name="computing", daemon=True).start()
        self.set_interval(LOOK_SECONDS, self._look)

    def on_unmount(self) -> None:
        """Taken away from below it: nobody waits for the answer any more."""
        self._stop.set()

    def action_close(self) -> None:
        """Asks the thread to stop at the end of what it is at; does not wait for what is detached."""
        self._stop.set()
        if self._detached:
            self._hand_over()
        else:
            self.query_one("#how", Static).update("ends after this operation")

    def _between(self) -> None:
        self._parts += 1
        if self._stop.is_set():
            raise Ended

    def _compute(self) -> None:
        """The thread's."""
        try:
            with interruptible(self._between):
                self._answer.append(self._work())
        except BaseException as error:  # told on the screen's thread
            self._failure = error
        self._computed.set()

    def _look(self) -> None:
        seconds = time.monotonic() - self._began
        if seconds > TOLD_SECONDS:
            self.query_one("#dialog").visible = True
            done = f", {self._parts:,} operations done" if self._parts else ""
            self.query_one("#so-far", Static).update(f"{seconds:.1f} s{done}")
        self._hand_over()

    def _hand_over(self) -> None:
        """Once, when it is computed or given up, and nothing lies over it."""
        given_up = self._detached and self._stop.is_set()
        if self._told or not self.on_top or not (given_up or self._computed.is_set()):
            return
        self._told = True
        self.dismiss(None)
        if given_up or isinstance(self._failure, Ended):
            self._when_ended()
        elif self._answer:
            self._finished(self._answer[0])
        elif isinstance(self._failure, Exception) and self._failed is not None:
            self._failed(self._failure)
        elif self._failure is not None:
            raise self._failure


def at_length(
    screen: Screen[Any],
    long: bool,
    doing: str,
    work: Callable[[], Answer],
    finished: Callable[[Answer], None],
    ended: Callable[[], None] = nothing,
    failed: Callable[[Exception], None] | None = None,
) -> None:
    """Computes at once what is not `long`; otherwise in a thread, behind a line over `screen` that Escape ends.

    An exception reaches `failed` only from the thread; at once it is the caller's.
    """
    if long:
        screen.app.push_screen(BusyScreen(doing, work, finished, ended=ended, failed=failed))
    else:
        finished(work())
