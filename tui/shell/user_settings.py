"""What is kept between runs: recent files, the theme, and the user's own keys.

    <config folder>/keys.toml        next = "l"            ids as in the help screen
    <state folder>/recent.json       the last files that were opened

A broken, hostile or unwritable file never stops the program; what is wrong with keys.toml is said once, in one line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from platformdirs import user_config_path, user_state_path

from engine.experiment.errors import ExperimentError
from engine.experiment.text_file import read_text_file
from engine.formula.untrusted_text import one_line
from tui.shell.atomic_file import kept_alone, replace_file

RECENT_FILES = 8
LARGEST_SETTINGS = 64 * 2**10
"""In bytes. Either file has a few lines."""

LONGEST_NAME = 60
MOST_DOTS = 64
"""In one line. A key of so many parts is none of ours, and Python takes minutes over thousands."""


def keys_path() -> Path:
    """The path of the file with the user's keys."""
    return user_config_path("bptui", appauthor=False) / "keys.toml"


def _recent_path() -> Path:
    return user_state_path("bptui", appauthor=False) / "recent.json"


def user_keys(known: Collection[str]) -> tuple[dict[str, str], str | None]:
    """The user's keys by command id, and one line about what is wrong with the file, if anything is."""
    path = keys_path()
    if not os.path.lexists(path):  # nor where its folder may not be looked into
        return {}, None
    import tomllib  # most have no such file

    try:
        table = _keys_table(read_text_file(path, str(path), LARGEST_SETTINGS))
    except ExperimentError as error:
        return {}, str(error)
    except tomllib.TOMLDecodeError as error:
        return {}, one_line(f"{path}: {error}")
    except (ValueError, RecursionError):  # an integer of thousands of digits, thousands of brackets
        return {}, one_line(f'{path}: expected lines such as next = "l"; found what is no list of keys')
    keys = {name: keys for name, keys in table.items() if name in known and isinstance(keys, str)}
    wrong = next((name for name in table if name not in keys), None)
    if wrong is None:
        return keys, None
    if wrong in known:
        return keys, one_line(f'{path}: {wrong}: expected keys as text, such as {wrong} = "l,right"')
    wrong = wrong if len(wrong) <= LONGEST_NAME else wrong[: LONGEST_NAME - 1] + "…"
    return keys, one_line(f"{path}: there is no command named {wrong}; the help screen lists them")


def _keys_table(text: str) -> dict[str, object]:
    if any(line.count(".") > MOST_DOTS for line in text.split("\n")):
        raise ValueError("a key of too many parts")
    import tomllib

    return dict(_flat(tomllib.loads(text)))


def _flat(table: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Every key in full: TOML reads `home.open = "l"` as a table home that holds open."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def remembered_theme() -> str | None:
    """The theme that was chosen last; None where none was."""
    path = _theme_path()
    try:
        return read_text_file(path, str(path), LARGEST_SETTINGS).strip()
    except (ExperimentError, ValueError):
        return None


def remember_theme(name: str) -> None:
    """Keeps the theme for the next time."""
    path = _theme_path()
    with suppress(OSError):  # a read-only home is no reason to stop
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, name)


def _theme_path() -> Path:
    return user_state_path("bptui", appauthor=False) / "theme"


def recent_files() -> list[str]:
    """The files opened last, the latest first, those that are gone left out."""
    path = _recent_path()
    try:
        names = json.loads(read_text_file(path, str(path), LARGEST_SETTINGS))
    except (ExperimentError, ValueError, RecursionError):
        return []
    if not isinstance(names, list):
        return []
    return [name for name in names if isinstance(name, str) and _is_file(name)][:RECENT_FILES]


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # a name that no file could have
        return False


def remember_file(name: str) -> list[str]:
    """Puts a file at the front of the recent ones, and returns them."""
    absolute = str(Path(name).absolute())
    path = _recent_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with kept_alone(path):  # another app may be putting one in front at this moment
            names = _with_first(absolute)
            replace_file(path, json.dumps(names))
    except OSError:
        return _with_first(absolute)  # a read-only home is no reason to stop
    return names


def _with_first(name: str) -> list[str]:
    return [name, *(one for one in recent_files() if one != name)][:RECENT_FILES]
