"""The person's own editor, on a file: $VISUAL, else $EDITOR, else what is usual on the system."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

USUAL = "notepad" if sys.platform == "win32" else "vi"


def editor_command() -> list[str]:
    """The user's own editor: the program and its arguments.

    Raises ValueError where what is set cannot be read as a command.
    """
    wanted = os.environ.get("VISUAL") or os.environ.get("EDITOR") or USUAL
    return shlex.split(wanted, posix=sys.platform != "win32") or [USUAL]


def run_editor(path: Path) -> str | None:
    """Runs the user's editor on the terminal until it is left; one line where that failed."""
    try:
        command = editor_command()
        left = subprocess.run([*command, str(path)], check=False)
    except ValueError as error:
        return f"$VISUAL or $EDITOR is no command: {error}"
    except OSError as error:
        return f"{command[0]}: cannot be started: {error.strerror}; $VISUAL or $EDITOR names another editor"
    return None if left.returncode == 0 else f"{command[0]}: ended with status {left.returncode}"
