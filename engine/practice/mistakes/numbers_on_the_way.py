"""Numbers that a derivation shows beside the factor that is asked for, and that are given in its place.

asked: ∂f⁽²⁾₀₀/∂a⁽¹⁾₁₀ = −0.8
0.54       a⁽¹⁾₁₀ itself
0.2496     ∂Ŷ₀₀/∂f⁽²⁾₀₀, another factor
0.3844     the product so far, ∂ℰ/∂a⁽¹⁾₁₀
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.derivation.chain_rule import Derivation
from engine.formula.expression import Indicator, Partial, Symbol
from engine.formula.layout import one_line
from engine.practice.verdict import Mistake

MOST_FACTORS = 16
"""On a longer path some factor agrees by chance."""


def numbers_on_the_way(derivation: Derivation, place: int) -> Iterator[tuple[float, Mistake]]:
    """The numbers that may have been given for a factor of the path, each with what it really is."""
    step = derivation[place]
    asked = step.term.symbol
    if isinstance(step.term.formula, Indicator):
        text = f"the mask is the wrong way round: look at the sign of {one_line(step.node)}"
        yield 1.0 - step.term.local, Mistake("swapped", "1 - mask", "mask", text)
    for symbol in dict.fromkeys((step.node, step.term.via)):
        value = derivation.graph.value_of(symbol)
        yield value, _instead(symbol, asked, f"this is {one_line(symbol)} itself, and no derivative")
    for other in (place, place - 1):
        if place and other >= 0:
            product = Partial(derivation.of, derivation[other].node)
            text = f"this is the product so far, {one_line(product)}: the factor alone is asked for"
            yield derivation[other].running, _instead(product, asked, text)
    for other, one in enumerate(derivation if len(derivation) <= MOST_FACTORS else ()):
        if other != place:
            text = f"this is {one_line(one.term.symbol)}, another factor than the one that is asked for"
            yield one.term.local, _instead(one.term.symbol, asked, text)


def _instead(what: Symbol | Partial, asked: Partial, text: str) -> Mistake:
    return Mistake("swapped", what.plain(), asked.plain(), text)
