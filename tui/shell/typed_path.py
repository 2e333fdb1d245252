"""A path that somebody typed."""

from __future__ import annotations

from pathlib import Path


def typed_path(text: str) -> Path:
    """The path that somebody typed, ~ being the home folder where there is one."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)
