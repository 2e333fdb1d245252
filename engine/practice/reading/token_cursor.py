"""A cursor over the tokens of a typed formula: reads one after the other, and says in one line what does not fit."""

from __future__ import annotations

from typing import NamedTuple

from engine.formula.expression import Expr, Symbol
from engine.formula.numeric_functions import COMPARISONS
from engine.formula.parser import MAX_DEPTH
from engine.practice.reading.latex_tokens import is_latex, latex_tokens
from engine.practice.reading.names_in_scope import Scope, Shape
from engine.practice.reading.typed_tokens import Token, tokens
from engine.practice.reading.unreadable import UnreadableError

_NESTED = 50
"""How many parentheses, functions and signs may stand inside each other."""
CLOSING = {"(": ")", "[": "]", "{": "}"}
"""Where no index and no argument can stand, each of them groups."""


class Part(NamedTuple):
    """A part of a formula that has been read: its expression, its shape (None: a single number) and its height."""

    expr: Expr
    shape: Shape | None
    height: int


class TokenCursor:
    """The tokens of one text, and how far they have been read."""

    def __init__(self, text: str, scope: Scope) -> None:
        self.text, self.scope = text, scope
        self.tokens = latex_tokens(text) if is_latex(text) else tokens(text)
        self.place = 0
        self.nesting = 0
        self.letters: dict[str, int | None] = {}
        self.filled_in: Symbol | None = None  # the layer that a name without one was taken for
        self.terms = 1

    @property
    def token(self) -> Token:
        """The token to be read next."""
        return self.tokens[self.place]

    @property
    def following(self) -> Token:
        """The token after the next one."""
        return self.tokens[min(self.place + 1, len(self.tokens) - 1)]

    def advance(self) -> Token:
        """Reads one token; the end is never passed."""
        token = self.token
        self.place = min(self.place + 1, len(self.tokens) - 1)
        return token

    def accept(self, *signs: str) -> Token | None:
        """The next token if it is one of these signs."""
        return self.advance() if self.token.kind == "sign" and self.token.text in signs else None

    def expect(self, sign: str) -> None:
        """Reads this sign or fails."""
        if self.accept(sign) is None:
            self.refuse_decimal_comma()
            raise self.error(f"expected “{sign}”, found {self.token}")

    def expect_end(self) -> None:
        """Fails unless everything has been read."""
        if self.token.kind == "end":
            return
        self.refuse_decimal_comma()
        if self.token.text in (*COMPARISONS, "="):
            raise self.error(
                "a comparison stands in parentheses, as in 1{f > 0}; an answer has no equals sign"
            )
        raise self.error(f"expected an operator or the end, found {self.token}")

    def refuse_decimal_comma(self) -> None:
        """Fails at a comma between two digits."""
        before, after = self.tokens[max(self.place - 1, 0)], self.following
        if (
            self.token.text == ","
            and (before.text == "]" or before.kind == "name")
            and after.kind == "number"
        ):
            raise self.error("an index with a comma stands in brackets, such as X[2,0]")
        if self.token.text == "," and before.kind == after.kind == "number":
            raise self.error(f"a decimal point is a dot here: {before.text}.{after.text}")

    def ahead(self, *kinds: str) -> bool:
        """Whether the next tokens are these signs; ``0`` stands for a number, ``k`` for a row or column."""
        for offset, kind in enumerate(kinds):
            token = self.tokens[min(self.place + offset, len(self.tokens) - 1)]
            place = token.kind == "number" or token.text == ":" or token.text in self.letters
            if not (place if kind == "k" else token.kind == "number" if kind == "0" else token.text == kind):
                return False
        return True

    def error(self, problem: str, token: Token | None = None) -> UnreadableError:
        """The complaint, at a token or at the next one."""
        return UnreadableError(problem, self.text, (token or self.token).column)

    def deeper(self, levels: int) -> None:
        """Goes so many levels into the text, or out again."""
        self.nesting += levels
        if self.nesting > _NESTED:
            raise self.error(f"expected at most {_NESTED} levels of parentheses")

    def made(self, expr: Expr, shape: Shape | None, token: Token, *parts: Part) -> Part:
        """A part one level higher than those it is made of."""
        height = 1 + max((part.height for part in parts), default=0)
        if height > MAX_DEPTH:
            raise self.error(f"expected at most {MAX_DEPTH} levels of operators", token)
        return Part(expr, shape, height)
