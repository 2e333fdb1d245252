"""Names as people type them or copy them, brought into the plain form before they are read.

    W⁽¹⁾₁₁   W^{[1]}_{11}   W_{11}^{(1)}   W[1][1][1]   ∂ℰ/∂W⁽¹⁾₁₁   ──>   W[1][1,1]

The screen's own notation, LaTeX as the tutorials write it, and indices one by one as in Python. Rewriting only moves
brackets; whether there is such a matrix is for the graph to say.
"""

from __future__ import annotations

import re

_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "01234567890123456789")
_GRADIENT_OF = re.compile(r"\s*(?:∂ℰ/∂|∂E/∂|dE/d)")
_LATEX_GRADIENT_OF = re.compile(
    r"\s*\\d?frac\s*\{\s*\\partial\s*(?:E|\\mathcal\s*\{\s*E\s*\}|\\mathscr\s*\{\s*E\s*\})\s*\}\s*"
    r"\{\s*\\partial\s*(.*)\}\s*"
)
_HAT = re.compile(r"\\hat\s*(?:\{\s*([A-Za-z])\s*\}|([A-Za-z]))")
_RAISED_LAYER = re.compile("⁽([⁰¹²³⁴⁵⁶⁷⁸⁹]+)⁾")
_LOWERED_INDEX = re.compile("([₀₁₂₃₄₅₆₇₈₉]+),?([₀₁₂₃₄₅₆₇₈₉]*)")
# W_{11}^{[1]}: the subscript may come first.
_SUBSCRIPT_FIRST = re.compile(r"(_\{[^{}]*\}|_[0-9])\s*(\^\{[^{}]*\}|\^[\[(][^\])]*[\])])")
_SUPERSCRIPT = re.compile(r"\^\s*(?:\{\s*)?[\[(]\s*([0-9]+)\s*[\])](?:\s*\})?")
_SUBSCRIPT = re.compile(r"_\s*\{\s*([0-9]+)(?:\s*[,;]\s*|\s+)?([0-9]*)\s*\}")
_INDEX_BY_INDEX = re.compile(r"(\[[0-9]+\])\s*\[([0-9]+)\]\s*\[([0-9]+)\]\s*$")
_OF_A_VECTOR = re.compile(r"\s*([bB]\s*\[[0-9]+\])\s*\[([0-9]+)\]\s*$")
_WITHOUT_LAYER = re.compile(r"\s*([xXyYŶ](?:_hat)?)\s*\[([0-9]+)\]\s*\[([0-9]+)\]\s*$")


_DERIVATIVE = re.compile(r"\s*(?:∂|d)\s*([^/]+?)\s*/\s*(?:∂|d)\s*(.+?)\s*$")


def typed_derivative(typed: str) -> tuple[str | None, str]:
    """Splits a typed derivative: what is differentiated (None: the loss), and by what."""
    match = _DERIVATIVE.match(typed)
    if match is None or match[1] in ("E", "ℰ"):
        return None, typed
    return match[1], match[2]


def in_plain_form(typed: str) -> str:
    """A name in the plain form, where it is written in one of the other ways."""
    text = _LATEX_GRADIENT_OF.sub(r"\1", _GRADIENT_OF.sub("", typed, count=1))
    text = _HAT.sub(lambda hat: f"{hat[1] or hat[2]}_hat", text)
    text = _SUBSCRIPT_FIRST.sub(r"\2\1", text)
    text = _RAISED_LAYER.sub(lambda layer: f"[{layer[1].translate(_DIGITS)}]", text)
    text = _SUPERSCRIPT.sub(r"[\1]", text)
    text = _LOWERED_INDEX.sub(_index, text)
    text = _SUBSCRIPT.sub(_index, text)
    text = _INDEX_BY_INDEX.sub(r"\1[\2,\3]", text)
    text = _OF_A_VECTOR.sub(r"\1[\2,0]", text)
    return _WITHOUT_LAYER.sub(r"\1[\2,\3]", text)


def _index(lowered: re.Match[str]) -> str:
    row, column = lowered[1], lowered[2]
    if not column and len(row) == 2:  # ₁₁ is row 1, column 1; larger numbers are written with a comma
        row, column = row[0], row[1]
    return f"[{row.translate(_DIGITS)},{column.translate(_DIGITS)}]" if column else lowered[0]
