"""Rewrites a formula into an equal one, and plants mistakes in it, at random.

a*b  ->  b*a     a*(b + c)  ->  a*b + a*c     x  ->  x*s/s, --x, x + s - s     σ(1 − σ)  ->  e⁻ᶠ/(1 + e⁻ᶠ)²
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

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
from engine.practice.question.path_factors import Path, PathFactor

Rng = np.random.Generator
Rewrite = Callable[[Expr, Rng], Expr | None]

SAFE = (Number(2.0), Number(3.0), call("exp", Number(0.5)))
"""What may be divided by, wherever it is."""


def commute(expr: Expr, rng: Rng) -> Expr | None:
    if isinstance(expr, Product):
        return Product(tuple(expr.factors[place] for place in rng.permutation(len(expr.factors))))
    if isinstance(expr, Sum):
        return Sum(tuple(expr.terms[place] for place in rng.permutation(len(expr.terms))))
    return None


def expand(expr: Expr, rng: Rng) -> Expr | None:
    if not isinstance(expr, Product):
        return None
    sums = [place for place, factor in enumerate(expr.factors) if isinstance(bare(factor), Sum)]
    if not sums:
        return None
    place = int(rng.choice(sums))
    others = expr.factors[:place] + expr.factors[place + 1 :]
    return Sum(tuple(Product((*others, term)) for term in bare(expr.factors[place]).children()))


def double_negation(expr: Expr, rng: Rng) -> Expr | None:
    return Negative(Negative(expr))


def negative_factor(expr: Expr, rng: Rng) -> Expr | None:
    if isinstance(expr, Product) and len(expr.factors) > 1:
        first, second, *rest = expr.factors
        return Product((Negative(first), Negative(second), *rest))
    return None


def times_and_over(expr: Expr, rng: Rng) -> Expr | None:
    safe = SAFE[int(rng.integers(len(SAFE)))]
    return Quotient(Product((expr, safe)), safe)


def plus_and_minus(expr: Expr, rng: Rng) -> Expr | None:
    symbols = list(expr.symbols())
    if not symbols:
        return None
    symbol = symbols[int(rng.integers(len(symbols)))]
    # Small against most values, so that adding it costs few digits.
    small = Quotient(symbol, Number(1000.0))
    return Sum((expr, small, Negative(small))) if rng.random() < 0.3 else None


def sigmoid_as_exponential(expr: Expr, rng: Rng) -> Expr | None:
    if isinstance(expr, Function) and expr.name == "sigmoid":
        return 1 / (1 + call("exp", -expr.arguments[0]))
    return None


def slope_of_sigmoid(expr: Expr, rng: Rng) -> Expr | None:
    """σ(f)(1 − σ(f)) as e⁻ᶠ/(1 + e⁻ᶠ)²."""
    if not (isinstance(expr, Product) and len(expr.factors) >= 2):
        return None
    first, second = bare(expr.factors[0]), bare(expr.factors[1])
    if isinstance(first, Function) and first.name == "sigmoid" and second.plain() == (1 - first).plain():
        power = call("exp", -first.arguments[0])
        return Product((Quotient(power, Power(1 + power, Number(2.0))), *expr.factors[2:]))
    return None


def square_as_product(expr: Expr, rng: Rng) -> Expr | None:
    if isinstance(expr, Power) and expr.exponent == Number(2.0):
        return Product((expr.base, expr.base))
    return None


def quotient_as_power(expr: Expr, rng: Rng) -> Expr | None:
    if isinstance(expr, Quotient):
        return Product((expr.numerator, Power(expr.denominator, Number(-1.0))))
    return None


def indicator_turned(expr: Expr, rng: Rng) -> Expr | None:
    if isinstance(expr, Indicator) and expr.comparison == ">":
        return 1 - Indicator(expr.left, "<=", expr.right)
    return None


def indicator_squared(expr: Expr, rng: Rng) -> Expr | None:
    return Power(expr, Number(2.0)) if isinstance(expr, Indicator) else None


REWRITES: tuple[Rewrite, ...] = (
    commute,
    expand,
    double_negation,
    negative_factor,
    times_and_over,
    plus_and_minus,
    sigmoid_as_exponential,
    slope_of_sigmoid,
    square_as_product,
    quotient_as_power,
    indicator_turned,
    indicator_squared,
)


def rebuilt(expr: Expr, children: tuple[Expr, ...]) -> Expr:
    """The same kind of expression with other children."""
    match expr:
        case Negative():
            return Negative(children[0])
        case Sum():
            return Sum(children)
        case Product():
            return Product(children)
        case Quotient():
            return Quotient(*children)
        case Power():
            return Power(*children)
        case Function(name):
            return Function(name, children)
        case Indicator(_, comparison):
            return Indicator(children[0], comparison, children[1])
    return expr


def places(expr: Expr) -> int:
    """How many expressions there are inside, itself included."""
    return 1 + sum(map(places, expr.children()))


def replaced(expr: Expr, place: int, change: Callable[[Expr], Expr | None]) -> Expr:
    """The expression with what stands at a place (in reading order) changed."""
    if place == 0:
        return change(expr) or expr
    place -= 1
    children = list(expr.children())
    for number, child in enumerate(children):
        size = places(child)
        if place < size:
            children[number] = replaced(child, place, change)
            return rebuilt(expr, tuple(children))
        place -= size
    raise IndexError(place)


def rewritten(expr: Expr, rng: Rng, times: int) -> Expr:
    """An equal expression."""
    for _ in range(times):
        rule = REWRITES[int(rng.integers(len(REWRITES)))]
        expr = replaced(expr, int(rng.integers(places(expr))), lambda one, rule=rule: rule(one, rng))
        if places(expr) > 400:
            break
    return expr


# ── mistakes ────────────────────────────────────────────────────────────────────────────────────────

Planted = tuple[str, str, str | None]
"""Kind, what, instead."""


def plant(path: Path, rng: Rng, count: int) -> tuple[Expr, list[Planted]]:
    """The product of a path's factors with mistakes in `count` different factors, and what they are."""
    usable = [place for place, factor in enumerate(path) if factor.formula != Number(1.0)]
    spoiled = {int(place) for place in rng.choice(usable, min(count, len(usable)), replace=False)}
    factors: list[Expr] = []
    planted: list[Planted] = []
    for place, factor in enumerate(path):
        if place not in spoiled:
            factors.append(factor.formula)
            continue
        kept, mistake = _spoil(factor, rng)
        factors += kept
        planted.append(mistake)
    if len(planted) < count:
        factors.append(Number(-1.0))
        planted.append(("sign", "-1", None))
    return Product(tuple(factors or [Number(1.0)])), planted


