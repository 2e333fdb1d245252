"""What the terminal can show."""

from __future__ import annotations

import sys

SPECIMEN = "ℰ∂Ŷ⁽¹⁾₀₁·−≈σ∑√⎡⎢⎣─═⋯⋮→"


def shows_unicode() -> bool:
    """Whether stdout's encoding has the characters that formulas are drawn with."""
    try:
        SPECIMEN.encode((sys.stdout and sys.stdout.encoding) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
