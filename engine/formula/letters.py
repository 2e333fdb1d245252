"""The letters that quantities are called by, each in the plain form, as the screen draws it, and in LaTeX.

theta   θ   \\theta            y_hat   ŷ   \\hat{y}            E   ℰ   \\mathcal{E}
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

GREEK = {
    **{unicodedata.name(letter).split()[-1].lower(): letter for letter in "αβγδεζηθικμνξπρστυφχψω"},
    "lam": "λ",  # lambda is a reserved word of Python, and the plain form is Python
}
"""Plain name -> Greek letter."""

CAPITALS = {unicodedata.name(letter).split()[-1].capitalize(): letter for letter in "ΓΔΘΞΠΣΥΦΨΩ"} | {
    "Lam": "Λ"
}
"""The Greek capitals that do not look like Latin ones."""

SCRIPT = {"E": "ℰ", "L": "ℒ", "B": "ℬ", "F": "ℱ", "H": "ℋ", "I": "ℐ", "M": "ℳ", "R": "ℛ"}
"""The script capitals that a terminal shows in one cell."""

LETTERS = GREEK | CAPITALS

_SPELLED = {"lambda": "lam", "Lambda": "Lam"}
_PLAIN = {letter: name for name, letter in LETTERS.items()}
_FROM_SCRIPT = {letter: name for name, letter in SCRIPT.items()}
_HAT = "\N{COMBINING CIRCUMFLEX ACCENT}"
_NAME = re.compile(r"([A-Za-z]+)(_hat)?")


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter, perhaps with a hat: its plain name, what is drawn, and its LaTeX."""

    plain: str
    drawn: str
    latex: str


def letter(text: str) -> Letter | None:
    """The letter that `text` writes: ``z``, ``θ``, ``theta``, ``ŷ``, ``y_hat``, ``ℒ``. None where it is none."""
    text = unicodedata.normalize("NFC", text.strip())
    if text in _FROM_SCRIPT:
        name = _FROM_SCRIPT[text]
        return Letter(name, text, rf"\mathcal{{{name}}}")
    base = unicodedata.normalize("NFD", text)
    if base.endswith(_HAT):
        text = f"{base.removesuffix(_HAT)}_hat"
    stem, hat = (text.removesuffix("_hat"), "_hat") if text.endswith("_hat") else (text, "")
    stem = _PLAIN.get(stem, _SPELLED.get(stem, stem))
    if stem not in LETTERS and not (len(stem) == 1 and stem.isascii() and stem.isalpha()):
        return None
    shown, latex = LETTERS.get(stem, stem), latex_letter(stem)
    if not hat:
        return Letter(stem, shown, latex)
    accented = unicodedata.normalize("NFC", shown + _HAT)
    # Only a letter that has its own accented character: a combining accent has no cell of its own.
    return Letter(f"{stem}_hat", accented if len(accented) == 1 else f"{shown}_hat", rf"\hat{{{latex}}}")


def latex_letter(plain: str) -> str:
    r"""A letter in LaTeX: ``\theta`` for theta, ``z`` for z."""
    command = {"lam": "lambda", "Lam": "Lambda"}.get(plain, plain)
    return f"\\{command}" if plain in LETTERS else plain
