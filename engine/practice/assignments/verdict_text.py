"""A verdict as text: for people, and for files."""

from __future__ import annotations

from engine.formula.ascii_text import in_characters_of
from engine.formula.layout import draw
from engine.formula.notation import Style
from engine.formula.text_width import wrapped
from engine.practice.verdict import Verdict, sentences_of


def verdict_text(verdict: Verdict, style: Style, width: int = 80) -> str:
    """A verdict for people: what was understood, in two dimensions, and what is said of it."""
    lines: list[str] = []
    if verdict.expr is not None:
        box = draw(verdict.expr, style)
        if box.width <= width - 2:
            lines += ["Understood:", "", *(f"  {line}" for line in str(box).splitlines()), ""]
        else:
            lines += [f"Understood: {verdict.understood}", ""]
    lines += [piece for said in sentences_of(verdict) for piece in wrapped(said, width)]
    text = "\n".join(lines)
    return in_characters_of(text, style)


def plain_lines(verdict: Verdict) -> list[str]:
    """The verdict as lines without marks, for files."""
    return [
        *(mistake.text for mistake in verdict.mistakes),
        *verdict.remarks,
        *([verdict.problem] if verdict.problem else []),
    ]
