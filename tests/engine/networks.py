"""Random networks for property tests, and a second implementation of them to compare with.

`oracle` is written from the definitions in the design document with HIPS/autograd; it shares no code with
the engine's kernels or formulas. A gradient of a value on the way (say f[1]) is the gradient of the loss with
respect to a zero matrix that is added to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import autograd
import autograd.numpy as anp
import msgspec
import numpy as np
from autograd.extend import defvjp, primitive
from hypothesis import strategies as st

from engine.autodiff.graph import Array, Graph
from engine.experiment.spec import (
    AbsoluteErrorLoss,
    BceLoss,
    CrossEntropyLoss,
    HuberLoss,
    LayerSpec,
    Loss,
    SquaredErrorLoss,
)
from engine.formula.expression import Symbol
from engine.model.network import Network

SMALL_PRESETS = (
    "tutorial-a",
    "tutorial-a-wine",
    "tutorial-a-weighted",
    "tutorial-b",
    "tutorial-b-wine",
    "xor",
    "residual-fork",
    "batch-norm",
)
"""The presets that are small enough to read."""

HIDDEN_ACTIVATIONS = (
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
)
WITH_KINKS = ("relu", "leaky_relu", "elu", "selu", "step")
NORMS = (None, "batch", "layer")


@dataclass(frozen=True)
class Case:
    """A network and its samples."""

    network: Network
    X: Array
    Y: Array

    def graph(self, **options: Any) -> Graph:
        """The network's graph, after one forward and one backward pass."""
        graph = self.network.graph(self.X, self.Y, **options)
        graph.forward()
        graph.backward()
        return graph

    def in_float32(self) -> Case:
        return Case(self.network.astype("float32"), self.X.astype("float32"), self.Y.astype("float32"))

    def as_float64(self) -> Case:
        return Case(self.network.astype("float64"), self.X.astype("float64"), self.Y.astype("float64"))


