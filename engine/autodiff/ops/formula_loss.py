"""A loss that is described by its formulas alone: what one output of one sample adds, and the slope of that.

class LogCoshLoss(LossSpec, tag="log_cosh"):         ──>   FormulaLoss: kernels, gradient, LaTeX, check, …
    def term(self, prediction, label): …
    def slope(self, prediction, label): …
"""

from __future__ import annotations

import math

import numpy as np
from typing_extensions import override

from engine.autodiff.formula_kernels import kernel
from engine.autodiff.graph import Array, Node
from engine.autodiff.ops.regression_losses import Distance
from engine.experiment.loss_specs import LossWithTerm
from engine.formula.expression import Entry, Expr, Name, Number, Symbol

_PREDICTION, _LABEL = Symbol("prediction"), Symbol("label")


class FormulaLoss(Distance):
    """A loss whose kernels are made of its formulas, and whose reference evaluates them number by number."""

    def __init__(
        self, prediction: Node, label: Node, output: Node, spec: LossWithTerm, logits: Node | None = None
    ) -> None:
        super().__init__(prediction, label, output, spec, logits)  # type: ignore[arg-type]  # a LossSpec as well
        self._spec = spec
        self._term = kernel(spec.term(_PREDICTION, _LABEL), _PREDICTION, _LABEL)
        self._slope = kernel(spec.slope(_PREDICTION, _LABEL), _PREDICTION, _LABEL)

    @override
    def forward(self) -> None:
        prediction, label = (node.value for node in self.inputs)
        self.output.value[0, 0] = float(np.sum(self._term(prediction, label))) / self.divisor

    @override
    def prediction_gradient(self, out: Array) -> None:
        prediction, label = (node.value for node in self.inputs)
        np.copyto(out, self._slope(prediction, label) / self.divisor)

    @override
    def term_of(self, prediction: Expr, label: Expr) -> Expr:
        return self._spec.term(prediction, label)

    @override
    def by_prediction(self, entry: Entry) -> Expr:
        prediction, label = (node.entry(entry) for node in self.inputs)
        return self.scaled(self._spec.slope(prediction, label))

    @override
    def reference(self) -> float:
        prediction, label = (node.value.ravel().tolist() for node in self.inputs)
        terms = (
            self._spec.term(Number(p), Number(y)).evaluate(_no_name)
            for p, y in zip(prediction, label, strict=True)
        )
        return math.fsum(terms) / self.divisor

    @override
    def reference_gradient(self) -> Array:
        prediction, label = (node.value.ravel().tolist() for node in self.inputs)
        slopes = [
            self._spec.slope(Number(p), Number(y)).evaluate(_no_name)
            for p, y in zip(prediction, label, strict=True)
        ]
        return np.reshape(np.array(slopes, self.output.value.dtype), self.inputs[0].shape) / self.divisor


def _no_name(name: Name) -> float:
    raise KeyError(name.plain())
