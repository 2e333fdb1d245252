r"""Cuts LaTeX into the reader's tokens: what bptui exports, and the notation of the tutorials.

    \frac{1}{n} X^{[1]}_{10}   ->   ( ( 1 ) / ( n ) ) X [ 1 ] [ 1 , 0 ]

A superscript in square brackets is a layer, a subscript an index, any other superscript a power.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.formula.notation import GREEK
from engine.formula.parser import MAX_LENGTH
from engine.practice.reading.typed_tokens import (
    FRACTIONS,
    NAMES,
    NO_PARTIALS,
    SIGNS,
    Token,
    bracketed,
    fraction_tokens,
    index_tokens,
    lowered_tokens,
    raised_tokens,
)
from engine.practice.reading.unreadable import UnreadableError

_LOOKS_LIKE_LATEX = re.compile(r"\\[A-Za-z,;!]|[_^]\{")
_PIECE = re.compile(
    r"\s*(?:(?P<command>\\(?:[A-Za-z]+|[,;:! {}|])) | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))"
    r" | (?P<raised>⁽[⁰¹²³⁴⁵⁶⁷⁸⁹]+⁾|[⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+) | (?P<lowered>[₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₘₙ]+)"
    r" | (?P<letter>[Yy]_?hat\b|[A-Za-zŶŷσαβδη𝟙]) | (?P<sign>\*\*|[<>]=|.) | (?P<end>\Z))",
    re.VERBOSE | re.DOTALL,
)
_FUNCTIONS = {
    "sigma": "sigmoid",
    "exp": "exp",
    "log": "log",
    "ln": "log",
    "tanh": "tanh",
    "sin": "sin",
    "cos": "cos",
    "max": "maximum",
    "min": "minimum",
}
_OPERATORS = {
    "cdot": "·",
    "times": "·",
    "odot": "⊙",
    "circ": "⊙",
    "ge": ">=",
    "geq": ">=",
    "le": "<=",
    "leq": "<=",
    "gt": ">",
    "lt": "<",
    "{": "{",
    "}": "}",
    "lbrace": "{",
    "rbrace": "}",
    "lvert": "|",
    "rvert": "|",
    "prime": "'",
}
_SIZES = ("big", "Big", "bigg", "Bigg")
_SPACES = {
    *(",", ";", ":", "!", " ", "quad", "qquad", "displaystyle", "limits", "left", "right"),
    *(size + side for size in _SIZES for side in ("", "l", "r", "m")),
}
_FONTS = {
    "mathrm",
    "operatorname",
    "text",
    "mathit",
    "mathbf",
    "mathsf",
    "textrm",
    "boldsymbol",
    "bm",
    "mathbb",
    "vec",
}
_NESTED = 40
"""How many fractions may stand inside each other."""


def is_latex(text: str) -> bool:
    """Whether a text is LaTeX rather than a plain formula."""
    return _LOOKS_LIKE_LATEX.search(text) is not None


def latex_tokens(text: str) -> list[Token]:
    """Tokenises a LaTeX formula. Raises UnreadableError."""
    if len(text) > MAX_LENGTH:
        raise UnreadableError(f"expected at most {MAX_LENGTH} characters, found {len(text)}", text[:80], 80)
    reader = _LatexReader(text)
    found = list(reader.until(""))
    return [*found, Token("end", "", len(text) + 1)]


class _LatexReader:
    """Reads pieces of LaTeX from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.place, self.depth = text, 0, 0

    def error(self, problem: str, column: int) -> UnreadableError:
        """The complaint at a column."""
        return UnreadableError(problem, self.text, column)

    def piece(self) -> tuple[str, str, int]:
        """The next piece: its kind, what it is, and its column."""
        match = _PIECE.match(self.text, self.place)
        assert match is not None  # any character is a sign
        kind = str(match.lastgroup)
        self.place = match.end()
        written = match[kind]
        return kind, written.removeprefix("\\") if kind == "command" else written, match.start(kind) + 1

    def peek(self) -> str:
        """The next character that is no space."""
        rest = self.text[self.place :].lstrip()
        return rest[0] if rest else ""

    def until(self, closing: str) -> Iterator[Token]:
        """The tokens up to a closing brace, or to the end."""
        self.depth += 1
        if self.depth > _NESTED:
            raise self.error("expected fewer groups inside each other", self.place)
        while True:
            kind, written, column = self.piece()
            if kind == "end":
                if closing:
                    raise self.error("expected a closing brace }", len(self.text) + 1)
                break
            if kind == "sign" and written == closing:
                break
            yield from self.token(kind, written, column)
        self.depth -= 1

    def group(self) -> list[Token]:
        """What a command takes: the tokens in braces, or one piece."""
        if self.peek() == "{":
            self.piece()
            return list(self.until("}"))
        kind, written, column = self.piece()
        if kind == "end":
            raise self.error("expected something here, found the end", column)
        return list(self.token(kind, written, column, alone=True))

    def raw(self) -> tuple[str, int]:
        """The text in braces, or one character, as it stands."""
        if self.peek() != "{":
            _, written, column = self.piece()
            return written, column
        _, _, column = self.piece()
        start, level = self.place, 1
        while level:
            if self.place >= len(self.text):
                raise self.error("expected a closing brace }", len(self.text) + 1)
            level += {"{": 1, "}": -1}.get(self.text[self.place], 0)
            self.place += 1
        return self.text[start : self.place - 1].strip(), column + 1

    def token(self, kind: str, written: str, column: int, alone: bool = False) -> Iterator[Token]:
        """The tokens that one piece stands for, scripts that follow a name included."""
        if kind == "command":
            yield from self.command(written, column)
        elif kind == "letter":
            yield Token("name", NAMES.get(written, written), column)
            if not alone:
                yield from self.scripts(column)
        elif kind == "number":
            if written == "1" and self.condition_below():
                yield from self.lowered_condition(column)
            else:
                yield Token("number", written, column)
        elif kind == "raised":
            yield from raised_tokens(written, self.text, column)
        elif kind == "lowered":
            yield from lowered_tokens(written, column)
        elif written == "{":
            inside = list(self.until("}"))
            if (len(inside) == 1 and inside[0].kind == "name") or self.is_symbol(inside):
                yield from inside
            else:
                yield from self.parenthesised(inside, column)
            yield from self.scripts(column)
        elif written in "^_":
            self.place -= 1
            yield from self.scripts(column)
        elif written in "$&~":
            return
        elif written in "()[]|+-*/@,<>=:.'" or written in ("**", ">=", "<=") or written in SIGNS:
            yield Token("sign", SIGNS.get(written, written), column)
            if written in ")]":
                yield from self.scripts(column)
        elif written in FRACTIONS:
            yield from fraction_tokens(written, column)
        elif written in "⊙·":
            yield Token("sign", written, column)
        else:
            raise self.error(f"the character “{written}” has no meaning in a formula", column)

    @staticmethod
    def is_symbol(inside: list[Token]) -> bool:
        """Whether tokens are one name with its layer and index."""
        return (
            len(inside) > 1 and inside[0].kind == "name" and inside[1].text == "[" and inside[-1].text == "]"
        )

    @staticmethod
    def parenthesised(inside: list[Token], column: int) -> list[Token]:
        """The tokens in parentheses."""
        return [Token("sign", "(", column), *inside, Token("sign", ")", column)]

    def command(self, name: str, column: int) -> Iterator[Token]:
        """The tokens that a command stands for."""
        if name in ("partial", "nabla"):
            raise self.error(NO_PARTIALS, column)
        if name in ("frac", "dfrac", "tfrac", "cfrac"):
            above, below = self.group(), self.group()
            slash = Token("sign", "/", column)
            yield from self.parenthesised(
                [*self.parenthesised(above, column), slash, *self.parenthesised(below, column)], column
            )
            yield from self.scripts(column)
        elif name == "sqrt":
            yield Token("name", "sqrt", column)
            yield from self.parenthesised(self.group(), column)
        elif name in ("hat", "widehat"):
            inner, _ = self.raw()
            yield Token("name", "Y_hat" if inner in ("Y", "y") else f"{inner}_hat", column)
            yield from self.scripts(column)
        elif name == "mathcal":
            inner, _ = self.raw()
            yield Token("name", inner, column)
        elif name in _FONTS:
            inner, _ = self.raw()
            inner = inner.replace("\\_", "_").strip()
            if inner == "1":
                if self.condition_below():
                    yield from self.lowered_condition(column)
                else:
                    yield Token("name", "indicator", column)
                return
            yield Token("name", NAMES.get(inner, inner), column)
            yield from self.scripts(column)
        elif name == "sum":
            yield Token("name", "sum", column)
            yield from self.sum_limits(column)
        elif name in _FUNCTIONS:
            yield Token("name", _FUNCTIONS[name], column)
            if self.peek() == "'":
                self.piece()
                yield Token("sign", "'", column)
        elif name in _OPERATORS:
            yield Token("sign", _OPERATORS[name], column)
        elif name == "top":
            yield Token("sign", ".T", column)
        elif name in GREEK or name == "lambda":
            yield Token("name", name, column)
            yield from self.scripts(column)
        elif name not in _SPACES:
            raise self.error(f"the command “\\{name}” is not known here", column)

    def condition_below(self) -> bool:
        """Whether a subscript with a comparison comes next, as in ``1_{f>0}``."""
        return (
            re.match(r"\s*_\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*(?:[<>]|\\[gl][te])", self.text[self.place :])
            is not None
        )

    def lowered_condition(self, column: int) -> Iterator[Token]:
        """``_{f>0}`` after a 1."""
        self.piece()
        yield Token("name", "indicator", column)
        yield from self.parenthesised(self.group(), column)

    def sum_limits(self, column: int) -> Iterator[Token]:
        """``_k``, ``_{k=0}^{n-1}`` or ``_{k=1}^{n}`` of a sum: over all there are, however they are counted."""
        letter, begin = "", ""
        last = "n-1"
        while self.peek() in ("_", "^") and self.peek():
            _, script, place = self.piece()
            limit, _ = self.raw()
            limit = limit.replace(" ", "")
            if script == "_":
                letter, _, begin = limit.partition("=")
                last = "n" if begin == "1" else "n-1"
                if begin not in ("", "0", "1"):
                    raise self.error(
                        "a sum runs over all indices: it begins at 0, or at 1 and ends at n", place
                    )
            elif limit != last and not (begin == "0" and limit.isdigit()):
                raise self.error(f"a sum runs over all indices: its upper limit is {last}", place)
        if letter:
            yield Token("sign", "_", column)
            yield Token("name", letter, column)

    def scripts(self, column: int) -> Iterator[Token]:
        """Superscripts and subscripts: the layer first, then the index, then a transpose or a power."""
        layer: list[Token] = []
        index: list[Token] = []
        rest: list[Token] = []
        while self.peek() in ("^", "_") and self.peek():
            _, script, place = self.piece()
            start = self.place
            text, inner = self.raw()
            compact = text.replace(" ", "")
            if script == "_":
                index = self.index(compact, inner)
                continue
            match = re.fullmatch(r"[\[(]([0-9]+)[\])](T|\\top|\\mathrm\{T\}|⊤)?", compact)
            if match is not None:
                layer = bracketed([Token("number", match[1], inner)], inner)
                rest += [Token("sign", ".T", inner)] if match[2] else []
            elif compact in ("T", "\\top", "⊤", "\\mathrm{T}", "\\intercal"):
                rest.append(Token("sign", ".T", inner))
            elif compact == "\\prime":
                rest.append(Token("sign", "'", inner))
            else:
                self.place = start
                rest += [Token("sign", "**", place), *self.parenthesised(self.group(), place)]
        yield from (*layer, *index, *rest)

    def index(self, compact: str, column: int) -> list[Token]:
        """A subscript: ``11``, ``10,3``, ``0k``, ``:,0``."""
        if not re.fullmatch(r"[0-9]{1,2}|[a-z]|[0-9a-z:]{2}|[0-9]+,[0-9]+|[0-9a-z:]+,[0-9a-z:]+", compact):
            raise self.error("expected a row and a column, such as _{10} or _{10,3}", column)
        return index_tokens(compact, column)
