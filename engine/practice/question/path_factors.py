"""The factors along every way from the target up to the loss, and what each of them is commonly confused with.

    ∂ℰ/∂W[1][1,1]:  (Ŷ−Y)/n  ·  W[2][1,0]  ·  1{f[1][1,0] > 0}  ·  X[1,0]
                    fused,      a weight      an indicator          an input
                    counts 2

A factor is a product of atoms: powers of things whose logarithms are independent of each other. The slope of a
sigmoid is two atoms, Ŷ and 1 − Ŷ, so that σ in place of σ′ is found as one atom missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.autodiff.graph import Graph, Node
from engine.autodiff.ops.cross_entropy import BinaryCrossEntropy
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.linear import ACTIVATION, WEIGHT, Linear
from engine.autodiff.ops.loss import Loss, loss_op
from engine.autodiff.ops.regression_losses import SquaredError
from engine.derivation.edges import Edge, edges_from
from engine.derivation.entry_ref import EntryRef
from engine.formula.expression import (
    Entry,
    Expr,
    Indicator,
    Number,
    Product,
    Sum,
    Symbol,
    call,
    not_positive,
    positive,
)
from engine.practice.question.asked_target import AskedTarget
from engine.practice.verdict import MistakeKind

MOST_TERMS = 32
"""Ways times samples that are told apart one by one."""
MOST_ENTRIES = 24
"""Other entries of one matrix that a factor may be confused with."""

Atoms = dict[Expr, int]
"""Powers of atoms."""


@dataclass(frozen=True)
class Confusion:
    """A confusion: something that may stand in place of a factor, or beside it."""

    what: Expr
    atoms: Atoms
    swaps: bool = True
    """Whether it may stand in the factor's place; otherwise only beside it."""


@dataclass(frozen=True)
class KnownMistake:
    """A mistake with one half of a fused factor, and the powers that it changes."""

    kind: MistakeKind
    what: Expr
    instead: Expr | None
    change: Atoms


@dataclass(frozen=True)
class PathFactor:
    """One factor of a path: its formula, the atoms it is made of, and what it may be confused with.

    `indicator` is the condition under which it is not 0; `counts` how many factors of the tutorials it is.
    """

    formula: Expr
    atoms: Atoms
    indicator: Indicator | None = None
    counts: int = 1
    confusions: tuple[Confusion, ...] = ()
    other_indicators: tuple[Indicator, ...] = ()
    divided_by_n: bool = False
    known: tuple[KnownMistake, ...] = ()


Path = tuple[PathFactor, ...]


def paths_of(graph: Graph, target: AskedTarget, most: int = MOST_TERMS) -> list[Path] | None:
    """The factors of every path from an entry to what is differentiated, or None where there are more than `most`."""
    if target.wrt.index is None and not graph.nodes[target.wrt].scalar:
        return None
    start = EntryRef(graph.nodes[target.wrt.matrix], target.wrt.index or (0, 0))
    walker = _PathWalker(graph, target, most)
    if target.local is not None:
        above = target.of or graph.loss.symbol
        direct: list[Path] = [
            (walker.factor(edge),) for edge in edges_from(start) if edge.above.symbol == above
        ]
        return direct[:1]
    found: list[Path] = []
    for path in walker.ways(start):
        found.append(path)
        if len(found) > most:
            return None
    return found


