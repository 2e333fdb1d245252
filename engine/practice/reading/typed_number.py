"""A number as a person typed it: its value, and as how exact it is meant.

0.1922     four digits, half a unit in the last place is 0.00005
0,1922     the same, and so are 19.22 % and 1.922·10⁻¹
1/3        exact
1/0.6457   as exact as its decimals
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from engine.practice.reading.answer_reader import read_answer
from engine.practice.reading.batched_evaluation import evaluate
from engine.practice.reading.names_in_scope import Scope
from engine.practice.reading.unreadable import UnreadableError

FEWEST_DIGITS = 2
"""One digit says too little, unless it is exact."""
FEWEST_ROUNDED, EXACT = 3, 15
"""A decimal inside an expression is taken for rounded from so many digits on, and for exact with as many as a float."""
LARGEST_POWER = sys.float_info.max_10_exp
"""Of ten, in the last place of a typed number."""
_POWER_OF_TEN = re.compile(
    r"(?P<digits>[0-9.]*)(?P<times>[*·×⋅x]|\\cdot|\\times)?10(?:\^|\*\*)?[{(]?(?P<power>[+-]?[0-9]+)[})]?"
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_COMMA = re.compile(r"(?<=[0-9]),(?=[0-9])")
_DECIMAL = re.compile(r"[+-]?(?P<whole>[0-9]*)\.?(?P<after>[0-9]*)(?:[eE](?P<power>[+-]?[0-9]+))?")


@dataclass(frozen=True, slots=True)
class TypedNumber:
    """A number as it was typed, and half a unit in its last place (0 for an expression, which is exact)."""

    value: float
    half_unit: float
    digits: int

    @classmethod
    def parse(cls, text: str) -> TypedNumber:
        """Parses a typed number, or an expression of numbers such as 1/3 or log(2). Raises UnreadableError."""
        text = _with_points(text)
        typed = text.strip().replace(" ", "")
        if typed.endswith("%"):
            share = cls.parse(typed[:-1])
            return cls(share.value / 100.0, share.half_unit / 100.0, share.digits)
        typed = _with_exponent(typed)
        match = _DECIMAL.fullmatch(typed)
        if match is not None and (match["whole"] or match["after"]):
            value, places = float(typed), len(match["after"])
            power = (match["power"] or "0").lstrip("+-").lstrip("0") or "0"
            # Half a unit of its last place has to be a number as well.
            if (
                not math.isfinite(value)
                or len(power) > 3
                or int(match["power"] or 0) - places > LARGEST_POWER
            ):
                raise UnreadableError("this number is too large or too small", text)
            digits = len((match["whole"] + match["after"]).lstrip("0"))
            return cls(value, 0.5 * 10.0 ** (int(match["power"] or 0) - places), digits)
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


def _with_points(text: str) -> str:
    """The text with hyphens for minus signs and points for decimal commas. Raises UnreadableError where unclear."""
    text = text.replace("−", "-").replace("–", "-")
    if "(" in text and re.search(r"[A-Za-z_]\s*\(", text):  # its commas stand between arguments
        return text
    if (unclear := re.search(r"(?<![0-9.,])([1-9][0-9]{0,2}),([0-9]{3})(?![0-9])", text)) is not None:
        small, large = f"{unclear[1]}.{unclear[2]}", unclear[1] + unclear[2]
        problem = f"is this {small} or {large}? Write the decimal point as a dot, and no comma for thousands"
        raise UnreadableError(problem, text, unclear.start(2))
    return _COMMA.sub(".", text)


def _with_exponent(typed: str) -> str:
    """``7.9·10^-31`` as 7.9e-31: so many digits were given, and the power of ten is exact."""
    sign, rest = (typed[0], typed[1:]) if typed[:1] in ("+", "-") else ("", typed)
    raised = "^" in rest or "**" in rest or rest != rest.translate(_RAISED)
    match = _POWER_OF_TEN.fullmatch(rest.translate(_RAISED)) if raised else None
    if match is None or bool(match["digits"]) != bool(match["times"]):
        return typed
    return f"{sign}{match['digits'] or '1'}e{match['power']}"


def _rounded_in(text: str) -> Iterator[int]:
    """The digits of each decimal in an expression that has so many that it was rounded: 1/0.6457 has four of them.

    A shorter one, the 0.5 or the −0.8 of an experiment, is what it says.
    """
    for decimal in re.findall(r"[0-9]*\.[0-9]+", text):
        digits = len(decimal.replace(".", "").lstrip("0"))
        if FEWEST_ROUNDED <= digits < EXACT:
            yield digits


def is_number(text: str) -> bool:
    """Whether a text is a number, or an expression of numbers."""
    try:
        TypedNumber.parse(text)
    except UnreadableError:
        return False
    return True
