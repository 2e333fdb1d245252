r"""The gate for every text that this program did not write: titles, file names, arguments, messages of the system.

    ESC ]52;c;…  BEL   ── one_line ──>   \x1b]52;c;…\x07      seen, not obeyed

A terminal takes some characters for commands: they move the cursor, fill the clipboard, reverse the writing, break the
line. Text goes through here where it enters (a run log's title, a path that was typed), and is harmless from then on.
What leaves for the terminal is looked at once more by whatever writes it (`harmless`), so that a gate somebody forgot
costs nothing but looks.
"""

from __future__ import annotations

import unicodedata

# Controls, private formats (such as the marks that reverse text), lone surrogates, line and paragraph breaks:
# on a terminal they could move the cursor, hide text or break the line.
UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Two invisible characters that ordinary writing needs: Persian and Indic scripts, and joined emoji.
JOINERS = frozenset("\u200c\u200d")


def is_plain(text: str) -> bool:
    """Whether `text` can be shown on one line of a terminal as it is."""
    return text.isprintable() or not any(_is_unsafe(character) for character in text)


def one_line(text: str) -> str:
    """A text with every character that is unsafe on a terminal spelled out (``\n``, ``\x1b``)."""
    if is_plain(text):
        return text
    return "".join(_spelled(character) if _is_unsafe(character) else character for character in text)


def harmless(text: str) -> str:
    """A text of several lines, in which only the line breaks still act on a terminal."""
    if text.isprintable():
        return text
    return "\n".join(map(one_line, text.split("\n")))


def _is_unsafe(character: str) -> bool:
    return unicodedata.category(character) in UNSAFE_CATEGORIES and character not in JOINERS


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