def _spoil(factor: PathFactor, rng: Rng) -> tuple[list[Expr], Planted]:
    formula = factor.formula
    options = ["missing", "sign"]
    swaps = [one.what for one in factor.confusions if factor.atoms and one.what.plain() != formula.plain()]
    swaps = [one for one in swaps if isinstance(one, Symbol)]
    if swaps:
        options += ["swapped", "swapped"]
    if factor.other_indicators:
        options += ["inverted"]
    if factor.known:
        options += ["known", "known"]
    if factor.atoms and factor.indicator is None:
        options += ["twice"]
    match str(rng.choice(options)):
        case "missing":
            return [], ("missing", formula.plain(), None)
        case "sign":
            return [Negative(formula)], ("sign", "-1", None)
        case "swapped":
            what = swaps[int(rng.integers(len(swaps)))]
            return [what], ("swapped", what.plain(), formula.plain())
        case "twice":
            return [formula, formula], ("extra", formula.plain(), None)
        case "known":
            known = factor.known[int(rng.integers(len(factor.known)))]
            change = Product(
                tuple(
                    atom if power > 0 else 1 / atom
                    for atom, power in known.change.items()
                    for _ in range(abs(power))
                )
            )
            instead = None if known.instead is None else known.instead.plain()
            return [formula, change], (known.kind, known.what.plain(), instead)
    wrong = factor.other_indicators[0]
    return [wrong], ("swapped", wrong.plain(), formula.plain())


def change(mistakes: list[Planted]) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """What mistakes change: what is there too often, what is not there, and whether the sign is wrong.

    Two lists of mistakes that make the same formula are the same: F twice and G forgotten is F in place of G.
    """
    extra: list[str] = []
    missing: list[str] = []
    signs = 0
    for kind, what, instead in mistakes:
        match kind:
            case "missing":
                missing.append(what)
            case "extra":
                extra.append(what)
            case "swapped":
                extra.append(what)
                missing.append(str(instead))
            case "sign":
                signs += 1
            case _:
                extra.append(f"{kind}:{what}")
    for one in list(extra):
        if one in missing:
            extra.remove(one)
            missing.remove(one)
    return tuple(sorted(extra)), tuple(sorted(missing)), signs % 2 == 1