@st.composite
def cases(
    draw: st.DrawFn,
    max_depth: int = 6,
    max_width: int = 6,
    max_n: int = 6,
    norms: tuple[str | None, ...] = NORMS,
    activations: tuple[str, ...] = HIDDEN_ACTIVATIONS,
    other_losses: tuple[str, ...] = ("huber", "absolute_error"),
    conventions: bool = True,
) -> Case:
    """Any small network with any loss and an output that fits it.

    The structure is drawn, and shrinks; the numbers come from one drawn seed.
    """
    widths = st.integers(1, max_width)
    features, n = draw(widths), draw(st.integers(1, max_n))
    depth = draw(st.integers(1, max_depth))
    kind = draw(st.sampled_from(("bce", "squared_error", "cross_entropy", *other_losses)))
    gain = draw(st.sampled_from((0.3, 1.0, 2.0)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    orientation = draw(st.sampled_from(("in_out", "out_in"))) if conventions else "in_out"
    layers: list[LayerSpec] = []
    parameters: dict[Symbol, Array] = {}
    fan_in = features
    for number in range(1, depth + 1):
        last = number == depth
        activation = draw(st.sampled_from(activations))
        if last:
            activation = {"bce": "sigmoid", "cross_entropy": "softmax"}.get(kind, activation)
        residual = (not last or kind in ("squared_error", *other_losses)) and draw(st.booleans())
        slope = None
        if activation == "leaky_relu":
            slope = draw(st.sampled_from((None, 0.0, 0.2, 1.0, 1.5)))
        layer = LayerSpec(
            units=fan_in if residual else draw(widths),
            activation=activation,
            slope=slope,
            residual=residual,
            norm=draw(st.sampled_from(norms)),
        )
        if conventions and layer.norm and draw(st.booleans()):
            layer = msgspec.structs.replace(layer, affine=True, norm_eps=draw(st.sampled_from((1e-5, 0.1))))
            if (n if layer.norm == "batch" else layer.units) > 1 and draw(st.booleans()):
                layer = msgspec.structs.replace(layer, norm_variance="unbiased")
            parameters[Symbol("scale", number)] = 1.0 + 0.3 * rng.standard_normal((layer.units, 1))
            parameters[Symbol("shift", number)] = 0.3 * rng.standard_normal((layer.units, 1))
        layers.append(layer)
        weights = gain * rng.standard_normal((fan_in, layer.units)) / math.sqrt(fan_in)
        parameters[Symbol("W", number)] = weights.T.copy() if orientation == "out_in" else weights
        if draw(st.booleans()):
            parameters[Symbol("b", number)] = 0.5 * rng.standard_normal((layer.units, 1))
        fan_in = layer.units
    X = rng.standard_normal((features, n))
    if draw(st.booleans()):
        X[0] = 1.0
    ways = draw(_ways(kind)) if conventions else {}
    loss, Y = _loss_and_labels(draw, kind, (fan_in, n), rng, ways)
    return Case(Network(layers, parameters, loss, weights=orientation), X, Y)


@st.composite
def _ways(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """How the loss is summed, and how strong the penalty on large weights is."""
    if draw(st.booleans()):
        return {}
    ways = {"samples": draw(st.sampled_from(("mean", "sum"))), "l2": draw(st.sampled_from((0.0, 0.1)))}
    if kind != "cross_entropy":
        ways["outputs"] = draw(st.sampled_from(("sum", "mean")))
    if kind == "squared_error":
        ways["half"] = draw(st.booleans())
    return ways


def _loss_and_labels(
    draw: st.DrawFn, kind: str, shape: tuple[int, int], rng: np.random.Generator, ways: dict[str, Any]
) -> tuple[Loss, Array]:
    soft = draw(st.booleans())
    outputs, n = shape
    if kind == "bce":
        weights = st.sampled_from((None, 1.0, 0.0, 0.3, 10.0))
        labels = rng.random(shape) if soft else rng.integers(0, 2, shape).astype(float)
        return BceLoss(alpha=draw(weights), beta=draw(weights), **ways), labels
    if kind == "cross_entropy":
        if soft:
            return CrossEntropyLoss(**ways), rng.dirichlet(np.ones(outputs), n).T.copy()
        return CrossEntropyLoss(**ways), np.eye(outputs)[:, rng.integers(0, outputs, n)].copy()
    if kind in ("huber", "absolute_error"):
        return (HuberLoss if kind == "huber" else AbsoluteErrorLoss)(**ways), rng.standard_normal(shape)
    return SquaredErrorLoss(**ways), rng.standard_normal(shape)


def is_well_conditioned(case: Case, margin: float, least_slope: float, least_spread: float) -> bool:
    """Whether rounding can make no more than a small difference.

    It can where a pre-activation is so near a kink that it falls to the other side (an exact 0 is harmless),
    where a norm divides the rounding errors of nearly equal numbers by their spread, and where g + a, Ŷ - Y, 1 - Ŷ
    or another slope comes from numbers so nearly equal that few digits are left. `least_spread` is relative.
    """
    values = _compute(case.as_float64(), {})[1]
    prediction = values["Y_hat"]
    distance = np.abs(prediction - case.Y)
    if distance.max() < least_slope * np.abs(prediction).max():
        return False
    if isinstance(case.network.loss, AbsoluteErrorLoss) and distance.min() < margin:  # its kink
        return False
    depth = len(case.network.layers)
    for number, layer in enumerate(case.network.layers, start=1):
        f = z = values[f"f[{number}]"]
        if layer.norm is not None:
            axis = 1 if layer.norm == "batch" else 0
            z = values[f"h[{number}]"]
            if f.shape[axis] > 1 and np.any(f.var(axis) < least_spread * (f * f).max(axis)):
                return False
        if layer.activation in WITH_KINKS and np.any((np.abs(z) < margin) & (z != 0.0)):
            return False
        if layer.residual:
            g, a = values[f"g[{number}]"], values["Y_hat" if number == depth else f"a[{number}]"]
            if np.any(np.abs(a).max(0) < least_spread * np.abs(g).max(0)):
                return False
        if layer.activation in ("sigmoid", "tanh") or (layer.activation == "softmax" and layer.units > 1):
            y = values[f"g[{number}]" if layer.residual else "Y_hat" if number == depth else f"a[{number}]"]
            if np.any(1 - np.abs(y) < least_slope):
                return False
        if layer.activation == "gelu" and np.any(1 + _erf(z / math.sqrt(2.0)) < least_slope):
            return False
    return True


def is_unsaturated(graph: Graph) -> bool:
    """Whether Ŷ is so far from 0 and 1 that ∂ℰ/∂Ŷ and ∂Ŷ/∂f can be multiplied without loss of digits."""
    prediction = graph.nodes[Symbol("Y_hat")].value
    return not graph.ops[-2].fused or bool(np.all((prediction > 1e-6) & (prediction < 1 - 1e-6)))


# ── the second implementation ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Oracle:
    """The loss, and every named matrix with its gradient (Ŷ's is in `prediction_gradient`), by its plain name."""

    loss: float
    values: dict[str, Array]
    gradients: dict[str, Array]


@primitive
def _erf(x: Array) -> Array:
    return np.vectorize(math.erf, otypes=[float])(x)


defvjp(_erf, lambda ans, x: lambda g: g * 2.0 / math.sqrt(math.pi) * anp.exp(-x * x))


def _below_zero(x: Any) -> Any:
    return anp.where(x > 0, 0.0, x)


def _activation(name: str, slope: float | None) -> Callable[[Any], Any]:
    # anp.where, not anp.maximum: autograd would share the gradient between two equal arguments.
    leak = 0.01 if slope is None else slope
    selu_scale, selu_alpha = 1.0507009873554805, 1.6732632423543772
    return {
        "linear": lambda x: x,
        "sigmoid": lambda x: 1.0 / (1.0 + anp.exp(-x)),
        "tanh": anp.tanh,
        "relu": lambda x: anp.where(x > 0, x, 0.0),
        "leaky_relu": lambda x: anp.where(x > 0, x, leak * x),
        "elu": lambda x: anp.where(x > 0, x, anp.expm1(_below_zero(x))),
        "selu": lambda x: selu_scale * anp.where(x > 0, x, selu_alpha * anp.expm1(_below_zero(x))),
        "gelu": lambda x: x * 0.5 * (1.0 + _erf(x / math.sqrt(2.0))),
        "silu": lambda x: x / (1.0 + anp.exp(-x)),
        "softplus": lambda x: anp.logaddexp(0.0, x),
        "step": lambda x: anp.where(x > 0, 1.0, 0.0) + 0.0 * x,  # autograd wants to see x
        "softmax": lambda x: anp.exp(x - x.max(0)) / anp.sum(anp.exp(x - x.max(0)), axis=0, keepdims=True),
    }[name]


def _loss_of_logits(loss: Loss, z: Any, prediction: Any, Y: Array) -> Any:
    """ℰ from the last pre-activation: the same number as from Ŷ, in the form that does not cancel."""
    n = _divisor(loss, Y)
    if isinstance(loss, BceLoss):
        alpha = 1.0 if loss.alpha is None else loss.alpha
        beta = 1.0 if loss.beta is None else loss.beta
        return anp.sum(alpha * Y * anp.logaddexp(0.0, -z) + beta * (1 - Y) * anp.logaddexp(0.0, z)) / n
    if isinstance(loss, CrossEntropyLoss):
        shifted = z - z.max(0)
        return -anp.sum(Y * (shifted - anp.log(anp.sum(anp.exp(shifted), axis=0, keepdims=True)))) / n
    return _loss_of_prediction(loss, prediction, Y)


def _loss_of_prediction(loss: Loss, prediction: Any, Y: Array) -> Any:
    n = _divisor(loss, Y)
    if isinstance(loss, BceLoss):
        alpha = 1.0 if loss.alpha is None else loss.alpha
        beta = 1.0 if loss.beta is None else loss.beta
        return -anp.sum(alpha * Y * anp.log(prediction) + beta * (1 - Y) * anp.log(1 - prediction)) / n
    if isinstance(loss, CrossEntropyLoss):
        return -anp.sum(Y * anp.log(prediction)) / n
    if isinstance(loss, HuberLoss):
        distance = anp.abs(prediction - Y)
        far = loss.delta * (distance - loss.delta / 2)
        return anp.sum(anp.where(distance <= loss.delta, distance**2 / 2, far)) / n
    if isinstance(loss, AbsoluteErrorLoss):
        return anp.sum(anp.abs(prediction - Y)) / n
    return anp.sum((0.5 if loss.half else 1.0) * (prediction - Y) ** 2) / n


def _divisor(loss: Loss, Y: Array) -> int:
    outputs, n = Y.shape
    return (n if loss.samples == "mean" else 1) * (outputs if loss.outputs == "mean" else 1)


def _compute(case: Case, shifts: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The loss and every named matrix, each moved by its entry in `shifts`."""
    values: dict[str, Any] = {}

    def named(name: str, value: Any) -> Any:
        values[name] = value + shifts[name] if name in shifts else value
        return values[name]

    parameters = case.network.parameters
    a = named("X", case.X)
    z = a
    depth = len(case.network.layers)
    for number, layer in enumerate(case.network.layers, start=1):
        weights = named(f"W[{number}]", parameters[Symbol("W", number)])
        f = anp.dot(weights if case.network.weights == "out_in" else weights.T, a)
        if Symbol("b", number) in parameters:
            f = f + named(f"b[{number}]", parameters[Symbol("b", number)])
        z = f = named(f"f[{number}]", f)
        if layer.norm is not None:
            axis = 1 if layer.norm == "batch" else 0
            average = anp.mean(f, axis=axis, keepdims=True)
            count = f.shape[axis] - (layer.norm_variance == "unbiased")
            variance = anp.sum((f - average) ** 2, axis=axis, keepdims=True) / count
            mean, std = (
                named(f"mean[{number}]", average),
                named(f"std[{number}]", anp.sqrt(variance + layer.norm_eps)),
            )
            z = named(f"h[{number}]", (f - mean) / std)
        if layer.affine:
            scale, shift = (
                named(f"{name}[{number}]", parameters[Symbol(name, number)]) for name in ("scale", "shift")
            )
            z = named(f"u[{number}]", scale * z + shift)
        output = "Y_hat" if number == depth else f"a[{number}]"
        activated = _activation(layer.activation, layer.slope)(z)
        if layer.residual:
            activated = named(f"g[{number}]", activated) + a
        a = named(output, activated)
    loss = case.network.loss
    fit = _loss_of_logits(loss, z, a, case.Y)
    if not loss.l2:
        return fit, values
    squares = sum(anp.sum(values[f"W[{number}]"] ** 2) for number in range(1, depth + 1))
    parts = (
        named(name, anp.reshape(part, (1, 1)))
        for name, part in (("fit", fit), ("penalty", loss.l2 / 2 * squares))
    )
    return anp.sum(sum(parts)), values


def oracle(case: Case) -> Oracle:
    """Loss, values and gradients of a case in float64."""
    case = case.as_float64()
    loss, values = _compute(case, {})
    shifts = {name: np.zeros_like(value) for name, value in values.items() if name != "Y_hat"}
    gradients = autograd.grad(lambda moved: _compute(case, moved)[0])(shifts)
    return Oracle(float(loss), values, gradients)


def prediction_gradient(case: Case, prediction: Array) -> Array:
    """∂ℰ/∂Ŷ by the loss's definition, at any Ŷ: the stable form in `oracle` looks past Ŷ at the logits."""
    case = case.as_float64()
    gradient: Array = autograd.grad(lambda moved: _loss_of_prediction(case.network.loss, moved, case.Y))(
        prediction.astype("float64")
    )
    return gradient


# ── comparing ───────────────────────────────────────────────────────────────────────────────────────


def difference(found: Array, expected: Array, relative: float, smallest: float = 0.0) -> str | None:
    """What is wrong where `found` is further from `expected` than relative·max|expected| + smallest."""
    assert found.shape == expected.shape
    allowed = relative * float(np.abs(expected).max(initial=0.0)) + smallest
    worst = float(np.abs(np.asarray(found, np.float64) - expected).max(initial=0.0))
    if worst <= allowed:  # and so never with NaN
        return None
    return f"off by {worst:.3g}, {allowed:.3g} allowed:\n{found}\n{expected}"
