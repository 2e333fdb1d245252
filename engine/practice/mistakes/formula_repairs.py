"""Small changes of a formula that may mend it, the likeliest first: a sign, an index, a slope, a missing factor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.autodiff.graph import Node
from engine.autodiff.ops.elementwise import Elementwise
from engine.formula.expression import (
    Expr,
    Function,
    Indicator,
    Negative,
    Number,
    Product,
    Quotient,
    Sum,
    Symbol,
    bare,
    call,
    not_positive,
    positive,
)
from engine.formula.matrix_terms import MatrixProductTerm, SliceTerm
from engine.model.network import PREDICTION, X, Y
from engine.practice.mistakes.formula_edits import (
    Rebuild,
    Repair,
    everywhere,
    factor_text,
    places_of,
    unsigned,
)
from engine.practice.mistakes.mistake import shown, stands
from engine.practice.mistakes.structural_repairs import StructuralRepairs
from engine.practice.question.random_networks import NetworkEvidence
from engine.practice.reading.gradient_names import is_gradient
from engine.practice.verdict import Mistake

if TYPE_CHECKING:
    from engine.practice.question.asked_question import AskedQuestion


MOST_ENTRIES = 16
"""Entries of a matrix that one may be confused with."""


class FormulaRepairs:
    """The small changes that may repair a formula, the likeliest first."""

    def __init__(self, question: AskedQuestion, near: Sequence[Symbol], evidence: NetworkEvidence) -> None:
        self.question, self.near, self.evidence = question, near, evidence
        self.graph = question.graph

    def of(self, expr: Expr) -> Iterator[Repair]:
        """Every repair of a formula, the likeliest first."""
        places = list(places_of(expr))
        yield from self.signs(places)
        yield from self.left_out_masks(places)
        yield from self.names(expr)
        yield from self.samples(expr)
        yield from self.put_in(places)
        yield from self.slopes(places)
        yield from self.left_out(places)
        yield from self.on_the_way(places)
        yield from self.numbers(places)
        yield from self.terms_added(expr)
        structure = StructuralRepairs(
            self.question, self.evidence, list(dict.fromkeys(self.sums())), self.right_slopes
        )
        yield from structure.repairs(expr, places)
        yield from self.single_names(places)

    def signs(self, places: Iterable[tuple[Expr, Rebuild]]) -> Iterator[Repair]:
        """Repairs of a wrong sign inside a sum."""
        for part, rebuild in places:
            if not isinstance(part, Sum) or len(part.terms) < 2:
                continue
            for number, term in enumerate(part.terms):
                inner = bare(term)
                turned = inner.operand if isinstance(inner, Negative) else Negative(inner)
                terms = (*part.terms[:number], turned, *part.terms[number + 1 :])
                text = f"the sign of {shown(unsigned(inner))} is wrong"
                yield Repair(rebuild(Sum(terms)), Mistake("sign", inner.plain(), turned.plain(), text))

    def names(self, expr: Expr) -> Iterator[Repair]:
        """Repairs by another name wherever one stands: a wrong index, layer, or matrix."""
        symbols = list(dict.fromkeys(expr.symbols()))
        alpha, beta = Symbol("alpha"), Symbol("beta")
        if alpha in symbols or beta in symbols:
            middle = everywhere(everywhere(expr, alpha, Symbol("?")), beta, alpha)
            mistake = Mistake("swapped", "alpha", "beta", "α and β are exchanged")
            yield Repair(everywhere(middle, Symbol("?"), beta), mistake)
        for symbol in symbols:
            for other in self.confused(symbol):
                yield Repair(everywhere(expr, symbol, other), stands(symbol, other))

    def single_names(self, places: Iterable[tuple[Expr, Rebuild]]) -> Iterator[Repair]:
        """Repairs by another name at one place where it stands at several."""
        for part, rebuild in places:
            if isinstance(part, Symbol):
                for other in self.confused(part):
                    yield Repair(rebuild(other), stands(part, other))
            if isinstance(part, SliceTerm):
                rows, columns = (
                    self.graph.nodes[part.symbol].shape if part.symbol in self.graph.nodes else (0, 0)
                )
                others = [replace(part, row=one) for one in range(rows) if isinstance(part.row, int)]
                others += [
                    replace(part, column=one) for one in range(columns) if isinstance(part.column, int)
                ]
                for slice_ in others[:MOST_ENTRIES]:
                    yield Repair(rebuild(slice_), stands(part, slice_))

    def confused(self, symbol: Symbol) -> Iterator[Expr]:
        """The names that a name may be confused with, nearest first."""
        if symbol.name in ("n", "alpha", "beta", "ones"):
            return
        if symbol.matrix == PREDICTION:
            yield symbol - Symbol(Y.name, None, symbol.index)
        if symbol.matrix in (PREDICTION, Y):
            yield 1 - symbol
        if is_gradient(symbol):
            yield from (
                one
                for one in self.evidence.names
                if is_gradient(one) and one != symbol.matrix and symbol.index is None
            )
            return
        node = self.graph.nodes.get(symbol.matrix)
        if node is None:
            return
        if symbol.index is not None:
            rows, columns = node.shape
            row, column = symbol.index
            entries = [(other, column) for other in range(rows)][:MOST_ENTRIES]
            entries += [(row, other) for other in range(columns)][:MOST_ENTRIES]
            if row < columns and column < rows:
                entries.insert(0, (column, row))
            yield from (symbol.at(entry) for entry in entries if entry != symbol.index)
        for other in self.near:
            shape = self.graph.nodes[other].shape
            if other == symbol.matrix:
                continue
            if symbol.index is None:
                if shape == node.shape:
                    yield other
            elif symbol.index[0] < shape[0] and symbol.index[1] < shape[1]:
                yield other.at(symbol.index)

    def samples(self, expr: Expr) -> Iterator[Repair]:
        """Repairs by another sample in every entry at once."""
        columns = {
            symbol.index[1]
            for symbol in expr.symbols()
            if symbol.index is not None and self._per_sample(symbol)
        }
        if len(columns) != 1 or self.graph.n == 1:
            return
        here = columns.pop()
        for other in range(min(self.graph.n, MOST_ENTRIES)):
            if other == here:
                continue
            changed = expr
            for symbol in dict.fromkeys(expr.symbols()):
                if symbol.index is not None and self._per_sample(symbol):
                    changed = everywhere(changed, symbol, symbol.at((symbol.index[0], other)))
            text = f"sample {here} stands where sample {other} belongs"
            yield Repair(changed, Mistake("swapped", f"sample {here}", f"sample {other}", text))

    def _per_sample(self, symbol: Symbol) -> bool:
        node = self.graph.nodes.get(symbol.matrix)
        return node is not None and node.per_sample

    # ── slopes ──────────────────────────────────────────────────────────────────────────────────────

    def slopes(self, places: Iterable[tuple[Expr, Rebuild]]) -> Iterator[Repair]:
        """Repairs of an activation's slope that is another activation's, or what is taken for one."""
        for part, rebuild in places:
            for argument in _slope_of(part):
                for slope in self.right_slopes(argument):
                    if slope != part:
                        yield Repair(rebuild(slope), stands(part, slope))
            if isinstance(part, Indicator):
                arguments = [*dict.fromkeys(part.left.symbols()), *self.sums()]
                for argument in arguments:
                    for other in (positive(argument), not_positive(argument)):
                        if other != part:
                            yield Repair(rebuild(other), stands(part, other))
            if isinstance(part, Number) and part.value in {1.0, *self.slopes_of_leaks()}:
                for argument in self.sums():
                    yield from (
                        Repair(rebuild(one), stands(part, one)) for one in self.right_slopes(argument)
                    )
            if isinstance(part, Product):
                yield from self.mask_inside(part, rebuild)
                yield from self.slope_in_two_factors(part, rebuild)

    def slope_in_two_factors(self, part: Product, rebuild: Rebuild) -> Iterator[Repair]:
        """Repairs of a sigmoid's slope, s and 1 − s among other factors, that belongs to another activation."""
        for symbol in dict.fromkeys(one for one in map(bare, part.factors) if isinstance(one, Symbol)):
            other = next((one for one in part.factors if bare(one) == 1 - symbol), None)
            if other is None or len(part.factors) < 3:
                continue
            rest = [one for one in part.factors if one is not other and bare(one) != symbol]
            for slope in self.right_slopes(symbol):
                yield Repair(rebuild(Product((*rest, slope))), stands(symbol * (1 - symbol), slope))

    def mask_inside(self, part: Product, rebuild: Rebuild) -> Iterator[Repair]:
        """Repairs of a mask outside of a product: (W @ δ) ⊙ mask for W @ (δ ⊙ mask)."""
        for number, factor in enumerate(part.factors):
            inner = bare(factor)
            if not isinstance(inner, MatrixProductTerm):
                continue
            others = [*part.factors[:number], *part.factors[number + 1 :]]
            for mask in others:
                rest = [one for one in others if one is not mask]
                inside = MatrixProductTerm((*inner.factors[:-1], Product((inner.factors[-1], mask))))
                last, first = shown(inner.factors[-1]), shown(inner.factors[0])
                text = f"{shown(mask)} belongs to {last}, before the product with {first}"
                mistake = Mistake("swapped", part.plain(), inside.plain(), text)
                yield Repair(rebuild(Product((inside, *rest)) if rest else inside), mistake)

    def right_slopes(self, symbol: Symbol) -> Iterator[Expr]:
        """The slopes at the layer that a name belongs to, and those on the ways to the loss."""
        for path in (self.question.paths or ())[:MOST_ENTRIES]:
            yield from (factor.formula for factor in path if _slope_of(factor.formula))
        for node, op in self.activations():
            f, a = (
                one.symbol if symbol.index is None else one.symbol.at(symbol.index)
                for one in (op.inputs[0], node)
            )
            same = symbol.matrix in (op.inputs[0].symbol, node.symbol) or symbol.layer == f.layer
            shape = node.shape
            if not same or (symbol.index is not None and not _inside(symbol, shape)):
                continue
            yield a * (1 - a) if op.function.name == "sigmoid" else op.function.derivative_formula(f)

    def sums(self) -> Iterator[Symbol]:
        """The weighted sums f of the layers that are near."""
        yield from dict.fromkeys(op.inputs[0].symbol for _, op in self.activations())

    def activations(self) -> Iterator[tuple[Node, Elementwise]]:
        """The activations of the layers that are near."""
        for symbol in self.near:
            node = self.graph.nodes[symbol]
            if isinstance(node.op, Elementwise):
                yield node, node.op

    # ── what is too much, and what is missing ───────────────────────────────────────────────────────

    def left_out(self, places: Iterable[tuple[Expr, Rebuild]]) -> Iterator[Repair]:
        """Repairs that leave out a term or a factor that does not belong."""
        for part, rebuild in places:
            if isinstance(part, Sum) and len(part.terms) > 1:
                for number, term in enumerate(part.terms):
                    rest = (*part.terms[:number], *part.terms[number + 1 :])
                    text = f"the term {shown(unsigned(bare(term)))} does not belong here"
                    mistake = Mistake("extra", bare(term).plain(), None, text)
                    yield Repair(rebuild(bare(Sum(rest))), mistake)
            elif isinstance(part, Product) and len(part.factors) > 1:
                for number, factor in enumerate(part.factors):
                    others = (*part.factors[:number], *part.factors[number + 1 :])
                    text = f"the factor {factor_text(factor)} does not belong here"
                    mistake = Mistake("extra", bare(factor).plain(), None, text)
                    yield Repair(rebuild(bare(Product(others))), mistake)
            elif isinstance(part, Quotient):
                under = Number(1.0) / part.denominator
                text = f"the factor {shown(under)} does not belong here"
                yield Repair(rebuild(part.numerator), Mistake("extra", under.plain(), None, text))

    def left_out_masks(self, places: Iterable[tuple[Expr, Rebuild]]) -> Iterator[Repair]:
        """A condition that does not belong: it is easily mended by a name for which it always holds."""
        for part, rebuild in places:
            for number, factor in enumerate(part.factors if isinstance(part, Product) else ()):
                if isinstance(factor, Indicator) and len(part.children()) > 1:
                    others = (*part.children()[:number], *part.children()[number + 1 :])
                    text = f"the factor {shown(factor)} does not belong here"
                    yield Repair(rebuild(bare(Product(others))), Mistake("extra", factor.plain(), None, text))

    def put_in(self, places: Iterable[tuple[Expr, Rebuild]]) -> Iterator[Repair]:
        """Repairs that put in a factor that is missing from one term of a sum; or a square."""
        for part, rebuild in places:
            if not isinstance(part, Sum) or len(part.terms) < 2:
                continue
            for number, term in enumerate(part.terms):
                for factor in self.small_factors(part):
                    product = bare(term) * factor
                    terms = (*part.terms[:number], product, *part.terms[number + 1 :])
                    text = f"in the term {shown(unsigned(bare(term)))} the factor {factor_text(factor)} is missing"
                    yield Repair(rebuild(Sum(terms)), Mistake("missing", factor.plain(), None, text))
                inner = bare(unsigned(bare(term)))
                if isinstance(inner, Symbol):
                    signed = Negative(inner**2) if isinstance(bare(term), Negative) else inner**2
                    terms = (*part.terms[:number], signed, *part.terms[number + 1 :])
                    yield Repair(rebuild(Sum(terms)), stands(inner, inner**2))

    def small_factors(self, part: Expr) -> Iterator[Expr]:
        """The factors that a term may lack: labels, predictions, class weights."""
        yield from (Symbol(name) for name in ("alpha", "beta") if name in self.graph.constants)
        symbols = [one for one in dict.fromkeys(part.symbols()) if one.matrix in (Y, PREDICTION)]
        indexes = dict.fromkeys(one.index for one in symbols) or {None: None}
        for index in indexes:
            for matrix in (Y, PREDICTION):
                name = Symbol(matrix.name, None, index)
                yield name
                yield 1 - name

    def on_the_way(self, places: Iterable[tuple[Expr, Rebuild]]) -> Iterator[Repair]:
        """Repairs that put in a weight matrix or a mask that is missing on the way."""
        weights = [one for one in self.near if self.graph.nodes[one].op is None and one not in (X, Y)]
        for part, rebuild in places:
            if isinstance(part, MatrixProductTerm):
                for f in self.sums():
                    for slope in self.right_slopes(f):
                        text = f"the factor {shown(slope)} is missing"
                        yield Repair(
                            rebuild(Product((part, slope))), Mistake("missing", slope.plain(), None, text)
                        )
            if (isinstance(part, Symbol) and is_gradient(part) and part.index is None) or isinstance(
                part, Sum
            ):
                for weight in weights:
                    text = f"the product with {shown(weight)} is missing"
                    mistake = Mistake("missing", weight.plain(), None, text)
                    yield Repair(rebuild(MatrixProductTerm((weight, part))), mistake)

    def numbers(self, places: Iterable[tuple[Expr, Rebuild]]) -> Iterator[Repair]:
        """Repairs by another constant."""
        known = {-1.0, 1.0, 2.0, 0.5, 0.0, *(float(one) for one in self.slopes_of_leaks())}
        for part, rebuild in places:
            if isinstance(part, Number):
                for value in sorted(known - {part.value}):
                    yield Repair(rebuild(Number(value)), stands(part, Number(value)))

    def slopes_of_leaks(self) -> Iterator[float]:
        """The slopes of the leaky ReLUs."""
        for _, op in self.activations():
            if op.function.name == "leaky_relu":
                yield op.function.derivative_formula(Number(-1.0)).evaluate({})

    def terms_added(self, expr: Expr) -> Iterator[Repair]:
        """Repairs that add a branch of a fork that is missing from the sum."""
        for name in self.evidence.names:
            if is_gradient(name):
                text = f"the term {shown(name)} is missing from the sum"
                yield Repair(Sum((expr, name)), Mistake("path", name.plain(), None, text))


