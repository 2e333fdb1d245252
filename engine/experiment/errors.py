"""The one way in which an experiment is refused, and the plain words such a refusal is made of.

wine.toml: network.layers[1].W: found 2 rows; expected 3, one for each unit below
── source  ─────── key ────────  ────────────────── problem ─────────────────────
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable

from engine.experiment.key_synonyms import our_words
from engine.formula.untrusted_text import one_line

UNNAMED = "<experiment>"
"""The source of an experiment that was not read from a file."""

LONGEST_QUOTE = 40


class ExperimentError(ValueError):
    """An experiment that cannot be used: `source` is the file, `key` the key's path, `problem` what is wrong.

    str() is always one line. `key` is empty when the file as a whole is at fault.
    """

    def __init__(self, source: str, key: str, problem: str) -> None:
        super().__init__(source, key, problem)
        self.source = one_line(source) or UNNAMED
        self.key = one_line(key)
        self.problem = one_line(problem)

    def __str__(self) -> str:
        return ": ".join(part for part in (self.source, self.key, self.problem) if part)


def mismatch(found: str, expected: str) -> str:
    """The sentence of nearly every refusal: what was found, and what was expected."""
    return f"found {found}; expected {expected}"


def quoted(text: str) -> str:
    """A text in double quotes, shortened when it is long."""
    if len(text) > LONGEST_QUOTE:
        text = text[: LONGEST_QUOTE - 1] + "…"
    return f'"{one_line(text)}"'


def value_in_words(value: object) -> str:
    """A value that was found, in a few words: numbers and text as they are, everything larger by its kind."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() > 64:
            # Python refuses to print integers of thousands of digits, and nobody could read them.
            return f"a whole number of about {round(value.bit_length() * math.log10(2))} digits"
        case int() | float():
            return str(value)
        case str():
            return quoted(value)
        case list():
            return count(len(value), "value") if value else "an empty list"
        case dict():
            return "a table"
        case _:  # TOML's dates and times
            return f"a {type(value).__name__}"


def count(number: int, noun: str) -> str:
    """A number of things: ``1 row``, ``2 rows``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def choice(options: Iterable[object]) -> str:
    """The words to choose from: ``"a", "b" or "c"``."""
    words = [f'"{option}"' for option in options]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def suggestion(word: str, known: Iterable[str]) -> str:
    """A closing question that suggests the known word that is meant, or the nearest; empty when none is near."""
    # The matcher takes quadratic time, and no known word is anywhere near this long.
    word, words = word[:LONGEST_QUOTE], list(known)
    meant = [one for one in words if one.casefold() == word.casefold()]
    near = (
        meant
        or [one for one in our_words(word) if one in words]
        or difflib.get_close_matches(word, words, n=1)
    )
    return f"; did you mean {quoted(near[0])}?" if near else ""
