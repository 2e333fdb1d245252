"""What a wide random network's gradients do with depth, predicted from the activation and the initialisation.

    q[l+1] = σ_w² E[φ(√q[l] z)²] + σ_b²        the variance of f from layer to layer, z standard normal
    χ[l]   = σ_w² E[φ'(√q[l] z)²]              ‖δ[l]‖² / ‖δ[l+1]‖², with δ = ∂ℰ/∂f

After a few layers q settles at a fixed point q*, and from there on the gradient's L2 norm changes by
½ log10 χ₁ decades a layer towards the input, χ₁ being χ at q* (Schoenholz et al. 2017, "Deep Information
Propagation"). χ₁ < 1 vanishes, χ₁ > 1 explodes, and He's σ_w² = 2 gives ReLU exactly χ₁ = 1.

That slope is δ's. A weight gradient is δ[l] times a[l-1], so it has the same slope only where the activations
have settled at a length above zero. Where they shrink with depth (q* = 0: ReLU with σ_w² = 1, tanh with
σ_w² = ½) the two slopes differ: a[l-1] grows towards the input by as much as δ shrinks. `MeanFieldProfile`
therefore gives both, layer by layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from engine.autodiff.ops.activation_functions import activation_function
from engine.autodiff.ops.elementwise import ScalarFunction
from engine.experiment.expanded_layers import expanded_layers
from engine.experiment.spec import Experiment, Init, LayerSpec
from engine.model.initializers import STANDARD_DEVIATIONS

Vector = npt.NDArray[np.float64]

NARROWEST = 16
"""Below this width a single network strays too far from the average: for ReLU by about 1.25/width natural
units a layer, which at width 16 is 1.7 decades over 50 layers."""

FEWEST_HIDDEN = 3
"""Two slopes between hidden layers are the least that can agree with a line or not."""

MOST_CHANCE = 0.15
"""A profile that moves by more decades when the first layer's variance moves by `_chance` is not predicted: it hangs
on chance. GELU with He's variance has an unstable length that finite networks leave either way: it moves by 0.62
(30 layers of 64) and 0.28 (21 of 256), and single networks stray up to 2.9 and 1.2 decades. SiLU with He's moves by
0.18 at width 64 (strays by 0.8) and 0.09 at 256 (0.3). What always held moves by 0.11 at most, at width 16; ReLU by 0.
Measured with 6 networks each. The distance of q from q* does not tell: SELU and ELU are far and hold."""

_TAIL = 13.0  # the normal density beyond 13 is below 1e-37
_SMALLEST_PANEL = 2.0**-24
_NODES_PER_PANEL = 16
_WALK = 1.25  # the ratio of neighbouring lengths when looking for the fixed point
_VANISHED, _UNBOUNDED = 1e-18, 1e18
_ROUNDING = 1e-13  # relative: closer than this, two lengths are equal


@dataclass(frozen=True, slots=True)
class MeanField:
    """The mean-field limit of many wide layers: q*, χ₁ and the gradient's slope.

    `q_star` is the fixed point of f's variance that iteration from the start reaches; None where f grows
    without bound and χ is the same at every length (`linear`, `relu`, `leaky_relu`), so that none is needed.
    """

    weight_variance: float
    bias_variance: float
    q_star: float | None
    chi: float

    @property
    def slope(self) -> float:
        """The predicted decades that ‖∂ℰ/∂f‖ changes a layer towards the input: ½ log10 χ₁."""
        return _half_log10(self.chi)


@dataclass(frozen=True, slots=True)
class Unpredicted:
    """The reason why there is no prediction, as a clause that can follow "no prediction: "."""

    reason: str


@dataclass(frozen=True, slots=True)
class MeanFieldProfile:
    """The mean-field recursion of one network, without the limit: every hidden layer, layer 1 first.

    `q[l-1]` is the variance of f[l]'s entries; `delta` is log10 ‖∂ℰ/∂f[l]‖ and `weights` log10 ‖∂ℰ/∂W[l]‖, both
    minus their value at the last hidden layer. `weights` is of one sample; the samples of a batch add up
    to the same slope where the layers below have made them alike, which sigmoid does within a few.
    """

    limit: MeanField
    q: tuple[float, ...]
    delta: tuple[float, ...]
    weights: tuple[float, ...]

    @property
    def weights_slope(self) -> float:
        """The predicted decades that the weights' gradient changes a layer towards the input, by least squares."""
        between = np.array(self.weights[1:])  # W[1] has another fan-in and another input than the rest
        return -float(np.polyfit(np.arange(between.size), between, 1)[0])


