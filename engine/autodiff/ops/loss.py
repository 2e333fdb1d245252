"""What the losses share: one scalar ℰ from the prediction Ŷ and the labels Y.

    ℰ = (1/n) Σ_samples Σ_outputs term(Ŷ, Y)         the sums may be means, or no means, as the experiment says

Each says its term and its slope as formulas, as kernels, and once more in plain NumPy (`reference`), by which the
matrices page checks what training computes. A loss that knows an activation's `logits`, the pre-activation f that Ŷ
comes from, computes from them and sends ∂ℰ/∂f itself. ∂ℰ/∂Ŷ · ∂Ŷ/∂f is the same number as long as Ŷ has not rounded
to 0 or 1; beyond that one factor is infinite, the other 0, and only the simplified form is left.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from typing_extensions import override

from engine.autodiff.array_memory import ScratchMemory
from engine.autodiff.graph import Array, Columns, Graph, Node, Op
from engine.experiment.loss_specs import LossSpec
from engine.formula.expression import Entry, Expr, Negative, Number, Product, Sum, Symbol

ROUNDED = (
    "Ŷ has rounded to exactly {value}: ∂ℰ/∂Ŷ and ∂Ŷ/∂f can no longer be multiplied; "
    "the simplified ∂ℰ/∂f stays right"
)


@dataclass(frozen=True, slots=True)
class LossDefinition:
    """A loss in words and as the term that is summed over all outputs and samples.

    `negative` puts a minus before the sum, which is divided by `divisor`, where there is one.
    """

    name: str
    term: Expr
    negative: bool
    divisor: Expr | None


class Loss(Op):
    """A loss: from Ŷ and Y, both (outputs, n), it computes ℰ (or the part that is not the penalty), (1, 1)."""

    fuses_with: ClassVar[str | None] = None
    """The activation whose slope this loss multiplies out with its own, where it is that of the output layer."""
    negative: ClassVar[bool] = False
    """Whether ℰ is minus the sum of the terms."""

    def __init__(
        self, prediction: Node, label: Node, output: Node, spec: LossSpec, logits: Node | None = None
    ) -> None:
        super().__init__((prediction, label), output)
        outputs, self.n = prediction.shape
        self.name = spec.words
        self.constants: dict[str, float] = {}
        """The numbers of the symbols in this loss's formulas that are no node's."""
        self._averaged_outputs = outputs if spec.outputs == "mean" else 1
        self._averages_samples = spec.samples == "mean"
        self.divisor = float(self._averaged_outputs * (self.n if self._averages_samples else 1))
        """What the sum over outputs and samples is divided by."""
        self.logits = logits
        if logits is not None and prediction.op is not None:
            prediction.op.fused = True
            self.fuses = True

    @override
    def prepare(self, scratch: ScratchMemory) -> None:
        self._scratch = scratch.like(self.inputs[0].value)
        self._other = scratch.like(self.inputs[0].value, slot=1)

    @override
    def recompute(self, changed: Node) -> None:
        """Computes ℰ from Ŷ itself where Ŷ was changed by hand, since the stable form would not see it."""
        if changed is self.inputs[0]:
            self._from_prediction()
        else:
            self.forward()

    @override
    def formula(self, entry: Entry) -> Expr:
        """The sum over samples and outputs, divided as the experiment says."""
        outputs, n = self.inputs[0].shape
        terms = tuple(self.term((i, k)) for k in range(n) for i in range(outputs))
        total = self.scaled(terms[0] if len(terms) == 1 else Sum(terms))
        return Negative(total) if self.negative else total

    @abstractmethod
    def term_of(self, prediction: Expr, label: Expr) -> Expr:
        """The loss's term for one output of one sample, before sign and division, in the names given."""

    def definition(self) -> LossDefinition:
        """The loss in words and as its term, as it is defined for any batch."""
        prediction, label = (node.symbol for node in self.inputs)
        term = self.term_of(prediction, label)
        return LossDefinition(self.name, term, self.negative, self.divisor_formula(always=True))

    def term(self, entry: Entry) -> Expr:
        """The loss's term for one output of one sample, before sign and division."""
        prediction, label = self.inputs
        return self.term_of(prediction.entry(entry), label.entry(entry))

    @abstractmethod
    def reference(self) -> float:
        """The loss ℰ recomputed in plain NumPy, to check the kernel."""

    @abstractmethod
    def reference_gradient(self) -> Array:
        """The gradient ∂ℰ/∂Ŷ recomputed in plain NumPy."""

    def reference_logit_gradient(self) -> Array:
        """The gradient ∂ℰ/∂f recomputed in plain NumPy. Raises ValueError where there are no logits."""
        raise ValueError("there are no logits to compute from")

    def remark_on_weights(self) -> str:
        """The remark on the loss's class weights, after a comma; empty where it has none."""
        return ""

    def error_factors(self) -> tuple[tuple[Expr, Array], tuple[Expr, Array]]:
        """The two matrices whose difference, divided, is the fused ∂ℰ/∂f: Ŷ and Y."""
        prediction, label = self.inputs
        return (prediction.symbol, prediction.value), (label.symbol, label.value)

    def stable_term(self, entry: Entry) -> Expr:
        """The loss's term with its sign, from the logits: finite where Ŷ has rounded to 0 or 1.

        Raises ValueError where there are no logits to compute from.
        """
        raise ValueError("there are no logits to compute from")

    @abstractmethod
    def _from_prediction(self) -> None:
        """Computes ℰ from Ŷ as the definition says, without the stable form."""

    @abstractmethod
    def by_prediction(self, entry: Entry) -> Expr:
        """The formula of ∂ℰ/∂Ŷ for one entry."""

    @override
    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        """Every prediction reaches ℰ."""
        return (((0, 0), self.by_prediction(entry)),)

    @override
    def fan_out(self, i: int) -> int:
        """How many entries a prediction reaches: one, since ℰ is a scalar."""
        return 1

    @override
    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        """log|∂ℰ/∂Ŷ|."""
        prediction = self.inputs[0]
        gradient = np.empty_like(prediction.value)
        self.prediction_gradient(gradient)
        result: Array = np.log(np.abs(gradient[:, columns])) + beyond
        return result

    @abstractmethod
    def prediction_gradient(self, out: Array) -> None:
        """Writes ∂ℰ/∂Ŷ for every entry."""

    def divisor_formula(self, always: bool = False) -> Expr | None:
        """The formula of the loss's divisor: n, the number of outputs, their product, or nothing.

        `always` has n even then, as a definition does that holds for any batch.
        """
        outputs = [Number(float(self._averaged_outputs))] if self._averaged_outputs > 1 else []
        samples = [Symbol("n")] if self._averages_samples and (always or self.n > 1) else []
        parts: tuple[Expr, ...] = (*outputs, *samples)
        return (parts[0] if len(parts) == 1 else Product(parts)) if parts else None

    @property
    def division(self) -> str:
        """The loss's divisor in words with the number: ``divided by n = 4``."""
        parts = [str(self._averaged_outputs)] if self._averaged_outputs > 1 else []
        parts += ["n"] if self._averages_samples else []
        if not parts:
            return "not divided"
        return f"divided by {'·'.join(parts)}" + (f" = {self.divisor:g}" if self._averages_samples else "")

    def scaled(self, expression: Expr) -> Expr:
        """An expression divided as the loss's sum is."""
        divisor = self.divisor_formula()
        return expression if divisor is None else expression / divisor

    @override
    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        return "how the loss changes with the prediction"

    @override
    def remark(self, i: int, entry: Entry, output_entry: Entry) -> str | None:
        """The remark where Ŷ has rounded to 0 or 1 and its logarithm is infinite."""
        value = float(self.inputs[0].value[entry])
        return ROUNDED.format(value=int(value)) if self.logits is not None and value in (0.0, 1.0) else None

    def simplification(self, entry: Entry) -> list[Expr]:
        """The simplification of ∂ℰ/∂f at one entry, line by line from the separate factors; every line is equal."""
        return []

    def simplification_reasons(self, entry: Entry) -> list[str]:
        """The reasons for the lines of `simplification`, in a few words each."""
        return []

    def nearly_one(self, entry: Entry) -> bool:
        """Whether Ŷ is so near 1 that Ŷ - Y, of rounded numbers, would be shown with digits that are not there."""
        return False

    def fused_product(self, prediction: Entry, logit: Entry) -> float:
        """The formula of ∂ℰ/∂Ŷ · ∂Ŷ/∂f multiplied out: finite even where Ŷ has rounded."""
        raise ValueError("this loss has no stable form of its own")


def loss_op(graph: Graph) -> Loss | None:
    """The loss of a network's graph; None where what is differentiated is no loss (a typed expression)."""
    return next((op for op in reversed(graph.ops) if isinstance(op, Loss)), None)
