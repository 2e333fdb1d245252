"""Cuts a typed formula into tokens: the plain form, NumPy's, and the characters that the screen shows.

    (Ŷ₀₀ − Y₀₀)·W⁽²⁾₁₀   ->   ( Y_hat [ 0 , 0 ] - Y [ 0 , 0 ] ) · W [ 2 ] [ 1 , 0 ]

Whatever way of writing was used, the reader sees the same few tokens. `engine.practice.reading.latex_tokens` makes them
from LaTeX.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.formula.notation import GREEK
from engine.formula.parser import MAX_LENGTH
from engine.practice.reading.unreadable import UnreadableError


@dataclass(frozen=True, slots=True)
class Token:
    """A number, a name, a sign, or the end; `column` counts from 1 in what was typed."""

    kind: str
    text: str
    column: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else f"“{self.text}”"


NO_PARTIALS = "no partial derivatives on the right: write what they are, in names of the network"

NAMES = {
    **{letter: name for name, letter in GREEK.items()},
    "Ŷ": "Y_hat",
    "ŷ": "Y_hat",
    "ℰ": "E",
    "σ": "sigmoid",
    "sigma": "sigmoid",
    "𝟙": "indicator",
    "Σ": "sum",
    "∑": "sum",
    "ReLU": "relu",
    "Relu": "relu",
    "ln": "log",
    "max": "maximum",
    "min": "minimum",
    "√": "sqrt",
}
FRACTIONS = {
    "½": "1/2",
    "⅓": "1/3",
    "⅔": "2/3",
    "¼": "1/4",
    "¾": "3/4",
    "⅕": "1/5",
    "⅖": "2/5",
    "⅗": "3/5",
    "⅘": "4/5",
    "⅙": "1/6",
    "⅚": "5/6",
    "⅛": "1/8",
    "⅜": "3/8",
    "⅝": "5/8",
    "⅞": "7/8",
}
SIGNS = {
    "−": "-",
    "–": "-",
    "×": "*",
    "≥": ">=",
    "≤": "<=",
    "^": "**",
    "∘": "⊙",
    "⋅": "·",
    "•": "·",
    "’": "'",
    "′": "'",
}

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₘₙ", "0123456789ijkmn")
_GREEK = f"[{''.join(letter for letter in NAMES if len(letter) == 1)}]"
"""Letters that are names of their own: αY is a product."""
_TOKEN = re.compile(
    rf"""\s*(?:
        (?P<prefix> (?:numpy|np|math)\. )
      | (?P<gradient> [∂d][ℰELJC]\s*/\s*[∂d] (?P<by> [A-Za-zŶŷ][A-Za-z_0-9]* ) )
      | (?P<partial> ∂ )
      | (?P<hatted> hat \s* (?: \{{ \s*[Yy]\s* \}} | \( \s*[Yy]\s* \) | \s[Yy](?![A-Za-z]) ) )
      | (?P<sum> sum (?=_[a-z](?![A-Za-z0-9_])) )
      | (?P<fraction> [{"".join(FRACTIONS)}] )
      | (?P<number> (?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+) (?:[eE][+-]?[0-9]+)? )
      | (?P<shown> (?P<bare> [A-Za-z]+(?:_hat)? ) _ (?P<pair> [0-9]{{2}} ) (?![0-9A-Za-z_]) )
      | (?P<name> {_GREEK} | [A-Za-z][A-Za-z0-9_]* )
      | (?P<layer> ⁽[⁰¹²³⁴⁵⁶⁷⁸⁹]+⁾ | \^\[[0-9]+\] )
      | (?P<power> [⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+ )
      | (?P<lower> [₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₘₙ]+ (?:,[₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₘₙ]+)? )
      | (?P<asciipair> _(?P<two>[0-9]{{2}})(?![0-9A-Za-z_]) )
      | (?P<transpose> ᵀ | ⊤ | \.T(?![A-Za-z_]) | \^T(?![A-Za-z_]) | \^\{{T\}} )
      | (?P<sign> \*\*|[<>]=|==|[-+*/@()\[\]{{}},:<>=.|_'⊙·{"".join(SIGNS)}] )
      | (?P<end> \Z )
    )""",
    re.VERBOSE,
)


def tokens(text: str) -> list[Token]:
    """Tokenises a typed formula; the last token is the end. Raises UnreadableError."""
    if len(text) > MAX_LENGTH:
        raise UnreadableError(f"expected at most {MAX_LENGTH} characters, found {len(text)}", text[:80], 80)
    return list(_cut(text))


def _cut(text: str) -> Iterator[Token]:
    place = 0
    while True:
        match = _TOKEN.match(text, place)
        if match is None:
            place += len(text[place:]) - len(text[place:].lstrip())
            raise UnreadableError(
                f"the character “{text[place]}” has no meaning in a formula", text, place + 1
            )
        kind = str(match.lastgroup if match.lastgroup not in ("by", "bare", "pair", "two") else _outer(match))
        column = match.start(kind) + 1
        written = match[kind]
        place = match.end()
        match kind:
            case "prefix":
                continue
            case "partial":
                raise UnreadableError(NO_PARTIALS, text, column)
            case "gradient":
                yield Token("name", "dE/d" + NAMES.get(match["by"], match["by"]), column)
            case "hatted":
                yield Token("name", "Y_hat", column)
            case "sum":
                yield Token("name", "sum", column)
            case "fraction":
                if text[: column - 1].rstrip()[-1:].isdigit():
                    raise UnreadableError("write a number with a fraction as a decimal, 2.5", text, column)
                yield from fraction_tokens(written, column)
            case "name":
                yield Token("name", NAMES.get(written, written), column)
            case "shown":
                yield Token("name", NAMES.get(match["bare"], match["bare"]), column)
                yield from index_tokens(match["pair"], column)
            case "layer" | "power":
                yield from raised_tokens(written, text, column)
            case "lower":
                yield from lowered_tokens(written, column)
            case "asciipair":
                yield from index_tokens(match["two"], column)
            case "transpose":
                yield Token("sign", ".T", column)
            case "end":
                yield Token("end", "", len(text) + 1)
                return
            case _:
                yield Token(kind, SIGNS.get(written, written), column)


def _outer(match: re.Match[str]) -> str:
    """The alternative that matched, where the last group is one inside it."""
    return next(kind for kind in ("gradient", "shown", "asciipair") if match[kind] is not None)


def fraction_tokens(sign: str, column: int) -> Iterator[Token]:
    """The tokens of a fraction character: ``½`` as (1/2)."""
    above, slash, below = FRACTIONS[sign].partition("/")
    for kind, text in (
        *(("sign", "("), ("number", above), ("sign", slash)),
        *(("number", below), ("sign", ")")),
    ):
        yield Token(kind, text, column)


def bracketed(inside: list[Token], column: int) -> list[Token]:
    """Tokens in square brackets."""
    return [Token("sign", "[", column), *inside, Token("sign", "]", column)]


def index_tokens(digits: str, column: int) -> list[Token]:
    """The tokens of an index written with or without a comma: ``11`` is [1,1], ``10,3`` is [10,3]."""
    row, comma, other = digits.partition(",")
    if not comma:
        if len(digits) != 2:
            inside = [_place(digits, column)]
            return bracketed(inside, column)
        row, other = digits[0], digits[1]
    return bracketed([_place(row, column), Token("sign", ",", column), _place(other, column)], column)


def _place(text: str, column: int) -> Token:
    return Token("number" if text.isdigit() else "sign" if text == ":" else "name", text, column)


def raised_tokens(written: str, text: str, column: int) -> list[Token]:
    """The tokens of small raised characters: ``⁽²⁾`` is a layer, ``²`` a power."""
    digits = written.strip("⁽⁾^[]").translate(_RAISED)
    if written[0] in "⁽^":
        return bracketed([Token("number", digits, column)], column)
    return power_tokens(digits, text, column)


def lowered_tokens(written: str, column: int) -> list[Token]:
    """The tokens of small lowered characters: an index, or the letter that runs in a sum, Σₖ."""
    lowered = written.translate(_LOWERED)
    if lowered.isalpha() and len(lowered) == 1:
        return [Token("sign", "_", column), Token("name", lowered, column)]
    return index_tokens(lowered, column)


def power_tokens(digits: str, text: str, column: int) -> list[Token]:
    """The tokens of a raised number."""
    sign, digits = (digits[0], digits[1:]) if digits[0] in "+-" else ("", digits)
    if not digits.isdigit():
        raise UnreadableError("expected a number as a power", text, column)
    found = [Token("sign", "**", column)]
    if sign == "-":
        found.append(Token("sign", "-", column))
    return [*found, Token("number", digits, column)]
