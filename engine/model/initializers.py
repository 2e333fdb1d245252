"""How weights begin: a random W (fan_in, fan_out) for each named scheme.

he      std √(2/fan_in)             keeps the variance through ReLU      (He et al. 2015)
xavier  std √(2/(fan_in+fan_out))   keeps it forwards and backwards      (Glorot & Bengio 2010)
lecun   std √(1/fan_in)             keeps it through a linear layer      (LeCun et al. 1998)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

STANDARD_DEVIATIONS: dict[str, Callable[[int, int], float]] = {
    "he": lambda fan_in, fan_out: math.sqrt(2.0 / fan_in),
    "xavier": lambda fan_in, fan_out: math.sqrt(2.0 / (fan_in + fan_out)),
    "lecun": lambda fan_in, fan_out: math.sqrt(1.0 / fan_in),
    "normal": lambda fan_in, fan_out: 1.0,
}
"""The standard deviation of each scheme that draws from a normal distribution."""


@np.errstate(over="ignore")  # a gain may be so large that weights are infinite: the first step says so
def initial_weights(
    scheme: str,
    fan_in: int,
    fan_out: int,
    generator: np.random.Generator,
    *,
    gain: float = 1.0,
    std: float | None = None,
) -> npt.NDArray[np.float64]:
    """The initial weights of a layer, W (fan_in, fan_out), drawn as the experiment's scheme says, float64.

    `gain` multiplies the standard deviation and `std` replaces it; uniform draws from U(-gain, gain);
    pytorch from U(±gain/√fan_in), the default of torch.nn.Linear;
    orthogonal has orthonormal rows or columns, times gain (Saxe et al. 2014). Raises KeyError for an unknown scheme.
    """
    if scheme == "zeros":
        return np.zeros((fan_in, fan_out))
    if scheme == "pytorch":
        bound = gain / math.sqrt(fan_in)
        return generator.uniform(-bound, bound, (fan_in, fan_out))
    if scheme == "uniform":
        if math.isinf(gain - -gain):  # NumPy refuses an interval whose length is no number
            return gain * generator.uniform(-1.0, 1.0, (fan_in, fan_out))
        return generator.uniform(-gain, gain, (fan_in, fan_out))
    if scheme == "orthogonal":
        return gain * _orthogonal(fan_in, fan_out, generator)
    deviation = gain * STANDARD_DEVIATIONS[scheme](fan_in, fan_out) if std is None else std
    return deviation * generator.standard_normal((fan_in, fan_out))


def initial_bias(fan_in: int, fan_out: int, generator: np.random.Generator) -> npt.NDArray[np.float64]:
    """The initial biases of a layer, b (fan_out,), from U(±1/√fan_in), as PyTorch draws them."""
    bound = 1.0 / math.sqrt(fan_in)
    return generator.uniform(-bound, bound, fan_out)


def _orthogonal(fan_in: int, fan_out: int, generator: np.random.Generator) -> npt.NDArray[Any]:
    tall = generator.standard_normal((max(fan_in, fan_out), min(fan_in, fan_out)))
    q, r = np.linalg.qr(tall)
    q *= np.sign(np.diag(r))  # makes the draw uniform over orthogonal matrices (Mezzadri 2007)
    return q if fan_in >= fan_out else q.T
