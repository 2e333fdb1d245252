"""Crash reports: what somebody needs in order to fix a failure that was not foreseen, kept in a file.

The screen shows one readable line with the path of the report; the report holds the traceback.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from tui.shell.version import version


def describe_crash(error: BaseException) -> str:
    """Writes a crash report and says, on one line, what happened and where the report is."""
    import traceback  # like the others here: only a crash pays for it

    summary = " ".join("".join(traceback.format_exception_only(error)).split())
    path = _write(_report(error))
    where = f"the crash report is {path}" if path else "no crash report could be written"
    return f"this should not have happened: {summary}; {where}"


def _report(error: BaseException) -> str:
    import platform
    import traceback

    return "\n".join(
        [
            f"bptui {version()}, Python {platform.python_version()}, {platform.platform()}",
            f"time: {datetime.now(UTC).isoformat(timespec='seconds')}",
            f"command: {sys.argv[1:]}",
            f"terminal: TERM={os.environ.get('TERM', '')}, encoding {getattr(sys.stdout, 'encoding', None)}",
            "",
            "".join(traceback.format_exception(error)),
        ]
    )


def _write(report: str) -> Path | None:
    """The report's path: in the user's log folder, or where that cannot be written, among the temporary files."""
    name = f"crash-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}.txt"
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(report, "utf-8", errors="backslashreplace")
        except OSError:
            continue
        return folder / name
    return None


def _folders() -> list[Path]:
    import tempfile

    temporary = Path(tempfile.gettempdir())
    try:
        from platformdirs import user_log_path
    except ImportError:  # a broken installation is a crash as well
        return [temporary]
    return [user_log_path("bptui", appauthor=False), temporary]
