"""The gradient of a whole matrix at once (tutorial A2): in matrix form, with its shapes and worked entries.

    ∂ℰ/∂W[1] = X · (W[2] · (Ŷ - Y) ⊙ 1{f[1] > 0})ᵀ          (3×1)·((2×1)·(1×1))ᵀ → 3×2

The formula is put together backwards from the matrix to the loss, and evaluated: it is held against the gradient that
the backward pass found. A matrix whose own formula would lead too far, or through a norm, is called by its name,
∂ℰ/∂f[1].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from engine.autodiff.graph import Array, Graph, Node, Op
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.l2_penalty import L2Penalty
from engine.autodiff.ops.linear import ACTIVATION, WEIGHT, Linear
from engine.autodiff.ops.loss import Loss
from engine.autodiff.ops.residual import ResidualAdd
from engine.derivation.edges import edges_from
from engine.derivation.entry_ref import EntryRef
from engine.derivation.matrix_form import MatrixLine, Shape, matrix_lines
from engine.derivation.targets import TargetError, resolve_target
from engine.formula.expression import Entry, Expr, Name, Number, Partial, Product, Sum, Symbol, bare
from engine.formula.matrix_expression import (
    EntryProductExpr,
    EntrywiseExpr,
    MatrixExpr,
    MatrixProductExpr,
    MatrixSumExpr,
    SummedOverSamplesExpr,
    TransposedExpr,
    without_indices,
)

MOST_LAYERS, LONGEST = 3, 120
"""So many layers, and characters, are multiplied out before a gradient is called by its name."""

TOLERANCE, SINGLE_TOLERANCE = 1e-9, 1e-4
"""How far two ways of computing a matrix may be apart, relative to its largest entry: float64, float32."""


@dataclass(frozen=True, slots=True)
class WorkedEntry:
    """One entry of a matrix gradient as the sum of products that the matrix form makes of it."""

    target: Symbol
    formula: Expr
    substituted: Expr
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class WholeMatrix:
    """The gradient of the loss (or of `of`) by a whole matrix, in matrix form and in numbers.

    `lines` are the products of the backward pass on the way to it, with their shapes; `shapes` those of every
    matrix in `formula`. `error` is how far the evaluated formula is from `value`, relative to its largest entry.
    """

    of: Symbol
    target: Symbol
    value: Array
    formula: MatrixExpr
    shapes: dict[str, Shape]
    lines: tuple[MatrixLine, ...]
    error: float
    graph: Graph

    @property
    def agrees(self) -> bool:
        """Whether the matrix formula evaluates to the gradient of the backward pass."""
        tolerance = TOLERANCE if self.value.dtype == np.float64 else SINGLE_TOLERANCE
        return self.error <= tolerance

    def entry(self, index: Entry) -> WorkedEntry:
        """One entry of the gradient, worked out as the sum over all that it reaches."""
        ref = EntryRef(self.graph.nodes[self.target], index)
        terms = tuple(_product(Partial(self.of, edge.above.symbol), edge.formula) for edge in edges_from(ref))
        formula = bare(Sum(terms))
        value_of = self.graph.value_of
        return WorkedEntry(ref.symbol, formula, formula.substitute(value_of), formula.evaluate(value_of))


def _product(upstream: Expr, local: Expr) -> Expr:
    return upstream if local == Number(1.0) else Product((local, upstream))


def whole_matrix(graph: Graph, target: Symbol) -> WholeMatrix:
    """The gradient by a whole matrix, after a forward and a backward pass. Raises TargetError."""
    symbol = resolve_target(graph, target)
    node = graph.nodes[symbol.matrix]
    if symbol.index is not None or node.scalar:
        raise TargetError(f"{symbol.plain()} is one number, not a matrix")
    formula = _short_enough(graph, node)
    found = formula.evaluate(lambda name: _matrix(graph, name))
    scale = float(np.abs(node.grad).max())
    with np.errstate(all="ignore"):
        apart = float(np.abs(np.broadcast_to(found, node.shape) - node.grad).max())
    return WholeMatrix(
        of=graph.differentiated,
        target=symbol,
        value=node.grad,
        formula=formula,
        shapes=_shapes(graph, node, formula),
        lines=tuple(_lines(graph, node)),
        error=apart / scale if scale else apart,
        graph=graph,
    )


def _short_enough(graph: Graph, node: Node) -> MatrixExpr:
    makes = _WholeMatrixFormula(graph)
    for layers in range(MOST_LAYERS, 1, -1):
        formula = makes.gradient(node, layers)
        if len(formula.plain()) <= LONGEST:
            return formula
    return makes.gradient(node, 1)


def _matrix(graph: Graph, name: Name) -> Array:
    """The numbers of a matrix, a gradient or a constant."""
    if isinstance(name, Partial):
        return graph.nodes[name.by].grad
    if name in graph.nodes:
        return graph.nodes[name].value
    return np.array(graph.value_of(name))


class _WholeMatrixFormula:
    """Puts a matrix formula together, from a node up to the loss."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def gradient(self, node: Node, layers: int) -> MatrixExpr:
        """∂ℰ/∂node, multiplied out through so many layers."""
        if (fused := self._fused(node)) is not None:
            return fused
        terms = [self._term(op, i, layers) for op, i in node.consumers]
        if node is self.graph.loss or not terms or None in terms:
            return self.named(node)
        known = tuple(term for term in terms if term is not None)
        return known[0] if len(known) == 1 else MatrixSumExpr(known)

    def named(self, node: Node) -> MatrixExpr:
        """∂ℰ/∂node, by its name."""
        return EntrywiseExpr(Partial(self.graph.differentiated, node.symbol))

    def _beyond(self, op: Op, layers: int) -> MatrixExpr:
        return self.gradient(op.output, layers) if layers > 0 else self.named(op.output)

    def _term(self, op: Op, i: int, layers: int) -> MatrixExpr | None:
        """What one consumer adds; None where it has no short matrix form."""
        match op:
            case Linear() if i == WEIGHT:
                beyond = self._beyond(op, layers - 1)
                activation = EntrywiseExpr(op.inputs[ACTIVATION].symbol)
                if op.out_in:
                    return MatrixProductExpr(beyond, TransposedExpr(activation))
                return MatrixProductExpr(activation, TransposedExpr(beyond))
            case Linear() if i == ACTIVATION:
                weight = EntrywiseExpr(op.inputs[WEIGHT].symbol)
                return MatrixProductExpr(
                    TransposedExpr(weight) if op.out_in else weight, self._beyond(op, layers - 1)
                )
            case Linear():
                above = self._beyond(op, layers - 1)
                return SummedOverSamplesExpr(above) if op.output.shape[1] > 1 else above
            case Elementwise():
                slope = op.function.derivative_formula(op.inputs[0].symbol)
                above = self._beyond(op, layers)
                return above if slope == Number(1.0) else EntryProductExpr(above, EntrywiseExpr(slope))
            case ResidualAdd():
                return self._beyond(op, layers)
            case L2Penalty():
                return EntrywiseExpr(Number(op.strength) * op.inputs[i].symbol)
            case Loss() if i == 0:
                return self._entrywise(op.inputs[0], op.by_prediction((0, 0)))
        return None

    def _fused(self, node: Node) -> MatrixExpr | None:
        """∂ℰ/∂f where the loss sends it itself: (Ŷ - Y)/n."""
        loss = next((op for op in self.graph.ops if isinstance(op, Loss) and op.logits is node), None)
        if loss is None or not any(op.fused for op, _ in node.consumers):
            return None
        lines = loss.simplification((0, 0))
        return (self._entrywise(node, lines[-1]) if lines else None) or self.named(node)

    def _entrywise(self, node: Node, formula: Expr) -> MatrixExpr | None:
        """The formula of entry (0,0) for all entries, if it is that: it must evaluate to the node's gradient."""
        whole = EntrywiseExpr(without_indices(formula))
        found = whole.evaluate(lambda name: _matrix(self.graph, name))
        tolerance = TOLERANCE if node.grad.dtype == np.float64 else SINGLE_TOLERANCE
        scale = float(np.abs(node.grad).max(initial=0.0))
        leeway = tolerance * scale if np.isfinite(scale) else 0.0  # what has overflowed leaves no room
        with np.errstate(all="ignore"):
            same = np.allclose(found, node.grad, rtol=tolerance, atol=leeway, equal_nan=True)
        return whole if same else None


