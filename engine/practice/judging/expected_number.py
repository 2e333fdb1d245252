"""What is said of a number that somebody expected: that it agrees, or by which factor it does not."""

from __future__ import annotations

from engine.formula.notation import Style
from engine.formula.number_text import number_text
from engine.practice.mistakes.factors_between_numbers import FactorCandidate
from engine.practice.reading.typed_number import TypedNumber


def expectation_lines(
    typed: TypedNumber, truth: float, candidates: list[FactorCandidate], style: Style
) -> list[str]:
    """What is said of an expected number: that it agrees, or by which factor it does not."""
    if typed.agrees(truth):
        return [
            f"Yours agrees with ours, {number_text(truth, Style(digits=8, ascii=style.ascii))}, to the digits given."
        ]
    if truth == 0.0:
        return ["Ours is 0, yours is not."]
    ratio = number_text(typed.value / truth, Style(digits=5, ascii=style.ascii))
    start = f"Yours is {ratio} times ours ({number_text(truth, style)})"
    if not candidates:
        return [f"{start}, which is no factor of this path, nor two of them."]
    lines = [
        f"{start}, which is {one.name}: {', and '.join(m.text for m in one.mistakes)}." for one in candidates
    ]
    if len(lines) > 1:
        lines.insert(0, "Several factors fit, as far as the digits given can tell:")
    return lines
