"""How wide a text is in a terminal, and where its lines end."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator


def cells(text: str) -> int:
    """The width of a text in terminal columns; East Asian wide characters take two."""
    return sum(_cells_of(character) for character in text)


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrapped(text: str, width: int) -> list[str]:
    """A text wrapped to lines of at most `width` columns, between words where it can be."""
    lines: list[str] = []
    line = ""
    for word in _words(text, width):
        longer = f"{line} {word}" if line else word
        if line and cells(longer) > width:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line] if line else lines


def _words(text: str, width: int) -> Iterator[str]:
    for word in text.split(" "):
        piece, used = "", 0
        for character in word:
            size = _cells_of(character)
            if used + size > width:
                yield piece
                piece, used = "", 0
            piece, used = piece + character, used + size
        if piece:
            yield piece
