"""Reads the names of a formula: constants, matrices with their layers, entries, rows and columns."""

from __future__ import annotations

import difflib
import re

from engine.formula.expression import Symbol
from engine.formula.layout import one_line
from engine.formula.matrix_terms import Place, SliceTerm
from engine.formula.numeric_functions import ARITY
from engine.practice.reading.gradient_names import GRADIENT, differentiated, gradient_name, is_gradient
from engine.practice.reading.joined_names import ACTIVATIONS, CONDITIONS, ELSEWHERE, taken_apart
from engine.practice.reading.names_in_scope import Shape
from engine.practice.reading.shape_rules import ShapeRules, shape_text
from engine.practice.reading.token_cursor import CLOSING, Part
from engine.practice.reading.typed_tokens import NO_PARTIALS, Token
from engine.practice.reading.unreadable import UnreadableError

MATRIX_FUNCTIONS = ("sum", "mean", "transpose", "dot", "matmul", "multiply", "outer", "softmax")
_LIKELY = {"indicator", *ARITY, *MATRIX_FUNCTIONS}


class NameReader(ShapeRules):
    """Reads a name with all that belongs to it."""

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
                self.expect(CLOSING[opening.text])
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
        """Splits a name from the layer and index that stand in one word with it: ``W2_10``, ``x_1``."""
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