# ── the two expectations ────────────────────────────────────────────────────────────────────────────


@cache
def _normal_quadrature() -> tuple[Vector, Vector]:
    """Points z and weights with Σ weight·g(z) = E[g(z)] for standard normal z, both (points,).

    Gauss-Legendre on panels that shrink towards 0 from both sides: no panel straddles an activation's kink
    at 0, where Gauss-Hermite converges slowly, and a sigmoid that is steep because q is large is resolved too.
    """
    x, w = np.polynomial.legendre.leggauss(_NODES_PER_PANEL)
    doublings = int(math.log2(_TAIL / _SMALLEST_PANEL))
    inner = _SMALLEST_PANEL * 2.0 ** np.arange(doublings - 1)
    outer = np.linspace(inner[-1], _TAIL, 8)  # doubling panels would become too wide for the bell curve
    edges = np.concatenate([[0.0], inner[:-1], outer])
    half_width, middle = np.diff(edges) / 2, (edges[:-1] + edges[1:]) / 2
    right = (middle[:, np.newaxis] + half_width[:, np.newaxis] * x).ravel()
    density = np.exp(-0.5 * right**2) / math.sqrt(2.0 * math.pi)
    weights = (half_width[:, np.newaxis] * w).ravel() * density
    return np.concatenate([-right, right]), np.concatenate([weights, weights])


def mean_square(function: ScalarFunction, q: float) -> float:
    """The mean square of an activation, E[φ(√q z)²] for standard normal z."""
    points, weights = _normal_quadrature()
    value = np.empty_like(points)
    with np.errstate(all="ignore"):  # saturation overflows on its way to 0 or 1
        function.value(math.sqrt(q) * points, value)
    return float(weights @ (value * value))


def mean_square_derivative(function: ScalarFunction, q: float) -> float:
    """The mean square of an activation's slope, E[φ'(√q z)²] for standard normal z."""
    points, weights = _normal_quadrature()
    x = math.sqrt(q) * points
    value, derivative = np.empty_like(x), np.empty_like(x)
    with np.errstate(all="ignore"):
        function.value(x, value)
        function.derivative(x, value, derivative)
    return float(weights @ (derivative * derivative))


# ── the limit ───────────────────────────────────────────────────────────────────────────────────────


def mean_field(
    activation: str,
    weight_variance: float,
    bias_variance: float = 0.0,
    *,
    slope: float | None = None,
    start: float = 1.0,
) -> MeanField | Unpredicted:
    """The mean-field limit for an activation, σ_w² and σ_b².

    `slope` is leaky ReLU's; `start` is the variance of f[1], which decides where there are two fixed points.
    """
    function = activation_function(activation, slope)
    if weight_variance == 0:
        return Unpredicted("every weight starts at zero, so no gradient passes")
    if function.traits.homogeneous and bias_variance == 0:
        return _homogeneous(function, weight_variance, start)
    q_star = _fixed_point(function, weight_variance, bias_variance, start)
    if q_star is None:
        return Unpredicted("f grows without bound from layer to layer, so its variance has no fixed point")
    chi = weight_variance * mean_square_derivative(function, q_star)
    if chi == 0:
        return Unpredicted(f"the derivative of {activation} is 0, so no gradient passes at all")
    return MeanField(weight_variance, bias_variance, q_star, chi)


