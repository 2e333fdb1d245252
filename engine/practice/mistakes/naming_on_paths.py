"""Which mistake is it? From numbers at random networks to a sentence about a factor.

    answer / truth at the points that count  ──>  powers of atoms  ──>  the fewest mistakes that make them
    where the answer is 0                    ──>  indicators that are missing or do not belong

One path is explained as a whole; of several, first what they have in common, then one path after the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.formula.expression import Expr, Indicator, Symbol
from engine.practice.mistakes.constant_factors import PathConstants, constant_mistakes
from engine.practice.mistakes.factor_patterns import Pattern, PatternBook
from engine.practice.mistakes.integer_powers import (
    Columns,
    Fit,
    Vector,
    fit_powers,
    independent,
)
from engine.practice.mistakes.mistake import mistake, shown
from engine.practice.question.comparison import CLOSE
from engine.practice.question.path_factors import Path, atoms_of, product_of_path
from engine.practice.question.random_networks import NetworkEvidence
from engine.practice.reading.batched_evaluation import Stack, evaluate
from engine.practice.verdict import Mistake

FEWEST_POINTS = 8
MOST_TRIED = 6
"""Of so many paths every set is tried, where a regression cannot tell them apart."""


@dataclass(frozen=True)
class NamedOnPath:
    """The mistakes that were named, several lists where they cannot be told apart, and the factors lost."""

    alternatives: tuple[tuple[Mistake, ...], ...]
    lost: int = 1

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The mistakes, each of an ambiguous set with a remark that it may be another one."""
        if len(self.alternatives) == 1:
            return self.alternatives[0]
        common = [one for one in self.alternatives[0] if all(one in other for other in self.alternatives[1:])]
        found = list(common)
        for alternative in self.alternatives:
            for one in alternative:
                if one not in common:
                    text = f"one of these, they cannot be told apart: {one.text}"
                    found.append(Mistake(one.kind, one.what, one.instead, text))
        return tuple(dict.fromkeys(found))

    @property
    def ambiguous(self) -> bool:
        """Whether several explanations are equally good."""
        return len(self.alternatives) > 1


def name_on_path(
    path: Path,
    answer: Stack,
    evidence: NetworkEvidence,
    constants: PathConstants,
    named: Sequence[Symbol] = (),
) -> NamedOnPath | None:
    """Names the mistakes of an answer that should be the product of one path's factors."""
    values = answer[:, 0, 0]
    if not np.isfinite(values).all():
        return None
    indicators = _Indicators(path, evidence, values != 0.0, named)
    if indicators.problem:
        return None
    whole = _product(path, evidence)
    points = np.flatnonzero((values != 0.0) & (whole != 0.0))
    if len(points) < FEWEST_POINTS:
        return None
    columns = _columns(atoms_of(path, named), evidence, points)
    fit = fit_powers(values[points] / whole[points], columns)
    if fit is None:
        return None
    outside = np.flatnonzero((values != 0.0) & (whole == 0.0))
    equal = list(_equal_elsewhere(path, fit, columns, evidence, outside))
    return _explained(path, fit, columns, constants, indicators, named, equal)


def _equal_elsewhere(
    path: Path,
    fit: Fit,
    columns: Columns,
    evidence: NetworkEvidence,
    outside: np.ndarray[tuple[int], np.dtype[np.intp]],
) -> Iterator[Mistake]:
    """f in place of a: equal wherever the truth is not 0, but not 0 where the activation is."""
    if not len(outside):
        return
    for factor in path:
        for atom in factor.atoms:
            if not isinstance(atom, Symbol) or (_numbers(atom, evidence)[outside] != 0.0).all():
                continue
            same = next(
                (one for one in columns.atoms if atom == one or atom in columns.equal.get(one, ())), None
            )
            if same is None or same in fit.powers:
                continue
            for other in (same, *columns.equal.get(same, ())):
                if other != atom and (_numbers(other, evidence)[outside] != 0.0).all():
                    yield mistake("swapped", other, factor.formula)
                    break


