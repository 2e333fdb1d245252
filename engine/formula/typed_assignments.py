"""Typed assignments of numbers to entries, as somebody types them to change a network.

1/3                        the entry that was asked about
W[1][0,1] = -0.25          another one
Y[0,0] = 0; Y[1,0] = 1     several at once
"""

from __future__ import annotations

import math

from engine.formula.course_notation import CANONICAL, CourseNames
from engine.formula.expression import Name, Symbol
from engine.formula.parser import ParseError, parse, parse_symbol

EXPECTED = "expected a number such as 0.5 or 1/3, or an entry and its number: W[1][0,0] = 0.5"


def read_assigned_number(text: str, column: int = 1) -> float:
    """The number that an expression without names comes to. Raises ParseError, also where it is not finite.

    `column` is where the text begins in what was typed, from 1 on.
    """
    if not text.strip():
        raise ParseError(f"found nothing; {EXPECTED}", text, column)
    start = column + len(text) - len(text.lstrip())
    try:
        number = parse(text.strip()).evaluate(_no_name)
    except ParseError as error:
        raise ParseError(error.problem, text, start + error.column - 1) from None
    except _NameError as error:
        raise ParseError(f"found the name {error}; {EXPECTED}", text, start) from None
    except (ArithmeticError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ParseError("this comes to no finite number", text, start)
    return float(number)


def read_assignments(
    text: str, asked: Symbol | None = None, names: CourseNames = CANONICAL
) -> list[tuple[Symbol, float]]:
    """Reads typed assignments, each an entry and its number; a number by itself is for the entry `asked`.

    Entries may be named in own `names`.

    Raises ParseError. Whether there are such entries is for who knows the network to say.
    """
    read: list[tuple[Symbol, float]] = []
    column = 1
    for part in text.split(";"):
        left, equals, right = part.partition("=")
        if equals:
            read.append(
                (_read_name(left, column, names), read_assigned_number(right, column + len(left) + 1))
            )
        elif asked is not None:
            read.append((asked, read_assigned_number(part, column)))
        else:
            raise ParseError(f"no entry is named here; {EXPECTED}", text, column)
        column += len(part) + 1
    return read


def _read_name(text: str, column: int, names: CourseNames) -> Symbol:
    try:
        return parse_symbol(text.strip(), names)
    except ParseError as error:
        start = column + len(text) - len(text.lstrip())
        raise ParseError(error.problem, text, start + error.column - 1) from None


class _NameError(Exception):
    """A name where only numbers have a meaning."""


def _no_name(name: Name) -> float:
    raise _NameError(name.plain())
