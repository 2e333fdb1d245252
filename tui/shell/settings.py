"""What is kept between runs: recent files, the theme, and the user's own keys.

    <config folder>/keys.toml        next = "l"            ids as in the help screen
    <state folder>/recent.json       the last files that were opened

A broken or unwritable file never stops the program; what is wrong with keys.toml is said once, in one line.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from platformdirs import user_config_path, user_state_path

RECENT_FILES = 8


def keys_path() -> Path:
    """Where the user's keys are read from."""
    return user_config_path("bptui", appauthor=False) / "keys.toml"


def _recent_path() -> Path:
    return user_state_path("bptui", appauthor=False) / "recent.json"


def key_map(known: Collection[str]) -> tuple[dict[str, str], str | None]:
    """The user's keys by command id, and one line about what is wrong with the file, if anything is."""
    path = keys_path()
    try:
        table = dict(_flat(tomllib.loads(path.read_text("utf-8"))))
    except FileNotFoundError:
        return {}, None
    except OSError as error:
        return {}, f"{path}: {error.strerror or error}"
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return {}, f"{path}: {error}"
    keys = {name: keys for name, keys in table.items() if name in known and isinstance(keys, str)}
    wrong = next((name for name in table if name not in keys), None)
    if wrong is None:
        return keys, None
    if wrong in known:
        return keys, f'{path}: {wrong}: expected keys as text, such as {wrong} = "l,right"'
    return keys, f"{path}: there is no command named {wrong}; the help screen lists them"


def _flat(table: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Every key in full: TOML reads `home.open = "l"` as a table home that holds open."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def recent_files() -> list[str]:
    """The files opened last, the latest first, those that are gone left out."""
    try:
        names = json.loads(_recent_path().read_text("utf-8"))
    except (OSError, ValueError):
        return []
    if not isinstance(names, list):
        return []
    return [name for name in names if isinstance(name, str) and Path(name).is_file()][:RECENT_FILES]


def remember_file(name: str) -> list[str]:
    """Puts a file at the front of the recent ones, and returns them."""
    absolute = str(Path(name).absolute())
    names = [absolute, *(one for one in recent_files() if one != absolute)][:RECENT_FILES]
    path = _recent_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(names), "utf-8")
    except OSError:
        pass  # a read-only home is no reason to stop
    return names
