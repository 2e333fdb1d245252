"""Whether the files of an open experiment are still what they were when it was opened."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

FilesState: TypeAlias = tuple[tuple[int, int] | None, ...]


def files_state(paths: Sequence[Path]) -> FilesState:
    """When each file was last written, in ns, and its size in bytes; None for one that is not there."""
    return tuple(map(_state, paths))


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size
