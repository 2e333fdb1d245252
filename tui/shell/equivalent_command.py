"""The command line that leads to what is on the screen.

bptui open tutorial-b --wrt 'W[1][1,1]' --sample 0 --step 3
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class HasCommand(Protocol):
    """A screen that an equivalent command leads to."""

    def command(self) -> Sequence[str]:
        """The arguments of `bptui` that open the app with exactly this, or print the same."""

    def not_in_command(self) -> str | None:
        """A sentence on what is seen here and is not in the command; None where all of it is."""


def command_line(arguments: Sequence[str]) -> str:
    """The words of a command line as they are typed into a shell."""
    words = ["bptui", *arguments]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
