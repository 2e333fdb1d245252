"""Where a progress bar is drawn."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TextIO

CURSOR = re.compile(r"\x1b\[\?25[hl]")
"""What hides and shows the cursor."""


class ProgressBarFile:
    """Where a progress bar is drawn: the terminal's cursor stays as it is, and a terminal that is gone is no error.

    A bar that hides the cursor leaves it hidden when it is stopped or killed.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Draws."""
        if self._stream is not None:
            with suppress(OSError, ValueError):
                self._stream.write(CURSOR.sub("", text))
        return len(text)

    def flush(self) -> None:
        """Makes it seen."""
        if self._stream is not None:
            with suppress(OSError, ValueError):
                self._stream.flush()

    def isatty(self) -> bool:
        """Whether there is somebody to see it."""
        return self._stream is not None and self._stream.isatty()
