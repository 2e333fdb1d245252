"""The mistakes that can be made with the factors of one path, each as the powers of atoms that it changes.

    forgotten W[2][1,0]            W[2][1,0]: −1
    W[2][0,0] in its place         W[2][1,0]: −1, W[2][0,0]: +1
    σ(f) instead of σ′(f)          1 − Ŷ: −1

The powers that a regression found are put together from as few of these as possible; where several sets are equally
small, each of them is listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.formula.expression import Expr, Number
from engine.practice.mistakes.mistake import mistake, shown
from engine.practice.question.path_factors import Atoms, Path, PathFactor
from engine.practice.verdict import Mistake

Key = tuple[tuple[int, int], ...]
MOST_SETS = 4
"""How many explanations of the same answer are listed."""


@dataclass(frozen=True)
class Pattern:
    """The pattern of one mistake: what it does to the powers of a product's factors.

    `factor` is the place in the path, or None for none of them; `cost` how many of the tutorials' factors it spoils.
    Of explanations of the same size the less `far_fetched` one is given.
    """

    mistake: Mistake
    key: Key
    factor: int | None
    cost: int = 1
    far_fetched: int = 0


class PatternBook:
    """The patterns of all mistakes on one path, for the independent factors of one piece of evidence."""

    def __init__(
        self,
        path: Path,
        atoms: tuple[Expr, ...],
        equal: Mapping[Expr, tuple[Expr, ...]],
        named: Sequence[Expr] = (),
    ) -> None:
        self.path, self.named = path, named
        self.place = {atom: number for number, atom in enumerate(atoms)}
        for atom, others in equal.items():
            for other in others:
                self.place[other] = self.place[atom]
        self.equal = equal
        self.patterns = list(self._patterns())
        self.by_key: dict[Key, list[Pattern]] = {}
        for pattern in self.patterns:
            known = self.by_key.setdefault(pattern.key, [])
            # Two names of what is equal wherever it counts are one mistake: the first one's sentence says both.
            if not any(_same(pattern.mistake, old.mistake) for old in known):
                known.append(pattern)

    def key(self, *changes: tuple[Atoms, int]) -> Key | None:
        """The change of powers, or None where it is none or speaks of an atom that is not told apart."""
        total: dict[int, int] = {}
        for atoms, times in changes:
            for atom, power in atoms.items():
                if atom not in self.place:
                    return None
                total[self.place[atom]] = total.get(self.place[atom], 0) + times * power
        return tuple(sorted((place, power) for place, power in total.items() if power)) or None

    def _also(self, expr: Expr) -> str:
        others = [other for other in self.equal.get(expr, ()) if other.plain() != expr.plain()]
        return (
            f" (or {', or '.join(shown(other) for other in others[:3])}: they are equal wherever this counts)"
            if others
            else ""
        )

    def _patterns(self) -> Iterator[Pattern]:
        for number, factor in enumerate(self.path):
            for known in factor.known:
                if key := self.key((known.change, 1)):
                    yield Pattern(mistake(known.kind, known.what, known.instead), key, number)
            yield from self._missing_and_extra(number, factor)
            for confusion in factor.confusions:
                what = confusion.what
                if key := self.key((factor.atoms, -1), (confusion.atoms, 1)):
                    if factor.atoms and confusion.swaps:
                        yield Pattern(
                            mistake("swapped", what, factor.formula, self._also(what)),
                            key,
                            number,
                            factor.counts,
                        )
                    elif not factor.atoms:
                        yield Pattern(mistake("extra", what, None, self._also(what)), key, None)
                if key := self.key((confusion.atoms, 1)):
                    yield Pattern(mistake("extra", what, None, self._also(what)), key, None)
                if key := self.key((confusion.atoms, -1)):
                    reciprocal = Number(1.0) / what
                    yield Pattern(mistake("extra", reciprocal, None, self._also(what)), key, None)
            for other in self.named:
                if (
                    factor.atoms
                    and other not in factor.atoms
                    and (key := self.key((factor.atoms, -1), ({other: 1}, 1)))
                ):
                    yield Pattern(mistake("swapped", other, factor.formula), key, number, factor.counts, 1)
        for other in self.named:
            for power, what in ((1, other), (-1, Number(1.0) / other)):
                if key := self.key(({other: power}, 1)):
                    yield Pattern(mistake("extra", what), key, None)

    def _missing_and_extra(self, number: int, factor: PathFactor) -> Iterator[Pattern]:
        if key := self.key((factor.atoms, -1)):
            yield Pattern(
                mistake("missing", factor.formula, None, self._also(factor.formula)),
                key,
                number,
                factor.counts,
            )
        if key := self.key((factor.atoms, 1)):
            yield Pattern(mistake("extra", factor.formula), key, None)
        if key := self.key((factor.atoms, -2)):
            upside_down = Number(1.0) / factor.formula
            yield Pattern(mistake("swapped", upside_down, factor.formula), key, number, factor.counts)

    def explain(self, powers: Mapping[Expr, int]) -> list[tuple[Pattern, ...]]:
        """The smallest sets of mistakes that change the powers of the factors like this."""
        wanted: Key = tuple(sorted((self.place[atom], power) for atom, power in powers.items()))
        if not wanted:
            return [()]
        for size in (1, 2, 3):
            found = _distinct(self._sets(wanted, size))
            if found:
                return found[:MOST_SETS]
        return []

    def _sets(self, wanted: Key, size: int) -> Iterator[tuple[Pattern, ...]]:
        if size == 1:
            yield from ((pattern,) for pattern in self.by_key.get(wanted, ()))
            return
        touched = {place for place, _ in wanted}
        for key, patterns in self.by_key.items():
            if not touched & {place for place, _ in key}:
                continue
            rest = _minus(wanted, key)
            for others in self._sets(rest, size - 1) if rest else ():
                for pattern in patterns:
                    taken = [one.factor for one in (pattern, *others) if one.factor is not None]
                    if len(taken) == len(set(taken)):
                        yield (pattern, *others)


def _same(one: Mistake, other: Mistake) -> bool:
    """Whether two mistakes that change the same powers are one."""
    return (one.kind, one.instead) == (other.kind, other.instead) and (
        one.kind != "missing" or one.what == other.what
    )


def _minus(wanted: Key, taken: Key) -> Key:
    left = dict(wanted)
    for place, power in taken:
        left[place] = left.get(place, 0) - power
    return tuple(sorted((place, power) for place, power in left.items() if power))


def _distinct(sets: Iterator[tuple[Pattern, ...]]) -> list[tuple[Pattern, ...]]:
    """Each set once, whatever its order; those of known mistakes before those with factors that do not belong."""
    found: dict[tuple[str, ...], tuple[Pattern, ...]] = {}
    for patterns in sets:
        name = tuple(sorted(pattern.mistake.tag + (pattern.mistake.instead or "") for pattern in patterns))
        found.setdefault(name, patterns)
        if len(found) > 200:
            break
    return _likeliest(list(found.values())) if found else []


def _oddness(patterns: tuple[Pattern, ...]) -> int:
    """How unusual mistakes are: a factor forgotten or miscopied is likelier than one that fell from the sky."""
    return sum(2 * (pattern.mistake.kind == "extra") + pattern.far_fetched for pattern in patterns)


def _likeliest(sets: list[tuple[Pattern, ...]]) -> list[tuple[Pattern, ...]]:
    least = min(map(_oddness, sets))
    return [one for one in sets if _oddness(one) == least]
