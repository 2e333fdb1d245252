"""JSON Lines of other programs: an object a line, nested ones with their keys joined by slashes.

{"step": 3, "loss": 0.61, "grads": {"layers.0": 0.3, "layers.1": "NaN"}}     tags loss, grads/layers.0, …
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from engine.runs.other_logs.scalar_lines import ScalarLines

_decoder = msgspec.json.Decoder(dict[str, Any])

NON_FINITE = {"nan", "inf", "-inf", "infinity", "-infinity"}
"""How numbers that JSON does not have are mostly written."""


class JsonLines(ScalarLines):
    """Reads a file of JSON objects, one a line, while it grows."""

    def pairs_of(self, line: bytes) -> Iterable[tuple[str, float]]:
        """Every number of a line's JSON object, by the path of its keys."""
        try:
            return list(numbers_of(_decoder.decode(strict_json(line))))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ValueError(" ".join(str(error).split())[:200]) from None


_PYTHONS = re.compile(rb"(?<=[:\[,\s])(NaN|-?Infinity)(?=[,\]}\s])")


def strict_json(text: bytes) -> bytes:
    """A JSON text with Python's NaN and Infinity, which are not JSON, as texts."""
    return _PYTHONS.sub(rb'"\1"', text)


def _number(value: float | str) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond all floats
        return -math.inf if int(value) < 0 else math.inf


def numbers_of(record: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of a nested object, by the path of their keys; the texts for NaN and infinity are numbers."""
    for key, value in record.items():
        tag = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from numbers_of(value, f"{tag}/")
        elif value is None and "loss" in key.lower():
            yield tag, float("nan")
        elif isinstance(value, bool):
            continue
        elif isinstance(value, int | float) or (isinstance(value, str) and value.lower() in NON_FINITE):
            yield tag, _number(value)
