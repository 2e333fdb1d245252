"""`[notation]`: the letters that a course has for the quantities, and whether they can be told apart.

preactivation = "z"    activation = "h"    loss = "L"    prediction = "ŷ"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.experiment.errors import mismatch, quoted
from engine.experiment.spec_base import Spec
from engine.formula.course_notation import CourseNames
from engine.formula.letters import Letter, letter


class NotationSpec(Spec, frozen=True, kw_only=True):
    """The [notation] table: a letter of the course's own for each quantity."""

    preactivation: str = "f"
    activation: str = "a"
    loss: str = "ℰ"
    prediction: str = "Ŷ"
    weights: str = "W"
    bias: str = "b"
    input: str = "X"
    label: str = "Y"
    normalized: str = "h"
    scaled: str = "u"  # what a norm with an affine part gives
    branch: str = "g"  # the activation before a residual layer's input is added
    scale: str = "γ"
    shift: str = "β"
    error: str = "δ"  # ∂ℰ/∂f
    learning_rate: str = "η"

    def own_names(self) -> CourseNames:
        """The letters that differ from the tutorials'. Whether they are letters, `notation_problems` says."""
        found = []
        for key, name in CANONICAL_NAME.items():
            own = letter(getattr(self, key))
            if own is not None and own != letter(getattr(_DEFAULT, key)):
                found.append((name, own))
        return CourseNames(tuple(found))


CANONICAL_NAME = {
    "preactivation": "f",
    "activation": "a",
    "loss": "E",
    "prediction": "Y_hat",
    "weights": "W",
    "bias": "b",
    "input": "X",
    "label": "Y",
    "normalized": "h",
    "scaled": "u",
    "branch": "g",
    "scale": "scale",
    "shift": "shift",
    "error": "delta",
    "learning_rate": "eta",
}
"""What each key's quantity is called in JSON, in formulas and inside."""

_DEFAULT = NotationSpec()
_MEANING = {
    "sigma": "the sigmoid",
    "n": "the number of samples",
    "e": "the base of the exponential",
    "k": "the index that sums run over",
    "d": "the d of a derivative in plain text",
    "Sigma": "the sign of a sum",
}
"""Letters that mean something else in every formula."""


def notation_problems(notation: NotationSpec, used: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The problems of a [notation] table: letters that are none, and one letter for two quantities.

    `used` says which canonical names stand in this network's formulas, and what each is called in words.
    """
    taken = dict(_MEANING)
    for name, words in used.items():
        if name not in CANONICAL_NAME.values():
            taken.setdefault(_of(name).plain, words)
    given = [key for key in CANONICAL_NAME if getattr(notation, key) != getattr(_DEFAULT, key)]
    for key, name in CANONICAL_NAME.items():
        if key not in given and name in used:
            taken.setdefault(_of(getattr(notation, key)).plain, _words(key))
    for key in given:
        text = getattr(notation, key)
        own = letter(text)
        if own is None:
            yield (
                f"notation.{key}",
                mismatch(quoted(text), 'one Latin or Greek letter, such as "z", "θ" or "ŷ"'),
            )
            return
        if own.plain in taken:
            expected = f"another letter, because {own.drawn} is already {taken[own.plain]}"
            yield f"notation.{key}", mismatch(quoted(text), expected)
        taken.setdefault(own.plain, _words(key))


def _words(key: str) -> str:
    return f"notation.{key}"


def _of(name: str) -> Letter:
    found = letter(name)
    assert found is not None  # the names of this program are letters, all of them
    return found
