"""Rules that several parts of an experiment have to keep: numbers at least so large, shares, rectangles of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from engine.experiment.errors import count, mismatch, value_in_words
from engine.experiment.spec import Matrix

Problem: TypeAlias = tuple[str, str]
"""A key's path, and what is wrong there."""

# Labels that should sum to 1 were often rounded by hand or by another program.
SUM_TOLERANCE = 1e-6


def share_problems(key: str, value: float) -> Iterator[Problem]:
    """The problem of a share that is not from 0 to below 1."""
    if not 0 <= value < 1:
        yield key, mismatch(value_in_words(value), "a number from 0 to below 1")


def at_least(key: str, value: float, least: int) -> Iterator[Problem]:
    """The problem of a number below the least that is allowed."""
    if value < least:
        kind = "a whole number" if isinstance(value, int) else "a number"
        yield key, mismatch(value_in_words(value), f"{kind} of {least} or more")


def rectangle_problems(key: str, matrix: Matrix, row_noun: str) -> Iterator[Problem]:
    """A matrix needs at least one row and one column, and rows of one length."""
    if not matrix:
        yield key, mismatch("an empty list", f"one row for each {row_noun}")
    for index, row in enumerate(matrix):
        if not row:
            yield f"{key}[{index}]", mismatch("an empty list", "one number for each sample")
        if len(row) != len(matrix[0]):
            expected = f"{len(matrix[0])}, as many as {key}[0] has"
            yield f"{key}[{index}]", mismatch(count(len(row), "value"), expected)


def matrix_entries(matrix: Sequence[Sequence[float]]) -> Iterator[tuple[int, int, float]]:
    """Every entry of a matrix with its row and column."""
    for row, values in enumerate(matrix):
        for column, value in enumerate(values):
            yield row, column, value
