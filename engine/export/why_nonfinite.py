"""Where a training became NaN or infinite, written out: the operation, the factor that made it, how it grew.

f⁽²⁾₁₀ = W⁽²⁾₀₁ a⁽¹⁾₀₀ + …  = −∞        the entry, its formula, its numbers
the largest term, its largest factor   and, where that is a parameter, the update that made it so large
layer   max |W|   max |f|   max |a|    one row a layer up to the broken one
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.autodiff.graph import Array, Graph, Node
from engine.export.document_blocks import (
    Block,
    EquationsBlock,
    FactsBlock,
    HeadingBlock,
    ParagraphBlock,
    Spans,
    TableBlock,
    ValueBlock,
)
from engine.export.json_records import Record
from engine.formula.expression import Expr, Negative, Number, Partial, Product, Quotient, Sum, Symbol
from engine.training.first_nonfinite import FirstNonfinite
from engine.training.trainer import Trainer

ROWS_BEFORE, ROWS_LAST = 3, 8
"""Of more layers than these together the first ones and the last ones are listed."""

MOST_TERMS = 6
"""A longer sum is told by its largest term alone."""


@dataclass(frozen=True, slots=True)
class LastUpdate:
    """The update before the broken step, of one entry of a parameter."""

    before: float
    gradient: float
    learning_rate: float
    after: float


@dataclass(frozen=True, slots=True)
class WhyNonfinite:
    """Why a number is not finite: the broken entry as a formula, and the factor that made it so.

    `name` is the entry, or its gradient; `formula` what computes it, None where it was not computed by an operation
    or where an operation draws several steps together; `term` is its largest term (the formula itself where it is
    not a sum). `trail` begins with the largest factor of that and goes on with the largest factor of the largest term
    of the number before, down to a parameter or an input. `update` is told where the last one, or the entry itself,
    is a parameter that has been updated before.
    """

    found: FirstNonfinite
    name: Symbol | Partial
    value: float
    formula: Expr | None
    term: Expr | None
    trail: tuple[Symbol | Partial, ...]
    update: LastUpdate | None

    def record(self) -> Record:
        """The explanation of a non-finite number as a JSON object."""
        graph = self.found.graph
        return {
            "step": self.found.step,
            "way": self.found.way,
            "entry": self.name.plain(),
            "value": str(self.value),
            "formula": None if self.formula is None else self.formula.plain(),
            "term": None if self.term is None else self.term.plain(),
            "factors": [{"name": name.plain(), "value": graph.value_of(name)} for name in self.trail],
            "update": None
            if self.update is None
            else {
                "before": self.update.before,
                "gradient": self.update.gradient,
                "learning_rate": self.update.learning_rate,
                "after": self.update.after,
            },
        }


def why_nonfinite(trainer: Trainer) -> WhyNonfinite | None:
    """Explains the first number of a training that is not finite; None where it has not met one.

    To know the update before, the same training is run once more up to there: it is the same to the last bit.
    """
    found = trainer.broken
    if found is None:
        return None
    graph, entry = found.graph, found.entry
    symbol = found.node.entry(entry)
    name: Symbol | Partial = Partial(graph.differentiated, symbol) if found.way == "back" else symbol
    value = float(found.array[entry])
    formula = None if found.way == "update" else _computed_by(name, graph)
    if formula is not None and math.isfinite(_evaluated(formula, graph)):
        formula = None  # it broke in a type that holds less than the formula's numbers
    term = None if formula is None else _largest_term(formula, graph)
    trail = () if term is None else tuple(_trail(term, graph))
    broken = trail[-1] if trail else name
    update = _last_update(trainer, broken) if isinstance(broken, Symbol) else None
    return WhyNonfinite(found, name, value, formula, term, trail, update)


def _trail(term: Expr, graph: Graph) -> Iterator[Symbol | Partial]:
    """The largest factor of a term, then the largest of the largest term that this was computed by, and so on."""
    formula: Expr | None = term
    while formula is not None:
        factor = _largest_factor(_largest_term(formula, graph), graph)
        if factor is None:
            return
        yield factor
        formula = _computed_by(factor, graph)


def _computed_by(name: Symbol | Partial, graph: Graph) -> Expr | None:
    """The formula of an entry or a gradient; None of what is given, and of what the loss draws together."""
    if isinstance(name, Partial):
        node, entry = graph.nodes[name.by.matrix], name.by.index or (0, 0)
        if not node.consumers or any(op.output is graph.loss or op.fused for op, _ in node.consumers):
            return None
        terms = [
            Product((Partial(name.of, op.output.entry(place)), factor))
            for op, side in node.consumers
            for place, factor in op.local(side, entry)
        ]
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))
    if name.matrix not in graph.nodes:
        return None
    op = graph.nodes[name.matrix].op
    return None if op is None else op.formula(name.index or (0, 0))


def _evaluated(formula: Expr, graph: Graph) -> float:
    try:
        return formula.evaluate(graph.value_of)
    except (KeyError, ArithmeticError, ValueError):
        return 0.0  # not to be told in numbers


def _largest_term(formula: Expr, graph: Graph) -> Expr:
    terms = formula.terms if isinstance(formula, Sum) else (formula,)
    return max(terms, key=lambda term: _size(_evaluated(term, graph)))


def _largest_factor(term: Expr, graph: Graph) -> Symbol | Partial | None:
    """The largest number that goes into a term; of a quotient it may be the smallest one below the line."""
    numerator, denominator = _parts(term)
    above = [(_size(graph.value_of(name)), name) for name in numerator]
    below = [
        (_size(1.0 / value) if (value := graph.value_of(name)) else math.inf, name) for name in denominator
    ]
    return max((*above, *below), key=lambda one: one[0], default=(0.0, None))[1]


def _parts(expr: Expr) -> tuple[list[Symbol | Partial], list[Symbol | Partial]]:
    """The names that make it larger as they grow, and those that stand below a line."""
    if isinstance(expr, Symbol | Partial):
        return [expr], []
    if isinstance(expr, Quotient):
        top, bottom = _parts(expr.numerator), _parts(expr.denominator)
        return top[0] + bottom[1], top[1] + bottom[0]
    above: list[Symbol | Partial] = []
    below: list[Symbol | Partial] = []
    for child in expr.children():
        parts = _parts(child)
        above += parts[0]
        below += parts[1]
    return above, below


def _size(value: float) -> float:
    return math.inf if math.isnan(value) else abs(value)


def _last_update(trainer: Trainer, broken: Symbol) -> LastUpdate | None:
    """What the update before the broken step did to an entry of a parameter; None of anything else, or at step 0."""
    matrix, entry = broken.matrix, broken.index
    done = trainer.steps_done
    if entry is None or done == 0 or matrix not in trainer.network.parameters:
        return None
    again = Trainer(trainer.experiment, trainer.data)
    while again.steps_done < done - 1 and again.problem is None:
        again.step(measure=False)
    before = float(again.network.parameters[matrix][entry])
    rate = again.learning_rate
    again.step(measure=False)
    if again.steps_done != done:
        return None
    return LastUpdate(
        before, float(again.gradients[matrix][entry]), rate, float(again.network.parameters[matrix][entry])
    )


# ── written out ─────────────────────────────────────────────────────────────────────────────────────


def compose_why(why: WhyNonfinite) -> list[Block]:
    """Composes the explanation of a non-finite number as document blocks."""
    found = why.found
    return [
        HeadingBlock(f"The first number that is not finite, in step {found.step}", 1),
        ParagraphBlock((found.sentence,)),
        *_operation(why),
        *_update(why),
        *_growth(found),
    ]


def _operation(why: WhyNonfinite) -> Iterator[Block]:
    graph, formula = why.found.graph, why.formula
    if formula is None or why.term is None:
        yield FactsBlock((("entry", (why.name, " ", ValueBlock(why.value))),))
        return
    terms = len(formula.terms) if isinstance(formula, Sum) else 1
    if terms <= MOST_TERMS:
        yield EquationsBlock(
            why.name, ((formula, why.value), (formula.substitute(graph.value_of), why.value))
        )
    else:
        yield FactsBlock((("entry", (why.name, " ", ValueBlock(why.value), f", a sum of {terms} terms")),))
    facts: list[tuple[str, Spans]] = []
    if terms > 1:
        substituted = why.term.substitute(graph.value_of)
        value = _evaluated(why.term, graph)
        facts.append(
            ("largest term", (_positive(why.term), " = ", _positive(substituted), " ", ValueBlock(value)))
        )
    if facts:
        yield FactsBlock(tuple(facts))
    if why.trail:
        yield ParagraphBlock(("Its largest factor, and the largest factor of each in turn:",))
        rows: list[tuple[Spans, ...]] = [((name,), (Number(graph.value_of(name)),)) for name in why.trail]
        yield TableBlock(("factor", "value"), _abridged(rows), frozenset({1}))


def _positive(expr: Expr) -> Expr:
    return expr.operand if isinstance(expr, Negative) else expr


def _update(why: WhyNonfinite) -> Iterator[Block]:
    update = why.update
    if update is None:
        return
    name = why.trail[-1] if why.trail else why.name
    assert isinstance(name, Symbol)
    yield ParagraphBlock(("The update before left ", name, " so:"))
    yield FactsBlock(
        (
            ("before", (name, " ", ValueBlock(update.before))),
            ("gradient", (Partial(why.found.graph.differentiated, name), " ", ValueBlock(update.gradient))),
            ("learning rate", (Symbol("eta"), " ", ValueBlock(update.learning_rate))),
            ("after", (name, " ", ValueBlock(update.after))),
        )
    )


def _growth(found: FirstNonfinite) -> Iterator[Block]:
    """The largest magnitudes of every layer, as far as they were computed before it broke."""
    by_layer: dict[int, list[Node]] = {}
    for node in found.graph.nodes.values():
        if node.symbol.layer is not None and node.symbol.layer > 0:
            by_layer.setdefault(node.symbol.layer, []).append(node)
    if len(by_layer) < 2 or found.way == "update":
        return
    names = list(dict.fromkeys(node.symbol.name for nodes in by_layer.values() for node in nodes))
    back = found.way == "back"
    rows: list[tuple[Spans, ...]] = []
    order = sorted(by_layer, reverse=back)
    broken = found.node.symbol.layer
    for layer in order[: order.index(broken) + 1] if broken in by_layer else order:
        sizes = {node.symbol.name: _largest(node.grad if back else node.value) for node in by_layer[layer]}
        rows.append(((str(layer),), *(_cell(sizes.get(name)) for name in names)))
    of = "gradient" if back else "magnitude"
    yield ParagraphBlock((f"The largest {of} in every layer, in the order in which they were computed:",))
    yield TableBlock(("layer", *names), _abridged(rows), frozenset(range(1, len(names) + 1)))


def _abridged(rows: list[tuple[Spans, ...]]) -> tuple[tuple[Spans, ...], ...]:
    """The first rows and the last ones, where there are many."""
    if len(rows) <= ROWS_BEFORE + ROWS_LAST:
        return tuple(rows)
    gap: tuple[Spans, ...] = (("…",), *(() for _ in rows[0][1:]))
    return (*rows[:ROWS_BEFORE], gap, *rows[-ROWS_LAST:])


def _largest(array: Array) -> float | None:
    if not array.size:
        return None
    size = float(np.abs(array).max())
    return math.nan if math.isnan(size) else size


def _cell(value: float | None) -> Spans:
    return () if value is None else (Number(value),)
