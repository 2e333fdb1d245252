"""How a diagnosis writes numbers and layers in its sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby


def short(value: float) -> str:
    """A number in two or three digits, whatever its size: ``0.21``, ``1.41``, ``8.4e-26``."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "infinite"
    return f"{value:.3g}" if value == 0 or 1e-2 <= abs(value) < 1e4 else f"{value:.1e}"


def told_loss(value: float) -> str:
    """A loss in four digits, so that a small change shows."""
    if not math.isfinite(value):
        return short(value)
    return f"{value:.4g}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.3e}"


def layers_in_words(numbers: Sequence[int]) -> str:
    """Numbers of layers in words: ``layer 3``, ``layers 1 to 4 and 9``."""
    runs = []
    for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        members = [number for _, number in group]
        runs.append(f"{members[0]} to {members[-1]}" if len(members) > 1 else str(members[0]))
    return f"layer{'' if len(numbers) == 1 else 's'} {listed(runs)}"


def listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def sentence(text: str) -> str:
    """A text with a full stop at its end, and only one."""
    return text if text.endswith(".") else f"{text}."
