"""Which single factor, or pair of them, turns the right number into the one that was typed.

yours 0.7703, ours 0.19224     4.0067 times: 1/σ′(f⁽²⁾₀₀), the slope of the sigmoid is missing
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

from engine.autodiff.graph import Graph
from engine.formula.expression import Expr, Number, Sum, Symbol, bare
from engine.practice.mistakes.constant_factors import constant_mistake
from engine.practice.mistakes.mistake import mistake, shown
from engine.practice.mistakes.naming_on_paths import SIGN
from engine.practice.question.asked_target import AskedTarget
from engine.practice.question.graph_values import graph_values
from engine.practice.question.path_factors import Path, paths_of, product_of_path
from engine.practice.reading.batched_evaluation import evaluate
from engine.practice.reading.typed_number import TypedNumber
from engine.practice.verdict import Mistake

MOST_CANDIDATES = 5
_NumberOf = Callable[[Expr], float]


@dataclass(frozen=True)
class FactorCandidate:
    """A factor that turns our number into the other one: its value, what it is, and the mistakes that make it."""

    value: float
    name: str
    mistakes: tuple[Mistake, ...]


def find_factors(
    typed: TypedNumber, truth: float, graph: Graph, target: AskedTarget
) -> list[FactorCandidate]:
    """The factors, one or two, that turn `truth` into the typed number, as far as it has digits.

    `graph` holds the values of the experiment's own network, gone forward and backward.
    """
    if truth == 0.0 or typed.value == 0.0 or not math.isfinite(typed.value):
        return []
    ratio = typed.value / truth
    leeway = max(typed.half_unit / abs(typed.value), 1e-9) * (1 + 1e-9)
    paths = paths_of(graph, target) or []
    singles = list(_factors(paths, graph, truth))
    found = [one for one in singles if is_close(one.value, ratio, leeway)]
    if not found:
        found = [
            FactorCandidate(
                one.value * other.value, f"{one.name} · {other.name}", (*one.mistakes, *other.mistakes)
            )
            for one, other in combinations(singles, 2)
            if is_close(one.value * other.value, ratio, leeway) and one.mistakes != other.mistakes
        ]
    unique = {candidate.mistakes: candidate for candidate in found}
    return list(unique.values())[:MOST_CANDIDATES]


def is_close(one: float, other: float, leeway: float) -> bool:
    """Whether two numbers are one, within a share of the other one."""
    return math.isfinite(one) and abs(one - other) <= leeway * abs(other)


def _factors(paths: list[Path], graph: Graph, truth: float) -> Iterator[FactorCandidate]:
    """Every factor that a common mistake multiplies the gradient by, at these numbers."""
    yield FactorCandidate(-1.0, "−1", (SIGN,))
    n = float(graph.n)
    if n > 1:
        yield FactorCandidate(n, "n", (constant_mistake("n", 1),))
        yield FactorCandidate(1.0 / n, "1/n", (constant_mistake("n", -1),))
    for value, power in ((2.0, 1), (0.5, -1)):
        yield FactorCandidate(value, "2" if power > 0 else "1/2", (constant_mistake("2", power),))
    names = graph_values(graph)

    def number(expr: Expr) -> float:
        return float(evaluate(expr, names).reshape(-1)[0])

    if len(paths) == 1:
        yield from _factors_of_path(paths[0], number)
    for path in paths if len(paths) > 1 else ():
        term = product_of_path(path)
        rest = (truth - number(term)) / truth
        text = f"the term {shown(term)} is missing from the sum"
        yield FactorCandidate(
            rest, f"the sum without {shown(term)}", (Mistake("path", term.plain(), None, text),)
        )


def _factors_of_path(path: Path, number: _NumberOf) -> Iterator[FactorCandidate]:
    for factor in path:
        for known in factor.known:
            value = math.prod(number(atom) ** power for atom, power in known.change.items())
            inverse = known.kind == "missing"
            name = (
                f"1/{_bracketed(known.what)}"
                if inverse
                else f"{shown(known.what)} for {shown(known.instead or known.what)}"
            )
            yield FactorCandidate(value, name, (mistake(known.kind, known.what, known.instead),))
        own = number(factor.formula)
        if own not in (0.0, 1.0):
            yield FactorCandidate(
                1.0 / own, f"1/{_bracketed(factor.formula)}", (mistake("missing", factor.formula),)
            )
            yield FactorCandidate(own, _as_factor(factor.formula), (mistake("extra", factor.formula),))
        for confusion in factor.confusions:
            value = number(confusion.what)
            if not confusion.swaps and value not in (0.0, 1.0):
                name = _as_factor(confusion.what)
                yield FactorCandidate(value, name, (mistake("extra", confusion.what),))
                continue
            if own and value not in (0.0, own):
                text = f"{_bracketed(confusion.what)}/{_bracketed(factor.formula)}"
                yield FactorCandidate(
                    value / own, text, (mistake("swapped", confusion.what, factor.formula),)
                )


def _as_factor(expr: Expr) -> str:
    return f"({shown(expr)})" if isinstance(bare(expr), Sum) else shown(expr)


def _bracketed(expr: Expr) -> str:
    text = shown(expr)
    return text if isinstance(expr, Symbol | Number) else f"({text})"
