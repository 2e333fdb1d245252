"""Words for terminals: how wide they are, where a line ends, and how they look without Unicode."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from engine.formula.letters import LETTERS

_IN_ASCII = str.maketrans(
    {letter: name for name, letter in LETTERS.items()}
    | {
        "Ŷ": "Y_hat",
        "ℰ": "E",
        "∂": "d",
        "Σ": "Sum",
        "′": "'",
        "−": "-",
        "–": "-",
        "—": "-",
        "·": "*",
        "×": "x",
        "≈": "~=",
        "≠": "!=",  # its decomposition is an equals sign
        "≤": "<=",
        "≥": ">=",
        "√": "sqrt",
        "½": "1/2",
        "…": "...",
        "⋯": "...",
        "Δ": "Delta",
        "∇": "grad ",
        "‖": "||",
        "⊙": "(.)",
        "→": "->",
        "↑": "up",
        "↓": "down",
        "←": "<-",
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
    }
)


def ascii_text(text: str) -> str:
    """`text` in 7-bit characters: the field's letters spelled out, accents dropped, anything else as ``?``."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_IN_ASCII))
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return bare.encode("ascii", "replace").decode("ascii")


def counted(number: float, noun: str) -> str:
    """``1 step``, ``1,200 steps``: a whole number of things whose plural has an s."""
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}"


def signed(value: float, decimals: int) -> str:
    """``+1.25``, ``−0.50``: a number that is a change; what rounds to zero has a plus."""
    return f"{round(value, decimals) + 0.0:+.{decimals}f}".replace("-", "−")


def cells(text: str) -> int:
    """How many columns of a terminal `text` takes; East Asian wide characters take two."""
    return sum(_cells_of(character) for character in text)


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrapped(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` columns, broken between words, and inside a word only where it must be."""
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


def bytes_in_words(size: int) -> str:
    """``12 bytes``, ``3.4 GB``: three digits and a unit, for any size however large."""
    if size < 1000:
        return f"{size} bytes"
    for unit in ("kB", "MB", "GB", "TB", "PB", "EB"):
        tenths = size * 10 // 1000  # integers all the way: a float would overflow
        size //= 1000
        if size < 1000:
            return f"{tenths // 10}.{tenths % 10} {unit}" if size < 100 else f"{size} {unit}"
    return "more than 1000 EB"
