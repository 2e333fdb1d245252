"""Small changes of a formula: every place in it, and the whole with something else there.

(Y_hat - Y)*X[1,0]   at the place X[1,0], with X[2,0]   ──>   (Y_hat - Y)*X[2,0]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.formula.expression import (
    Expr,
    Negative,
    Number,
    Power,
    Product,
    Sum,
    bare,
    with_children,
)
from engine.practice.mistakes.mistake import shown
from engine.practice.verdict import Mistake


@dataclass(frozen=True)
class Repair:
    """A repair of an answer: the changed formula, and what was wrong with the one before the change."""

    expr: Expr
    mistake: Mistake


Rebuild = Callable[[Expr], Expr]


def places_of(expr: Expr, rebuild: Rebuild = lambda new: new) -> Iterator[tuple[Expr, Rebuild]]:
    """Every subexpression of a formula, and what makes the whole with another one in its place."""
    yield expr, rebuild
    for number, child in enumerate(expr.children()):
        yield from places_of(child, _replacing(expr, number, rebuild))


def _replacing(parent: Expr, number: int, rebuild: Rebuild) -> Rebuild:
    def built(new: Expr) -> Expr:
        children = list(parent.children())
        children[number] = new
        return rebuild(with_children(parent, children))

    return built


def everywhere(expr: Expr, old: Expr, new: Expr) -> Expr:
    """A formula with one part replaced wherever it stands."""
    if expr == old:
        return new
    children = expr.children()
    if not children:
        return expr
    return with_children(expr, [everywhere(child, old, new) for child in children])


def flattened(expr: Expr) -> Expr:
    """A formula with products of products as one product."""
    children = [flattened(child) for child in expr.children()]
    if not children:
        return expr
    if isinstance(expr, Product):
        inner = [child.factors if isinstance(child, Product) else (child,) for child in children]
        return Product(tuple(factor for factors in inner for factor in factors))
    return with_children(expr, children)


def unsigned(expr: Expr) -> Expr:
    """A formula without a minus before it."""
    return expr.operand if isinstance(expr, Negative) else expr


def factor_text(expr: Expr) -> str:
    """A formula as a factor in a sentence: ``(Ŷ − Y)``."""
    return f"({shown(expr)})" if isinstance(bare(expr), Sum) else shown(bare(expr))


def without_squares(expr: Expr) -> Expr:
    """The formula with every square taken off."""
    if isinstance(expr, Power) and bare(expr.exponent) == Number(2.0):
        return without_squares(expr.base)
    children = expr.children()
    return with_children(expr, [without_squares(child) for child in children]) if children else expr
