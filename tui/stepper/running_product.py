"""The lines below the term: the product of the factors so far, and the gradient as the sum of its terms.

So far     −1.925 × 0.2496 × (−0.8) = 0.3844
Gradient   ∂ℰ/∂a⁽¹⁾₁₀ = 0.3844
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import numpy as np

from engine.derivation.chain_rule import ChainRuleStep
from engine.derivation.terms import Term
from engine.formula.expression import Partial, Symbol
from engine.formula.layout import one_line
from engine.formula.notation import Style
from engine.formula.number_text import number_text
from tui.stepper.equation import equals
from tui.stepper.traversal import Position, Traversal

ROUNDED, SMALLEST = 1e-9, sys.float_info.min
"""Factors whose product is further from the running one than rounding explains, down to the smallest normal number."""

SHOWN_FACTORS = 9
"""The running product shows at most so many of the last factors."""


def running_lines(traversal: Traversal, position: Position, style: Style, width: int) -> Sequence[str]:
    """The lines of the running product up to the position, and of the gradient as the sum of its terms.

    At a term off the path: what that term adds.
    """
    step = traversal.derivation[position.index]
    if position.turn:
        term = step.terms[traversal.term(position)]
        lines = [f"This term  {_contribution(traversal.derivation.of, term, style, width - 11)}"]
    else:
        lines = [f"So far     {_product(traversal, position.index, style, width - 11)}"]
    name = one_line(Partial(traversal.derivation.of, step.node), style)
    gradient = equals(step.gradient, style)
    if len(step.terms) == 1:
        lines.append(f"Gradient   {name} {gradient}")
    else:
        room = max(width - 11 - len(name) - len(gradient) - 4, 12)
        lines.append(f"Gradient   {name} = {_sum(step, style, room)} {gradient}")
    return lines


def _contribution(of: Symbol, term: Term, style: Style, width: int) -> str:
    """∂ℰ/∂via · ∂via/∂node, in symbols and in numbers, or where that is too wide in numbers."""
    times = f" {style.glyphs.times} "
    symbols = times.join(one_line(name, style) for name in (Partial(of, term.via), term.symbol))
    numbers = times.join(_factor(number, style) for number in (term.upstream, term.local))
    result = f"{numbers} {equals(term.contribution, style)}"
    return f"{symbols} = {result}" if len(symbols) + 3 + len(result) <= width else result


def _factor(number: float, style: Style) -> str:
    """A number inside a product: in parentheses where it is negative."""
    text = number_text(number, style)
    return f"({text})" if number < 0 else text


def _product(traversal: Traversal, index: int, style: Style, width: int) -> str:
    """The factors up to a step multiplied up, the first ones left out where they do not fit."""
    derivation = traversal.derivation
    running = derivation[index].running
    if index == 0:
        return number_text(running, style)
    locals_ = [derivation[i].term.local for i in range(index + 1)]
    if not is_product_of(running, locals_) and math.isfinite(running):
        what = "have lost digits"
        if not math.isfinite(math.prod(locals_)):
            what = f"hold {style.glyphs.infinity} {style.glyphs.times} 0"
        return f"{number_text(running, style)}, from the simplified form: the factors {what}"
    times = f" {style.glyphs.times} "
    dots = style.glyphs.ellipsis
    value = equals(running, style)
    first = max(index + 1 - SHOWN_FACTORS, 0)
    while True:
        shown = [
            _factor(local, style) if place or first else number_text(local, style)
            for place, local in enumerate(locals_[first:])
        ]
        text = times.join([*([dots] if first else []), *shown]) + f" {value}"
        if len(text) <= width or first == index:
            return text
        first += 1


def is_product_of(running: float, locals_: Sequence[float]) -> bool:
    """Whether a running product is its factors' product, but for rounding."""
    return math.isclose(math.prod(locals_), running, rel_tol=ROUNDED, abs_tol=SMALLEST)


def _sum(step: ChainRuleStep, style: Style, width: int) -> str:
    """The contributions added up, the path's own first; where there is no room for all, then the largest of them."""
    contributions = step.contributions
    own, others = float(contributions[step.chosen]), np.delete(contributions, step.chosen)
    if len(others) < width:  # each takes more than a column
        whole = _added([own, *others.tolist()], style)
        if len(whole) <= width:
            return whole
    others = others[np.argsort(-np.abs(others), kind="stable")]
    for shown in range(min(len(others), SHOWN_FACTORS), -1, -1):
        rest = f" + {style.glyphs.dots} ({len(others) - shown} more)"
        text = _added([own, *others[:shown].tolist()], style) + rest
        if len(text) <= width:
            return text
    return text


def _added(contributions: Sequence[float], style: Style) -> str:
    text = number_text(contributions[0], style)
    minus = style.glyphs.minus
    for one in contributions[1:]:
        text += f" {minus if one < 0 else '+'} {number_text(abs(one), style)}"
    return text
