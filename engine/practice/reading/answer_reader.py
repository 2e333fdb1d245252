"""Reads what a learner typed, in any of three notations, into an expression whose shapes fit. Nothing is executed.

    X @ (Y_hat - Y).T / n   ->   Quotient(MatrixProductTerm(X, TransposedTerm(…)), n), 3×1

Precedence is Python's. Names without index are matrices, `@` is a matrix product, `*` goes entry by entry as in
NumPy; a dot, or nothing between two factors, is a matrix product where both are matrices and one is not 1×1.
A name, index or product that does not fit is refused in one line, with the column where it shows.
"""

from __future__ import annotations

import difflib
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
from engine.formula.matrix_terms import (
    HadamardTerm,
    MatrixProductTerm,
    Place,
    SliceTerm,
    SumOverTerm,
    TotalTerm,
    TransposedTerm,
)
from engine.formula.notation import Style
from engine.formula.numeric_functions import ARITY, COMPARISONS
from engine.formula.parser import MAX_DEPTH
from engine.practice.reading.gradient_names import GRADIENT, differentiated, gradient_name, is_gradient
from engine.practice.reading.joined_names import ACTIVATIONS, CONDITIONS, ELSEWHERE, taken_apart
from engine.practice.reading.latex_tokens import is_latex, latex_tokens
from engine.practice.reading.names_in_scope import SampleCount, Scope, Shape, shape_text
from engine.practice.reading.typed_tokens import NO_PARTIALS, Token, tokens
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
_NESTED = 50
"""How many parentheses, functions and signs may stand inside each other."""
_LARGEST_SUM = 100_000
"""How many terms sums over running indices may have together."""

_MATRIX_FUNCTIONS = ("sum", "mean", "transpose", "dot", "matmul", "multiply", "outer", "softmax")
_LIKELY = {"indicator", *ARITY, *_MATRIX_FUNCTIONS}


class Part(NamedTuple):
    """A part of a formula that has been read: its expression, its shape (None: a single number) and its height."""

    expr: Expr
    shape: Shape | None
    height: int


_CLOSING = {"(": ")", "[": "]", "{": "}"}
"""Where no index and no argument can stand, each of them groups."""


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


