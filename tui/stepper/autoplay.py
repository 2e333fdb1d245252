"""Autoplay: the stepper goes on by itself, a step every second and a half, until the last position."""

from __future__ import annotations

from textual.timer import Timer

from tui.stepper.derivation_screen import DerivationScreen

AUTOPLAY_SECONDS = 1.5


class Autoplay:
    """The timer that steps."""

    def __init__(self, screen: DerivationScreen) -> None:
        self._screen = screen
        self._timer: Timer | None = None

    @property
    def is_playing(self) -> bool:
        """Whether the next step comes by itself."""
        return self._timer is not None

    def start(self) -> None:
        """Steps from now on."""
        self._timer = self._screen.set_interval(AUTOPLAY_SECONDS, self._step)

    def stop(self) -> None:
        """Stays where it is."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _step(self) -> None:
        screen = self._screen
        following = screen.traversal.move(screen.position, 1, screen.detail)
        if following == screen.position:
            self.stop()
            screen.redraw()
        else:
            screen.go(following)