def _homogeneous(function: ScalarFunction, weight_variance: float, start: float) -> MeanField:
    """φ(cx) = cφ(x) for c > 0: q is multiplied by χ at every layer, and χ is the same at every q."""
    chi = weight_variance * mean_square_derivative(function, 1.0)
    grows = chi > 1 + _ROUNDING
    keeps = abs(chi - 1) <= _ROUNDING
    q_star = None if grows else start if keeps else 0.0
    return MeanField(weight_variance, 0.0, q_star, chi)


def _fixed_point(
    function: ScalarFunction, weight_variance: float, bias_variance: float, start: float
) -> float | None:
    """Where q ← V(q) = σ_w² E[φ(√q z)²] + σ_b² settles, from `start`; None when it grows without bound.

    V increases with q for every activation here, so the iteration moves one way and stops at the first
    crossing of V(q) = q. Walking to that crossing and bisecting finds the same point, also where the
    iteration itself would take millions of steps (tanh with σ_w² = 1).
    """

    def excess(q: float) -> float:
        return weight_variance * mean_square(function, q) + bias_variance - q

    direction = math.copysign(1.0, excess(start))
    near = far = start
    while _VANISHED < far < _UNBOUNDED:
        near, far = far, far * _WALK**direction
        if direction * excess(far) < -_ROUNDING * far:
            return _bisected(lambda q: direction * excess(q), near, far)
    return None if direction > 0 else 0.0


def _bisected(ahead: Callable[[float], float], near: float, far: float) -> float:
    """The length at which `ahead`, positive at `near` and negative at `far`, is zero."""
    while abs(far - near) > _ROUNDING * near:
        middle = (near + far) / 2
        near, far = (middle, far) if ahead(middle) > 0 else (near, middle)
    return near


def _half_log10(x: float) -> float:
    return 0.5 * math.log10(x) if x > 0 else -math.inf


# ── an experiment's network ─────────────────────────────────────────────────────────────────────────


def predict(
    experiment: Experiment, features: int, input_mean_square: float = 1.0
) -> MeanFieldProfile | Unpredicted:
    """The mean-field prediction of an experiment's gradients before its first step.

    `features` is the number of rows of X and `input_mean_square` the mean of X's squared entries (1 where X is
    standardised). Holds for hidden layers of one width and one activation, drawn at random, without norm or
    residual; for anything else the answer says which condition fails.
    """
    hidden = expanded_layers(experiment)[:-1]
    refusal = _refusal(hidden, input_mean_square)
    if refusal is not None:
        return Unpredicted(refusal)
    width, activation = hidden[0].units, hidden[0].activation
    init = experiment.network.init
    function = activation_function(activation, hidden[0].slope)
    weight_variance = scaled_variance(init, width, width)
    drawn = experiment.network.bias and init.draws_biases
    bias_variance, first_bias_variance = (1.0 / (3.0 * size) if drawn else 0.0 for size in (width, features))
    q_first = scaled_variance(init, features, width) * input_mean_square + first_bias_variance
    limit = mean_field(
        activation, weight_variance, bias_variance, slope=hidden[0].slope, start=q_first or 1.0
    )
    if isinstance(limit, Unpredicted):
        return limit
    profile = _profile(function, limit, q_first, features * input_mean_square, width, len(hidden))
    if _decades_of_chance(function, profile, width) > MOST_CHANCE:
        return Unpredicted(f"with {activation} at this σ_w², chance in {width} units decides what f becomes")
    return profile


