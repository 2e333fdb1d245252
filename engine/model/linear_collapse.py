"""A network whose hidden layers are linear is one matrix (tutorial D3).

    f[L] = W[L]ᵀ … W[2]ᵀ W[1]ᵀ X  =  (W[1] W[2] … W[L])ᵀ X

A leaky ReLU of slope 1 is linear. Depth then adds nothing that a single layer cannot do, whatever the widths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.autodiff.graph import Array
from engine.experiment.activation_traits import ACTIVATION_TRAITS
from engine.experiment.spec import LayerSpec
from engine.formula.expression import Symbol
from engine.model.network import Network


class NotLinearError(ValueError):
    """A hidden layer that no matrix can stand for; the message is one clear line."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearCollapse:
    """One layer in place of a linear network: f[L] = Wᵀ X + b, with W (features, outputs) and b (outputs, 1).

    The output's activation, where it has one, is applied to f[L] as before.
    """

    W: npt.NDArray[np.float64]
    b: npt.NDArray[np.float64]

    def pre_activation(self, X: Array) -> npt.NDArray[np.float64]:
        """The last layer's weighted sums f[L] (outputs, n) for the samples X (features, n)."""
        result: npt.NDArray[np.float64] = self.W.T @ X + self.b
        return result


def collapsed(network: Network) -> LinearCollapse:
    """The single layer that gives the same f[L] as the whole network.

    Biases are carried through; a shortcut adds the unit matrix to its layer's. Raises NotLinearError, naming the
    first layer that is in the way: an activation other than linear (or leaky_relu with slope 1), or a norm.
    """
    last = len(network.layers)
    W = np.eye(network.features)
    b = np.zeros((len(W), 1))
    for number, layer in enumerate(network.layers, start=1):
        _check(number, layer, is_output=number == last)
        weights = network.in_out(number).astype(np.float64)
        before_W, before_b = W, b
        W, b = W @ weights, weights.T @ b
        if Symbol("b", number) in network.parameters:
            b = b + network.parameters[Symbol("b", number)]
        if layer.residual:
            W, b = W + before_W, b + before_b
    return LinearCollapse(W, b)


def _check(number: int, layer: LayerSpec, is_output: bool) -> None:
    traits = ACTIVATION_TRAITS[layer.activation]
    linear = layer.activation == "linear" or (traits.default_slope is not None and layer.slope == 1.0)
    if layer.norm is not None:
        raise NotLinearError(f"layer {number} has a {layer.norm} norm, which no matrix can stand for")
    if not linear and (layer.residual or not is_output):
        slope = traits.default_slope if layer.slope is None else layer.slope
        found = layer.activation if slope is None else f"{layer.activation} with slope {slope:g}"
        raise NotLinearError(
            f"layer {number} is {found}, which is not linear; expected linear, or leaky_relu with slope 1"
        )
