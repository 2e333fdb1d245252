"""A gradient check as lines of text, one a parameter, so that each can be shown as soon as it is done.

parameter  checked  worst at      backward    difference   error  verdict
W⁽¹⁾         6/6    [0,1]           0.3844        0.3844  3×10⁻¹²  good
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.autodiff.graph import Node
from engine.derivation.gradcheck import EntryCheck, ParameterCheck, entries_to_check
from engine.formula.expression import Entry
from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import number_text

ERROR_DIGITS, SLOPE_DIGITS = 2, 3
NUMBER_WIDTH, ERROR_WIDTH = 12, 9
HEADER = ("parameter", "checked", "worst at", "backward", "difference", "error", "verdict")


class CheckTable:
    """The table of a gradient check, line by line; its columns' widths are known before any parameter is checked."""

    def __init__(self, parameters: Sequence[Node], style: Style, *, every: bool = False) -> None:
        """`every` as `check_network` is told."""
        self.style = style
        names = [symbol_text(node.symbol, style) for node in parameters]
        counts = entries_to_check({node.symbol: node.value.size for node in parameters}, every=every)
        checked = [_checked(counts[node.symbol], node.value.size) for node in parameters]
        places = [_place((node.shape[0] - 1, node.shape[1] - 1)) for node in parameters]
        self._widths = [
            *(max(map(len, column)) for column in ([HEADER[0], *names], [HEADER[1], *checked])),
            max(map(len, [HEADER[2], *places])),
            NUMBER_WIDTH,
            NUMBER_WIDTH,
            ERROR_WIDTH,
        ]

    @property
    def header(self) -> str:
        """The line of the table's titles."""
        return self._line(HEADER)

    def line(self, check: ParameterCheck) -> str:
        """The table's line for one parameter: how many entries were checked, and the worst of them."""
        worst = check.worst
        return self._line(
            (
                symbol_text(worst.ref.node.symbol, self.style),
                _checked(check.checked, check.entries),
                _place(worst.ref.entry),
                number_text(worst.analytic, self.style),
                number_text(worst.numeric, self.style),
                number_text(worst.relative_error, Style(ERROR_DIGITS, self.style.ascii)),
                self._verdict(worst) if check.passed else f"{worst.verdict.upper()}, {check.failed} failed",
            )
        )

    def _verdict(self, worst: EntryCheck) -> str:
        """At a kink with the slopes on both sides."""
        if worst.left is None or worst.right is None:
            return worst.verdict
        left, right = (
            number_text(slope, Style(SLOPE_DIGITS, self.style.ascii)) for slope in (worst.left, worst.right)
        )
        return f"{worst.verdict} ({left} | {right})"

    def _line(self, cells: Sequence[str]) -> str:
        name, checked, place, *numbers = cells[:-1]
        widths = self._widths
        words = [name.ljust(widths[0]), checked.rjust(widths[1]), place.ljust(widths[2])]
        padded = [text.rjust(width) for text, width in zip(numbers, widths[3:], strict=True)]
        return "  ".join([*words, *padded, cells[-1]])


def check_summary(checks: Sequence[ParameterCheck]) -> str:
    """The result of a whole gradient check in one sentence that counts every checked entry once."""
    checked, agreeing = sum(check.checked for check in checks), sum(check.agreeing for check in checks)
    if agreeing == checked:
        return f"All {checked} checked entries agree with their central differences."
    counts = (
        (agreeing, "agree"),
        (sum(check.at_kink for check in checks), "are at a kink, where the slope differs left and right"),
        (sum(check.below_noise for check in checks), "are below what rounding can show"),
        (sum(check.undecided for check in checks), "cannot be decided (kinks)"),
        (sum(check.failed for check in checks), "disagree"),
    )
    listed = "; ".join(f"{number} {words}" for number, words in counts if number or words == "agree")
    return f"Of {checked} checked entries {listed}."


def sample_note(checks: Sequence[ParameterCheck], seed: int) -> str | None:
    """A sentence on which entries were checked, where not all were."""
    checked, entries = sum(check.checked for check in checks), sum(check.entries for check in checks)
    if checked == entries:
        return None
    return f"A sample of {checked:,} of {entries:,} entries, drawn with seed {seed}; --all checks every one."


def _checked(checked: int, entries: int) -> str:
    return f"{checked}/{entries}"


def _place(entry: Entry) -> str:
    return f"[{entry[0]},{entry[1]}]"
