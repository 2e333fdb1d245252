"""Reads the plain form of a formula back into an expression. Safe: its own grammar, nothing is executed.

    "-alpha*Y/Y_hat"  ->  tokens  - alpha * Y / Y_hat  ->  Quotient ── Product ── Negative ── Symbol alpha

Precedence and associativity are Python's: ``-x**2`` is -(x²), ``a/b*c`` is (a/b)·c. Whatever the text, the
result is an expression or a `ParseError` that says in which column the trouble is.
"""

from __future__ import annotations

import difflib
import keyword
import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from engine.formula.course_notation import CANONICAL, CourseNames
from engine.formula.expression import (
    Expr,
    Function,
    Indicator,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
)
from engine.formula.letters import GREEK
from engine.formula.name_glyphs import AFFINE
from engine.formula.numeric_functions import ARITY, COMPARISONS
from engine.formula.typed_names import in_plain_form

MAX_LENGTH = 10_000
"""The longest text that is read, in characters."""
MAX_DEPTH = 100
"""The most levels an expression may have, which keeps every walk over it clear of Python's own limit."""

# In the text a level is at most an operator (or a minus) and a pair of parentheses; a function counts twice.
_MAX_NESTING = 2 * MAX_DEPTH


class ParseError(ValueError):
    """Text that is not a formula: what is wrong (`problem`) and where (`column`, counted from 1)."""

    def __init__(self, problem: str, text: str, column: int) -> None:
        super().__init__(f"column {column}: {problem}")
        self.problem = problem
        self.text = text
        self.column = column


def parse(text: str) -> Expr:
    """Parses a formula in the plain form. Raises ParseError."""
    parser = _FormulaParser(text)
    tree = parser.expression()
    parser.expect_end()
    return tree.expr


def parse_symbol(text: str, names: CourseNames = CANONICAL) -> Symbol:
    """Parses a symbol such as ``W[1][1,1]`` or ``Y_hat[0,0]``, or one in own `names`. Raises ParseError.

    The tutorials' names may be written in either case: ``w[1][1, 1]`` is W[1][1,1]; a name by itself is left as it
    is, since an expression may have an x that is no X. What the screen shows may be pasted, and the tutorials'
    LaTeX typed: ``∂ℰ/∂W⁽¹⁾₁₁`` and ``W^{[1]}_{11}`` are W[1][1,1] as well.
    """
    parser = _FormulaParser(in_plain_form(names.typed(text)))
    symbol = parser.symbol()
    parser.expect_end()
    if symbol.layer is None and symbol.index is None:
        return symbol
    name = _TUTORIAL_NAMES.get(symbol.name.casefold(), symbol.name)
    if (
        symbol.layer is not None
    ):  # γ⁽¹⁾ and β⁽¹⁾ are drawn, and alpha and beta without a layer are weights of a loss
        name = _DRAWN_AFFINE.get(name, name)
    return Symbol(name, symbol.layer, symbol.index)


_NAMES = "X Y W b f a g h u scale shift mean std Y_hat E fit penalty n alpha beta"
_DRAWN_AFFINE = {letter: name for name, letter in AFFINE.items()}
_TUTORIAL_NAMES = {name.casefold(): name for name in _NAMES.split()}

# The letters that formulas are drawn with may be typed as well.
_SAME_NAME = {"Ŷ": "Y_hat", "ℰ": "E", **{letter: name for name, letter in GREEK.items()}}
_SAME_SIGN = {"−": "-", "·": "*", "×": "*", "≥": ">=", "≤": "<="}
_SHORT = {"max": "maximum", "min": "minimum"}
_CONSTANTS = {"inf": float("inf"), "nan": float("nan")}
_HINTS = {"^": "a power is written **", "=": "an expression has no equals sign"}

_SUM, _PRODUCT, _POWER = 1, 2, 3
_BINARY = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "**": _POWER}

_TOO_DEEP = f"expected at most {MAX_DEPTH} levels of nesting"

