"""Completes what is typed to the name of a file: first the folders and experiments beside what is there.

lab/xo   ──>   lab/xor-plateau.toml          ~/les   ──>   ~/lessons/
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.suggester import Suggester
from typing_extensions import override

from tui.shell.typed_path import typed_path

EXPERIMENT = ".toml"


class FileSuggester(Suggester):
    """Suggests one of `names` (of presets), or a TOML file or a folder that begins as what is typed."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        super().__init__(use_cache=False, case_sensitive=True)  # files may come and go
        self._names = names

    @override
    async def get_suggestion(self, value: str) -> str | None:
        if not value:
            return None
        return next((name for name in self._names if name.startswith(value)), None) or file_like(value)


def file_like(typed: str) -> str | None:
    """The first TOML file or folder whose path begins as what is typed; None where there is none."""
    folder, slash, begun = typed.rpartition("/")
    try:
        beside = sorted(typed_path(f"{folder}{slash}" if slash else ".").iterdir())
        fitting = [path for path in beside if path.name.startswith(begun) and _is_offered(path, begun)]
    except (OSError, ValueError):  # no folder, or none that may be read
        return None
    if not fitting:
        return None
    first = min(fitting, key=Path.is_dir)  # a file before folders
    return f"{folder}{slash}{first.name}{'/' if first.is_dir() else ''}"


def _is_offered(path: Path, begun: str) -> bool:
    hidden = path.name.startswith(".") and not begun.startswith(".")
    return not hidden and (path.suffix == EXPERIMENT or path.is_dir())
