"""How an answer that cannot be read is refused: one line, and a caret under the place.

X @ (Y_hat - Y)
  ^  column 3: X is 3×n and (Ŷ − Y) is 1×n: X @ (Ŷ − Y) does not fit; (Ŷ − Y)ᵀ does
"""

from __future__ import annotations

from engine.formula.untrusted_text import one_line

EXCERPT = 60
"""Columns of the formula that are shown around the place."""


class UnreadableError(ValueError):
    """An answer that is no formula of this network: `problem`, and the `column` (from 1) where it shows."""

    def __init__(self, problem: str, text: str = "", column: int = 1) -> None:
        self.problem, self.text, self.column = one_line(problem), one_line(text), column
        super().__init__(f"column {column}: {self.problem}")

    def marked(self, caret: str = "‸") -> str:
        """The error in one line: the problem, and the formula with a caret before the place."""
        if not self.text:
            return self.problem
        place = min(self.column - 1, len(self.text))
        start = max(place - EXCERPT // 2, 0)
        before, after = self.text[start:place], self.text[place : start + EXCERPT]
        dots = ("…" if start else "", "…" if start + EXCERPT < len(self.text) else "")
        return f"{self}: {dots[0]}{before}{caret}{after}{dots[1]}"

    def lines(self) -> tuple[str, str]:
        """The formula around the place of the error, and a line with a caret under it."""
        place = min(self.column - 1, len(self.text))
        start = max(place - EXCERPT // 2, 0)
        return self.text[start : start + EXCERPT], " " * (place - start) + "^"
