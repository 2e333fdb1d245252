"""How keys are called: as they stand on a keyboard.

left -> ←   ctrl+s -> Ctrl+s   question_mark -> ?   f1 -> F1
"""

from __future__ import annotations

import re

from textual.keys import KEY_NAME_REPLACEMENTS, key_to_character

READABLE = {
    "right": "→",
    "left": "←",
    "up": "↑",
    "down": "↓",
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "backspace": "Backspace",
    "home": "Home",
    "end": "End",
    "pagedown": "PgDn",
    "pageup": "PgUp",
}

UNICODE_NAMES = {ours: name for name, ours in KEY_NAME_REPLACEMENTS.items()}
"""The names by which Unicode knows characters that Textual calls otherwise: "slash" is its solidus."""


def readable_keys(keys: str, ascii_only: bool) -> str:
    """Key names as they stand on a keyboard."""
    names = []
    for key in keys.split(","):
        name = READABLE.get(key) or _on_a_keyboard(key)
        if ascii_only and not name.isascii():
            name = "+".join(part.capitalize() for part in key.split("+"))
        names.append(name)
    return " ".join(names)


def _on_a_keyboard(key: str) -> str:
    """A character as itself, a function key in capitals, with Ctrl where it is pressed as well."""
    before, plus, last = key.rpartition("+")
    character = READABLE.get(last) or key_to_character(UNICODE_NAMES.get(last, last)) or last
    if re.fullmatch(r"f\d+", last):
        character = last.upper()
    return f"{before.capitalize()}{plus}{character}"