class _AnswerReader:
    """One text being read."""

    def __init__(self, text: str, scope: Scope) -> None:
        self.text, self.scope = text, scope
        self.tokens = latex_tokens(text) if is_latex(text) else tokens(text)
        self.place = 0
        self.nesting = 0
        self.letters: dict[str, int | None] = {}
        self.filled_in: Symbol | None = None  # the layer that a name without one was taken for
        self.terms = 1

    # ── tokens ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def token(self) -> Token:
        """The token to be read next."""
        return self.tokens[self.place]

    @property
    def following(self) -> Token:
        """The one after it."""
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

    def join(self, left: Part, operator: Token, right: Part, previous: str) -> Part:
        """The two sides under their operator; a run of equal operators is one sum or product."""
        x, y = left.expr, right.expr
        sign = operator.text
        if sign == "·":
            single = any(part.shape is None or tuple(part.shape) == (1, 1) for part in (left, right))
            sign = "*" if single else "@"
        below = Part(x, left.shape, left.height)
        match sign:
            case "@":
                shape: Shape | None = self.product_shape(left, right, operator)
                run = isinstance(x, MatrixProductTerm) and previous in ("@", "·")
                made: Expr = MatrixProductTerm((*x.children(), y) if run else (x, y))
            case "/":
                shape, run = self.common_shape(left, right, operator), False
                made = Quotient(x, y)
            case "**":
                if right.shape is not None and tuple(right.shape) != (1, 1):
                    raise self.error("a power is a single number", operator)
                shape, run = left.shape, False
                made = Power(x, y)
            case "*" | "⊙":
                shape = self.common_shape(left, right, operator)
                kind = HadamardTerm if left.shape is not None and right.shape is not None else Product
                run = type(x) is kind and previous in ("*", "⊙", "·")
                made = kind((*x.children(), y) if run else (x, y))
            case _:
                shape = self.common_shape(left, right, operator)
                run = isinstance(x, Sum) and previous in ("+", "-")
                term = y if sign == "+" else Negative(y)
                made = Sum((*x.children(), term) if run else (x, term))
        return self.made(made, shape, operator, below._replace(height=left.height - run), right)

    def product_shape(self, left: Part, right: Part, operator: Token) -> Shape:
        """The shape of a matrix product; refuses one that does not fit and says what would."""
        for part in (left, right):
            if part.shape is None:
                raise self.error(
                    f"@ joins two matrices, and {self.shown(part)} is a single number: use *", operator
                )
        assert left.shape is not None
        assert right.shape is not None
        if left.shape[1] == right.shape[0]:
            return left.shape[0], right.shape[1]
        x, y = self.shown(left), self.shown(right)
        if operator.text == "·" and tuple(left.shape) == tuple(right.shape):
            raise self.error(
                f"{self.shown(left, bare=True)} and {y} are both {shape_text(left.shape)}: "
                f"entry by entry it is {x} * {y}, and no matrix product{self.taken_for()}",
                operator,
            )
        fits = ""
        if left.shape[1] == right.shape[1]:
            fits = f"; {self.shown(right, True)} does"
        elif left.shape[0] == right.shape[0]:
            fits = f"; {self.shown(left, True)} does"
        elif left.shape[0] == right.shape[1]:
            fits = f"; {self.shown(left, True)} @ {self.shown(right, True)} does"
        raise self.error(
            f"{self.shown(left, bare=True)} is {shape_text(left.shape)} and {y} is {shape_text(right.shape)}: "
            f"{x} @ {y} does not fit{fits}",
            operator,
        )

    def common_shape(self, left: Part, right: Part, operator: Token) -> Shape | None:
        """The shape of what goes entry by entry, as NumPy broadcasts: a length of 1 is repeated."""
        if left.shape is None or right.shape is None:
            return left.shape if right.shape is None else right.shape
        lengths = []
        for one, other in zip(left.shape, right.shape, strict=True):
            if one != other and 1 not in (one, other):
                fits = ""
                if tuple(left.shape) == tuple(right.shape[::-1]):
                    fits = f"; {self.shown(right, True)} does"
                elif operator.text in ("*", "⊙") and left.shape[1] == right.shape[0]:
                    fits = "; @ is the matrix product"
                raise self.error(
                    f"{self.shown(left, bare=True)} is {shape_text(left.shape)} and {self.shown(right)} is "
                    f"{shape_text(right.shape)}: {operator.text} goes entry by entry and does not fit{fits}",
                    operator,
                )
            lengths.append(one if other == 1 and not isinstance(other, SampleCount) else max(one, other))
            if one == other:
                lengths[-1] = one if isinstance(one, SampleCount) else other
        return lengths[0], lengths[1]

    def taken_for(self) -> str:
        """Which layer was meant, it was thought, where a name had none and there are several."""
        if self.filled_in is None:
            return ""
        return f" ({self.filled_in.name} without a layer is {one_line(self.filled_in)}, the output is Ŷ)"

    @staticmethod
    def shown(part: Part, transposed: bool = False, bare: bool = False) -> str:
        """A part in the screen's letters, for a sentence; in parentheses where it is a sum."""
        if transposed and isinstance(part.expr, TransposedTerm):
            part, transposed = Part(part.expr.operand, part.shape, part.height), False
        text = one_line(part.expr, Style(max_terms=4))
        if transposed or not bare:
            closed = isinstance(part.expr, Symbol | SliceTerm | TransposedTerm | Function)
            text = text if closed else f"({text})"
        return f"{text}ᵀ" if transposed else text

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

    def transposed(self, part: Part, token: Token) -> Part:
        """A matrix with its rows and columns exchanged; a single number stays."""
        if part.shape is None:
            return part
        shape = (part.shape[1], part.shape[0])
        if isinstance(part.expr, TransposedTerm):
            return Part(part.expr.operand, shape, part.height)
        return self.made(TransposedTerm(part.expr), shape, token, part)

    # ── operands ────────────────────────────────────────────────────────────────────────────────────

    def operand(self) -> Part:
        """A number, a name, a function with its arguments, or something in parentheses."""
        token = self.token
        if token.kind == "number":
            if token.text == "1" and self.following.text in ("{", "["):
                self.advance()
                return self.indicator(token)
            return Part(Number(self.number(self.advance())), None, 1)
        if token.kind == "sign" and (closing := _CLOSING.get(token.text)):
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
        if token.text in _MATRIX_FUNCTIONS and self.token.text == "(":
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
        closing = _CLOSING.get(self.token.text)
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
            closing = _CLOSING[self.advance().text]
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

    # ── names ───────────────────────────────────────────────────────────────────────────────────────

    def name(self, token: Token) -> Part:
        """A constant, a matrix, or an entry, row or column of one."""
        scope = self.scope
        name, layer, digits = self.base_of(token)
        layer = self.raised_layer(name) if layer is None else layer
        indexed = self.token if self.token.text == "[" else token
        layer, place = self.layer_and_place(name, layer, digits, token)
        if layer is None and isinstance(place, tuple):
            layer = self.raised_layer(name, after=True)
        transposed = False
        if name.endswith("T") and name != "T" and layer is None and scope.matrix(Symbol(name)) is None:
            transposed = scope.matrix(Symbol(name[:-1])) is not None
            name = name[:-1] if transposed else name
        symbol = self.symbol_of(name, layer)
        if layer is None and name in scope.constants:
            if place is None:
                return Part(symbol, None, 1)
            raise self.error(f"{name} is a single number and has no index", token)
        matrix = scope.matrix(symbol)
        if matrix is None:
            raise self.unknown(symbol, token)
        if symbol.layer is None and matrix.layer is not None and len(scope.layers(name)) > 1:
            self.filled_in = matrix
        shape = scope.shapes[matrix]
        if place is None:
            part = Part(matrix, shape, 1)
        else:
            index = place if isinstance(place, tuple) else in_vector(shape, place)
            if index is None:
                text = f"say its row and its column, such as {matrix.at((0, 0)).plain()}"
                a_column = f"{matrix.plain()}[:,{place}] is a column"
                raise self.error(f"{one_line(matrix)} is {shape_text(shape)}: {text}; {a_column}", indexed)
            part = self.entry(matrix, shape, index, indexed)
        return self.transposed(part, token) if transposed else part

    def layer_and_place(
        self, name: str, layer: int | None, digits: str, token: Token
    ) -> tuple[int | None, tuple[Place, Place] | int | str | None]:
        """What stands behind a name: a layer, if it has none yet, then row and column, or of a vector one of them."""
        if len(digits) == 2:
            return layer, (self.written_place(digits[0], token), self.written_place(digits[1], token))
        if digits:
            return layer, self.written_place(digits, token)
        while self.opens_index(name, layer):
            opening = self.advance()
            first = self.index_place()
            if self.accept(","):
                index = (first, self.index_place())
                self.expect(_CLOSING[opening.text])
                return layer, index
            if first is None:
                raise self.error("expected a row and a column, such as [0,1] or [:,0]", opening)
            self.expect("]")
            if layer is not None or not isinstance(first, int) or not self.has_layers(name):
                if self.token.text == "[":
                    raise self.error(f"{name} has no layers: its entries are written {name}[0,0]", token)
                return layer, first
            layer = first
        return layer, None

    def has_layers(self, name: str) -> bool:
        """Whether there are several of this name, or one that has the number of its layer with it."""
        return bool(self.scope.layers(self.symbol_of(name, None).name))

    def base_of(self, token: Token) -> tuple[str, int | None, str]:
        """The name itself, and the layer and index that stand in one word with it: ``W2_10``, ``x_1``."""
        name, scope = token.text, self.scope
        joined = None
        if name not in scope.constants and not scope.exists(Symbol(name)) and not scope.layers(name):
            joined = taken_apart(name.removeprefix(GRADIENT))
        if joined is None:
            return name, None, ""
        base = f"{GRADIENT}{joined.base}" if name.startswith(GRADIENT) else joined.base
        if self.has_layers(base):
            if joined.digits:
                return base, int(joined.digits), joined.place
            if len(joined.place) == 2:
                return base, None, joined.place
            return (base, int(joined.place), "") if joined.place.isdigit() else (name, None, "")
        one = joined.digits or joined.place
        alone = not (joined.digits and joined.place) and len(one) <= 2
        return (base, None, one) if alone and scope.exists(self.symbol_of(base, None)) else (name, None, "")

    def symbol_of(self, name: str, layer: int | None) -> Symbol:
        """The symbol that a name means; δ and dW are gradients of the loss."""
        scope = self.scope
        if name == "delta" and "delta" not in scope.constants:
            name = f"{GRADIENT}f"
        elif name[0] == "d" and not name.startswith(GRADIENT) and not scope.exists(Symbol(name, layer)):
            inner = Symbol(name[1:], layer)
            if scope.exists(inner) or scope.layers(inner.name):
                name = f"{GRADIENT}{inner.name}"
        symbol = Symbol(name, layer)
        if layer is None and is_gradient(symbol):  # the one that is given
            fitting = [one for one in scope.given if gradient_name(one).name == name]
            if len(fitting) == 1:
                return gradient_name(fitting[0])
            if name == f"{GRADIENT}f" and len(scope.given) == 1:
                return gradient_name(next(iter(scope.given)))
        return symbol

    def ahead(self, *kinds: str) -> bool:
        """Whether the next tokens are these signs; ``0`` stands for a number, ``k`` for a row or column."""
        for offset, kind in enumerate(kinds):
            token = self.tokens[min(self.place + offset, len(self.tokens) - 1)]
            place = token.kind == "number" or token.text == ":" or token.text in self.letters
            if not (place if kind == "k" else token.kind == "number" if kind == "0" else token.text == kind):
                return False
        return True

    def raised_layer(self, name: str, after: bool = False) -> int | None:
        """A layer written as a power or in parentheses: ``W^(2)_10``, ``W²₁₀``, ``W(2)``; `after` its index."""
        if self.scope.matrix(self.symbol_of(name, None)) is not None or not self.has_layers(name):
            return None
        skipped = 0
        if self.ahead("**", "(", "0", ")"):
            skipped = 4
        elif not after and self.ahead("(", "0", ")"):
            skipped = 3
        elif not after and self.ahead("**", "0", "["):
            skipped = 2
        if not skipped:
            return None
        number = next(one for one in self.tokens[self.place : self.place + skipped] if one.kind == "number")
        if not re.fullmatch("[0-9]{1,4}", number.text):
            return None
        self.place += skipped
        return int(number.text)

    def opens_index(self, name: str, layer: int | None) -> bool:
        """Whether an index comes next; in parentheses only where it can be nothing else."""
        if self.token.kind != "sign":
            return False
        if self.token.text == "[":
            return True
        if not self.ahead("(", "k", ",", "k", ")"):
            return False
        return self.scope.exists(self.symbol_of(name, layer))

    def written_place(self, text: str, token: Token) -> int | str:
        """A row or column that stands in one word with its name."""
        if text.isdigit():
            return int(text)
        if text not in self.letters:
            raise self.error(f"the index {text} does not run: write sum over {text} (…)", token)
        return text

    def index_place(self) -> Place:
        """A row or column: a number, a running letter, or ``:`` for all."""
        if self.accept(":"):
            return None
        token = self.token
        if token.kind == "number" and re.fullmatch("[0-9]{1,9}", token.text):
            return int(self.advance().text)
        if token.kind == "name" and token.text in self.letters:
            return self.advance().text
        if token.kind == "name":
            raise self.error(f"the index {token.text} does not run: write sum over {token.text} (…)")
        raise self.error(f"expected a whole number or : as an index, found {token}")

    def entry(self, matrix: Symbol, shape: Shape, index: tuple[Place, Place], token: Token) -> Part:
        """An entry, row or column; refuses an index outside the matrix."""
        for place, length, what in zip(index, shape, ("row", "column"), strict=True):
            if isinstance(place, int) and place >= length:
                corners = (one_line(matrix.at((0, 0))), one_line(matrix.at((shape[0] - 1, shape[1] - 1))))
                have = f"its entries are {corners[0]} to {corners[1]}"
                have = f"its only entry is {corners[0]}" if corners[0] == corners[1] else have
                raise self.error(
                    f"{one_line(matrix)} is {int(shape[0])}×{int(shape[1])} here, and rows and columns count "
                    f"from 0: there is no {what} {place}, {have}",
                    token,
                )
            if isinstance(place, str):
                known = self.letters[place]
                if known is not None and known != length:
                    raise self.error(
                        f"the index {place} runs over {known} here and over {length} there", token
                    )
                self.letters[place] = int(length)
        row, column = index
        if isinstance(row, int) and isinstance(column, int):
            return Part(matrix.at((row, column)), None, 1)
        if row is not None and column is not None:
            return Part(SliceTerm(matrix, row, column), None, 1)
        cut = (shape[0] if row is None else 1, shape[1] if column is None else 1)
        return Part(SliceTerm(matrix, row, column), cut, 1)

    def unknown(self, symbol: Symbol, token: Token) -> UnreadableError:
        """The complaint about a name that is not there, or may not be used."""
        scope = self.scope
        if is_gradient(symbol):
            inner = differentiated(symbol)
            if scope.exists(symbol) or (inner.layer is None and scope.layers(inner.name)):
                others = [one for one in scope.given if one.name == inner.name and inner.layer is None]
                if len(others) > 1:
                    others.sort(key=lambda one: one.layer or 0)
                    names = ", ".join(gradient_name(one).plain() for one in others[:6])
                    return self.error(f"say of which layer: {names}", token)
                return self.error(f"{symbol.plain()} may not be used here: write out what it is", token)
            return self.error(f"{NO_PARTIALS}; there is no {symbol.plain()}", token)
        layers = scope.layers(symbol.name)
        if symbol.layer is None and layers:
            return self.error(f"say which layer: {_listed(symbol.name, layers)}", token)
        if symbol.layer is not None and layers:
            return self.error(
                f"there is no layer {symbol.layer} of {symbol.name}: {_listed(symbol.name, layers)}", token
            )
        if symbol.layer is not None and scope.matrix(Symbol(symbol.name)) is not None:
            return self.error(
                f"{symbol.name} has no layers: its entries are written {symbol.name}[0,0]", token
            )
        if symbol.name in CONDITIONS:
            return self.error("a condition is written as 1{f > 0}, which is 1 where it holds, else 0", token)
        if symbol.name in ACTIVATIONS and self.token.text in ("(", "'"):
            return self.error(f"call the activation by its name: sigma, relu, tanh, not {symbol.name}", token)
        if symbol.name in ELSEWHERE:
            ours, what = ELSEWHERE[symbol.name]
            known = _listed(ours, scope.layers(ours)) if scope.layers(ours) else ours
            if ours in scope.constants or scope.layers(ours) or scope.matrix(Symbol(ours)) is not None:
                return self.error(f"there is no {symbol.name} here; {what} is {known}", token)
        if self.token.text == "(" and symbol.layer is None and len(symbol.name) > 1:
            near = difflib.get_close_matches(symbol.name, sorted(_LIKELY), n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(ARITY)}, indicator, sum"
            return self.error(f"unknown function “{symbol.name}”{hint}", token)
        if symbol.name == "eta":
            return self.error(
                "η belongs to the update W ← W − η ∂ℰ/∂W: the gradient is asked for without it", token
            )
        near = difflib.get_close_matches(symbol.plain(), scope.names(), n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else f"; it has {', '.join(scope.names()[:12])}"
        return self.error(f"there is no {symbol.plain()} in this network{hint}", token)


def _listed(name: str, layers: list[int]) -> str:
    """``W[1], W[2]``; of many the first and the last."""
    shown = [f"{name}[{layer}]" for layer in layers]
    return ", ".join(shown if len(shown) <= 6 else [*shown[:2], "…", shown[-1]])


def in_vector(shape: Shape, place: int | str) -> tuple[Place, Place] | None:
    """Row and column of an entry of a row or column, which one number is enough for; None for a wider matrix."""
    if int(shape[1]) == 1:
        return place, 0
    return (0, place) if int(shape[0]) == 1 else None
