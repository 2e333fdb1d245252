"""What a formula may speak of: the matrices of one network with their shapes, its constants, earlier results.

scope.shapes[W[1]] == (3, 2)      scope.shapes[Y_hat] == (1, n)      constants: n, alpha, beta
"""

from __future__ import annotations

import keyword
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from engine.autodiff.graph import Graph
from engine.formula.expression import Symbol
from engine.formula.parser import parse_symbol
from engine.practice.reading.gradient_names import GRADIENT, differentiated, gradient_name, is_gradient


class SampleCount(int):
    """The number of samples as a length of a matrix: in words it is n."""

    def __str__(self) -> str:
        return "n"


Shape = tuple[int, int]


@dataclass(frozen=True)
class Scope:
    """The names that may stand in an answer, with their shapes.

    `aliases` gives other names for the same matrix (a[0] is X, the last a is Y_hat). `given` are the earlier results
    that may be used; `known` all that there are, so that a refusal can say why. `slope` is the function whose
    derivative is just what is asked for.
    """

    shapes: Mapping[Symbol, Shape]
    constants: frozenset[str]
    aliases: Mapping[Symbol, Symbol]
    given: frozenset[Symbol]
    n: int
    slope: str | None = None

    @classmethod
    def of(cls, graph: Graph, given: Collection[Symbol] = (), slope: str | None = None) -> Scope:
        """The names of a network's graph that may stand in an answer."""
        shapes: dict[Symbol, Shape] = {}
        for node in graph.nodes.values():
            if node is graph.loss or node.scalar:
                continue
            rows, columns = node.shape
            shapes[node.symbol] = (
                rows,
                SampleCount(columns) if columns == graph.n and node.per_sample else columns,
            )
        deepest = max((symbol.layer for symbol in shapes if symbol.layer is not None), default=0)
        aliases = {Symbol("a", 0): Symbol("X"), Symbol("A", 0): Symbol("X")}
        if Symbol("Y_hat") in shapes and deepest == 1:  # the only activation is the prediction
            aliases |= {Symbol(name): Symbol("Y_hat") for name in ("a", "A") if Symbol(name) not in shapes}
        if Symbol("Y_hat") in shapes:
            aliases |= {Symbol("a", deepest): Symbol("Y_hat"), Symbol("A", deepest): Symbol("Y_hat")}
        for name in {symbol.name for symbol in shapes if symbol.layer is not None}:
            layers = [symbol for symbol in shapes if symbol.name == name]
            if len(layers) == 1:  # the only W of a network needs no layer
                aliases[Symbol(name)] = layers[0]
        shapes[Symbol("ones")] = (SampleCount(graph.n), 1)
        usable = frozenset(symbol.matrix for symbol in given)
        for symbol in usable:
            if symbol in shapes:
                shapes[gradient_name(symbol)] = shapes[symbol]
        return cls(shapes, frozenset(graph.constants), aliases, usable, graph.n, slope)

    def matrix(self, symbol: Symbol) -> Symbol | None:
        """The matrix that a name without index means here, or None."""
        if is_gradient(symbol):
            inner = self.matrix(differentiated(symbol))
            return gradient_name(inner) if inner is not None and inner in self.given else None
        for name in (symbol, _canonical(symbol)):
            name = self.aliases.get(name, name)
            if name in self.shapes:
                return name
        return None

    def layers(self, name: str) -> list[int]:
        """The layers that have a matrix of this name, in order."""
        name = name.removeprefix(GRADIENT)
        names = {name, _canonical(Symbol(name)).name, _canonical(Symbol(name, 1)).name}
        found = {
            symbol.layer
            for symbol in (*self.shapes, *self.aliases)
            if symbol.name in names and symbol.layer is not None
        }
        return sorted(found - {0})

    def exists(self, symbol: Symbol) -> bool:
        """Whether a matrix of this name is there at all, whether or not it may be used."""
        return self.matrix(differentiated(symbol) if is_gradient(symbol) else symbol) is not None

    def names(self) -> list[str]:
        """Every name, for a suggestion."""
        return [
            *(symbol.plain() for symbol in self.shapes if symbol != Symbol("ones")),
            *sorted(self.constants),
        ]


_OTHER_NAMES = {"Yhat": "Y_hat", "yhat": "Y_hat", "y_hat": "Y_hat", "Y_pred": "Y_hat", "ŷ": "Y_hat"}


def _canonical(symbol: Symbol) -> Symbol:
    """The tutorials' name where another way of writing it was used: yhat, w[1], x."""
    name = _OTHER_NAMES.get(symbol.name, symbol.name)
    if name.isidentifier() and name.isascii() and not keyword.iskeyword(name):
        layer = "" if symbol.layer is None else f"[{symbol.layer}]"
        name = parse_symbol(f"{name}{layer}[0,0]").name
    return Symbol(name, symbol.layer, symbol.index)
