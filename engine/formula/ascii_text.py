"""Text in 7-bit characters: the letters and signs of the field spelled out."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from engine.formula.letters import LETTERS

if TYPE_CHECKING:
    from engine.formula.notation import Style

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
    """A text in 7-bit characters: the field's letters spelled out, accents dropped, anything else as ``?``."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_IN_ASCII))
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return bare.encode("ascii", "replace").decode("ascii")


def in_characters_of(text: str, style: Style) -> str:
    """A text as a style draws it: in 7-bit characters where the style keeps to them."""
    return ascii_text(text) if style.ascii else text
