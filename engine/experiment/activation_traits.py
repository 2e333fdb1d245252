"""What is known of each activation function without computing anything: its names, its values, its habits.

    name         label         values     saturated      homogeneous   can die
    sigmoid      sigmoid       (0, 1)     outside ±5.99  no            no
    relu         ReLU          [0, ∞)     never          yes           yes

`engine.autodiff.ops.activation_functions` has kernels that compute them in place. To add one, enter its name in
`Activation` and its `ActivationTraits` with `formula` and `slope`: that is enough, and what is computed is made of
the formulas. Where that is too slow, write its `ActivationFunction` there as well. `register_activation` adds one that
is not built in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from engine.formula.expression import Expr

Activation: TypeAlias = Literal[
    "linear",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "softplus",
    "step",
    "softmax",
]
"""Every activation of the experiment file."""

SATURATED = 0.01
"""A sigmoid or tanh is called saturated where its derivative is below this share of its largest value."""

DEFAULT_SLOPE = 0.01
"""Leaky ReLU's slope for negative inputs (Maas et al. 2013)."""


SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772
"""Klambauer et al. 2017, equation 14."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The numbers from `low` to `high`; an end belongs to it where it is `closed` there."""

    low: float
    high: float
    closed: tuple[bool, bool] = (False, False)

    def __contains__(self, number: float) -> bool:
        above = number > self.low or (self.closed[0] and number == self.low)
        return above and (number < self.high or (self.closed[1] and number == self.high))

    def covers(self, other: Interval) -> bool:
        """Whether every number of `other` belongs to this one."""
        low = other.low > self.low or (other.low == self.low and self.closed[0] >= other.closed[0])
        high = other.high < self.high or (other.high == self.high and self.closed[1] >= other.closed[1])
        return low and high

    def __str__(self) -> str:
        left, right = "[" if self.closed[0] else "(", "]" if self.closed[1] else ")"
        low = "-∞" if math.isinf(self.low) else f"{self.low:g}"
        return f"{left}{low}, {'∞' if math.isinf(self.high) else f'{self.high:g}'}{right}"


REALS = Interval(-math.inf, math.inf)
OPEN_UNIT = Interval(0.0, 1.0)
CLOSED_UNIT = Interval(0.0, 1.0, (True, True))
FROM_ZERO = Interval(0.0, math.inf, (True, False))


@dataclass(frozen=True)
class ActivationTraits:
    """The traits of an activation function besides its kernels: label, bounds, saturation, whether it can die.

    `label` is its name in a sentence, and `slope_words` says what a derivative of it means, given its value. `values`
    are those that it can give; it is `unsaturated` between two of them (None: it is never called saturated). With
    `homogeneous`, φ(cx) = cφ(x) for every c > 0. A unit that `can_die` may give 0 for every sample, and then has no
    gradient to come back by. `largest_slope` is that of a smooth activation that becomes flat somewhere.
    `default_slope` is that of an activation that has a slope to choose. `by_column` says that it takes a sample's
    units together, as softmax does, whose outputs sum to 1.

    One without kernels of its own says here what it computes: its `formula`, that of its derivative, `slope`, and the
    `kinks` where the derivative jumps.
    """

    name: str
    label: str = ""
    slope_words: Callable[[float], str] | None = None
    values: Interval = REALS
    unsaturated: tuple[float, float] | None = None
    homogeneous: bool = False
    can_die: bool = False
    largest_slope: float | None = None
    default_slope: float | None = None
    by_column: bool = False
    formula: Callable[[Expr], Expr] | None = None
    slope: Callable[[Expr], Expr] | None = None
    kinks: tuple[float, ...] = ()

    @property
    def words(self) -> str:
        """The activation's label, or its name where it has none."""
        return self.label or self.name

    def in_words(self, slope: float) -> str:
        """An activation's derivative of this value, in a few words."""
        return self.slope_words(slope) if self.slope_words else f"slope of {self.words}"


def _always(words: str) -> Callable[[float], str]:
    return lambda slope: words


_ROOT = math.sqrt(1.0 - SATURATED)  # 4σ(1-σ) = SATURATED and 1 - tanh² = SATURATED at the ends

ACTIVATION_TRAITS: dict[str, ActivationTraits] = {
    traits.name: traits
    for traits in (
        ActivationTraits("linear", slope_words=_always("linear: passes as it is"), homogeneous=True),
        ActivationTraits(
            "sigmoid",
            slope_words=_always("slope of the sigmoid"),
            values=OPEN_UNIT,
            unsaturated=((1.0 - _ROOT) / 2.0, (1.0 + _ROOT) / 2.0),
            largest_slope=0.25,
        ),
        ActivationTraits("tanh", values=Interval(-1.0, 1.0), unsaturated=(-_ROOT, _ROOT), largest_slope=1.0),
        ActivationTraits(
            "relu",
            "ReLU",
            slope_words=lambda slope: "the ReLU is on" if slope else "the ReLU is off",
            values=FROM_ZERO,
            homogeneous=True,
            can_die=True,
        ),
        ActivationTraits(
            "leaky_relu",
            "leaky ReLU",
            slope_words=lambda slope: "the leaky ReLU is on" if slope == 1.0 else "the leaky ReLU leaks",
            homogeneous=True,
            default_slope=DEFAULT_SLOPE,
        ),
        ActivationTraits("elu", "ELU", values=Interval(-1.0, math.inf), largest_slope=1.0),
        ActivationTraits(
            "selu",
            "SELU",
            values=Interval(-SELU_SCALE * SELU_ALPHA, math.inf),
            largest_slope=SELU_SCALE * SELU_ALPHA,
        ),
        # The least values, at the zeros of the derivatives, rounded down; the largest slopes, rounded up.
        ActivationTraits("gelu", "GELU", values=Interval(-0.17, math.inf), largest_slope=1.129),
        ActivationTraits("silu", "SiLU", values=Interval(-0.2785, math.inf), largest_slope=1.0999),
        ActivationTraits("softplus", values=Interval(0.0, math.inf), largest_slope=1.0),
        ActivationTraits(
            "step", slope_words=_always("the step function is flat"), values=CLOSED_UNIT, can_die=True
        ),
        ActivationTraits("softmax", values=OPEN_UNIT, by_column=True),
    )
}
"""Every activation by its name in the experiment file."""