class _PathWalker:
    """Goes up from a ref, way by way."""

    def __init__(self, graph: Graph, target: AskedTarget, most: int) -> None:
        self.graph, self.target, self.most = graph, target, most
        self.end = target.end(graph)
        self.end_entry = (0, 0) if target.of is None else target.of.index or (0, 0)
        self.useful = {id(node) for node in graph.nodes.values() if target.is_above(graph, node)}
        self.loss = loss_op(graph)

    def ways(self, ref: EntryRef) -> Iterator[Path]:
        """Every way up from a ref, as its factors from the loss down to the ref."""
        for edge in edges_from(ref):
            above = edge.above
            if (
                self.target.sample is not None
                and above.node.per_sample
                and above.entry[1] != self.target.sample
            ):
                continue
            if above.node is self.end and above.entry == self.end_entry:
                yield (self.factor(edge),)
                continue
            if id(above.node) not in self.useful:
                continue
            if edge.op.fused and self.end is self.graph.loss and self.loss is not None:
                if above.entry == ref.entry or not _is_square(edge):  # softmax: once, not once an output
                    yield (self.fused(ref),)
                continue
            factor = self.factor(edge)
            for rest in self.ways(above):
                yield (*rest, factor)

    # ── factors ─────────────────────────────────────────────────────────────────────────────────────

    def fused(self, ref: EntryRef) -> PathFactor:
        """∂ℰ/∂f, where a loss and the slope of its output are one."""
        assert self.loss is not None
        formula = self.loss.simplification(ref.entry)[-1]
        prediction, label = (node.entry(ref.entry) for node in self.loss.inputs)
        error = output_error(self.loss, prediction, label)
        confusions = [*self.error_confusions(prediction, label), *self.probability_confusions(prediction)]
        known = self.halves(ref, prediction, error)
        return PathFactor(formula, {error: 1}, None, 2, tuple(confusions), (), self.loss.n > 1, known)

    def halves(self, ref: EntryRef, prediction: Expr, error: Expr) -> tuple[KnownMistake, ...]:
        """What goes wrong with the two factors that a fused one is made of: ∂ℰ/∂Ŷ and the slope of the sigmoid."""
        if not isinstance(self.loss, BinaryCrossEntropy):
            return ()
        below = ref.symbol
        value, slope = call("sigmoid", below), call("sigmoid", below) * (1 - call("sigmoid", below))
        upper = self.loss.by_prediction(ref.entry)
        other = 1 - prediction
        return (
            KnownMistake("missing", slope, None, {prediction: -1, other: -1}),
            KnownMistake("swapped", value, slope, {other: -1}),
            KnownMistake("swapped", 1 - value, slope, {prediction: -1}),
            KnownMistake("missing", upper, None, {error: -1, prediction: 1, other: 1}),
        )

    def error_confusions(self, prediction: Expr, label: Expr) -> list[Confusion]:
        """What is written for the error: one of its parts, other weights, a wrong sign inside."""
        found = [
            Confusion(prediction, {prediction: 1}),
            Confusion(label, {label: 1}),
            Confusion(prediction - label, {prediction - label: 1}),
            Confusion(prediction + label, {prediction + label: 1}),
        ]
        if not isinstance(self.loss, SquaredError):
            found += [
                Confusion(1 - label, {1 - label: 1}),
                Confusion(
                    label * (1 - prediction) + (1 - label) * prediction,
                    {label * (1 - prediction) + (1 - label) * prediction: 1},
                ),
            ]
        if isinstance(self.loss, BinaryCrossEntropy) and self.loss.alpha != self.loss.beta:
            swapped = _weighted_error("beta", "alpha", prediction, label)
            found.append(Confusion(swapped, {swapped: 1}))
        return found

    def probability_confusions(self, prediction: Expr) -> list[Confusion]:
        """Ŷ, 1 − Ŷ and the slope that is already in the fused error."""
        if isinstance(self.loss, SquaredError):
            return []
        return [
            Confusion(1 - prediction, {1 - prediction: 1}),
            Confusion(prediction * (1 - prediction), {prediction: 1, 1 - prediction: 1}, swaps=False),
        ]

    def factor(self, edge: Edge) -> PathFactor:
        """One edge of the graph as a factor."""
        op = edge.op
        if isinstance(op, Linear):
            return self.linear(edge, op)
        if isinstance(op, Elementwise):
            return self.elementwise(edge, op)
        if isinstance(op, Loss):
            return self.by_prediction(edge, op)
        if isinstance(edge.formula, Number):
            return PathFactor(edge.formula, {})
        return PathFactor(edge.formula, {edge.formula: 1})

    def by_prediction(self, edge: Edge, loss: Loss) -> PathFactor:
        """∂ℰ/∂Ŷ."""
        prediction, label = (node.entry(edge.below.entry) for node in loss.inputs)
        error = output_error(loss, prediction, label)
        if isinstance(loss, BinaryCrossEntropy):
            atoms: Atoms = {error: 1, prediction: -1, 1 - prediction: -1}
        elif isinstance(loss, SquaredError):
            atoms = {error: 1}
        else:
            atoms = {edge.formula: 1}
        confusions = tuple(self.error_confusions(prediction, label))
        known: tuple[KnownMistake, ...] = ()
        if isinstance(loss, BinaryCrossEntropy):  # a wrong sign inside
            inside = label * (1 - prediction) + (1 - label) * prediction
            known = (KnownMistake("swapped", inside, error, {error: -1, inside: 1}),)
        return PathFactor(edge.formula, atoms, None, 1, confusions, (), loss.n > 1, known)

    def linear(self, edge: Edge, op: Linear) -> PathFactor:
        """An input, an activation, a weight, or the 1 of a bias."""
        if edge.i not in (WEIGHT, ACTIVATION):
            return PathFactor(Number(1.0), {})
        symbol = edge.formula
        assert isinstance(symbol, Symbol)
        assert symbol.index is not None
        node = self.graph.nodes[symbol.matrix]
        others = [
            Confusion(node.entry(entry), {node.entry(entry): 1}) for entry in _others(node, symbol.index)
        ]
        if edge.i == WEIGHT and (below := _before(node)) is not None:
            instead = below.entry(symbol.index)
            others.append(Confusion(instead, {instead: 1}))
        return PathFactor(symbol, {symbol: 1}, None, 1, tuple(others))

    def elementwise(self, edge: Edge, op: Elementwise) -> PathFactor:
        """The slope of an activation function."""
        f, a = (node.entry(edge.below.entry) for node in (op.inputs[0], op.output))
        values = (Confusion(a, {a: 1}), Confusion(f, {f: 1}))
        one: Atoms = {}
        match op.function.name:
            case "linear":
                slope_of_sigmoid = Confusion(a * (1 - a), {a: 1, 1 - a: 1}, swaps=False)
                return PathFactor(Number(1.0), one, None, 1, (*values, slope_of_sigmoid))
            case "relu":
                others = [
                    positive(op.inputs[0].entry(entry)) for entry in _others(op.inputs[0], edge.below.entry)
                ]
                wrong = (not_positive(f), *others, *self.other_layers(op, edge.below.entry))
                return PathFactor(edge.formula, one, positive(f), 1, values, wrong)
            case "sigmoid":
                atoms: Atoms = {a: 1, 1 - a: 1}
                slope_of_tanh = Confusion(1 - a**2, {1 - a: 1, 1 + a: 1})
                return PathFactor(
                    edge.formula, atoms, None, 1, (*values, Confusion(1 - a, {1 - a: 1}), slope_of_tanh)
                )
            case "tanh":
                slope = 1 - a**2
                slope_of_sigmoid = Confusion(a * (1 - a), {a: 1, 1 - a: 1})
                return PathFactor(
                    edge.formula,
                    {slope: 1},
                    None,
                    1,
                    (*values, Confusion(1 - a, {1 - a: 1}), slope_of_sigmoid),
                )
        if op.function.name == "leaky_relu":  # a is f times its slope: no atom of its own
            values = (Confusion(f, {f: 1}), Confusion(a, {edge.formula: 1, f: 1}))
            return PathFactor(edge.formula, {edge.formula: 1}, None, 1, values, (positive(f),))
        return PathFactor(edge.formula, {edge.formula: 1}, None, 1, values)

    def other_layers(self, op: Elementwise, entry: Entry) -> list[Indicator]:
        """The same unit's indicator in the other ReLU layers."""
        found = []
        for other in self.graph.ops:
            if other is op or not isinstance(other, Elementwise):
                continue
            rows, columns = other.output.shape
            if entry[0] < rows and entry[1] < columns:
                found.append(positive(other.inputs[0].entry(entry)))
        return found[:MOST_ENTRIES]


