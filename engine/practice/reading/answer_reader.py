"""Reads what a learner typed, in any of three notations, into an expression whose shapes fit. Nothing is executed.

    X @ (Y_hat - Y).T / n   ->   Quotient(MatrixProductTerm(X, TransposedTerm(…)), n), 3×1

Precedence is Python's. Names without index are matrices, `@` is a matrix product, `*` goes entry by entry as in
NumPy; a dot, or nothing between two factors, is a matrix product where both are matrices and one is not 1×1.
A name, index or product that does not fit is refused in one line, with the column where it shows.
"""

from __future__ import annotations

import math
import re
import unicodedata
from typing import NamedTuple

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
from engine.formula.layout import one_line
from engine.formula.matrix_terms import SumOverTerm, TotalTerm
from engine.formula.numeric_functions import ARITY, COMPARISONS
from engine.practice.reading.name_reader import MATRIX_FUNCTIONS, NameReader
from engine.practice.reading.names_in_scope import SampleCount, Scope, Shape
from engine.practice.reading.token_cursor import CLOSING, Part
from engine.practice.reading.typed_tokens import Token
from engine.practice.reading.unreadable import UnreadableError

_SUM, _PRODUCT, _POWER = 1, 2, 3
_BINARY = {
    "+": _SUM,
    "-": _SUM,
    "*": _PRODUCT,
    "/": _PRODUCT,
    "@": _PRODUCT,
    "⊙": _PRODUCT,
    "·": _PRODUCT,
    "**": _POWER,
}
_LARGEST_SUM = 100_000
"""How many terms sums over running indices may have together."""


class Answer(NamedTuple):
    """An answer that was understood: its formula and its shape."""

    expr: Expr
    shape: Shape | None


def read_answer(text: str, scope: Scope) -> Answer:
    """Reads the formula that a learner typed, with its shape. Raises UnreadableError, whose message is one line."""
    text = _answer_alone(unicodedata.normalize("NFC", text).strip())
    if not text.strip():
        raise UnreadableError("expected a formula, found nothing")
    reader = _AnswerReader(text, scope)
    part = reader.expression()
    reader.expect_end()
    if not any(True for _ in part.expr.symbols()):
        _refuse_if_not_finite(part.expr, text)
    return Answer(part.expr, part.shape)


_ASKED = re.compile(
    r"[∂dΔ]\S*\s*/\s*[∂dΔ]\S*|\\frac\s*\{\s*\\partial.*|(?:\\nabla|∇).*|[\w\[\]{}^\\,ℰ⁽⁾⁰-⁹₀-₉]+\s*:?"
)
"""What may stand before an equals sign: a derivative, or the name of what is asked for."""


def _answer_alone(text: str) -> str:
    """The text with ``∂ℰ/∂W =`` before the answer made blank: columns stay what they are."""
    depth, places = 0, []
    for place, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "=" and depth == 0 and text[place - 1 : place] not in ("<", ">", "=", "!"):
            places.append(place)
    if len(places) != 1 or text[places[0] + 1 : places[0] + 2] == "=":
        return text
    asked, answer = text[: places[0]], text[places[0] + 1 :]
    return " " * (len(asked) + 1) + answer if _ASKED.fullmatch(asked.strip()) else text


def _refuse_if_not_finite(expr: Expr, text: str) -> None:
    try:
        value = expr.evaluate({})
    except TypeError:  # a sum over an index of numbers only
        return
    if not math.isfinite(value):
        raise UnreadableError("this is not a finite number", text, 1)