def _columns(
    atoms: Sequence[Expr], evidence: NetworkEvidence, points: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> Columns:
    values = [_numbers(atom, evidence)[points] for atom in atoms]
    return independent(atoms, values)


def _numbers(expr: Expr, evidence: NetworkEvidence) -> Vector:
    """The value of a formula of single numbers at every network."""
    value = evaluate(expr, evidence.names)
    return np.broadcast_to(value, (evidence.count, 1, 1))[:, 0, 0]


def _product(path: Path, evidence: NetworkEvidence) -> Vector:
    """The product of a path's factors as if every ReLU were on."""
    total = np.ones(evidence.count)
    for factor in path:
        if factor.indicator is None:
            total = total * _numbers(factor.formula, evidence)
    return total


def _explained(
    path: Path,
    fit: Fit,
    columns: Columns,
    constants: PathConstants,
    indicators: _Indicators,
    named: Sequence[Symbol],
    equal: Sequence[Mistake] = (),
) -> NamedOnPath | None:
    book = PatternBook(path, columns.atoms, columns.equal, named)
    sets = book.explain(fit.powers)
    usual = constant_mistakes(fit.constant, constants)
    alternatives, scales = [], usual
    for patterns in sets:
        implied = constants.numbers.get("n", 1.0) ** _divisions(path, patterns)
        # Who leaves out (Ŷ − Y)/n leaves out 1/n with it: that is one mistake.
        scales = [()] if abs(fit.constant / implied - 1.0) < CLOSE else usual
        named_here = with_sign([one.mistake for one in patterns], fit.sign)
        alternatives += [(*named_here, *indicators.mistakes, *equal, *scale) for scale in scales]
    if not alternatives:
        return None
    lost = sum(pattern.cost for pattern in sets[0]) + len(indicators.mistakes) + len(equal) + len(scales[0])
    signs = [one for one in alternatives[0] if one.kind == "sign"]
    # A wrong sign spoils one factor; one inside of the error does not spoil both of the factors that are fused in it.
    lost += sum(1 if one == SIGN else -1 for one in signs)
    return NamedOnPath(tuple(dict.fromkeys(alternatives)), max(lost, 1))


def _divisions(path: Path, patterns: Sequence[Pattern]) -> int:
    """How many divisions by n go with the factors that are left out or replaced, less those that come with others."""
    count = 0
    for pattern in patterns:
        one = pattern.mistake
        for factor in path:
            formula = factor.formula.plain()
            if factor.divided_by_n and (one.instead or one.what) == formula:
                count += -1 if one.kind == "extra" else 1
                break
    return count


def with_sign(mistakes: Sequence[Mistake], sign: int) -> tuple[Mistake, ...]:
    """Mistakes with a wrong sign among them: one inside of ∂ℰ/∂Ŷ is one mistake with the sign outside."""
    inside = next(
        (
            one
            for one in mistakes
            if one.kind == "swapped" and one.what.startswith("Y[") and " + (1 - Y[" in one.what
        ),
        None,
    )
    if inside is None:
        return (*mistakes, SIGN) if sign < 0 else tuple(mistakes)
    term = "second" if sign < 0 else "first"
    text = f"the sign of the {term} term of ∂ℰ/∂Ŷ = −Y/Ŷ + (1 − Y)/(1 − Ŷ) is wrong"
    signed = Mistake("sign", "(1 - Y)/(1 - Y_hat)" if sign < 0 else "-Y/Y_hat", None, text)
    return tuple(signed if one is inside else one for one in mistakes)


SIGN = Mistake("sign", "-1", None, "the sign is wrong")


class _Indicators:
    """Under which conditions the answer is not 0, against those under which it should not be."""

    def __init__(
        self,
        path: Path,
        evidence: NetworkEvidence,
        nonzero: np.ndarray[tuple[int], np.dtype[np.bool_]],
        named: Sequence[Symbol],
    ) -> None:
        self.mistakes: list[Mistake] = []
        self.hit: set[int] = set()
        self.problem = False
        own = {factor.indicator: place for place, factor in enumerate(path) if factor.indicator is not None}
        others = [one for factor in path for one in factor.other_indicators if one not in own]
        truth = {one: _numbers(one, evidence) > 0 for one in (*own, *dict.fromkeys(others))}
        telling = {one: held for one, held in truth.items() if (~held).sum() >= 3}
        present = [one for one, held in telling.items() if held[nonzero].all()] if nonzero.any() else []
        # An activation of a ReLU that is a factor is 0 as well wherever its unit is off.
        implied = np.ones(evidence.count, bool)
        for atom in atoms_of(path, named):
            value = _numbers(atom, evidence) != 0.0
            if nonzero.any() and value[nonzero].all():
                implied &= value
        expected = implied.copy()
        for one in present:
            expected &= truth[one]
        if (expected != nonzero).any():
            self.problem = True
            return
        missing = [one for one in own if one in telling and one not in present]
        extra = _needed(
            [one for one in present if one not in own],
            [one for one in present if one in own],
            truth,
            nonzero,
            implied,
        )
        for one in missing:
            self.hit.add(own[one])
            substitute = next((other for other in extra if _same_kind(one, other)), None)
            if substitute is not None:
                extra.remove(substitute)
                self.mistakes.append(mistake("swapped", substitute, one))
            else:
                self.mistakes.append(mistake("missing", one))
        leaks = {
            one: factor.formula
            for factor in path
            if factor.indicator is None
            for one in factor.other_indicators
        }
        for one in extra:
            in_place = leaks.get(one)  # a ReLU's indicator where a leaky ReLU has its slope
            self.mistakes.append(
                mistake("extra", one) if in_place is None else mistake("swapped", one, in_place)
            )


def _same_kind(one: Indicator, other: Indicator) -> bool:
    left, right = one.left, other.left
    return isinstance(left, Symbol) and isinstance(right, Symbol) and left.name == right.name


def _needed(
    extra: list[Indicator],
    own: list[Indicator],
    truth: dict[Indicator, np.ndarray[tuple[int], np.dtype[np.bool_]]],
    nonzero: np.ndarray[tuple[int], np.dtype[np.bool_]],
    implied: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> list[Indicator]:
    """Of conditions that hold wherever the answer is not 0, those without which it would be 0 less often."""
    kept = list(extra)
    for one in extra:
        without = implied.copy()
        for other in (*own, *(other for other in kept if other is not one)):
            without &= truth[other]
        if (without == nonzero).all():
            kept.remove(one)
    return kept


# ── several paths ───────────────────────────────────────────────────────────────────────────────────


def name_on_paths(
    paths: Sequence[Path],
    answer: Stack,
    evidence: NetworkEvidence,
    constants: PathConstants,
    named: Sequence[Symbol] = (),
) -> NamedOnPath | None:
    """Names the mistakes of an answer that should be a sum over several paths (or samples)."""
    values = answer[:, 0, 0]
    if not np.isfinite(values).all():
        return None
    terms = np.column_stack([_full_product(path, evidence) for path in paths])
    truth = terms.sum(axis=1)
    common = _in_common(paths, values, truth, evidence, constants, named)
    if common is not None and len(common.alternatives[0]) == 1:
        return common
    # A way that is forgotten is nearer than two factors that by chance make up for it.
    return (
        _by_coefficients(paths, values - truth, terms)
        or common
        or _in_one_path(paths, values - truth, terms, evidence, constants, named)
    )


def _full_product(path: Path, evidence: NetworkEvidence) -> Vector:
    total = _product(path, evidence)
    for factor in path:
        if factor.indicator is not None:
            total = total * _numbers(factor.indicator, evidence)
    return total


def _in_common(
    paths: Sequence[Path],
    values: Vector,
    truth: Vector,
    evidence: NetworkEvidence,
    constants: PathConstants,
    named: Sequence[Symbol] = (),
) -> NamedOnPath | None:
    """A factor that all paths share, a constant, or the sign."""
    points = np.flatnonzero((truth != 0.0) & (values != 0.0))
    if len(points) < FEWEST_POINTS or ((values == 0.0) != (truth == 0.0)).any():
        return None
    shared = [factor for factor in paths[0] if all(factor in path for path in paths[1:])]
    atoms = list(dict.fromkeys(atom for path in paths for atom in atoms_of(path, named)))
    limited = atoms_of(tuple(shared), named) if len(atoms) > len(points) // 2 else atoms
    columns = _columns(limited, evidence, points)
    fit = fit_powers(values[points] / truth[points], columns)
    if fit is None:
        return None
    book = PatternBook(tuple(shared), columns.atoms, columns.equal, named)
    sets = book.explain(fit.powers)
    scales = constant_mistakes(fit.constant, constants)
    if not sets or not scales:
        return None
    found = [
        (*with_sign([one.mistake for one in patterns], fit.sign), *scale)
        for patterns in sets
        for scale in scales
    ]
    return NamedOnPath(tuple(dict.fromkeys(found)))


def _by_coefficients(paths: Sequence[Path], difference: Vector, terms: Stack) -> NamedOnPath | None:
    """Paths that are forgotten (−1), counted twice (+1), or have the wrong sign (−2)."""
    if terms.shape[0] < 2 * terms.shape[1]:
        return None
    scale = np.abs(terms).max(axis=1)
    usable = scale > 0
    if usable.sum() < 2 * terms.shape[1]:
        return None
    if (np.abs(difference[~usable]) > 0).any():
        return None
    matrix, wanted = terms[usable] / scale[usable, None], difference[usable] / scale[usable]
    solution, *_, singular = np.linalg.lstsq(matrix, wanted, rcond=None)
    if np.abs(singular).min() < 1e-6:  # two terms are always in one ratio, as 1/std and 1/(n std)
        sets = _small_coefficients(matrix, wanted)
        return NamedOnPath(tuple(_of_coefficients(paths, one) for one in sets)) if sets else None
    whole = np.rint(solution)
    if np.abs(matrix @ whole - wanted).max() > CLOSE or not whole.any() or np.abs(whole).max() > 2:
        return None
    return NamedOnPath((_of_coefficients(paths, whole.astype(int).tolist()),))


def _small_coefficients(matrix: Stack, wanted: Vector) -> list[tuple[int, ...]]:
    """The coefficients 0, −1 and −2, the fewest of them other than 0, that give a vector; all that do."""
    if matrix.shape[1] > MOST_TRIED:
        return []
    fitting = [
        tried
        for tried in itertools.product((0, -1, -2), repeat=matrix.shape[1])
        if any(tried) and np.abs(matrix @ np.array(tried, float) - wanted).max() <= CLOSE
    ]
    fewest = min((len(tried) - tried.count(0) for tried in fitting), default=0)
    return [tried for tried in fitting if len(tried) - tried.count(0) == fewest]


def _of_coefficients(paths: Sequence[Path], coefficients: Sequence[int]) -> tuple[Mistake, ...]:
    """What is wrong with each path: forgotten (−1), counted twice (+1), or of the wrong sign (−2)."""
    found = []
    for path, coefficient in zip(paths, coefficients, strict=True):
        if not coefficient:
            continue
        term = product_of_path(path)
        match coefficient:
            case -1:
                found.append(
                    Mistake("path", term.plain(), None, f"the term {shown(term)} is missing from the sum")
                )
            case -2:
                found.append(
                    Mistake("sign", term.plain(), None, f"the term {shown(term)} has the wrong sign")
                )
            case _:
                found.append(
                    Mistake("path", term.plain(), None, f"the term {shown(term)} is counted too often")
                )
    return tuple(found)


def _in_one_path(
    paths: Sequence[Path],
    difference: Vector,
    terms: Stack,
    evidence: NetworkEvidence,
    constants: PathConstants,
    named: Sequence[Symbol] = (),
) -> NamedOnPath | None:
    """One path whose factors are wrong while all others are right."""
    found: list[tuple[Mistake, ...]] = []
    for number, path in enumerate(paths):
        term = terms[:, number]
        noise = 1e-12 * np.abs(terms).max(axis=1)
        own = np.where(np.abs(difference + term) <= noise, 0.0, difference + term)
        one = name_on_path(path, own[:, None, None], evidence, constants, named)
        if one is not None:
            found += one.alternatives
    return NamedOnPath(tuple(dict.fromkeys(found))) if found else None
