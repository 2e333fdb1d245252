"""A typed expression as a graph of scalars: every operation a node, every shared part a fork.

    (x+y)*z  ──>   x ─┐
                      ├─ q1 ─┐
                   y ─┘      ├─ q2          q1 = x + y,  q2 = q1·z
                   z ────────┘

Lines end at ; or a new line, and may give their result a name: ``h = sin(x); f = h*y``. The last line is what is
differentiated. The text is read by `engine.formula.parser`, in its own grammar; nothing is executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.autodiff.graph import Graph, Node, Op
from engine.autodiff.ops.activation_functions import LINEAR
from engine.autodiff.ops.arithmetic import FUNCTIONS, OPERATIONS, PairwiseArithmetic
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.residual import ResidualAdd
from engine.experiment.errors import ExperimentError
from engine.formula.expression import (
    Entry,
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
from engine.formula.parser import MAX_LENGTH, ParseError, parse

MOST_OPERATIONS = 2000
"""So many operations and no more: a formula is something to be read."""

FORMULA, VALUES = "expression.formula", "expression.values"
_NAMED = re.compile(r"\s*([A-Za-z_Ŷℰα-ω][A-Za-z_Ŷℰα-ω0-9]*)\s*=(?!=)(.*)", re.DOTALL)
_FLOAT64 = np.dtype("float64")


class _Constant(Node):
    """A number in the formula, 2 or √2 or 1/2: it is written as itself, and nothing is differentiated by it."""

    __slots__ = ("expr",)

    def __init__(self, symbol: Symbol, expr: Expr) -> None:
        super().__init__(symbol, np.array([[expr.evaluate({})]]), needs_gradient=False, scalar=True)
        self.expr = expr

    def entry(self, index: Entry) -> Expr:  # type: ignore[override]  # formulas take any expression there
        return self.expr


@dataclass(frozen=True)
class Line:
    """One line of a typed formula: the name of its result, if it has one, and its expression."""

    name: Symbol | None
    expr: Expr


def read_lines(formula: str, source: str) -> list[Line]:
    """The lines of a typed formula. Raises ExperimentError, which says in which line and column the trouble is."""
    if len(formula) > MAX_LENGTH:
        raise ExperimentError(
            source, FORMULA, f"found {len(formula)} characters; expected at most {MAX_LENGTH}"
        )
    texts = [text for text in re.split(r"[;\n]", formula) if text.strip()]
    if not texts:
        raise ExperimentError(source, FORMULA, "found nothing; expected a formula, such as (x+y)*z")
    lines: list[Line] = []
    for number, text in enumerate(texts, start=1):
        where = f"line {number}, " if len(texts) > 1 else ""
        match = _NAMED.fullmatch(text)
        name, right = (match[1], match[2]) if match else (None, text)
        try:
            expr = parse(right)
            symbol = None if name is None else parse(name)
        except ParseError as error:
            column = error.column + (0 if match is None else match.start(2))
            raise ExperimentError(source, FORMULA, f"{where}column {column}: {error.problem}") from None
        if symbol is not None and not isinstance(symbol, Symbol):
            raise ExperimentError(source, FORMULA, f"{where}“{name}” cannot be a name")
        if any(symbol is not None and symbol == line.name for line in lines):
            raise ExperimentError(
                source, FORMULA, f"{where}{name} has a value already; each name is given one once"
            )
        for one in expr.symbols():
            if one.layer is not None or one.index is not None:
                problem = f"{where}{one.plain()}: a name in an expression has no index"
                raise ExperimentError(source, FORMULA, problem)
        lines.append(Line(symbol, expr))
    return lines


class TypedExpression:
    """An expression with the numbers of its names; each `graph` is made anew from them."""

    def __init__(self, formula: str, values: Mapping[str, float], source: str) -> None:
        """Raises ExperimentError for a formula that cannot be read, and for names without or with too many values."""
        self.source = source
        self.lines = read_lines(formula, source)
        made = [line.name for line in self.lines if line.name is not None]
        self.variables: list[Symbol] = []
        given: set[Symbol] = set()
        for line in self.lines:
            for symbol in line.expr.symbols():
                if symbol not in given and symbol not in self.variables:
                    if symbol in made:
                        problem = f"{symbol.plain()} is used before it is computed"
                        raise ExperimentError(source, FORMULA, problem)
                    self.variables.append(symbol)
            if line.name is not None:
                if line.name in self.variables:
                    problem = f"{line.name.plain()} is used before it is computed"
                    raise ExperimentError(source, FORMULA, problem)
                given.add(line.name)
        self.values = {Symbol(name): float(value) for name, value in values.items()}
        missing = [one.plain() for one in self.variables if one not in self.values]
        if missing:
            raise ExperimentError(source, VALUES, f"missing the number of {', '.join(missing)}")
        unused = [one.plain() for one in self.values if one not in self.variables]
        if unused:
            raise ExperimentError(
                source, f"{VALUES}.{unused[0]}", "is no name that the formula uses and does not compute"
            )

    def graph(self, of: Symbol | None = None) -> Graph:
        """The computation graph of the expression, up to the last line's result or `of`; not gone forward yet."""
        return _Builder(self).build(of)


