"""Answers that are numbers: right to the digits given, and which factor turns a wrong one into the right one.

0.192 for 0.19224…   right: it is the number, rounded to what was written
0.7703               4.0067 times ours, which is 1/σ′(f⁽²⁾₀₀): the slope of the sigmoid is missing
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, islice

from engine.autodiff.graph import Graph
from engine.formula.expression import Number, Symbol
from engine.formula.numbers_in_words import counted
from engine.practice.mistakes.factors_between_numbers import FactorCandidate, find_factors, is_close
from engine.practice.mistakes.familiar_numbers import familiar_numbers
from engine.practice.question.asked_target import AskedTarget
from engine.practice.reading.typed_number import FEWEST_DIGITS, TypedNumber
from engine.practice.reading.unreadable import UnreadableError
from engine.practice.verdict import Counterexample, Mistake, Verdict

NEARLY = 0.01
"""Whoever is off by a smaller share may have calculated rightly with rounded numbers."""
MOST_SAID = 3
"""Of explanations that the digits cannot tell apart, so many are said."""


def judge_number(
    text: str,
    truth: float,
    tolerance: float | None,
    graph: Graph | None,
    target: AskedTarget | None,
    asked: Symbol | None = None,
    further: Iterable[tuple[float, Mistake]] = (),
) -> Verdict:
    """Judges a typed number: a derivative's at `target`, or else that of the name `asked`.

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
        found = [next((one for value, one in others if is_close(value, typed.value, 1e-9)), vague)]
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


def _named(
    typed: TypedNumber,
    truth: float,
    graph: Graph | None,
    target: AskedTarget | None,
    familiar: Iterable[tuple[float, Mistake]],
) -> list[Mistake]:
    """What was computed instead: a number that is familiar, or the right one times a factor."""
    leeway = max(typed.half_unit / max(abs(typed.value), 1e-300), 1e-9) * (1 + 1e-9)
    few = typed.digits < FEWEST_DIGITS
    fitting = (one for value, one in familiar if is_close(value, typed.value, 1e-9 if few else leeway))
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
        off = abs(typed.value / truth - 1.0)
        if off < NEARLY:
            text = f"it is too {size} by {100.0 * off:.1g} %: it may have been rounded on the way"
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
