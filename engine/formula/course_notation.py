"""What a course calls the quantities: its own letters in place of this program's, on screen and as they are typed.

    f⁽¹⁾ = Wᵀ X   shown as   z⁽¹⁾ = Θᵀ X        ∂L/∂z⁽¹⁾₀₀, z[1][0,0], z^{[1]}_{00}   read as   f[1][0,0]

Formulas keep the canonical names inside, so that nothing but drawing and reading has to know. What is drawn goes
through `letter_of` (single names) or `said` (words with names among them); what is typed goes through `typed`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from engine.formula.letters import CAPITALS, GREEK, SCRIPT, Letter, letter

_HATTED = "ÂĈÊĜĤÎĴÔŜÛŴŶẐâĉêĝĥîĵôŝûŵŷẑ"
_SPECIAL = "".join([*GREEK.values(), *CAPITALS.values(), *SCRIPT.values(), _HATTED])

_TYPED = re.compile(
    rf"""
      (?P<skip> \[[\w\s,:;]*\]                                           # an index
              | [.^]\{{?T\}}?(?![A-Za-z_])                                   # a transposition
              | \\(?:operatorname|mathrm|text\w*|mathit|mathsf)\s*\{{[^{{}}]*\}} )
    | (?P<latex> \\(?:wide)?hat\s*(?:\{{\s*\\?[A-Za-z]+\s*\}}|\\?[A-Za-z])
               | \\math(?:cal|scr)\s*\{{\s*[A-Za-z]\s*\}}
               | \\[A-Za-z]+ )
    | (?P<special> [{_SPECIAL}](?:_hat(?![A-Za-z]))? )
    | (?P<word> [A-Za-z][A-Za-z0-9_]* )
    """,
    re.VERBOSE,
)
_PARTS = re.compile(r"([A-Za-z]+?(?:_hat)?)(T?)((?:[0-9]+)?(?:_[0-9]*)?)")
"""A typed word: its letters, a transposition, and digits that may be a layer or an index."""

# "a" by itself is an article, and others are keys: they are symbols where something of a symbol stands beside them.
_SAID = re.compile(
    r"""
      Y_hat (?![A-Za-z0-9])
    | [Ŷℰ]
    | (?<![\w'’]) [ηδγβE] (?![\w'’])
    | (?<![\w'’.]) [WXYf] (?![A-Za-z'’]|_[A-Za-z])
    | (?<![\w'’.]) [abghu] (?=[⁽₀-₉]|\[[0-9l])
    | (?<=\bd) E (?=/d)
    | (?<=\bdE/d) (?:Y_hat|[WXYEbafhgu]) (?![A-Za-z_])
    | (?<=[∂∇Δ]) [ŶℰWXYEbafhgu] (?![A-Za-z'’])
    """,
    re.VERBOSE,
)
_DRAWN = {"Ŷ": "Y_hat", "ℰ": "E", "η": "eta", "δ": "delta", "γ": "scale", "β": "shift"}
_IN_LATEX = {
    "Y_hat": r"\hat{Y}",
    "E": r"\mathcal{E}",
    "delta": r"\delta",
    "eta": r"\eta",
    "scale": r"\mathrm{scale}",
    "shift": r"\mathrm{shift}",
}
_GRADIENT = "dE/d"
_LOOKS_LIKE_LATEX = re.compile(r"\\|[_^]\{")
CANONICAL_NAMES = frozenset(
    ("X", "Y", "W", "b", "f", "a", "g", "h", "u", "scale", "shift", "mean", "std", "Y_hat", "E", "fit")
) | {"penalty", "n", "alpha", "beta"}


@dataclass(frozen=True)
class CourseNames:
    """The letters that a course calls the quantities by; a name that is not among them keeps its own.

    All letters must differ.

    Where an own letter is the canonical name of something else (``a`` for the pre-activation), the own one counts.
    """

    letters: tuple[tuple[str, Letter], ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is called otherwise than by its canonical name."""
        return bool(self.letters)

    @cached_property
    def _by_name(self) -> Mapping[str, Letter]:
        return dict(self.letters)

    @cached_property
    def _canonical(self) -> Mapping[str, str]:
        exact = {own.plain: name for name, own in self.letters}
        other_case = {
            plain.casefold(): name for plain, name in exact.items() if plain.casefold() not in exact
        }
        return other_case | exact

    def letter_of(self, name: str) -> Letter | None:
        """The course's letter for a canonical name, or None where it has none of its own.

        ``dE/df``, the name of an earlier result, has the letters of both.
        """
        if self.letters and name.startswith(_GRADIENT):
            of, by = (self._by_name.get(one) for one in ("E", name.removeprefix(_GRADIENT)))
            if of is None and by is None:
                return None
            of, by = of or Letter("E", "E", "E"), by or _called(name.removeprefix(_GRADIENT))
            return Letter(
                f"d{of.plain}/d{by.plain}",
                f"d{of.drawn}/d{by.drawn}",
                rf"\mathrm{{d}}{of.latex}/\mathrm{{d}}{by.latex}",
            )
        return self._by_name.get(name)

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────

    def said(self, text: str, *, ascii: bool = False) -> str:
        """Words with canonical names among them, in the course's letters: drawn (``Ŷ − Y``) or plain (``f[1]``)."""
        return _SAID.sub(lambda found: self._shown(found[0], ascii), text) if self.letters else text

    def _shown(self, name: str, ascii: bool) -> str:
        own = self._by_name.get(_DRAWN.get(name, name))
        if own is None:
            return name
        return own.plain if ascii else own.drawn

    # ── what is typed ───────────────────────────────────────────────────────────────────────────────

    def typed(self, text: str) -> str:
        """A text typed in the course's letters, with canonical names: ``∂L/∂z⁽¹⁾₁₁``, ``dL/dz[1]``."""
        return "".join(replacement for _, _, replacement in self._pieces(text)) if self.letters else text

    def column(self, text: str, column: int) -> int:
        """The column in `text` as it was typed, for a column of `typed(text)`; both count from 1."""
        if not self.letters:
            return column
        passed = 0
        for start, written, replacement in self._pieces(text):
            if passed + len(replacement) >= column:
                inside = column - passed if written == replacement else min(column - passed, len(written))
                return start + inside
            passed += len(replacement)
        return len(text) + column - passed

    def _pieces(self, text: str) -> Iterator[tuple[int, str, str]]:
        """The text in pieces: where each starts, how it was written, and what it reads as."""
        is_latex = _LOOKS_LIKE_LATEX.search(text) is not None
        place = 0
        for match in _TYPED.finditer(text):
            if place < match.start():
                yield place, text[place : match.start()], text[place : match.start()]
            written = match[0]
            # In LaTeX letters that stand side by side are names of their own.
            words = list(written) if match["word"] and is_latex else [written]
            start = match.start()
            for word in words:
                read = word if match["skip"] else self._read(word)
                yield start, word, _IN_LATEX.get(read, read) if is_latex else read
                start += len(word)
            place = match.end()
        if place < len(text):
            yield place, text[place:], text[place:]

    def _read(self, word: str) -> str:
        if (name := self._name(word.replace("\\", "").replace("{", " ").replace("}", " "))) is not None:
            return name
        if (parts := _PARTS.fullmatch(word)) is None:
            return word
        stem, transposed, digits = parts.groups()
        if (name := self._name(stem)) is not None:
            return name + transposed + digits
        if stem.startswith("d") and (name := self._name(stem[1:])) is not None:
            return f"d{name}{transposed}{digits}"
        return word

    def _name(self, written: str) -> str | None:
        """The canonical name of an own letter, however it is spelled."""
        match written.split():
            case ["hat" | "widehat", base]:
                written = f"{base}_hat"
            case ["mathcal" | "mathscr", base]:
                written = base
        one = letter(written)
        if one is None:
            return None
        if one.plain in CANONICAL_NAMES and one.plain not in {own.plain for _, own in self.letters}:
            return None  # that name is nobody's own letter: it means itself
        return self._canonical.get(one.plain, self._canonical.get(one.plain.casefold()))


def _called(name: str) -> Letter:
    """A canonical name as it stands."""
    return letter(name) or Letter(name, name, rf"\mathrm{{{name}}}")


CANONICAL = CourseNames()
"""No own names: everything is called as in the tutorials."""
