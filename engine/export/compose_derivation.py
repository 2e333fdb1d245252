"""A derivation as a document: what is said of it, in which order, whatever form it is then written in.

    title ─ facts ─ the chain rule ─ factor by factor ─ simplified ─ sums ─ samples ─ paths ─ check

Long things are shown by their largest parts, and always with the total, so that the numbers still add up.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from engine.autodiff.graph import Graph
from engine.autodiff.ops.l2_penalty import L2Penalty
from engine.autodiff.ops.loss import loss_op
from engine.derivation.chain_rule import ChainRuleStep, Derivation, TopPath
from engine.derivation.gradcheck import EntryCheck
from engine.export.document_blocks import (
    Block,
    ChainBlock,
    EquationsBlock,
    FactorBlock,
    FactorsBlock,
    FactsBlock,
    HeadingBlock,
    ParagraphBlock,
    Span,
    Spans,
    TableBlock,
    ValueBlock,
)
from engine.export.factor_words import VERDICTS, factor_words
from engine.formula.expression import Expr, Number, Partial, Power, Product, Symbol
from engine.formula.numbers_in_words import counted
from engine.formula.untrusted_text import one_line
from engine.model.network import FIT

MOST_ROWS = 6
"""Of a longer sum, this many of its largest terms are listed, then what the others add together."""
MOST_SUMS = 4
MOST_PATHS = 3
MOST_NODES = 10
CHECK_DIGITS = 10
ERROR_DIGITS = 2

_Item = TypeVar("_Item")


def compose(derivation: Derivation, title: str, check: EntryCheck | None) -> list[Block]:
    """Composes a derivation as document blocks, from which text, Markdown and LaTeX are rendered."""
    factors = _factors(derivation)
    blocks: list[Block] = [HeadingBlock(one_line(title) or "Derivation", 1), _facts(derivation)]
    blocks += _chain(derivation, factors)
    blocks += [HeadingBlock("Factor by factor"), FactorsBlock(factors)]
    blocks += _simplification(derivation)
    blocks += _sums(derivation)
    blocks += _samples(derivation)
    blocks += _paths(derivation)
    if check is not None:
        blocks += [HeadingBlock("Check"), ParagraphBlock(_check_spans(derivation, check))]
    return blocks


ROUNDED, SMALLEST = 1e-9, sys.float_info.min
"""Two factors whose product is further from the running one than rounding explains, down to the smallest number."""


def _factors(derivation: Derivation) -> tuple[FactorBlock, ...]:
    factors: list[FactorBlock] = []
    for number, step in enumerate(derivation, start=1):
        term = step.term
        factors.append(
            FactorBlock(
                number,
                factor_words(derivation.graph, term),
                term.symbol,
                term.formula,
                term.substituted,
                term.local,
                step.running,
                _product(factors[-1].running, term.local, step.running) if factors else None,
                term.remark,
            )
        )
    return tuple(factors)


def _product(before: float, value: float, running: float) -> Expr | None:
    """``before · value``, unless that is ∞ · 0, or has lost digits, and the running product is a simplified form's."""
    if math.isfinite(running) and not math.isclose(
        before * value, running, rel_tol=ROUNDED, abs_tol=SMALLEST
    ):
        return None
    return Product((Number(before), Number(value)))


# ── the facts ───────────────────────────────────────────────────────────────────────────────────────


def _facts(derivation: Derivation) -> FactsBlock:
    graph, target = derivation.graph, derivation.target
    gradient = Partial(derivation.of, target)
    node = graph.nodes[target.matrix]
    scalar: Spans = (gradient, ", a scalar")
    if not node.scalar:
        whole = Partial(derivation.of, target.matrix)
        scalar += (
            ": one entry of the matrix ",
            whole,
            f", which is {_size(node.shape)} as ",
            target.matrix,
            " is",
        )
    loss = ("Loss" if loss_op(graph) else "Of", _loss_spans(derivation))
    items: list[tuple[str, Spans]] = [("Asked", (*scalar, ".")), loss]
    if not node.scalar:
        items.append(("Matrices", _matrix_spans(derivation)))
    if derivation.n > 1:
        items.append(("Samples", _sample_spans(derivation)))
    items.append(("Answer", (gradient, " ", ValueBlock(derivation.value))))
    return FactsBlock(tuple(items))


