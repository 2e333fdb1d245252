"""The losses that measure how far the prediction is from the label, output by output, with r = Ŷ - Y.

    squared error    ½ r²  (or r²)                                 slope  r  (or 2r)
    absolute error   |r|                                           slope  the sign of r, 0 where r is 0
    Huber            ½ r² where |r| ≤ δ, beyond it δ(|r| - ½δ)     slope  r, cut off at ±δ     (Huber 1964)

Each is summed or averaged as the experiment says: (1/n) Σ over the samples and a sum over the outputs by default.
"""

from __future__ import annotations

import numpy as np
from typing_extensions import override

from engine.autodiff.graph import Array, Node
from engine.autodiff.ops.loss import Loss
from engine.experiment.loss_specs import HuberLoss, SquaredErrorLoss
from engine.formula.expression import Entry, Expr, Indicator, Number, call


class Distance(Loss):
    """The base of losses of a distance r = Ŷ - Y: kernels that begin with r, and no logits."""

    @override
    def _from_prediction(self) -> None:
        self.forward()

    @override
    def backward(self) -> None:
        if self.needs_grad[0]:
            self.prediction_gradient(self.inputs[0].grad)

    def _residual(self, out: Array) -> Array:
        prediction, label = self.inputs
        np.subtract(prediction.value, label.value, out=out)
        return out

    def _plain_residual(self) -> Array:
        prediction, label = self.inputs
        return np.asarray(prediction.value - label.value)

    def _residual_formula(self, entry: Entry) -> Expr:
        prediction, label = self.inputs
        return prediction.entry(entry) - label.entry(entry)


class SquaredError(Distance):
    """The squared error: half the squared distance, or the squared distance itself."""

    def __init__(
        self, prediction: Node, label: Node, output: Node, spec: SquaredErrorLoss, logits: Node | None = None
    ) -> None:
        super().__init__(prediction, label, output, spec, logits)
        self._weight = 0.5 if spec.half else 1.0

    @override
    def forward(self) -> None:
        """Σ ½r², divided."""
        residual = self._residual(self._scratch)
        np.multiply(residual, residual, out=residual)
        self.output.value[0, 0] = self._weight * residual.sum() / self.divisor

    @override
    def prediction_gradient(self, out: Array) -> None:
        """Writes ∂ℰ/∂Ŷ: r, or 2r, divided as the loss is."""
        np.divide(self._residual(out), self.divisor * (0.5 / self._weight), out=out)

    @override
    def term_of(self, prediction: Expr, label: Expr) -> Expr:
        square = (prediction - label) ** 2
        return square / 2 if self._weight == 0.5 else square

    @override
    def by_prediction(self, entry: Entry) -> Expr:
        residual = self._residual_formula(entry)
        return self.scaled(residual if self._weight == 0.5 else 2 * residual)

    @override
    def reference(self) -> float:
        return self._weight * float(np.square(self._plain_residual()).sum()) / self.divisor

    @override
    def reference_gradient(self) -> Array:
        return np.asarray(2.0 * self._weight * self._plain_residual() / self.divisor)


class AbsoluteError(Distance):
    """The absolute error |Ŷ - Y|. It has a kink where Ŷ is Y: there the slope is taken as 0, as PyTorch does."""

    @override
    def forward(self) -> None:
        """Σ |r|, divided."""
        residual = self._residual(self._scratch)
        np.abs(residual, out=residual)
        self.output.value[0, 0] = residual.sum() / self.divisor

    @override
    def prediction_gradient(self, out: Array) -> None:
        """Writes ∂ℰ/∂Ŷ: the sign of r, divided as the loss is."""
        np.sign(self._residual(out), out=out)
        np.divide(out, self.divisor, out=out)

    @override
    def term_of(self, prediction: Expr, label: Expr) -> Expr:
        return call("abs", prediction - label)

    @override
    def by_prediction(self, entry: Entry) -> Expr:
        prediction, label = (node.entry(entry) for node in self.inputs)
        return self.scaled(Indicator(prediction, ">", label) - Indicator(prediction, "<", label))

    @override
    def remark(self, i: int, entry: Entry, output_entry: Entry) -> str | None:
        """The remark where Ŷ is Y to the last digit."""
        if self.inputs[0].value[entry] == self.inputs[1].value[entry]:
            return "Ŷ is exactly Y: the slope of |Ŷ − Y| there is taken as 0"
        return None

    @override
    def kinks(self) -> list[tuple[Node, Array]]:
        prediction, label = self.inputs
        return [(prediction, label.value)]

    @override
    def reference(self) -> float:
        return float(np.abs(self._plain_residual()).sum()) / self.divisor

    @override
    def reference_gradient(self) -> Array:
        residual = self._plain_residual()
        return np.asarray(((residual > 0).astype(residual.dtype) - (residual < 0)) / self.divisor)


class Huber(Distance):
    """The Huber loss: half the squared distance near the label, and growing only with the distance from δ on."""

    def __init__(
        self, prediction: Node, label: Node, output: Node, spec: HuberLoss, logits: Node | None = None
    ) -> None:
        super().__init__(prediction, label, output, spec, logits)
        self._delta = spec.delta

    @override
    def forward(self) -> None:
        """Σ m|r| - ½m² with m = min(|r|, δ), divided."""
        distance, near = self._residual(self._scratch), self._other
        np.abs(distance, out=distance)
        np.minimum(distance, self._delta, out=near)
        linear = float(np.vdot(distance, near))
        self.output.value[0, 0] = (linear - 0.5 * float(np.vdot(near, near))) / self.divisor

    @override
    def prediction_gradient(self, out: Array) -> None:
        """Writes ∂ℰ/∂Ŷ: r, cut off at ±δ, divided as the loss is."""
        residual = self._residual(out)
        np.minimum(residual, self._delta, out=residual)
        np.maximum(residual, -self._delta, out=residual)
        np.divide(residual, self.divisor, out=out)

    @override
    def term_of(self, prediction: Expr, label: Expr) -> Expr:
        """m(|r| - m/2) with m = min(|r|, δ)."""
        distance = call("abs", prediction - label)
        near = call("minimum", distance, Number(self._delta))
        return near * (distance - near / 2)

    @override
    def by_prediction(self, entry: Entry) -> Expr:
        inside = call("minimum", self._residual_formula(entry), Number(self._delta))
        return self.scaled(call("maximum", inside, Number(-self._delta)))

    @override
    def kinks(self) -> list[tuple[Node, Array]]:
        """Where the slope of the Huber loss stops growing: a difference across that is not exact."""
        prediction, label = self.inputs
        return [(prediction, label.value + self._delta), (prediction, label.value - self._delta)]

    @override
    def remark(self, i: int, entry: Entry, output_entry: Entry) -> str | None:
        """The remark where the slope no longer grows."""
        distance = abs(float(self.inputs[0].value[entry]) - float(self.inputs[1].value[entry]))
        return f"beyond δ = {self._delta:g}: the slope no longer grows" if distance > self._delta else None

    @override
    def reference(self) -> float:
        distance = np.abs(self._plain_residual())
        far = self._delta * (distance - self._delta / 2)
        return float(np.where(distance <= self._delta, distance**2 / 2, far).sum()) / self.divisor

    @override
    def reference_gradient(self) -> Array:
        return np.asarray(np.clip(self._plain_residual(), -self._delta, self._delta) / self.divisor)
