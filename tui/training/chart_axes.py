"""The ends and ticks of a chart's axes: decades, even steps, whole steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tui.training.drawn_chart import Floats

Ticks = tuple[tuple[float, ...], tuple[str, ...]]
"""Where, and what is written there."""

SMALLEST_SPAN, LARGEST_VALUE = 1e-300, 1e300
"""On an axis that is not logarithmic: what is shorter is drawn as if it were one long, what is larger as this."""

HUGE = 1e30
"""No gradient of a network that trains is larger."""


def log10(values: Floats) -> Floats:
    """The base-10 logarithms of the positive finite values, NaN for the others."""
    safe = np.where(np.isfinite(values) & (values > 0.0), values, np.nan)
    return np.asarray(np.log10(safe))


def clipped(values: Floats) -> Floats:
    """Values clipped to what an axis of finite length can draw; NaN for what is not finite."""
    return np.where(np.isfinite(values), np.clip(values, -LARGEST_VALUE, LARGEST_VALUE), np.nan)


def decades(values: Sequence[Floats]) -> tuple[float, float] | None:
    """The ends of a logarithmic axis: whole powers of ten around all finite logarithms; None without any."""
    finite = np.concatenate([one[np.isfinite(one)] for one in values]) if values else np.empty(0)
    if not len(finite):
        return None
    low, high = math.floor(float(finite.min()) - 0.05), math.ceil(float(finite.max()) + 0.05)
    return float(low), float(max(high, low + 1))


def span(values: Sequence[Floats]) -> tuple[float, float] | None:
    """The ends of a linear axis: from 0 or the smallest finite value to the largest or 0; None without any."""
    finite = np.concatenate([one[np.isfinite(one)] for one in values]) if values else np.empty(0)
    if not len(finite):
        return None
    low, high = min(float(finite.min()), 0.0), max(float(finite.max()), 0.0)
    return low, high if high - low > SMALLEST_SPAN else low + 1.0


def decade_ticks(low: float, high: float, height: int) -> Ticks:
    """The ticks of a logarithmic axis between two exponents of 10, so many as `height` rows have room for."""
    step = max(1, math.ceil((high - low) / max(height // 3, 1)))
    exponents = list(range(int(low), int(high) + 1, step))
    return tuple(float(one - low) for one in exponents), tuple(f"1e{one}" for one in exponents)


def even_ticks(low: float, high: float, height: int) -> Ticks:
    """The ticks of a linear axis: round numbers, 0 among them where it lies between."""
    count = max(min(height // 3, 6), 2)
    step = _round_step((high - low) / count)
    values = [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return tuple(value - low for value in values), tuple(f"{value:.3g}" for value in values)


def whole_ticks(first: float, last: float, width: int) -> Ticks:
    """The ticks of an axis of whole numbers, no closer than their labels are wide."""
    low, high = math.ceil(first), math.floor(last)
    room = max(width // 12, 2)
    step = max(1, _round_up((high - low) / room))
    ticks = list(range(step * math.ceil(low / step), high + 1, step)) or [low]
    if low not in ticks and ticks[0] - low > step / 2:
        ticks.insert(0, low)
    return tuple(float(one) for one in ticks), tuple(_short(one) for one in ticks)


def _round_up(value: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50, …"""
    if value <= 1:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return int(next(power * factor for factor in (1, 2, 5, 10) if power * factor >= value))


def _round_step(value: float) -> float:
    """The next of …, 0.1, 0.2, 0.5, 1, 2, 5, …"""
    power: float = 10.0 ** math.floor(math.log10(value))
    return next((power * factor for factor in (1, 2, 5) if power * factor >= value), power * 10)


def _short(number: int) -> str:
    if abs(number) >= 1_000_000:
        return f"{number / 1_000_000:g}M"
    return f"{number / 1000:g}k" if abs(number) >= 10_000 else str(number)
