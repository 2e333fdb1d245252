"""A path as the branches at which it leaves the strongest one, so that a command or a file can say it.

2.1, 4.3   at the second step from the target the first term, at the fourth the third; from there the strongest way
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.derivation.chain_rule import Derivation
from engine.derivation.targets import TargetError
from engine.formula.untrusted_text import one_line

Branch = tuple[int, int]
"""A step, counted from the target, and a term of it; both from 1 on."""

_BRANCH = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})")


def branches_of(strongest: Derivation, derivation: Derivation) -> list[Branch] | None:
    """The branches that lead from the strongest path to a derivation's; None where none do."""
    found: list[Branch] = []
    reached = strongest
    for back in range(1, len(derivation) + 1):
        if back > len(reached):
            break
        chosen = derivation[len(derivation) - back].chosen
        index = len(reached) - back
        if reached[index].chosen != chosen and chosen < len(reached[index].terms):
            found.append((back, chosen + 1))
            reached = reached.follow(index, chosen)
    return found if reached.path == derivation.path else None


def along(strongest: Derivation, branches: Sequence[Branch]) -> Derivation:
    """The derivation along these branches, followed from the target up. Raises TargetError where there is none."""
    reached = strongest
    for back, term in branches:
        index = len(reached) - back
        if not 0 <= index < len(reached) or not 1 <= term <= len(reached[index].terms):
            raise TargetError(f"there is no branch {back}.{term}: a step from the target, and a term of it")
        reached = reached.follow(index, term - 1)
    return reached


def written(branches: Sequence[Branch]) -> str:
    """``2.1,4.3``."""
    return ",".join(f"{back}.{term}" for back, term in branches)


def read_branches(text: str) -> list[Branch]:
    """What `written` writes. Raises TargetError for anything else."""
    found = []
    for part in text.split(","):
        read = _BRANCH.fullmatch(part.strip())
        if read is None:
            raise TargetError(f'"{one_line(text)}" is no list of branches such as 2.1,4.3')
        found.append((int(read[1]), int(read[2])))
    return found
