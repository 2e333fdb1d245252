"""A number as a person typed it: its value, and as how exact it is meant.

0.1922     four digits, half a unit in the last place is 0.00005
1/3        exact
1/0.6457   as exact as its decimals
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.practice.judging.batched_evaluation import evaluate
from engine.practice.reading.answer_reader import read_answer
from engine.practice.reading.names_in_scope import Scope
from engine.practice.reading.unreadable import UnreadableError

FEWEST_DIGITS = 2
"""One digit says too little, unless it is exact."""
FEWEST_ROUNDED, EXACT = 3, 15
"""A decimal inside an expression is taken for rounded from so many digits on, and for exact with as many as a float."""
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


def _rounded_in(text: str) -> Iterator[int]:
    """The digits of each decimal in an expression that has so many that it was rounded: 1/0.6457 has four of them.

    A shorter one, the 0.5 or the −0.8 of an experiment, is what it says.
    """
    for decimal in re.findall(r"[0-9]*\.[0-9]+", text):
        digits = len(decimal.replace(".", "").lstrip("0"))
        if FEWEST_ROUNDED <= digits < EXACT:
            yield digits