def _size(shape: tuple[int, int]) -> str:
    return f"{shape[0]}×{shape[1]}"


def _loss_spans(derivation: Derivation) -> Spans:
    graph = derivation.graph
    value: Spans = (derivation.of, " ", ValueBlock(graph.value_of(derivation.of)), ", a scalar")
    loss = loss_op(graph)
    if loss is None:
        return (*value, ".")
    definition = loss.definition()
    sign = "−" if definition.negative else ""
    where: Spans = ()
    for symbol in [Symbol("n"), *map(Symbol, loss.constants)]:
        if symbol.name == "n" or symbol in set(definition.term.symbols()):
            where += (", ", symbol, " ", ValueBlock(graph.value_of(symbol)))
    summed = "samples" if graph.nodes[Symbol("Y")].shape[0] == 1 else "samples and outputs"
    return (
        f"{definition.name}, ",
        loss.output.symbol,
        f" = {sign}",
        *_divided(definition.divisor),
        "Σ [",
        definition.term,
        "], summed over the ",
        summed,
        *where,
        "; ",
        *_penalty_spans(graph),
        *value,
        ".",
    )


def _divided(divisor: Expr | None) -> Spans:
    """``(1/n) ``, ``(1/(3·n)) ``, or nothing."""
    match divisor:
        case None:
            return ()
        case Product():
            return ("(1/(", divisor, ")) ")
    return ("(1/", divisor, ") ")


def _penalty_spans(graph: Graph) -> Spans:
    """That the loss is the fit and a penalty on large weights, where it is."""
    penalty = next((op for op in graph.ops if isinstance(op, L2Penalty)), None)
    if penalty is None:
        return ()
    named = (penalty.output.symbol, " = ", Number(penalty.strength / 2), " Σ W², over all weights; ")
    return (graph.loss.symbol, " = ", FIT, " + ", *named)


def _matrix_spans(derivation: Derivation) -> Spans:
    """Every matrix that the derivation speaks of, with its shape, from the target to the loss."""
    graph = derivation.graph
    matrices: dict[Symbol, None] = {derivation.target.matrix: None}
    for symbol in reversed(derivation.path[:-1]):
        node = graph.nodes[symbol.matrix]
        matrices |= dict.fromkeys(one.symbol for one in node.op.inputs) if node.op else {}
        matrices |= {} if node is graph.loss else {node.symbol: None}
    spans: Spans = ()
    for matrix in _abridged(list(matrices)):
        spans += (", ",) if spans else ()
        spans += ("…",) if matrix is None else (matrix, f" {_size(graph.nodes[matrix].shape)}")
    return (*spans, ". Every gradient has the shape of its matrix; every factor below is a scalar.")


def _abridged(items: Sequence[_Item]) -> list[_Item | None]:
    """All of a few items; of many the first and last ones, with None for those between."""
    if len(items) <= MOST_NODES:
        return list(items)
    half = MOST_NODES // 2
    return [*items[:half], None, *items[-half:]]


def _sample_spans(derivation: Derivation) -> Spans:
    if len(derivation.samples) == 1:
        of_one = derivation.graph.nodes[derivation.target.matrix].per_sample
        return (
            derivation.target if of_one else derivation.of,
            f" belongs to sample {derivation.sample} alone.",
        )
    return (
        f"the gradient is a sum over {derivation.n} samples; the steps below are those of sample "
        f"{derivation.sample}, which adds ",
        Number(derivation.sample_value),
        ".",
    )


# ── the chain rule ──────────────────────────────────────────────────────────────────────────────────