class _Builder:
    """Builds one graph, an operation at a time; the same part of an expression is one node."""

    def __init__(self, expression: TypedExpression) -> None:
        self.expression = expression
        self.graph = Graph(1, _FLOAT64)
        self.nodes: dict[Expr, Node] = {}
        names = {*expression.variables, *(line.name for line in expression.lines if line.name is not None)}
        self._free = (one for one in _numbered() if one not in names)
        for symbol in expression.variables:
            value = np.array([[expression.values[symbol]]])
            self.nodes[symbol] = self.graph.leaf(symbol, value, scalar=True)

    def build(self, of: Symbol | None) -> Graph:
        result: Node | None = None
        for line in self.expression.lines:
            result = self._node(line.expr, line.name)
            if line.name is not None and isinstance(result, _Constant):  # a name for a number
                result = self.graph.leaf(line.name, result.value.copy(), scalar=True)
            if line.name is not None:
                self.nodes[line.name] = result
        if result is None or result.op is None or not result.needs_gradient:
            raise ExperimentError(
                self.expression.source,
                FORMULA,
                "the last line computes nothing; expected an operation on a name",
            )
        return self.graph.cut(result.symbol if of is None else of).finish()

    def _node(self, expr: Expr, name: Symbol | None = None) -> Node:
        """The node of an expression; `name` is for the outermost operation, if it is not there already."""
        if expr in self.nodes:
            known = self.nodes[expr]
            return known if name is None or isinstance(known, _Constant) else self._copy(known, name)
        match expr:
            case Symbol():
                raise ExperimentError(self.expression.source, VALUES, f"missing the number of {expr.plain()}")
            case Number():
                node: Node = self._constant(expr)
            case Negative(operand):
                node = self._apply("negative", operand, name)
            case Sum(terms):
                node = self._sum(terms, name)
            case Product(factors):
                node = self._chain("multiply", factors, name)
            case Quotient(numerator, denominator):
                node = self._pair("divide", self._node(numerator), self._node(denominator), name)
            case Power(base, exponent):
                node = self._pair("power", self._node(base), self._node(exponent), name)
            case Function(function, (x, y)):
                node = self._pair(function, self._node(x), self._node(y), name)
            case Function(function, (x,)):
                node = self._apply(function, x, name)
            case Indicator(left, ">", right):
                node = self._pair("greater", self._node(left), self._node(right), name)
            case Indicator(left, "<", right):
                node = self._pair("greater", self._node(right), self._node(left), name)
            case _:
                problem = f"{expr.plain()}: expected > or < inside indicator(…)"
                raise ExperimentError(self.expression.source, FORMULA, problem)
        self.nodes[expr] = node
        return node

    def _constant(self, expr: Expr) -> Node:
        node = _Constant(Symbol(f"constant{len(self.graph.nodes)}"), expr)
        self.graph.nodes[node.symbol] = node
        return node

    def _copy(self, node: Node, name: Symbol) -> Node:
        """A name for what is there already: the value passed on, plus 0 where no other operation does that."""
        output = self._result(name, node)
        return self.graph.add(Elementwise(LINEAR, node, output))

    def _sum(self, terms: tuple[Expr, ...], name: Symbol | None) -> Node:
        node, so_far = self._node(terms[0]), terms[0]
        for place, term in enumerate(terms[1:], start=2):
            own = name if place == len(terms) else None
            taken = isinstance(term, Negative)
            other = self._node(term.operand if isinstance(term, Negative) else term)
            so_far = Sum(terms[:place])
            if so_far in self.nodes and own is None:
                node = self.nodes[so_far]
                continue
            node = self._pair("subtract", node, other, own) if taken else self._add(node, other, own)
            self.nodes[so_far] = node
        return node

    def _chain(self, operation: str, factors: tuple[Expr, ...], name: Symbol | None) -> Node:
        node = self._node(factors[0])
        for place, factor in enumerate(factors[1:], start=2):
            so_far = Product(factors[:place])
            own = name if place == len(factors) else None
            if so_far in self.nodes and own is None:
                node = self.nodes[so_far]
                continue
            node = self._pair(operation, node, self._node(factor), own)
            self.nodes[so_far] = node
        return node

    def _apply(self, function: str, operand: Expr, name: Symbol | None) -> Node:
        node, rule = self._node(operand), FUNCTIONS[function]
        if isinstance(node, _Constant):
            return self._constant(rule.formula(node.expr))
        return self.graph.add(Elementwise(rule, node, self._result(name, node)))

    def _pair(self, operation: str, x: Node, y: Node, name: Symbol | None) -> Node:
        if isinstance(x, _Constant) and isinstance(y, _Constant):
            return self._constant(OPERATIONS[operation].formula(x.expr, y.expr))
        return self.graph.add(PairwiseArithmetic(OPERATIONS[operation], (x, y), self._result(name, x, y)))

    def _add(self, x: Node, y: Node, name: Symbol | None) -> Node:
        if isinstance(x, _Constant) and isinstance(y, _Constant):
            return self._constant(x.expr + y.expr)
        op: Op = ResidualAdd((x, y), self._result(name, x, y))
        return self.graph.add(op)

    def _result(self, name: Symbol | None, *inputs: Node) -> Node:
        if len(self.graph.ops) >= MOST_OPERATIONS:
            problem = f"found more than {MOST_OPERATIONS} operations; expected at most so many"
            raise ExperimentError(self.expression.source, FORMULA, problem)
        return self.graph.result(name or next(self._free), (1, 1), inputs, per_sample=False, scalar=True)


def _numbered() -> Iterator[Symbol]:
    """q1, q2, …"""
    number = 0
    while True:
        number += 1
        yield Symbol(f"q{number}")


def is_constant(node: Node) -> bool:
    """Whether a node is a number of the formula itself."""
    return isinstance(node, _Constant)