_LETTER = f"[A-Za-z_{''.join(_SAME_NAME)}]"
_TOKEN = re.compile(
    rf"""\s*(?:
        (?P<number> (?:[0-9]+\.?[0-9]*|\.[0-9]+) (?:[eE][+-]?[0-9]+)? )
      | (?P<name> {_LETTER}(?:{_LETTER}|[0-9])* )
      | (?P<sign> \*\*|[<>]=|[-+*/()\[\],<>{"".join(_SAME_SIGN)}] )
      | (?P<end> \Z)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int

    def __str__(self) -> str:
        return "end of input" if self.kind == "end" else f"“{self.text}”"


class _Tree(NamedTuple):
    """An expression and how many levels of operators and functions it has."""

    expr: Expr
    height: int


def _tokens(text: str) -> list[_Token]:
    if len(text) > MAX_LENGTH:
        raise ParseError(f"expected at most {MAX_LENGTH} characters, found {len(text)}", text, MAX_LENGTH + 1)
    found: list[_Token] = []
    place = 0
    while not found or found[-1].kind != "end":
        match = _TOKEN.match(text, place)
        if match is None:
            place = len(text) - len(text[place:].lstrip())
            hint = _HINTS.get(text[place], "it has no meaning in a formula")
            raise ParseError(f"unexpected character “{text[place]}”: {hint}", text, place + 1)
        kind = str(match.lastgroup)
        written = match[kind]
        same = _SAME_NAME if kind == "name" else _SAME_SIGN
        found.append(_Token(kind, same.get(written, written), match.start(kind) + 1))
        place = match.end()
    return found


class _FormulaParser:
    """One text being read: precedence climbing over its tokens."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.place = 0
        self.nesting = 0

    @property
    def token(self) -> _Token:
        """The token to be read next."""
        return self.tokens[self.place]

    def expression(self, loosest: int = _SUM) -> _Tree:
        """An expression of operators that bind at least as tightly as `loosest`."""
        self.nest(1)
        left = self.prefix()
        previous = ""
        while self.token.kind == "sign" and _BINARY.get(self.token.text, 0) >= loosest:
            operator = self.advance()
            binding = _BINARY[operator.text]
            # Only powers group to the right: 2**3**2 is 2**(3**2).
            right = self.expression(binding if binding == _POWER else binding + 1)
            left = self.join(left, operator, right, previous)
            previous = operator.text
        self.nest(-1)
        return left

    def join(self, left: _Tree, operator: _Token, right: _Tree, previous: str) -> _Tree:
        """The two sides under their operator; a run of + and − is one sum, a run of * one product.

        `previous` is the operator that made `left`, or empty where `left` was read as a whole.
        """
        x, y = left.expr, right.expr
        if operator.text == "/":
            return self.tree(Quotient(x, y), operator, left, right)
        if operator.text == "**":
            return self.tree(Power(x, y), operator, left, right)
        if operator.text == "*":
            run = isinstance(x, Product) and previous == "*"
            made: Expr = Product((*x.children(), y) if run else (x, y))
        else:
            run = isinstance(x, Sum) and previous in ("+", "-")
            term = y if operator.text == "+" else Negative(y)
            made = Sum((*x.children(), term) if run else (x, term))
        return self.tree(made, operator, _Tree(x, left.height - run), right)

    def prefix(self) -> _Tree:
        """An operand with the signs in front of it."""
        if self.accept("+"):
            return self.expression(_POWER)
        if minus := self.accept("-"):
            # -2 is the number −2, as `Number.plain` writes it. But -0 is minus the number 0: the number
            # −0.0 is written with its point.
            literal = self.token.text == "inf" or (self.token.kind == "number" and self.token.text != "0")
            operand = self.expression(_POWER)
            if literal and isinstance(operand.expr, Number):
                return _Tree(Number(-operand.expr.value), operand.height)
            return self.tree(Negative(operand.expr), minus, operand)
        return self.operand()

    def operand(self) -> _Tree:
        """A number, a symbol, a function with its arguments, or an expression in parentheses."""
        token = self.token
        if token.kind == "number":
            return _Tree(Number(float(self.advance().text)), 1)
        if self.accept("("):
            inside = self.expression()
            self.expect(")", "a closing parenthesis")
            return inside
        if token.kind != "name":
            raise self.error(f"expected a number, a name or an opening parenthesis, found {token}")
        if token.text in _CONSTANTS:
            return _Tree(Number(_CONSTANTS[self.advance().text]), 1)
        follows = self.tokens[self.place + 1]
        if token.text == "indicator":
            return self.indicator()
        if token.text in ARITY or follows.text == "(":  # max and min may be names of their own
            return self.function()
        return _Tree(self.symbol(), 1)

    def function(self) -> _Tree:
        """A function's name and its arguments."""
        name = self.advance()
        if name.text in _SHORT:
            name = replace(name, text=_SHORT[name.text])
        if name.text not in ARITY:
            close = difflib.get_close_matches(name.text, [*ARITY, "indicator"], n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(ARITY)}, indicator"
            raise self.error(f"unknown function “{name.text}”{hint}", name)
        self.expect("(", f"an opening parenthesis after {name.text}")
        self.nest(1)
        arguments = [self.expression()]
        while self.accept(","):
            arguments.append(self.expression())
        self.nest(-1)
        self.expect(")", "a closing parenthesis")
        expected = ARITY[name.text]
        if len(arguments) != expected:
            plural = "" if expected == 1 else "s"
            raise self.error(f"{name.text} takes {expected} argument{plural}, found {len(arguments)}", name)
        call = Function(name.text, tuple(argument.expr for argument in arguments))
        return self.tree(call, name, *arguments)

    def indicator(self) -> _Tree:
        """``indicator(x > y)``: the one place where a comparison may stand."""
        name = self.advance()
        self.expect("(", "an opening parenthesis after indicator")
        self.nest(1)
        left = self.expression()
        if self.token.text not in COMPARISONS:
            raise self.error(f"expected a comparison ({', '.join(COMPARISONS)}), found {self.token}")
        comparison = self.advance().text
        right = self.expression()
        self.nest(-1)
        self.expect(")", "a closing parenthesis")
        return self.tree(Indicator(left.expr, comparison, right.expr), name, left, right)

    def symbol(self) -> Symbol:
        """A name, then ``[layer]``, ``[row,column]``, both or neither."""
        name = self.token
        if name.kind != "name":
            raise self.error(f"expected a name, found {name}")
        if keyword.iskeyword(name.text):
            raise self.error(f"“{name.text}” is a reserved word of Python and cannot be a name")
        self.advance()
        layer: int | None = None
        while self.accept("["):
            first = self.whole_number()
            if self.accept(","):
                index = (first, self.whole_number())
                self.expect("]", "a closing bracket")
                return Symbol(name.text, layer, index)
            if layer is not None:
                raise self.error(
                    f"expected a comma and the number of a column, such as [0,1], found {self.token}"
                )
            self.expect("]", "a closing bracket")
            layer = first
        return Symbol(name.text, layer)

    def whole_number(self) -> int:
        """A layer, row or column number."""
        token = self.token
        if not re.fullmatch("[0-9]{1,9}", token.text):
            raise self.error(f"expected a whole number of at most nine digits, found {token}")
        return int(self.advance().text)

    def expect_end(self) -> None:
        """Fails unless everything has been read."""
        token = self.token
        if token.kind == "end":
            return
        if token.text in COMPARISONS:
            raise self.error("a comparison may stand only inside indicator(…)")
        expected = "end of input" if token.text in (")", "]", ",", "[") else "an operator"
        raise self.error(f"expected {expected}, found {token}")

    def accept(self, sign: str) -> _Token | None:
        """The next token if it is this sign, which is then read; otherwise None."""
        return self.advance() if self.token.kind == "sign" and self.token.text == sign else None

    def expect(self, sign: str, described: str) -> None:
        """Reads this sign or fails."""
        if self.accept(sign) is None:
            raise self.error(f"expected {described}, found {self.token}")

    def advance(self) -> _Token:
        """Reads one token. The last, the end of input, is never read."""
        self.place += 1
        return self.tokens[self.place - 1]

    def tree(self, expr: Expr, token: _Token, *parts: _Tree) -> _Tree:
        """A tree one level higher than its parts; `token` is what a complaint would point at."""
        height = 1 + max(part.height for part in parts)
        if height > MAX_DEPTH:
            raise self.error(_TOO_DEEP, token)
        return _Tree(expr, height)

    def nest(self, levels: int) -> None:
        """Goes so many levels deeper into the text, or out of it again."""
        self.nesting += levels
        if self.nesting > _MAX_NESTING:
            raise self.error(_TOO_DEEP)

    def error(self, problem: str, token: _Token | None = None) -> ParseError:
        """The complaint, at `token` or else at the token to be read next."""
        return ParseError(problem, self.text, (token or self.token).column)