def _chain(derivation: Derivation, factors: tuple[FactorBlock, ...]) -> Iterator[Block]:
    yield HeadingBlock("The chain rule")
    alone = len(derivation.samples) == 1 and derivation.shared is None
    whole = derivation.path_count == 1 and alone
    count = counted(len(factors), "factor")
    if derivation.path_count == 1:
        through = "" if alone else f" through sample {derivation.sample}"
        of_sample = "" if alone else ", for this sample,"
        yield ParagraphBlock(
            (
                "One path leads from ",
                derivation.target,
                " to ",
                derivation.of,
                f"{through}: the gradient is{of_sample} one product of {count}.",
            )
        )
    else:
        yield ParagraphBlock(
            (
                *count_spans(derivation.path_count, "paths lead from ", sentence=True),
                derivation.target,
                " to ",
                derivation.of,
                f" through sample {derivation.sample}, and the gradient is the sum of their products. "
                f"Below is one path, a product of {count}.",
            )
        )
    chain = ChainBlock(
        Partial(derivation.of, derivation.target) if whole else None, factors, derivation[-1].running
    )
    yield chain
    if not chain.can_be_multiplied:
        yield ParagraphBlock(
            (
                "The first two numbers, ",
                Product((Number(factors[0].value), Number(factors[1].value))),
                ", have no product; what they stand for comes from the simplified form below.",
            )
        )


def count_spans(count: int, words: str, sentence: bool = False) -> Spans:
    """A number of paths as document spans: ``9 paths``, ``1,048,576 paths``, ``about 10⁸⁸ paths``."""
    if count < 10**9:
        return (f"{count:,} {words}",)
    # The logarithm, because an integer of thousands of digits can be neither printed nor made a float.
    power = Power(Number(10.0), Number(float(round(math.log10(count)))))
    return ("About " if sentence else "about ", power, f" {words}")


def _simplification(derivation: Derivation) -> Iterator[Block]:
    for step in derivation:
        if step.simplification:
            yield HeadingBlock("Loss and output activation together, simplified")
            values = [line.evaluate(derivation.graph.value_of) for line in step.simplification]
            some_finite = any(map(math.isfinite, values))
            shown = [value if math.isfinite(value) or not some_finite else None for value in values]
            yield EquationsBlock(
                Partial(derivation.of, step.node), tuple(zip(step.simplification, shown, strict=True))
            )


# ── sums ────────────────────────────────────────────────────────────────────────────────────────────


def _sums(derivation: Derivation) -> Iterator[Block]:
    """The steps where several ways on to the loss meet: their terms and what they add up to."""
    over_samples = len(derivation.samples) > 1
    steps = [step for step in derivation if len(step.terms) > 1]
    if over_samples and steps and steps[-1].node == derivation.target:
        steps.pop()  # that sum is the one over the samples
    if not steps:
        return
    yield HeadingBlock("Where several ways meet")
    for step in steps[:MOST_SUMS]:
        yield ParagraphBlock(
            (Partial(derivation.of, step.node), f" is a sum of {len(step.terms)} terms, one for each way on:")
        )
        yield _sum_table(step)
    if len(steps) > MOST_SUMS:
        yield ParagraphBlock((f"{len(steps) - MOST_SUMS} more steps nearer to the target are sums as well.",))


def _sum_table(step: ChainRuleStep) -> TableBlock:
    kept = set(_largest(step.contributions, step.chosen))
    rows: list[tuple[Spans, ...]] = []
    for place in sorted(kept):
        term = step.terms[place]
        mark = "on this path" if place == step.chosen else ""
        rows.append(
            ((term.via,), _number(term.upstream), _number(term.local), _number(term.contribution), (mark,))
        )
    others = np.delete(step.contributions, list(kept)).tolist()
    if others:
        rows.append(((f"{len(others)} others",), (), (), _number(math.fsum(_finite(others))), ()))
    rows.append((("together",), (), (), _number(step.gradient), ()))
    header = ("through", "gradient there", "local derivative", "product", "")
    return TableBlock(header, tuple(rows), frozenset({1, 2, 3}))


def _number(value: float) -> Spans:
    return (Number(value),)