def scaled_variance(init: Init, fan_in: int, fan_out: int) -> float:
    """The scaled weight variance σ_w²: fan_in times the variance of one weight, drawn as `init` says."""
    match init.scheme:
        case "zeros":
            return 0.0
        case "pytorch":
            return init.gain**2 / 3.0  # U(-g/√fan_in, g/√fan_in)
        case "uniform":
            return fan_in * init.gain**2 / 3.0  # U(-g, g) has variance g²/3
        case "orthogonal":
            # Orthonormal along the shorter side: the squares of all entries sum to gain² min(fan_in, fan_out).
            return init.gain**2 * min(fan_in, fan_out) / fan_out
    if init.std is not None:
        return fan_in * init.std**2
    return fan_in * (init.gain * STANDARD_DEVIATIONS[init.scheme](fan_in, fan_out)) ** 2


def _refusal(hidden: list[LayerSpec], input_mean_square: float) -> str | None:
    """The first condition of the prediction that these layers do not meet."""
    if len(hidden) < FEWEST_HIDDEN:
        return f"it speaks of depth, and there are fewer than {FEWEST_HIDDEN} hidden layers"
    for number, layer in enumerate(hidden, start=1):
        if layer.norm is not None:
            return f"layer {number} is normalised"
        if layer.residual:
            return f"layer {number} has a residual connection"
        if layer.W is not None:
            return f"layer {number}'s weights are given, not drawn"
        if layer.b is not None and any(layer.b):
            return f"layer {number}'s biases are given, not zero"
        if layer.units != hidden[0].units:
            return f"the hidden layers differ in width ({hidden[0].units} and {layer.units})"
        if (layer.activation, layer.slope) != (hidden[0].activation, hidden[0].slope):
            return f"layers 1 and {number} differ in their activation"
    if hidden[0].units < NARROWEST:
        return f"it speaks of wide layers, and {hidden[0].units} units are fewer than {NARROWEST}"
    if not input_mean_square > 0:
        return "every input is zero"
    return None


def _profile(
    function: ScalarFunction, limit: MeanField, q_first: float, input_square: float, width: int, depth: int
) -> MeanFieldProfile:
    """Iterates q forwards from layer 1, then χ backwards from the last hidden layer.

    `input_square` is ‖x‖² of a typical sample, which stands where ‖a[l-1]‖² does in the other layers.
    """
    q, below = [q_first], [input_square]
    for _ in range(depth - 1):
        square = mean_square(function, q[-1])
        below.append(width * square)
        q.append(limit.weight_variance * square + limit.bias_variance)
    delta = _backwards(function, limit.weight_variance, q)
    lengths = [_half_log10(square) for square in below]
    weights = [one + length - lengths[-1] for one, length in zip(delta, lengths, strict=True)]
    return MeanFieldProfile(limit, tuple(q), tuple(delta), tuple(weights))


def _backwards(function: ScalarFunction, weight_variance: float, q: list[float]) -> list[float]:
    """log10 of ‖δ[l]‖ over that of the last hidden layer, for each of the variances `q`."""
    delta = [0.0]
    for variance in reversed(q[:-1]):
        delta.append(delta[-1] + _half_log10(weight_variance * mean_square_derivative(function, variance)))
    return delta[::-1]


def _chance(width: int) -> float:
    """By how much, in natural logarithm, q of one network of this width strays from the mean in one layer.

    √(5/width) is its standard deviation for ReLU: E[φ⁴]/E[φ²]² - 1 = 5 (Hanin 2018, "Which Neural Net Architectures
    Give Rise to Exploding and Vanishing Gradients?").
    """
    return math.sqrt(5.0 / width)


def _decades_of_chance(function: ScalarFunction, profile: MeanFieldProfile, width: int) -> float:
    """By how many decades the profile of δ moves at most when q[1] strays either way."""
    variance, moved = profile.limit.weight_variance, 0.0
    for direction in (-1.0, 1.0):
        q = [profile.q[0] * math.exp(direction * _chance(width))]
        for _ in profile.q[1:]:
            q.append(variance * mean_square(function, q[-1]) + profile.limit.bias_variance)
        other = _backwards(function, variance, q)
        moved = max(moved, *(abs(a - b) for a, b in zip(other, profile.delta, strict=True)))
    return moved
