"""Which powers of which atoms turn one product into another: integers only, by regression on logarithms.

ln |answer / truth| = Σ kᵢ ln |atomᵢ| + c        kᵢ whole numbers, c a sum of logarithms of constants
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from engine.formula.expression import Expr

Vector = npt.NDArray[np.float64]

RESIDUAL = 1e-9
"""How far the logarithms may be off. They are of the size of 1, and rounding leaves about 1e-13 of them."""
LARGEST_POWER = 6
CONSTANT_POWERS = range(-2, 3)


@dataclass(frozen=True)
class Columns:
    """The logarithms of independent factors at many points, with which powers are fitted.

    `basis` has one row an atom: orthonormal directions of the logarithms less their means, each of the atoms up to it.
    """

    atoms: tuple[Expr, ...]
    logs: npt.NDArray[np.float64]
    equal: dict[Expr, tuple[Expr, ...]]
    signs: npt.NDArray[np.float64]
    basis: npt.NDArray[np.float64]


def independent(atoms: Sequence[Expr], values: Sequence[Vector]) -> Columns:
    """The factors whose logarithms say something of their own, in the order given.

    An atom that is 1 (or any constant) everywhere is left out, one that is equal to an earlier one joins it, and one
    whose logarithm is a sum of earlier ones is left out as well.
    """
    count, most = len(values[0]) if values else 0, len(atoms)
    kept: list[Expr] = []
    logs = np.empty((most, count))  # in rows, as many as are kept
    basis, signs = np.empty_like(logs), np.empty_like(logs)
    equal: dict[Expr, tuple[Expr, ...]] = {}
    for atom, value in zip(atoms, values, strict=True):
        size = len(kept)
        with np.errstate(all="ignore"):
            column = np.log(np.abs(value))
        if not np.isfinite(column).all():
            continue
        same = np.flatnonzero(np.abs(logs[:size] - column).max(axis=1, initial=0.0) < 1e-12)
        if len(same):
            old = kept[int(same[0])]
            equal[old] = (*equal.get(old, ()), atom)
            continue
        rest = column - column.mean()
        scale = float(np.linalg.norm(rest))
        for _ in range(2):  # once more: rounding
            rest = rest - basis[:size].T @ (basis[:size] @ rest)
        length = float(np.linalg.norm(rest))
        if scale < 1e-9 or length < 1e-7 * scale:
            continue
        basis[size], logs[size], signs[size] = rest / length, column, np.sign(value)
        kept.append(atom)
    size = len(kept)
    return Columns(tuple(kept), logs[:size].T.copy(), equal, signs[:size].T.copy(), basis[:size].copy())


@dataclass(frozen=True)
class Fit:
    """A fit: the integer powers of the factors (0 is left out), the constant factor, and the sign."""

    powers: dict[Expr, int]
    constant: float
    sign: int


def fit_powers(ratio: Vector, columns: Columns) -> Fit | None:
    """Fits integer powers of factors whose product is `ratio` at every point, or None where there are none."""
    with np.errstate(all="ignore"):
        target = np.log(np.abs(ratio))
    if not np.isfinite(target).all() or len(target) <= len(columns.atoms) + 1:
        return None
    centred = target - target.mean()
    along = columns.basis @ centred
    tolerance = RESIDUAL * max(1.0, float(np.abs(target).max()))
    if np.abs(centred - columns.basis.T @ along).max(initial=0.0) > tolerance:
        return None  # it does not lie among the atoms at all
    triangle = columns.basis @ (columns.logs - columns.logs.mean(axis=0))
    try:
        solution = np.linalg.solve(triangle, along)
    except np.linalg.LinAlgError:
        return None
    powers = np.rint(solution)
    if np.abs(powers).max(initial=0.0) > LARGEST_POWER:
        return None
    left = target - columns.logs @ powers
    constant = float(left.mean())
    if np.abs(left - constant).max() > tolerance:
        return None
    odd = powers % 2 == 1
    signs = np.sign(ratio) * columns.signs[:, odd].prod(axis=1)
    if not (signs == signs[0]).all():
        return None
    found = {atom: int(power) for atom, power in zip(columns.atoms, powers, strict=True) if power}
    return Fit(found, float(np.exp(constant)), int(signs[0]))


def constant_powers(value: float, constants: dict[str, float]) -> list[dict[str, int]]:
    """The small powers of named constants whose product is `value`: the simplest ones."""
    names = [name for name, number in constants.items() if number > 0 and abs(np.log(number)) > 1e-12]
    found: list[tuple[int, dict[str, int]]] = []
    for powers in product(CONSTANT_POWERS, repeat=len(names)):
        logarithm = sum(
            power * float(np.log(constants[name])) for name, power in zip(names, powers, strict=True)
        )
        if abs(logarithm - float(np.log(value))) < RESIDUAL * 10:
            used = {name: power for name, power in zip(names, powers, strict=True) if power}
            found.append((sum(map(abs, powers)), used))
    least = min((cost for cost, _ in found), default=0)
    return [used for cost, used in found if cost == least]
