"""Names a mistake by mending it: the one small change of what was typed that makes it right.

    (W[51] @ dE/df[51]) * indicator(f[49] > 0)     with f[50] in place of f[49] it is right
    -Y/Y_hat + 1/(1 - Y_hat)                       with 1 − Y as a factor of the second term
    W[2] @ (m * dE/da[2]) - dE/da[2]               with + in place of −

A backward pass that slips knows what can go wrong with a gradient; this knows what can go wrong with a formula: an
index, a layer, a sign inside a sum, a factor that belongs to another term, the slope of another activation. Each
change is computed at a few random networks; the first that makes the answer right is the mistake.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.autodiff.graph import Node
from engine.autodiff.ops.cross_entropy import BinaryCrossEntropy
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.loss import loss_op
from engine.formula.expression import (
    Expr,
    Function,
    Indicator,
    Negative,
    Number,
    Partial,
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
from engine.practice.mistakes.factor_patterns import shown
from engine.practice.mistakes.formula_edits import (
    Rebuild,
    Repair,
    everywhere,
    factor_text,
    flattened,
    places_of,
    stands,
    unsigned,
)
from engine.practice.mistakes.naming_on_paths import SIGN
from engine.practice.mistakes.structural_repairs import StructuralRepairs
from engine.practice.question.nearby_matrices import near_matrices
from engine.practice.question.path_factors import error_of
from engine.practice.question.random_networks import NetworkEvidence
from engine.practice.reading.batched_evaluation import evaluate
from engine.practice.reading.names_in_scope import is_gradient
from engine.practice.reading.unreadable import UnreadableError
from engine.practice.verdict import Mistake

if TYPE_CHECKING:
    from engine.practice.question.asked_question import AskedQuestion
    from engine.practice.reading.answer_reader import Answer

CLOSE = 1e-9
PATIENCE = 0.25
"""Seconds of processor time that the search may take: what is found depends on no other program."""
MOST_PLACES = 80
"""Subexpressions of an answer that are looked at: a longer formula has no one place that is easily found."""
MOST_ENTRIES = 16
"""Entries of a matrix that one may be confused with."""


def name_by_repair(question: AskedQuestion, answer: Answer) -> Mistake | None:
    """The mistake whose mending makes an answer right, or None."""
    evidence = question.evidence(answer, question.labels)
    return (
        _undifferentiated(question, answer.expr, evidence)
        or _updated(question, answer.expr, evidence)
        or _of_another(question, answer.expr, evidence)
        or mended(question, answer, evidence)
        or for_one_label(question, answer.expr, evidence)
    )


def name_missing_half_of_the_loss(question: AskedQuestion, answer: Answer) -> tuple[Mistake, ...]:
    """Where one of the two terms that the loss gives is missing: that of Y, or that of 1 − Y; and perhaps the sign."""
    if question.paths is None or len(question.paths) != 1:
        return ()
    loss, path = loss_op(question.graph), question.paths[0]
    if not isinstance(loss, BinaryCrossEntropy):
        return ()
    evidence = question.evidence(answer, "soft")
    try:
        value = evaluate(answer.expr, evidence.names)
        for factor in path:
            if not {Y, PREDICTION} <= {symbol.matrix for symbol in factor.formula.symbols()}:
                continue  # the slope of a leaky ReLU or of tanh is a sum as well
            for left, gone in _halves(factor.formula):
                rest = Product((left, *(one.formula for one in path if one is not factor)))
                there = evaluate(rest, evidence.names)
                text = f"the term {shown(unsigned(gone))} is missing from {shown(factor.formula)}"
                missing = Mistake("path", gone.plain(), None, text)
                if np.allclose(value, there, rtol=CLOSE, atol=0):
                    return (missing,)
                if np.allclose(value, -there, rtol=CLOSE, atol=0):
                    return (missing, SIGN)
    except (KeyError, ValueError, UnreadableError):
        return ()
    return ()


def _halves(formula: Expr) -> Iterator[tuple[Expr, Expr]]:
    """Each term of a sum of two, and the one that is then gone; Ŷ − Y as −Y(1 − Ŷ) + (1 − Y)Ŷ."""
    whole = bare(formula)
    under: Expr = Number(1.0)
    if isinstance(whole, Quotient):
        under, whole = whole.denominator, bare(whole.numerator)
    if not isinstance(whole, Sum) or len(whole.terms) != 2:
        return
    first, second = map(bare, whole.terms)
    label = unsigned(second)
    if isinstance(first, Symbol) and first.matrix == PREDICTION and isinstance(label, Symbol):
        first, second = Negative(label * (1 - first)), (1 - label) * first
    for left, gone in ((first, second), (second, first)):
        yield Quotient(left, under), gone


def mended(question: AskedQuestion, answer: Answer, evidence: NetworkEvidence) -> Mistake | None:
    """The mistake whose mending makes an answer what is the truth of the evidence, or None."""
    expr = flattened(answer.expr)
    if sum(1 for _ in places_of(expr)) > MOST_PLACES:
        return None
    near = [
        symbol
        for symbol in near_matrices(question.graph, [*expr.symbols(), question.target.wrt])
        if symbol in evidence.names
    ]
    deadline = time.thread_time() + PATIENCE
    for repair in _NamingRepairs(question, near, evidence).of(expr):
        if _is_right(repair.expr, evidence):
            return repair.mistake
        if time.thread_time() > deadline:
            return None
    return None


def _undifferentiated(question: AskedQuestion, expr: Expr, evidence: NetworkEvidence) -> Mistake | None:
    """Where the answer is what was to be differentiated."""
    of, loss = question.target.of, question.graph.ops[-1]
    whole: Expr = loss.formula((0, 0)) if of is None else of
    if of is None and question.graph.n * loss.inputs[0].shape[0] > MOST_ENTRIES:
        return None
    try:
        value, there = evaluate(expr, evidence.names), evaluate(whole, evidence.names)
        same = np.allclose(value, there, rtol=CLOSE, atol=0)
        if not same and of is None and value[0].size > 1:  # ℰ, sample by sample
            same = np.allclose(value.sum(axis=(1, 2), keepdims=True), there, rtol=CLOSE, atol=0)
    except (KeyError, ValueError, UnreadableError):
        return None
    if not same:
        return None
    name = shown(question.graph.loss.symbol if of is None else of)
    return Mistake("unknown", expr.plain(), None, f"this is {name} itself, and not its derivative")


def _updated(question: AskedQuestion, expr: Expr, evidence: NetworkEvidence) -> Mistake | None:
    """Where a gradient is asked for and the answer is the parameter after a step with it."""
    target = question.target
    if target.update or target.of is not None or target.wrt not in set(expr.symbols()):
        return None
    try:
        step = evaluate(target.wrt, evidence.names) - evaluate(expr, evidence.names)
    except (KeyError, ValueError, UnreadableError):
        return None
    if step.shape != evidence.truth.shape or not np.isfinite(step).all():
        return None
    with np.errstate(all="ignore"):
        ratio = np.abs(step).max() / np.abs(evidence.truth).max()
    if not ratio or not np.allclose(
        step, ratio * evidence.truth, rtol=CLOSE, atol=CLOSE * np.abs(step).max()
    ):
        return None
    name = shown(target.wrt)
    text = f"this is {name} after a step: the gradient ∂ℰ/∂{name} alone is asked for"
    return Mistake("extra", target.wrt.plain(), None, text)


def _of_another(question: AskedQuestion, expr: Expr, evidence: NetworkEvidence) -> Mistake | None:
    """Where one factor is asked for and the answer is a gradient, ∂ℰ/∂f in place of ∂Ŷ/∂f; or the other way round."""
    target = question.target
    if target.of is None and target.wrt.matrix == PREDICTION:
        slope = target.wrt * (1 - target.wrt)
        try:
            if np.allclose(
                evaluate(expr, evidence.names), evaluate(slope, evidence.names), rtol=CLOSE, atol=0
            ):
                text = f"this is the slope of the sigmoid, and not {shown(Partial(Symbol('E'), target.wrt))}"
                return Mistake("swapped", slope.plain(), target.plain(), text)
        except (KeyError, ValueError, UnreadableError):
            return None
    if target.of is None or target.wrt.index is None:
        return None
    for index in dict.fromkeys(one.index for one in expr.symbols() if one.matrix == PREDICTION):
        prediction, label = (Symbol(one.name, None, index) for one in (PREDICTION, Y))
        error = error_of(loss_op(question.worked.graph), prediction, label)
        for whole in (error, error / Symbol("n")):
            try:
                value, there = evaluate(expr, evidence.names), evaluate(whole, evidence.names)
            except (KeyError, ValueError, UnreadableError):
                continue
            if np.allclose(value, there, rtol=CLOSE, atol=0):
                deepest = max(symbol.layer or 0 for symbol in question.graph.nodes)
                other = shown(Symbol("f", deepest, index))
                text = f"this is ∂ℰ/∂{other}: asked for is the one factor {shown(Partial(target.of, target.wrt))}"
                return Mistake("swapped", f"dE/d{Symbol('f', deepest, index).plain()}", target.plain(), text)
    return None


def for_one_label(question: AskedQuestion, expr: Expr, evidence: NetworkEvidence) -> Mistake | None:
    """Where the answer is what the truth is for one of the two labels: −1/Ŷ, which is right where Y = 1."""
    labels = evidence.names.get(Y)
    if labels is None or labels[0].size != 1 or not isinstance(loss_op(question.graph), BinaryCrossEntropy):
        return None
    try:
        value = np.broadcast_to(evaluate(expr, evidence.names), evidence.truth.shape)
    except (KeyError, ValueError, UnreadableError):
        return None
    with np.errstate(all="ignore"):
        error = np.abs(value - evidence.truth).max(axis=(1, 2))
        right = error <= CLOSE * np.abs(evidence.truth).max(axis=(1, 2))
    for label, other in ((1.0, 0.0), (0.0, 1.0)):
        here = labels[:, 0, 0] == label
        if here.any() and right[here].all() and evidence.truth[here].any():
            text = f"this is right where Y = {label:g}, and not where Y = {other:g}: Y has to stand in it"
            return Mistake("missing", Y.plain(), None, text)
    return None


def _is_right(expr: Expr, evidence: NetworkEvidence) -> bool:
    """Whether a formula is the truth wherever it has a value, at one network first and then at all."""
    few = {name: values[:1] for name, values in evidence.names.items()}
    for names, truth in ((few, evidence.truth[:1]), (evidence.names, evidence.truth)):
        try:
            with np.errstate(all="ignore"):
                value = evaluate(expr, names)
        except (KeyError, ValueError, UnreadableError):
            return False
        if value.ndim != 3 or value.shape[1:] not in (truth.shape[1:], (1, 1)):
            return False
        if value.shape[1:] == (1, 1) and truth.shape[1:] != (1, 1):
            return False
        error = np.abs(value - truth).max(axis=(1, 2))
        if not (error <= CLOSE * np.abs(truth).max(axis=(1, 2))).all():
            return False
    return bool(evidence.truth.any())


class _NamingRepairs:
    """The small changes of one answer, the likeliest first."""

    def __init__(self, question: AskedQuestion, near: Sequence[Symbol], evidence: NetworkEvidence) -> None:
        self.question, self.near, self.evidence = question, near, evidence
        self.graph = question.graph

    def of(self, expr: Expr) -> Iterator[Repair]:
        """Every change."""
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
        """A wrong sign inside a sum."""
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
        """Another name wherever one stands: a wrong index, layer, or matrix."""
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
        """Another name at one place where it stands at several."""
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
        """What a name is confused with, nearest first."""
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
        """Another sample in every entry at once."""
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
        """The slope of another activation function, or what is taken for one."""
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
        """s and 1 − s among other factors: the slope of a sigmoid for that of another activation."""
        for symbol in dict.fromkeys(one for one in map(bare, part.factors) if isinstance(one, Symbol)):
            other = next((one for one in part.factors if bare(one) == 1 - symbol), None)
            if other is None or len(part.factors) < 3:
                continue
            rest = [one for one in part.factors if one is not other and bare(one) != symbol]
            for slope in self.right_slopes(symbol):
                yield Repair(rebuild(Product((*rest, slope))), stands(symbol * (1 - symbol), slope))

    def mask_inside(self, part: Product, rebuild: Rebuild) -> Iterator[Repair]:
        """(W @ δ) ⊙ mask for W @ (δ ⊙ mask)."""
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
        """A term or a factor that does not belong."""
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
        """A factor that is missing from one term of a sum; a square."""
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
        """What a term may lack: labels, predictions, class weights."""
        yield from (Symbol(name) for name in ("alpha", "beta") if name in self.graph.constants)
        symbols = [one for one in dict.fromkeys(part.symbols()) if one.matrix in (Y, PREDICTION)]
        indexes = dict.fromkeys(one.index for one in symbols) or {None: None}
        for index in indexes:
            for matrix in (Y, PREDICTION):
                name = Symbol(matrix.name, None, index)
                yield name
                yield 1 - name

    def on_the_way(self, places: Iterable[tuple[Expr, Rebuild]]) -> Iterator[Repair]:
        """A weight matrix that is missing in front of what it sends down, a mask that is missing behind it."""
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
        """Another constant."""
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
        """A branch of a fork that is missing from the sum."""
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
