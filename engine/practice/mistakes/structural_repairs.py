"""Changes of how a formula is put together: brackets, sums for products, what is missing from a whole.

Y_hat - Y*X[2,0]                   the brackets are missing: (Y_hat - Y)*X[2,0]
W[2] @ (dE/da[2]*m + dE/da[2])     the shortcut does not pass W[2]
X                                  the factor Y_hat - Y is missing
(alpha + beta)*(Y_hat - Y)/n       α + β stands where αY + β(1 − Y) belongs
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from engine.autodiff.ops.cross_entropy import BinaryCrossEntropy
from engine.autodiff.ops.loss import loss_op
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
    bare,
    call,
)
from engine.formula.matrix_terms import MatrixProductTerm, TotalTerm, TransposedTerm
from engine.model.network import PREDICTION, Y
from engine.practice.mistakes.formula_edits import (
    Rebuild,
    Repair,
    everywhere,
    factor_text,
    unsigned,
    without_squares,
)
from engine.practice.mistakes.mistake import shown, stands
from engine.practice.question.path_factors import output_error
from engine.practice.question.random_networks import NetworkEvidence
from engine.practice.reading.gradient_names import is_gradient
from engine.practice.verdict import Mistake

if TYPE_CHECKING:
    from engine.practice.question.asked_question import AskedQuestion

Places = Sequence[tuple[Expr, Rebuild]]
N = Symbol("n")


@dataclass(frozen=True, eq=False)
class StructuralRepairs:
    """The repairs that change the structure of a formula: brackets, sums, masks, missing factors."""

    question: AskedQuestion
    evidence: NetworkEvidence
    sums: Sequence[Symbol]
    slopes: Callable[[Symbol], Iterator[Expr]]

    def repairs(self, expr: Expr, places: Places) -> Iterator[Repair]:
        """Every structural repair of a formula, the likeliest first."""
        yield from self.brackets(places)
        yield from self.sums_and_products(places)
        yield from self.missing_from_all(expr)
        yield from self.terms_of_the_loss(places)
        yield from self.in_place_of_the_error(places)
        yield from self.not_differentiated(places)
        yield from self.totals(expr, places)
        yield from self.masks(places)
        yield from self.given_gradients(places)
        yield from self.number_of_samples(places)

    # ── what is known of the loss ───────────────────────────────────────────────────────────────────

    @cached_property
    def loss(self) -> object:
        """The op of the experiment's own loss."""
        return loss_op(self.question.evaluated.graph)

    def error(self, like: Expr | None = None) -> Expr:
        """The error ∂ℰ/∂f of the output but for 1/n, at the entry that `like` speaks of, or as a matrix."""
        indexes = (
            [one.index for one in like.symbols() if one.matrix in (PREDICTION, Y)] if like is not None else []
        )
        index = indexes[0] if indexes else None
        if not indexes and self.question.target.wrt.index is not None and self.question.graph.n == 1:
            outputs = self.question.graph.nodes[PREDICTION].shape[0]
            index = (0, 0) if outputs == 1 else None
        return output_error(
            loss_op(self.question.evaluated.graph),
            *(Symbol(one.name, None, index) for one in (PREDICTION, Y)),
        )

    @property
    def given(self) -> list[Symbol]:
        """The earlier results that may be used."""
        return [one for one in self.evidence.names if is_gradient(one)]

    @property
    def weights(self) -> list[Symbol]:
        """The weight matrices of the target's layer and of those beside it."""
        near = (self.question.target.wrt.layer or 0) + 1
        nodes = self.question.graph.nodes.values()
        return [
            one.symbol for one in nodes if one.symbol.name == "W" and abs((one.symbol.layer or 0) - near) <= 1
        ]

    @property
    def scales(self) -> list[Expr]:
        """1, and 1/n where that is another number."""
        return [Number(1.0)] if self.question.graph.n == 1 else [Number(1.0), Number(1.0) / N]

    # ── brackets ────────────────────────────────────────────────────────────────────────────────────

    def brackets(self, places: Places) -> Iterator[Repair]:
        """Repairs of brackets: a − b·c for (a − b)·c, and (a + b)·c for a·c + b."""
        for part, rebuild in places:
            if isinstance(part, Sum) and len(part.terms) > 1:
                for number, term in enumerate(part.terms):
                    inner = unsigned(bare(term))
                    for rest, around, name in _taken_apart(inner):
                        signed = Negative(rest) if isinstance(bare(term), Negative) else rest
                        whole = Sum((*part.terms[:number], signed, *part.terms[number + 1 :]))
                        text = f"brackets are missing: {name} belongs to all of {shown(whole)}"
                        mistake = Mistake("swapped", part.plain(), around(whole).plain(), text)
                        yield Repair(rebuild(around(whole)), mistake)
            if isinstance(part, MatrixProductTerm | Product) and len(part.children()) > 1:
                yield from self._opened(part, rebuild)

    def _opened(self, part: Expr, rebuild: Rebuild) -> Iterator[Repair]:
        factors = part.children()
        for number, factor in enumerate(factors):
            inner = bare(factor)
            if not isinstance(inner, Sum) or len(inner.terms) != 2:
                continue
            others = (*factors[:number], *factors[number + 1 :])
            name = shown(bare(Product(others)) if isinstance(part, Product) else others[0])
            for term, free in (inner.terms, inner.terms[::-1]):
                bound: list[Expr] = [type(part)((*factors[:number], term, *factors[number + 1 :]))]  # type: ignore[call-arg]
                core = bare(term)
                if isinstance(core, MatrixProductTerm):  # (W @ δ + δ) ⊙ mask for W @ (δ ⊙ mask) + δ
                    bound.append(
                        MatrixProductTerm((*core.factors[:-1], Product((core.factors[-1], *others))))
                    )
                text = f"{name} belongs to the term {shown(unsigned(bare(term)))} alone, and not to {shown(free)}"
                for one in bound:
                    whole = Sum((one, free))
                    yield Repair(rebuild(whole), Mistake("swapped", part.plain(), whole.plain(), text))

    # ── sums for products, products for sums ────────────────────────────────────────────────────────

    def sums_and_products(self, places: Places) -> Iterator[Repair]:
        """Repairs of an operator: a + b for a·b, a·b for a + b, a ⊙ b for a @ b."""
        for part, rebuild in places:
            if isinstance(part, Sum) and len(part.terms) > 1:
                factors = tuple(bare(term) for term in part.terms)
                names = " and ".join(factor_text(unsigned(one)) for one in factors)
                text = f"{names} are multiplied, not added"
                turned = MatrixProductTerm((*factors[:-1], TransposedTerm(factors[-1])))
                for product in (Product(factors), MatrixProductTerm(factors), turned):
                    yield Repair(rebuild(product), Mistake("swapped", "+", "*", text))
            if isinstance(part, Product) and len(part.factors) > 1:
                for number, factor in enumerate(part.factors):
                    rest = bare(Product((*part.factors[:number], *part.factors[number + 1 :])))
                    text = f"{shown(rest)} and {factor_text(factor)} are added, not multiplied"
                    yield Repair(rebuild(Sum((rest, bare(factor)))), Mistake("swapped", "*", "+", text))
            for one, other in _in_two(part):
                text = f"{factor_text(one)} and {factor_text(other)} are multiplied as matrices, not entry by entry"
                for factors in (
                    (one, other),
                    (other, one),
                    (one, TransposedTerm(other)),
                    (TransposedTerm(one), other),
                ):
                    product = MatrixProductTerm(factors)
                    yield Repair(rebuild(product), Mistake("reduction", part.plain(), product.plain(), text))

    # ── what is missing ─────────────────────────────────────────────────────────────────────────────

    def missing_from_all(self, expr: Expr) -> Iterator[Repair]:
        """Repairs that multiply the whole by a missing factor: the error, an earlier result, the input."""
        for factor in (*self.given, self.error(), *self.inputs()):
            for scale in self.scales:
                known = factor if scale == Number(1.0) else factor * scale
                text = f"the factor {factor_text(known)} is missing"
                mistake = Mistake("missing", known.plain(), None, text)
                turned = TransposedTerm(known)
                for whole in (
                    Product((expr, known)),
                    MatrixProductTerm((expr, turned)),
                    MatrixProductTerm((expr, known)),
                    MatrixProductTerm((known, expr)),
                    MatrixProductTerm((known, TransposedTerm(expr))),
                ):
                    yield Repair(whole, mistake)

    def inputs(self) -> Iterator[Symbol]:
        """The inputs of a weight's layer, as a matrix or at the entry's row."""
        wrt = self.question.target.wrt
        for op in self.question.graph.ops:
            nodes = [node.symbol for node in op.inputs]
            if wrt.matrix in nodes[:1] and len(nodes) > 1:
                yield nodes[1]
                if wrt.index is not None and self.question.graph.n == 1:
                    yield nodes[1].at((wrt.index[0], 0))

    def terms_of_the_loss(self, places: Places) -> Iterator[Repair]:
        """Repairs where one of the loss's two terms is there and the other missing."""
        if not isinstance(self.loss, BinaryCrossEntropy):
            return
        weighted = self.loss.weighted and self.loss.alpha != self.loss.beta
        for part, rebuild in places:
            indexes = dict.fromkeys(one.index for one in part.symbols() if one.matrix in (PREDICTION, Y))
            if len(indexes) != 1 or isinstance(part, Symbol):
                continue
            index = next(iter(indexes))
            p, y = (Symbol(one.name, None, index) for one in (PREDICTION, Y))
            first, second = (Symbol("alpha") * y, Symbol("beta") * (1 - y)) if weighted else (y, 1 - y)
            terms: list[tuple[Expr, Expr]] = [
                (Negative(first / p), second / (1 - p)),
                (Negative(first * (1 - p)), second * p),
            ]
            if isinstance(part, Sum) and len(part.terms) == 2:  # −1/Ŷ + 1/(1 − Ŷ)
                for labels in ((y, 1 - y), (1 - y, y)):
                    both = Sum(
                        tuple(bare(term) * label for term, label in zip(part.terms, labels, strict=True))
                    )
                    text = f"the factors {shown(y)} and {shown(1 - y)} of the two terms are missing"
                    yield Repair(rebuild(both), Mistake("missing", y.plain(), None, text))
            for pair in terms:
                for term in pair:
                    for scale in self.scales:
                        gone = term if scale == Number(1.0) else term * scale
                        name = shown(unsigned(pair[0] if term is pair[0] else pair[1]))
                        mistake = Mistake("path", term.plain(), None, f"the term {name} is missing")
                        yield Repair(rebuild(Sum((part, gone))), mistake)

    # ── what stands in the place of the error ───────────────────────────────────────────────────────

    def in_place_of_the_error(self, places: Places) -> Iterator[Repair]:
        """Repairs of what stands where the error belongs: Ŷ(1 − Ŷ), α + β, αŶ − βY, or any name."""
        for part, rebuild in places:
            symbols = set(part.symbols())
            index = next((one.index for one in symbols if one.matrix == PREDICTION), None)
            p = Symbol(PREDICTION.name, None, index)
            if isinstance(part, Product):
                yield from self._slope_for_error(part, rebuild, p)
            if isinstance(part, Sum) and symbols == {Symbol("alpha"), Symbol("beta")}:
                y = Symbol(Y.name)
                weight = Symbol("alpha") * y + Symbol("beta") * (1 - y)
                yield Repair(rebuild(weight), stands(part, weight))
            if isinstance(part, Symbol) and part.matrix != PREDICTION and not is_gradient(part):
                for scale in self.scales:
                    error = self.error() if scale == Number(1.0) else self.error() * scale
                    yield Repair(rebuild(error), stands(part, error))
        known = {PREDICTION, Y, Symbol("alpha"), Symbol("beta")}
        for part, rebuild in places:
            names = {one.matrix for one in part.symbols()}
            if isinstance(part, Sum | Product) and names and names <= known and PREDICTION in names:
                error = self.error(part)
                for scale in self.scales:
                    whole = error if scale == Number(1.0) else error * scale
                    yield Repair(rebuild(whole), stands(part, whole))

    def _slope_for_error(self, part: Product, rebuild: Rebuild, p: Symbol) -> Iterator[Repair]:
        """Ŷ(1 − Ŷ) among other factors."""
        factors = [bare(one) for one in part.factors]
        if p not in factors or (1 - p) not in factors:
            return
        rest = [one for one in factors if one not in (p, 1 - p)]
        error = self.error(p)
        text = f"{shown(p * (1 - p))} is the slope alone: with ∂ℰ/∂Ŷ it is {shown(error)}"
        whole = bare(Product((*rest, error)))
        yield Repair(rebuild(whole), Mistake("missing", "dE/dY_hat", None, text))
        text = f"the factor {shown(p * (1 - p))} does not belong here"
        yield Repair(rebuild(bare(Product(tuple(rest)))), Mistake("extra", (p * (1 - p)).plain(), None, text))

    # ── functions that are not differentiated, or another's ─────────────────────────────────────────

    def not_differentiated(self, places: Places) -> Iterator[Repair]:
        """Repairs of what was not differentiated: log x for 1/x, x for 1 − x, squares."""
        whole = without_squares(places[0][0])
        if whole != places[0][0]:
            text = "the squares do not belong here"
            yield Repair(whole, Mistake("extra", "**2", None, text))
        for part, rebuild in places:
            match part:
                case Function(name="log", arguments=(inside,)):
                    text = f"{shown(part)} is not differentiated: the derivative of log x is 1/x"
                    yield Repair(
                        rebuild(1 / inside), Mistake("swapped", part.plain(), (1 / inside).plain(), text)
                    )
                case Function(name="exp", arguments=(inside,)):
                    other = call(
                        "exp", bare(unsigned(inside)) if isinstance(inside, Negative) else Negative(inside)
                    )
                    yield Repair(rebuild(other), stands(part, other))
                case Power(base=base, exponent=Number(value=2.0)):
                    yield Repair(rebuild(1 - part), stands(part, 1 - part))
                    inside = bare(base)
                    if isinstance(inside, Sum) and len(names := list(dict.fromkeys(inside.symbols()))) == 1:
                        squared = 1 - names[0] ** 2
                        yield Repair(rebuild(squared), stands(part, squared))
                case Symbol():
                    yield Repair(rebuild(1 - part), stands(part, 1 - part))

    # ── sums over a matrix ──────────────────────────────────────────────────────────────────────────

    def totals(self, expr: Expr, places: Places) -> Iterator[Repair]:
        """Repairs of sums: one that does not belong, one of each factor, a factor missing inside of one."""
        index = self.question.target.wrt.index
        for part, rebuild in places:
            if isinstance(part, TotalTerm):
                text = f"there is no sum here: {shown(part)} stands where {shown(part.operand)} belongs"
                yield Repair(
                    rebuild(part.operand), Mistake("reduction", part.plain(), part.operand.plain(), text)
                )
                if index is not None:
                    entry = part.operand
                    for symbol in dict.fromkeys(entry.symbols()):
                        entry = everywhere(entry, symbol, symbol.at(index)) if symbol.index is None else entry
                    text = f"there is no sum here: {shown(entry)} alone belongs in the place of {shown(part)}"
                    yield Repair(rebuild(entry), Mistake("reduction", part.plain(), entry.plain(), text))
                for factor in (self.error(), *self.given):
                    inside = TotalTerm(Product((part.operand, factor)), part.axis)
                    text = f"the factor {factor_text(factor)} is missing under the sum"
                    yield Repair(rebuild(inside), Mistake("missing", factor.plain(), None, text))
            if isinstance(part, Product):
                sums = [one for one in map(bare, part.factors) if isinstance(one, TotalTerm)]
                if len(sums) == 2:
                    rest = [one for one in part.factors if bare(one) not in sums]
                    one, other = (total.operand for total in sums)
                    text = "the sum of the products is not the product of the sums"
                    turned = MatrixProductTerm((one, TransposedTerm(other)))
                    for product in (turned, MatrixProductTerm((one, other)), TotalTerm(one * other)):
                        whole = bare(Product((product, *rest)))
                        yield Repair(rebuild(whole), Mistake("reduction", part.plain(), whole.plain(), text))
            if isinstance(part, Sum) and len(part.terms) > 2:
                for term in part.terms:
                    text = f"of the sum {shown(part)} only {shown(bare(term))} belongs here"
                    yield Repair(
                        rebuild(bare(term)), Mistake("extra", part.plain(), bare(term).plain(), text)
                    )

    # ── masks and slopes ────────────────────────────────────────────────────────────────────────────

    def masks(self, places: Places) -> Iterator[Repair]:
        """Repairs of a slope on the wrong side of a matrix product, in several factors, or for an activation."""
        for part, rebuild in places:
            if isinstance(part, MatrixProductTerm) and isinstance(inner := bare(part.factors[-1]), Product):
                for number, mask in enumerate(inner.factors):
                    rest = bare(Product((*inner.factors[:number], *inner.factors[number + 1 :])))
                    product = MatrixProductTerm((*part.factors[:-1], rest))
                    for slope in self._all_slopes():
                        text = (
                            f"{shown(bare(mask))} stands under the product with {shown(part.factors[0])}: "
                            f"{shown(slope)} belongs after it"
                        )
                        whole = Product((product, slope))
                        yield Repair(rebuild(whole), Mistake("swapped", part.plain(), whole.plain(), text))
            if isinstance(part, Product):
                yield from self._moved_inside(part, rebuild)
                yield from self._grouped(part, rebuild)
            if isinstance(part, Sum) and any(isinstance(one, Indicator) for one in _leaves(part)):
                for slope in self._all_slopes():
                    yield Repair(rebuild(slope), stands(part, slope))
            if isinstance(part, Indicator):
                for symbol in dict.fromkeys(part.symbols()):
                    for name in ("a", "f"):
                        other = Symbol(name, symbol.layer, symbol.index)
                        yield Repair(rebuild(other), stands(part, other))

    def _all_slopes(self) -> list[Expr]:
        return list(dict.fromkeys(slope for f in self.sums for slope in self.slopes(f)))

    def _moved_inside(self, part: Product, rebuild: Rebuild) -> Iterator[Repair]:
        """(W @ δ) ⊙ m for W @ (δ ⊙ slope), where m is another layer's."""
        for number, factor in enumerate(part.factors):
            inner = bare(factor)
            others = [*part.factors[:number], *part.factors[number + 1 :]]
            if not isinstance(inner, MatrixProductTerm) or len(others) != 1:
                continue
            for slope in self._all_slopes():
                whole = MatrixProductTerm((*inner.factors[:-1], Product((inner.factors[-1], slope))))
                text = (
                    f"{shown(bare(others[0]))} stands after the product with {shown(inner.factors[0])}: "
                    f"{shown(slope)} belongs to {shown(inner.factors[-1])}, before it"
                )
                yield Repair(rebuild(whole), Mistake("swapped", part.plain(), whole.plain(), text))

    def _grouped(self, part: Product, rebuild: Rebuild) -> Iterator[Repair]:
        """The factors that speak of one f only, together, for a slope: σ(f)·(1 − σ(f)), 0.3·1{f ≤ 0}, f·1{f > 0}."""
        for f in self.sums:
            of_f = [one for one in part.factors if _speaks_of(one, f)]
            rest = [one for one in part.factors if one not in of_f]
            if not of_f or (not rest and len(of_f) < 2):
                continue
            numbers = [one for one in rest if isinstance(bare(one), Number)]
            for group in ([*numbers, *of_f], of_f) if numbers else (of_f,):
                others = [one for one in part.factors if one not in group]
                for slope in self._all_slopes():
                    whole = bare(Product((*others, slope)))
                    yield Repair(rebuild(whole), stands(bare(Product(tuple(group))), slope))

    # ── earlier results, and n ──────────────────────────────────────────────────────────────────────

    def given_gradients(self, places: Places) -> Iterator[Repair]:
        """An earlier result that something else stands for, or that is missing behind a weight."""
        sources: list[Expr] = [*self.given, self.error()]
        for part, rebuild in places:
            if isinstance(part, Number) or (isinstance(part, Symbol) and not is_gradient(part)):
                for gradient in self.given:
                    yield Repair(rebuild(gradient), stands(part, gradient))
            if part == self.question.target.wrt.matrix:
                for taken in self.inputs():
                    yield Repair(rebuild(taken), stands(part, taken))
            if isinstance(part, Indicator):
                for weight in self.weights:
                    text = f"the factor {shown(weight)} is missing"
                    yield Repair(rebuild(weight * part), Mistake("missing", weight.plain(), None, text))
            node = self.question.graph.nodes.get(part) if isinstance(part, Symbol) else None
            if node is not None and node.op is None and node.symbol.name == "W":
                for source in sources:
                    for scale in self.scales if source not in self.given else [Number(1.0)]:
                        known = source if scale == Number(1.0) else source * scale
                        text = f"the factor {factor_text(known)} is missing"
                        mistake = Mistake("missing", known.plain(), None, text)
                        yield Repair(rebuild(MatrixProductTerm((part, known))), mistake)

    def number_of_samples(self, places: Places) -> Iterator[Repair]:
        """Repairs of what is divided by."""
        if self.question.graph.n == 1:
            return
        for part, rebuild in places:
            if isinstance(part, Quotient):
                under = bare(part.denominator)
                text = f"{shown(under)} stands where n = {self.question.graph.n} belongs"
                mistake = Mistake("swapped", under.plain(), N.plain(), text)
                yield Repair(rebuild(Quotient(part.numerator, N)), mistake)


