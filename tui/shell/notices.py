"""Words in the corner, one at a time: the next takes the place of the last, so that they never cover the screen.

    a key held down ──> "η 0.02", "η 0.04", "η 0.08" …      one toast, of the last

Warnings and errors are said at once, beside what is there; the next notice takes the place of all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual.app import App
from textual.notifications import SeverityLevel
from textual.timer import Timer
from typing_extensions import override

NOTICE_SECONDS = 0.15
"""Notices follow each other no quicker: Textual does not take back one that has not come to be shown."""


class AppWithNotices(App[None]):
    """An app whose notices take each other's place."""

    _given: Timer | None = None
    _next_notice: Callable[[], None] | None = None

    @override
    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        notice = partial(
            super().notify, message, title=title, severity=severity, timeout=timeout, markup=markup
        )
        if severity != "information":
            notice()
        elif self._given is None:
            self._give(notice)
        else:
            self._next_notice = notice

    @override
    def clear_notifications(self) -> None:
        """Clears the notice that is shown and those that wait."""
        self._next_notice = None
        super().clear_notifications()

    def _give(self, notice: Callable[[], None]) -> None:
        self.clear_notifications()
        notice()
        self._given = self.set_timer(NOTICE_SECONDS, self._give_next)

    def _give_next(self) -> None:
        self._given = None
        if self._next_notice is not None:
            self._give(self._next_notice)
