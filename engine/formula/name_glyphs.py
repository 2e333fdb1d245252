"""A name in the tutorials' letters: Ŷ, ℰ, α, digits at its end as subscripts."""

from __future__ import annotations

import unicodedata

from engine.formula.letters import GREEK as GREEK

SUBSCRIPT_DIGITS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

_SUPERSCRIPTS = dict(
    zip(
        "0123456789+−()abcdefghijklmnoprstuvwxyzαβγδθφχ",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵅᵝᵞᵟᶿᵠᵡ",
        strict=True,
    )
)

AFFINE = {"scale": "gamma", "shift": "beta"}
"""What a norm's scale and shift are called in formulas (Ioffe & Szegedy 2015)."""


def name_glyphs(name: str, plain_end: bool) -> str:
    """A name in the tutorials' letters: ``Ŷ``, ``ℰ``, ``α``; digits at its end become subscripts."""
    stem, digits = split_name(name)
    if digits and not plain_end:
        return name_glyphs(stem, plain_end=True) + digits.translate(SUBSCRIPT_DIGITS)
    if name.endswith("_hat"):
        # Only a letter that has its own accented character: a combining accent has no cell of its own.
        letter = name.removesuffix("_hat")
        accented = unicodedata.normalize("NFC", letter + "\N{COMBINING CIRCUMFLEX ACCENT}")
        return accented if letter and len(accented) == 1 else name
    return "ℰ" if name == "E" else GREEK.get(AFFINE.get(name, name), name)


def split_name(name: str) -> tuple[str, str]:
    """A name and the digits at its end: ``beta0`` as (``beta``, ``0``); empty where there are none."""
    stem = name.rstrip("0123456789")
    return (stem, name[len(stem) :]) if stem.isalpha() else (name, "")


def superscript(text: str) -> str | None:
    """A text in raised characters, or None where Unicode lacks one of them."""
    if not all(character in _SUPERSCRIPTS for character in text):
        return None
    return "".join(_SUPERSCRIPTS[character] for character in text)