class _AnswerReader(NameReader):
    """One text being read."""

    # ── operators ───────────────────────────────────────────────────────────────────────────────────

    def expression(self, loosest: int = _SUM) -> Part:
        """Operators that bind at least as tightly as `loosest`."""
        self.deeper(1)
        left = self.prefix()
        previous = ""
        while True:
            operator = self.operator()
            if operator is None or _BINARY[operator.text] < loosest:
                break
            if self.token is operator:
                self.advance()
            binding = _BINARY[operator.text]
            right = self.expression(binding if binding == _POWER else binding + 1)
            left = self.join(left, operator, right, previous)
            previous = operator.text
        self.deeper(-1)
        return left

    def operator(self) -> Token | None:
        """The operator that comes next; nothing between two factors is a product."""
        token = self.token
        if token.kind == "sign" and token.text in _BINARY:
            return token
        if token.kind == "name" or (token.kind == "sign" and token.text == "("):
            return Token("sign", "·", token.column)
        if token.kind == "number" and self.following.text == "{":
            return Token("sign", "·", token.column)
        return None

    def prefix(self) -> Part:
        """An operand with the signs in front of it."""
        if self.accept("+"):
            self.deeper(1)
            inside = self.expression(_POWER)
            self.deeper(-1)
            return inside
        if minus := self.accept("-"):
            operand = self.expression(_POWER)
            if isinstance(operand.expr, Number) and operand.expr.value > 0:
                return Part(Number(-operand.expr.value), operand.shape, operand.height)
            return self.made(Negative(operand.expr), operand.shape, minus, operand)
        return self.postfixed(self.operand())

    def postfixed(self, part: Part) -> Part:
        """``.T``, ``.sum(axis=1)`` and ``.dot(…)`` after an operand."""
        while True:
            if mark := self.accept(".T"):
                part = self.transposed(part, mark)
            elif self.token.text == "." and self.following.kind == "name":
                self.advance()
                name = self.advance()
                if name.text not in ("sum", "mean", "dot", "transpose"):
                    raise self.error(f"expected .T, .sum(…), .mean(…) or .dot(…), found .{name.text}", name)
                self.expect("(")
                part = self.method(name, part)
            else:
                return part

    # ── operands ────────────────────────────────────────────────────────────────────────────────────

    def operand(self) -> Part:
        """A number, a name, a function with its arguments, or something in parentheses."""
        token = self.token
        if token.kind == "number":
            if token.text == "1" and self.following.text in ("{", "["):
                self.advance()
                return self.indicator(token)
            return Part(Number(self.number(self.advance())), None, 1)
        if token.kind == "sign" and (closing := CLOSING.get(token.text)):
            self.advance()
            return self.parenthesised(token, closing)
        if token.text == "|" and token.kind == "sign":
            self.advance()
            self.deeper(1)
            inside = self.expression()
            self.deeper(-1)
            self.expect("|")
            return self.made(Function("abs", (inside.expr,)), inside.shape, token, inside)
        if token.kind != "name":
            raise self.error(f"expected a number, a name or an opening parenthesis, found {token}")
        self.advance()
        if token.text == "indicator":
            return self.indicator(token)
        if token.text == "sum" and self.token.text in ("over", "_"):
            return self.sum_over(token)
        if token.text in MATRIX_FUNCTIONS and self.token.text == "(":
            self.advance()
            return self.matrix_function(token)
        if token.text == "e" and self.token.text == "**":
            self.advance()
            exponent = self.expression(_POWER)
            return self.made(Function("exp", (exponent.expr,)), exponent.shape, token, exponent)
        if token.text in ARITY:
            return self.function(token)
        if token.text == "I" and self.token.text == "(" and self.scope.matrix(Symbol("I")) is None:
            return self.indicator(token)
        return self.name(token)

    def number(self, token: Token) -> float:
        """A number that a computer holds."""
        value = float(token.text)
        if not math.isfinite(value):
            raise self.error("this number is too large", token)
        return value

    def parenthesised(self, opening: Token, closing: str = ")") -> Part:
        """What stands in parentheses, or a book's brackets: an expression, or a comparison that is 1 where it holds."""
        self.deeper(1)
        left = self.expression()
        if self.token.kind == "sign" and self.token.text in COMPARISONS:
            left = self.compared(left, opening)
        self.deeper(-1)
        self.expect(closing)
        return left

    def compared(self, left: Part, token: Token) -> Part:
        """A comparison of what has been read with what follows."""
        comparison = self.advance().text
        right = self.expression()
        shape = self.common_shape(left, right, token)
        return self.made(Indicator(left.expr, comparison, right.expr), shape, token, left, right)

    def indicator(self, token: Token) -> Part:
        """``indicator(x > y)``, ``1{x > y}``, ``1[x > y]``."""
        closing = CLOSING.get(self.token.text)
        if closing is None:
            raise self.error(f"expected {{ and a comparison, such as 1{{f > 0}}, found {self.token}")
        self.advance()
        self.deeper(1)
        left = self.expression()
        if self.token.text not in COMPARISONS:
            raise self.error(f"expected a comparison ({', '.join(COMPARISONS)}), found {self.token}")
        part = self.compared(left, token)
        self.deeper(-1)
        self.expect(closing)
        return part

    def function(self, name: Token) -> Part:
        """A function with its arguments; with a prime, its derivative."""
        prime = self.accept("'")
        if self.token.text not in ("(", "{", "["):
            if self.token.kind == "end":
                raise self.error(f"expected an opening parenthesis after {name.text}")
            argument = self.expression(_POWER)  # LaTeX: \log x
            arguments = [argument]
            following = self.operator()
            if name.text == "log" and following is not None and following.text in ("·", "*", "@", "⊙"):
                raise self.error("put what the logarithm is of in parentheses: log(…)", name)
        else:
            closing = CLOSING[self.advance().text]
            self.deeper(1)
            arguments = [self.expression()]
            while self.accept(","):
                arguments.append(self.expression())
            self.deeper(-1)
            self.expect(closing)
        if len(arguments) != ARITY[name.text]:
            plural = "" if ARITY[name.text] == 1 else "s"
            raise self.error(
                f"{name.text} takes {ARITY[name.text]} argument{plural}, found {len(arguments)}", name
            )
        shape = arguments[0].shape
        for argument in arguments[1:]:
            shape = self.common_shape(Part(arguments[0].expr, shape, 1), argument, name)
        call = Function(name.text, tuple(argument.expr for argument in arguments))
        if prime is not None and name.text == self.scope.slope:
            raise self.error(
                f"{one_line(call).partition('(')[0]}′ is just what is asked for: write out what it is", name
            )
        if prime is None:
            return self.made(call, shape, name, *arguments)
        return self.made(self.derivative(call, name), shape, name, *arguments, Part(call, shape, 3))

    def derivative(self, call: Function, name: Token) -> Expr:
        """The derivative of a function, as a formula of its argument."""
        argument = call.arguments[0]
        match call.name:
            case "sigmoid":
                return Product((call, Sum((Number(1.0), Negative(call)))))
            case "tanh":
                return Sum((Number(1.0), Negative(Power(call, Number(2.0)))))
            case "relu":
                return Indicator(argument, ">", Number(0.0))
        raise self.error(f"write out the derivative of {name.text}", name)

    def matrix_function(self, name: Token) -> Part:
        """The functions of whole matrices, as NumPy has them; the opening parenthesis has been read."""
        self.deeper(1)
        first = self.expression()
        self.deeper(-1)
        return self.method(name, first, called=True)

    def method(self, name: Token, part: Part, called: bool = False) -> Part:
        """The rest of a call: further arguments, an axis, the closing parenthesis."""
        axis: int | None = None
        others: list[Part] = []
        comma = not called
        while (self.accept(",") if called or others or not comma else self.token.text != ")") or (
            comma and self.token.text != ")"
        ):
            comma = False
            if self.token.kind == "name" and self.following.text == "=":
                key = self.advance()
                self.advance()
                minus = self.accept("-")
                value = self.advance()
                if key.text == "axis" and value.text in ("0", "1"):
                    axis = 1 if minus else int(value.text)
                elif key.text != "keepdims":
                    raise self.error("expected axis=0 or axis=1", key)
            else:
                others.append(self.expression())
            called = True
        self.expect(")")
        match name.text:
            case "sum" | "mean":
                if (
                    len(others) == 1
                    and isinstance(others[0].expr, Number)
                    and others[0].expr.value in (0.0, 1.0)
                ):
                    axis = int(others[0].expr.value)  # np.sum(x, 1)
                elif others:
                    raise self.error(f"{name.text} takes one matrix and an axis", name)
                return self.totalled(name, part, axis)
            case "transpose":
                return self.transposed(part, name)
            case "softmax":
                return self.softmax(part, name)
        if len(others) != 1:
            raise self.error(f"{name.text} takes two matrices", name)
        other = others[0]
        if name.text == "multiply":
            return self.join(part, Token("sign", "*", name.column), other, "")
        if name.text == "outer":
            part = part if part.shape is None or part.shape[1] == 1 else self.transposed(part, name)
            other = other if other.shape is None or other.shape[0] == 1 else self.transposed(other, name)
        return self.join(part, Token("sign", "@", name.column), other, "")

    def totalled(self, name: Token, part: Part, axis: int | None) -> Part:
        """A sum or mean over all entries or along an axis."""
        if part.shape is None:
            raise self.error(
                f"{self.shown(part)} is a single number: a sum over an index is written sum over k (…)", name
            )
        rows, columns = part.shape
        shape = None if axis is None else (1, columns) if axis == 0 else (rows, 1)
        total = self.made(TotalTerm(part.expr, axis), shape, name, part)
        if name.text == "sum":
            return total
        counts = [part.shape[place] for place in (0, 1) if axis in (None, place)]
        for one in counts:
            count = Symbol("n") if isinstance(one, SampleCount) else Number(float(one))
            total = self.made(Quotient(total.expr, count), shape, name, total)
        return total

    def softmax(self, part: Part, name: Token) -> Part:
        """softmax down every column."""
        if part.shape is None:
            raise self.error("softmax takes a matrix: each of its columns is normalised", name)
        exponential = Function("exp", (part.expr,))
        return self.made(
            Quotient(exponential, TotalTerm(exponential, 0)),
            part.shape,
            name,
            Part(exponential, None, part.height + 2),
        )

    def sum_over(self, name: Token) -> Part:
        """``sum over k …``, ``Σₖ …``: the sum of a product in which k runs."""
        self.advance()
        letter = self.advance()
        if letter.kind != "name" or not re.fullmatch("[a-z]", letter.text):
            raise self.error("expected the letter of an index, such as sum over k (…)", letter)
        if letter.text in self.letters:
            raise self.error(f"the index {letter.text} runs already", letter)
        if self.token.text == "of":
            self.advance()
        self.letters[letter.text] = None
        self.deeper(1)
        inside = self.expression(_PRODUCT)
        self.deeper(-1)
        count = self.letters.pop(letter.text)
        if count is None:
            raise self.error(f"the index {letter.text} is not used: what runs over it?", letter)
        self.terms *= count
        if self.terms > _LARGEST_SUM:
            raise self.error(f"expected a sum of at most {_LARGEST_SUM} terms; use sum(…) or @", name)
        return self.made(SumOverTerm(letter.text, count, inside.expr), inside.shape, name, inside)
