"""A drawn chart: rows of text in roles, which the theme turns into colours, and the marker of each role."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.formula.notation import glyphs_of

Floats = npt.NDArray[np.float64]

AXIS, FIRST, SECOND, PREDICTED, THIRD, FOURTH, FIFTH, MARK = 8, 1, 2, 3, 4, 5, 6, 7
"""The roles of what is drawn; numbers of terminal colours only on their way through plotext."""

SERIES = (FIRST, SECOND, THIRD, FOURTH, FIFTH)
"""The roles of several lines, in order; their markers differ as well, so that colour is not needed."""

MARKERS = {
    ascii: {**dict(zip(SERIES, glyphs_of(ascii).markers, strict=True)), PREDICTED: glyphs_of(ascii).predicted}
    for ascii in (False, True)
}

Run = tuple[str, int]
"""Text in one role; 0 is plain."""

Row = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart: its rows, each as runs of text in one role."""

    rows: tuple[Row, ...]

    @property
    def plain(self) -> str:
        """The chart as text without colours."""
        return "\n".join("".join(text for text, _ in row) for row in self.rows)