def _leaves(expr: Expr) -> Iterator[Expr]:
    for child in expr.children():
        yield child
        yield from _leaves(child)


def _speaks_of(factor: Expr, f: Symbol) -> bool:
    """Whether a factor may be a part of a slope at f: 1{f > 0}, f, a, σ(f), 1 − a, 1 − σ(f)."""
    inner = bare(factor)
    if isinstance(inner, Sum) and len(inner.terms) == 2 and bare(inner.terms[0]) == Number(1.0):
        inner = unsigned(bare(inner.terms[1]))
    if isinstance(inner, Function) and len(inner.arguments) == 1:
        inner = bare(inner.arguments[0])
    names = {(one.name, one.layer) for one in factor.symbols()}
    return isinstance(inner, Symbol | Indicator) and names <= {("f", f.layer), ("a", f.layer), ("h", f.layer)}


def _taken_apart(term: Expr) -> Iterator[tuple[Expr, Callable[[Expr], Expr], str]]:
    """A term without one of its factors or without its denominator, and what puts that around a whole."""
    if isinstance(term, Quotient):
        under = term.denominator
        yield term.numerator, lambda whole: Quotient(whole, under), shown(Number(1.0) / under)
    if isinstance(term, Product) and len(term.factors) > 1:
        for number, factor in enumerate(term.factors):
            rest = bare(Product((*term.factors[:number], *term.factors[number + 1 :])))
            yield rest, _times(factor), factor_text(factor)


def _in_two(part: Expr) -> Iterator[tuple[Expr, Expr]]:
    """A product as one of its factors and the rest."""
    factors = part.factors if isinstance(part, Product) else ()
    if len(factors) == 2:
        yield bare(factors[0]), bare(factors[1])
    elif len(factors) > 2:
        for number, factor in enumerate(factors):
            yield bare(factor), Product((*factors[:number], *factors[number + 1 :]))


def _times(factor: Expr) -> Callable[[Expr], Expr]:
    return lambda whole: Product((whole, factor))