def _shapes(graph: Graph, node: Node, formula: MatrixExpr) -> dict[str, Shape]:
    """The shape of the gradient, and of every matrix in its formula, by their plain names."""
    found = {f"d{graph.differentiated.plain()}/d{node.symbol.plain()}": node.shape}
    for name in _names(formula):
        if isinstance(name, Partial):
            found[f"d{name.of.plain()}/d{name.by.plain()}"] = graph.nodes[name.by].shape
        elif name in graph.nodes:
            found[name.plain()] = graph.nodes[name].shape
    return found


def _names(formula: MatrixExpr) -> Iterator[Name]:
    match formula:
        case EntrywiseExpr(Partial() as name):
            yield name
        case EntrywiseExpr(expr):
            yield from expr.symbols()
        case MatrixProductExpr(left, right) | EntryProductExpr(left, right):
            yield from _names(left)
            yield from _names(right)
        case MatrixSumExpr(terms):
            for term in terms:
                yield from _names(term)
        case TransposedExpr(operand) | SummedOverSamplesExpr(operand):
            yield from _names(operand)


def _lines(graph: Graph, node: Node) -> Iterator[MatrixLine]:
    """The lines of the backward pass from the loss to this matrix."""
    above = {id(node)}
    for op in graph.ops:
        if any(id(one) in above for one in op.inputs):
            above.add(id(op.output))
    wanted = {one.symbol for one in graph.nodes.values() if id(one) in above}
    for line in matrix_lines(graph):
        if line.phase == "backward" and isinstance(line.result, Partial) and line.result.by in wanted:
            yield _named_after(graph.differentiated, line)


def _named_after(of: Symbol, line: MatrixLine) -> MatrixLine:
    """The line with gradients of `of`, where something else than the loss is differentiated."""

    def renamed(name: Expr) -> Expr:
        return Partial(of, name.by) if isinstance(name, Partial) and name.of == Symbol("E") else name

    factors = tuple(replace(factor, name=renamed(factor.name)) for factor in line.factors)
    return replace(line, result=renamed(line.result), factors=factors)