def _inside(symbol: Symbol, shape: tuple[int, int]) -> bool:
    return symbol.index is not None and symbol.index[0] < shape[0] and symbol.index[1] < shape[1]


def _slope_of(part: Expr) -> list[Symbol]:
    """The name whose slope a part is, or stands for: s(1 − s), 1 − s², 1{s > 0}, s itself, σ(s)."""
    match part:
        case Symbol():
            return [part]
        case Function(name="sigmoid" | "tanh" | "relu", arguments=(Symbol() as symbol,)):
            return [symbol]
        case Indicator(left=Symbol() as symbol):
            return [symbol]
        case Function(name="maximum"):
            return list(dict.fromkeys(part.symbols()))[:1]
        case Product() | Sum():
            symbols = list(dict.fromkeys(part.symbols()))
            if len(symbols) == 1 and _is_slope(part, symbols[0]):
                return symbols
    return []


def _is_slope(part: Expr, symbol: Symbol) -> bool:
    value, sigmoid = symbol, call("sigmoid", symbol)
    known = (
        value * (1 - value),
        (1 - value) * value,
        1 - value**2,
        1 - value,
        sigmoid * (1 - sigmoid),
        1 - call("tanh", symbol) ** 2,
    )
    return any(part == one or part.plain() == one.plain() for one in known) or (
        isinstance(part, Sum) and all(isinstance(one, Indicator | Product) for one in map(bare, part.terms))
    )