def _is_square(edge: Edge) -> bool:
    """Whether an op reaches several entries from one."""
    return edge.op.fan_out(edge.i) > 1


def output_error(loss: Loss | None, prediction: Symbol, label: Symbol) -> Expr:
    """The error n ∂ℰ/∂f of the output layer: Ŷ − Y, or with class weights −αY(1 − Ŷ) + β(1 − Y)Ŷ."""
    if isinstance(loss, BinaryCrossEntropy) and loss.weighted and loss.alpha != loss.beta:
        return _weighted_error("alpha", "beta", prediction, label)
    return prediction - label


def _weighted_error(first: str, second: str, prediction: Expr, label: Expr) -> Expr:
    """−αY(1−Ŷ) + β(1−Y)Ŷ."""
    return Sum((-(Symbol(first) * label * (1 - prediction)), Symbol(second) * (1 - label) * prediction))


def _others(node: Node, entry: Entry) -> list[Entry]:
    """Entries of the same matrix, nearest first: the transposed one, the same row, the same column, the rest."""
    rows, columns = node.shape
    i, j = entry
    found = [(j, i)] if j < rows and i < columns else []
    found += [(i, column) for column in range(columns)][:MOST_ENTRIES] + [(row, j) for row in range(rows)][
        :MOST_ENTRIES
    ]
    if rows * columns <= MOST_ENTRIES:
        found += [(row, column) for row in range(rows) for column in range(columns)]
    return [one for one in dict.fromkeys(found) if one != entry][: 2 * MOST_ENTRIES]


def _before(node: Node) -> Node | None:
    """f[l] for a[l]: what an activation was computed from."""
    return node.op.inputs[0] if node.op is not None and isinstance(node.op, Elementwise) else None


def product_of_path(path: Path) -> Expr:
    """The product that a path contributes."""
    factors = tuple(factor.formula for factor in path if factor.formula != Number(1.0))
    return factors[0] if len(factors) == 1 else Product(factors or (Number(1.0),))


def symbols_of(path: Path) -> set[Symbol]:
    """The matrices that a path's factors, and what they are confused with, speak of."""
    exprs: list[Expr] = [*atoms_of(path)]
    for factor in path:
        exprs += [factor.formula, *([factor.indicator] if factor.indicator else []), *factor.other_indicators]
    return {symbol.matrix for expr in exprs for symbol in expr.symbols()}


def atoms_of(path: Path, more: Iterable[Expr] = ()) -> list[Expr]:
    """Every factor whose power may be wrong: the path's own first, then what they are confused with."""
    own = [atom for factor in path for atom in factor.atoms]
    others = [atom for factor in path for confusion in factor.confusions for atom in confusion.atoms]
    return list(dict.fromkeys([*own, *others, *more]))
