"""A constant factor too many or too few, as mistakes: a forgotten 1/n, a 2 that does not belong."""

from __future__ import annotations

from dataclasses import dataclass

from engine.formula.expression import Expr, Number, Symbol
from engine.practice.mistakes.integer_powers import (
    constant_powers,
)
from engine.practice.mistakes.mistake import mistake
from engine.practice.question.comparison import CLOSE
from engine.practice.verdict import Mistake


@dataclass(frozen=True)
class PathConstants:
    """The constants with their numbers, and how many n the answer has too many (None where that is not known)."""

    numbers: dict[str, float]
    n_too_many: int | None = None


def constant_mistakes(value: float, constants: PathConstants) -> list[tuple[Mistake, ...]]:
    """The mistakes that a constant factor comes of, in every simplest way."""
    if abs(value - 1.0) < CLOSE:
        return [()]
    numbers, surplus = dict(constants.numbers), constants.n_too_many
    certain: tuple[Mistake, ...] = ()
    if surplus is not None and "n" in numbers and numbers["n"] != 1.0:
        rest = value / numbers.pop("n") ** surplus
        if surplus:
            certain = (constant_mistake("n", surplus),)
        found = [{}] if abs(rest - 1.0) < CLOSE else constant_powers(rest, numbers)
        if found:
            return [
                (*certain, *(constant_mistake(name, power) for name, power in powers.items()))
                for powers in found
            ]
    return [
        tuple(constant_mistake(name, power) for name, power in powers.items())
        for powers in constant_powers(value, constants.numbers)
    ]


def constant_mistake(name: str, power: int) -> Mistake:
    """The mistake of a constant to a power: n too often is a forgotten 1/n."""
    what: Expr = Number(2.0) if name == "2" else Symbol(name)
    if name == "n":
        over: Expr = Number(1.0) / what if abs(power) == 1 else Number(1.0) / what ** abs(power)
        return mistake("missing", over) if power > 0 else mistake("extra", over)
    powered = what if abs(power) == 1 else what ** abs(power)
    if name == "2":
        return mistake("extra", powered if power > 0 else Number(1.0) / powered)
    return mistake("extra", powered) if power > 0 else mistake("missing", powered)
