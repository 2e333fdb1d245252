"""What each of two runs that are compared is drawn with."""

from __future__ import annotations

from engine.formula.notation import Style
from tui.training.drawn_chart import MARKERS, SECOND


def run_marks(style: Style) -> tuple[str, str]:
    """The marks that the first and the second run are drawn with."""
    return style.glyphs.full, MARKERS[style.ascii][SECOND]
