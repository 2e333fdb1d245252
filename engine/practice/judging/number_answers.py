"""Answers that are numbers: right to the digits given, and which factor turns a wrong one into the right one.

0.192 for 0.19224…   right: it is the number, rounded to what was written
0.7703               4.0067 times ours, which is 1/σ′(f⁽²⁾₀₀): the slope of the sigmoid is missing
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, combinations, islice

import numpy as np

from engine.autodiff.graph import Graph
from engine.formula.expression import Expr, Number, Sum, Symbol, bare
from engine.formula.notation import Style, number_text
from engine.formula.plain_words import counted
from engine.practice.judging.asked_target import Target
from engine.practice.judging.batched_evaluation import Stack, evaluate
from engine.practice.judging.verdict import Counterexample, Mistake, Verdict
from engine.practice.mistakes.factor_patterns import mistake, shown
from engine.practice.mistakes.familiar_numbers import familiar_numbers
from engine.practice.mistakes.naming_on_paths import SIGN, constant_mistake, term_of
from engine.practice.mistakes.path_factors import Path, paths_of
from engine.practice.reading.answer_reader import read_answer
from engine.practice.reading.scope import Scope
from engine.practice.reading.unreadable import UnreadableError

FEWEST_DIGITS = 2
"""One digit says too little, unless it is exact."""
FEWEST_ROUNDED, EXACT = 3, 15
"""A decimal inside an expression is taken for rounded from so many digits on, and for exact with as many as a float."""
MOST_CANDIDATES = 5
MOST_SAID = 3
"""Of explanations that the digits cannot tell apart, so many are said."""
_NumberOf = Callable[[Expr], float]
_DECIMAL = re.compile(r"[+-]?(?P<whole>[0-9]*)\.?(?P<after>[0-9]*)(?:[eE](?P<power>[+-]?[0-9]+))?")


@dataclass(frozen=True, slots=True)
class TypedNumber:
    """A number as it was typed, and half a unit in its last place (0 for an expression, which is exact)."""

    value: float
    half_unit: float
    digits: int

    @classmethod
    def parse(cls, text: str) -> TypedNumber:
        """A decimal number, or an expression of numbers such as 1/3 or log(2). Raises UnreadableError."""
        typed = text.strip().replace("−", "-").replace(" ", "")
        match = _DECIMAL.fullmatch(typed)
        if match is not None and (match["whole"] or match["after"]):
            power = int(match["power"] or 0)
            if abs(power) > 400:
                raise UnreadableError("this number is too large or too small", text)
            digits = len((match["whole"] + match["after"]).lstrip("0"))
            return cls(float(typed), 0.5 * 10.0 ** (power - len(match["after"])), digits)
        try:
            answer = read_answer(text, Scope({}, frozenset(), {}, frozenset(), 1))
        except UnreadableError as error:
            if "in this network" in error.problem:
                problem = "a number is asked for, or an expression of numbers such as 1/3 or log(2)"
                raise UnreadableError(problem, text, error.column) from None
            raise
        value = float(evaluate(answer.expr, {}).reshape(-1)[0])
        relative = sum(0.5 * 10.0 ** (1 - digits) for digits in _rounded_in(text))
        if not relative or not math.isfinite(value):
            return cls(value, 0.0, 15)
        return cls(value, abs(value) * relative, max(int(1 - math.log10(2 * relative)), 1))

    def agrees(self, truth: float, tolerance: float | None = None) -> bool:
        """Whether this is the number, rounded to the digits that were typed, or within a relative tolerance."""
        error = abs(self.value - truth)
        if tolerance is not None:
            return error <= tolerance * abs(truth)
        if error <= 1e-9 * abs(truth):
            return True
        # A last digit that was cut off instead of rounded is a matter of taste, not of gradients: half a unit it is.
        return self.digits >= FEWEST_DIGITS and error <= self.half_unit * (1 + 1e-9)


def judge_number(
    text: str,
    truth: float,
    tolerance: float | None,
    graph: Graph | None,
    target: Target | None,
    asked: Symbol | None = None,
    further: Iterable[tuple[float, Mistake]] = (),
) -> Verdict:
    """The verdict on a number: a derivative's at `target`, or else that of the name `asked`.

    `further` are numbers that are often given in its place, beside those that follow from the graph.
    """
    try:
        typed = TypedNumber.parse(text)
    except UnreadableError as error:
        return Verdict("unreadable", problem=error.problem, column=error.column)
    understood = Number(typed.value)
    if typed.agrees(truth, tolerance):
        return Verdict("right", understood.plain(), understood)
    if target is not None and target.of is None and target.sample is None:
        asked = target.wrt
    others = chain(further, familiar_numbers(truth, graph, asked))
    if typed.digits < FEWEST_DIGITS and typed.value and abs(typed.value - truth) <= typed.half_unit:
        vague = Mistake("unknown", understood.plain(), None, "give at least two digits")
        found = [next((one for value, one in others if _close(value, typed.value, 1e-9)), vague)]
    else:
        found = _named(typed, truth, graph, target, others)
    enough = typed.digits >= FEWEST_DIGITS and typed.half_unit
    if not found and enough and truth % 1.0 and abs(typed.value - truth) <= 2 * typed.half_unit:
        text = "its last digit is cut off, not rounded"
        found = [Mistake("unknown", understood.plain(), None, text)]
    found = found or _by_a_power_of_ten(typed, truth) or [_what_holds(typed, truth)]
    return Verdict(
        "wrong",
        understood.plain(),
        understood,
        mistakes=tuple(dict.fromkeys(found)),
        counterexample=Counterexample(typed.value, truth),
    )


def _rounded_in(text: str) -> Iterator[int]:
    """The digits of each decimal in an expression that has so many that it was rounded: 1/0.6457 has four of them.

    A shorter one, the 0.5 or the −0.8 of an experiment, is what it says.
    """
    for decimal in re.findall(r"[0-9]*\.[0-9]+", text):
        digits = len(decimal.replace(".", "").lstrip("0"))
        if FEWEST_ROUNDED <= digits < EXACT:
            yield digits


def _named(
    typed: TypedNumber,
    truth: float,
    graph: Graph | None,
    target: Target | None,
    familiar: Iterable[tuple[float, Mistake]],
) -> list[Mistake]:
    """What was computed instead: a number that is familiar, or the right one times a factor."""
    leeway = max(typed.half_unit / max(abs(typed.value), 1e-300), 1e-9) * (1 + 1e-9)
    few = typed.digits < FEWEST_DIGITS
    fitting = (one for value, one in familiar if _close(value, typed.value, 1e-9 if few else leeway))
    whole = list(islice(fitting, 1))
    if whole and (whole[0].kind == "sign" or target is None):
        return whole[:1]
    factors: list[FactorCandidate] = []
    if graph is not None and target is not None:
        factors = find_factors(typed, truth, graph, target)
    simple = [
        one.mistakes[0] for one in factors if len(one.mistakes) == 1 and one.mistakes[0].kind == "missing"
    ]
    if simple or whole:
        return _one_of([(one,) for one in dict.fromkeys([*simple[:2], *whole[:1]])])
    return _one_of([one.mistakes for one in factors])


def _by_a_power_of_ten(typed: TypedNumber, truth: float) -> list[Mistake]:
    """Where the digits are right and the decimal point, or the sign of the exponent, is not."""
    if not typed.value or not truth or not math.isfinite(typed.value):
        return []
    power = round(math.log10(abs(typed.value / truth)))
    sign = "" if typed.value * truth > 0 else ", and the sign"
    if power and replace(
        typed, value=typed.value / 10.0**power, half_unit=typed.half_unit / 10.0**power
    ).agrees(math.copysign(truth, typed.value)):
        exponent = math.floor(math.log10(abs(truth)))
        if power == -2 * exponent and abs(exponent) > 1:
            return [
                Mistake(
                    "sign", f"10**{-exponent}", f"10**{exponent}", f"the sign of the exponent is wrong{sign}"
                )
            ]
        places = counted(abs(power), "place")
        text = f"its digits are right, the decimal point{sign} is not: it is off by {places}"
        return [Mistake("swapped", f"10**{power}", "1", text)]
    return []


def _what_holds(typed: TypedNumber, truth: float) -> Mistake:
    """What can be said of a number without a name, short of the number that is right."""
    if truth == 0.0:
        text = "it is none of the numbers that are often given, and it is too far from 0"
    elif typed.value == 0.0:
        text = "it is not 0"
    else:
        sign = "its sign is right" if typed.value * truth > 0 else "its sign is wrong"
        size = "large" if abs(typed.value) > abs(truth) else "small"
        text = f"it is none of the numbers that are often given; {sign}, and it is too {size}"
    return Mistake("unknown", Number(typed.value).plain(), None, text)


def _one_of(alternatives: list[tuple[Mistake, ...]]) -> list[Mistake]:
    """The mistakes; where it may be one or the other, each says so."""
    if len(alternatives) <= 1:
        return [one for mistakes in alternatives for one in mistakes]
    found = []
    for mistakes in alternatives[:MOST_SAID]:
        text = "perhaps " + ", and ".join(one.text for one in mistakes)
        found.append(replace(mistakes[0], text=text))
    return found


# ── which factor turns ours into yours ──────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class FactorCandidate:
    """A factor that turns our number into the other one: its value, what it is, and the mistakes that make it."""

    value: float
    name: str
    mistakes: tuple[Mistake, ...]


def find_factors(typed: TypedNumber, truth: float, graph: Graph, target: Target) -> list[FactorCandidate]:
    """The single factors, or else the pairs of them, that turn `truth` into the typed number, as far as it has digits.

    `graph` holds the values of the experiment's own network, gone forward and backward.
    """
    if truth == 0.0 or typed.value == 0.0 or not math.isfinite(typed.value):
        return []
    ratio = typed.value / truth
    leeway = max(typed.half_unit / abs(typed.value), 1e-9) * (1 + 1e-9)
    paths = paths_of(graph, target) or []
    singles = list(_factors(paths, graph, truth))
    found = [one for one in singles if _close(one.value, ratio, leeway)]
    if not found:
        found = [
            FactorCandidate(
                one.value * other.value, f"{one.name} · {other.name}", (*one.mistakes, *other.mistakes)
            )
            for one, other in combinations(singles, 2)
            if _close(one.value * other.value, ratio, leeway) and one.mistakes != other.mistakes
        ]
    unique = {candidate.mistakes: candidate for candidate in found}
    return list(unique.values())[:MOST_CANDIDATES]


def _close(one: float, other: float, leeway: float) -> bool:
    return math.isfinite(one) and abs(one - other) <= leeway * abs(other)


def names_of(graph: Graph) -> dict[Symbol, Stack]:
    """The values of a graph as one network of evidence."""
    names: dict[Symbol, Stack] = {
        node.symbol: np.asarray(node.value[None], np.float64) for node in graph.nodes.values()
    }
    names |= {Symbol(name): np.full((1, 1, 1), value) for name, value in graph.constants.items()}
    names[Symbol("ones")] = np.ones((1, graph.n, 1))
    return names


def _factors(paths: list[Path], graph: Graph, truth: float) -> Iterator[FactorCandidate]:
    """Every factor that a common mistake multiplies the gradient by, at these numbers."""
    yield FactorCandidate(-1.0, "−1", (SIGN,))
    n = float(graph.n)
    if n > 1:
        yield FactorCandidate(n, "n", (constant_mistake("n", 1),))
        yield FactorCandidate(1.0 / n, "1/n", (constant_mistake("n", -1),))
    for value, power in ((2.0, 1), (0.5, -1)):
        yield FactorCandidate(value, "2" if power > 0 else "1/2", (constant_mistake("2", power),))
    names = names_of(graph)

    def number(expr: Expr) -> float:
        return float(evaluate(expr, names).reshape(-1)[0])

    if len(paths) == 1:
        yield from _factors_of_path(paths[0], number)
    for path in paths if len(paths) > 1 else ():
        term = term_of(path)
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


def expectation_lines(
    typed: TypedNumber, truth: float, candidates: list[FactorCandidate], style: Style
) -> list[str]:
    """What is said of an expected number: that it agrees, or by which factor it does not."""
    if typed.agrees(truth):
        return [
            f"Yours agrees with ours, {number_text(truth, Style(digits=8, ascii=style.ascii))}, to the digits given."
        ]
    if truth == 0.0:
        return ["Ours is 0, yours is not."]
    ratio = number_text(typed.value / truth, Style(digits=5, ascii=style.ascii))
    start = f"Yours is {ratio} times ours ({number_text(truth, style)})"
    if not candidates:
        return [f"{start}, which is no factor of this path, nor two of them."]
    lines = [
        f"{start}, which is {one.name}: {', and '.join(m.text for m in one.mistakes)}." for one in candidates
    ]
    if len(lines) > 1:
        lines.insert(0, "Several factors fit, as far as the digits given can tell:")
    return lines