def _finite(values: Sequence[float]) -> list[float]:
    """The values, or their IEEE sum alone where `fsum` would refuse infinities."""
    return list(values) if all(map(math.isfinite, values)) else [sum(values)]


def _largest(values: npt.ArrayLike, always: int) -> list[int]:
    """The places of the largest values by magnitude, at most MOST_ROWS, `always` among them."""
    by_size = np.argsort(-np.abs(np.asarray(values)), kind="stable")
    places = [always, *by_size[by_size != always][: MOST_ROWS + 1].tolist()]
    return places if len(places) <= MOST_ROWS + 1 else places[:MOST_ROWS]


def _samples(derivation: Derivation) -> Iterator[Block]:
    shares = derivation.samples
    if len(shares) == 1 and derivation.shared is None:
        return
    shown = shares.place_of(derivation.sample)
    assert shown is not None
    kept = set(_largest(shares.values, shown))
    rows: list[tuple[Spans, ...]] = []
    for place in sorted(kept):
        mark = "shown above" if place == shown else ""
        rows.append(((f"sample {shares[place].sample}",), _number(shares[place].value), (mark,)))
    others = np.delete(shares.values, list(kept)).tolist()
    if others:
        rows.append(((f"{len(others)} others",), _number(math.fsum(_finite(others))), ()))
    if derivation.shared is not None:
        rows.append((("the penalty",), _number(derivation.shared.value), ("of no sample",)))
    rows.append((("together",), _number(derivation.value), ()))
    yield HeadingBlock("The sum over the samples")
    yield TableBlock(("", "adds", ""), tuple(rows), frozenset({1}))


# ── paths and check ─────────────────────────────────────────────────────────────────────────────────


def _paths(derivation: Derivation) -> Iterator[Block]:
    if derivation.path_count == 1:
        return
    top = derivation.top_paths(MOST_PATHS)
    yield HeadingBlock("The strongest paths")
    if not top and math.isnan(derivation.sample_value):
        yield ParagraphBlock(("The paths cannot be compared: their products are not numbers.",))
        return
    if not top:
        yield ParagraphBlock(
            ("Every path has a factor that is 0, so nothing reaches ", derivation.target, ".")
        )
        return
    of = f" that go through sample {derivation.sample}" if derivation.n > 1 else ""
    yield ParagraphBlock(
        (*count_spans(derivation.path_count, f"paths{of}; these carry the most:", sentence=True),)
    )
    rows = tuple(_path_row(path, derivation) for path in top)
    end = "the loss" if loss_op(derivation.graph) else derivation.of.plain()
    yield TableBlock(("product", "share", f"from {end} to the target"), rows, frozenset({0, 1}))


def _path_row(path: TopPath, derivation: Derivation) -> tuple[Spans, ...]:
    share: Spans = () if path.share is None else (Number(100.0 * path.share), " %")
    nodes: tuple[Span, ...] = ()
    for node in _abridged(path.nodes):
        nodes += (" → " if nodes else "", "…" if node is None else node)
    return _number(path.value), share, nodes


def _slopes(check: EntryCheck) -> Spans:
    """The slopes on both sides of a kink."""
    if check.left is None or check.right is None:
        return ()
    return (
        " (left ",
        ValueBlock(check.left, CHECK_DIGITS),
        ", right ",
        ValueBlock(check.right, CHECK_DIGITS),
        ")",
    )


def _check_spans(derivation: Derivation, check: EntryCheck) -> Spans:
    precision = derivation.graph.dtype.name
    gradient: Spans = ("gradient ", ValueBlock(derivation.value, CHECK_DIGITS))
    if precision != "float64":  # the check has its own gradient, computed in float64
        gradient += (f" in {precision}; in float64: gradient ", ValueBlock(check.analytic, CHECK_DIGITS))
    return (
        *gradient,
        ", central difference ",
        ValueBlock(check.numeric, CHECK_DIGITS),
        ", relative error ",
        ValueBlock(check.relative_error, ERROR_DIGITS),
        f": {VERDICTS[check.verdict]}",
        *_slopes(check),
        ".",
    )
