"""How large a product of slopes can be at most: a quarter for one sigmoid, 10⁻³⁰ for fifty of them.

    bound = "a[50] / f[50]"       max |σ′| = 1/4, whatever f is
    bound = "a[50] / f[1]"        the product of the largest slopes of all activations between the two

The largest slope of an activation is looked for, with the derivative that training uses.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.autodiff.graph import Graph
from engine.autodiff.ops.elementwise import Elementwise, ScalarFunction
from engine.derivation.targets import TargetError
from engine.formula.course_notation import CANONICAL, CourseNames
from engine.formula.expression import Symbol
from engine.formula.numbers_in_words import counted
from engine.formula.parser import ParseError, parse_symbol
from engine.practice.question.asked_target import AskedTarget
from engine.practice.verdict import Mistake

FARTHEST = 20.0
"""Beyond this |f| every activation is flat, or as steep as it ever gets."""
ROUNDED = 6
"""The steepest place is read off to so many decimals: beside it a slope changes by their square."""
POINTS, ROUNDS = 2001, 8
"""A search in so many points, each time around the best of the last: 20·1000⁻⁸ is far below a rounding."""


def steepest_slope(function: ScalarFunction) -> tuple[float, float]:
    """The steepest point of an activation: the f at which |g′(f)| is largest, and |g′(f)| there."""
    left, right = -FARTHEST, FARTHEST
    for _ in range(ROUNDS):
        x = np.linspace(left, right, POINTS)
        value, slope = np.empty_like(x), np.empty_like(x)
        function.value(x, value)
        function.derivative(x, value, slope)
        best = np.flatnonzero(np.abs(slope) == np.abs(slope).max())
        place = int(best[len(best) // 2])
        left, right = x[max(place - 1, 0)], x[min(place + 1, POINTS - 1)]
        found = float(x[place]), float(np.abs(slope[place]))
        if len(best) > 3:  # flat: there is nothing to look for more closely
            break
    return found


@dataclass(frozen=True, eq=False)
class SlopeBound:
    """The bound on a gradient by slopes: the largest product of the activations' slopes from `lower` up to `upper`."""

    upper: Symbol
    lower: Symbol
    functions: tuple[ScalarFunction, ...]

    @classmethod
    def parse(cls, graph: Graph, text: str, names: CourseNames = CANONICAL) -> SlopeBound:
        """Parses a typed bound, ``a[50] / f[1]``. Raises TargetError where no activation lies between the two."""
        above, slash, below = text.partition(" / ")
        if not slash:
            raise TargetError(f'found "{text}"; expected two matrices, such as a[2] / f[1]')
        try:
            upper, lower = (parse_symbol(one.strip(), names).matrix for one in (above, below))
        except ParseError as error:
            raise TargetError(f'"{text}": {error}') from None
        for symbol in (upper, lower):
            if symbol not in graph.nodes:
                raise TargetError(f"there is no {symbol.plain()} in this network")
        way = AskedTarget(lower, upper)
        functions = tuple(
            op.function for op in graph.ops if isinstance(op, Elementwise) and way.is_above(graph, op.output)
        )
        if not functions:
            raise TargetError(f"there is no activation between {upper.plain()} and {lower.plain()}")
        return cls(upper, lower, functions)

    @property
    def plain(self) -> str:
        """``the largest product of the 50 slopes from f[1] to a[50]``."""
        return self.said(self.lower.plain(), self.upper.plain())

    def said(self, lower: str, upper: str) -> str:
        """The bound in words, with other letters for the two ends."""
        count = len(self.functions)
        slopes = "slope" if count == 1 else f"product of the {count} slopes"
        return f"the largest {slopes} from {lower} to {upper}"

    @cached_property
    def slopes(self) -> list[float]:
        """The largest slope of each activation on the way."""
        known = {function.name: steepest_slope(function)[1] for function in self.functions}
        return [known[function.name] for function in self.functions]

    @property
    def value(self) -> float:
        """The product of the largest slopes."""
        return math.prod(self.slopes)

    def familiar(self) -> Iterator[tuple[float, Mistake]]:
        """The numbers that are often given instead: the function's own value, a sum, one factor more or less."""
        count, function = len(self.functions), self.functions[0]
        place, slope = steepest_slope(function)
        yield -self.value, Mistake("sign", "-1", "1", "the sign is wrong")
        yield (
            1.0 / self.value if self.value else math.nan,
            _instead("1/x", "it is upside down: its reciprocal is right"),
        )
        if count == 1:
            yield slope**2, _instead("slope**2", "these are two factors: one is asked for")
            yield 1.0 - slope, _instead("1 - slope", "this is 1 minus it")
        if count > 1:
            yield slope / count, _instead(f"slope/{count}", f"it is a power: {count} equal factors")
            yield float(count) ** slope, _instead(f"{count}**slope", "base and exponent are exchanged")
            yield (
                slope ** (2 * count),
                _instead(f"slope**{2 * count}", f"there are {count} activations on the way"),
            )
            yield math.fsum(self.slopes), _instead("sum", "the slopes are multiplied, not added")
            yield (
                math.fsum(self.slopes) / count,
                _instead("one", f"this is one slope: there are {count} of them"),
            )
            for other in (count - 2, count - 1, count + 1, count + 2):
                text = f"these are {counted(other, 'factor')}: there are {count} activations on the way"
                yield slope**other, _instead(f"slope**{other}", text)
            if self.value > 0:
                for turned in (1.0, -1.0):
                    text = "this is the exponent: the number itself is asked for"
                    exponent = turned * math.log10(self.value)
                    for one in (exponent, float(round(exponent)), float(math.floor(exponent))):
                        yield one, _instead("log10", text)
        name = function.name
        for at, text in (
            (place, f"this is {name} itself where it is steepest, and not its slope"),
            (FARTHEST, f"this is the largest value of {name}, and not of its slope"),
        ):
            value = np.empty(1)
            function.value(np.array([round(at, ROUNDED)]), value)
            power = float(value[0]) ** count
            yield power, _instead(name, text)
            if at == FARTHEST:  # it comes as near to its largest value as it can
                yield float(np.rint(power)), _instead(name, text)
        yield slope / 2, _instead("1/2", "it is twice as large")


def _instead(what: str, text: str) -> Mistake:
    return Mistake("swapped", what, None, text)
