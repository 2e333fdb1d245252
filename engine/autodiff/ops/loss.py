"""The losses: one scalar ℰ from the prediction Ŷ and the labels Y, always divided by n, the number of samples.

    binary cross-entropy   ℰ = -(1/n) Σ { α Y log Ŷ + β (1-Y) log(1-Ŷ) }     ∂ℰ/∂f = (1/n)(Ŷ - Y), α = β = 1
    cross-entropy          ℰ = -(1/n) Σ Y log Ŷ, Ŷ = softmax(f)              ∂ℰ/∂f = (1/n)(Ŷ - Y)
    squared error          ℰ =  (1/n) Σ ½ (Ŷ - Y)²                           ∂ℰ/∂Ŷ = (1/n)(Ŷ - Y)

The two cross-entropies compute from `logits`, the pre-activation f that Ŷ comes from, and send ∂ℰ/∂f
themselves. ∂ℰ/∂Ŷ · ∂Ŷ/∂f is the same number as long as Ŷ has not rounded to 0 or 1; beyond that one factor is
infinite, the other 0, and only the simplified form is left. Long before, Ŷ - Y has lost its digits: 1 - Ŷ is
therefore computed from f as well, as σ(-f) or as the sum of the other outputs, which lose none.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence

import numpy as np
from typing_extensions import override

from engine.autodiff.graph import Array, Columns, Node, Op, Scratch
from engine.autodiff.ops.workspace import workspace
from engine.formula.expression import Entry, Expr, Negative, Product, Sum, Symbol, call, sigmoid

ROUNDED = (
    "Ŷ has rounded to exactly {value}: ∂ℰ/∂Ŷ and ∂Ŷ/∂f can no longer be multiplied; "
    "the simplified ∂ℰ/∂f stays right"
)


FEW_DIGITS_LEFT = 1e-6
"""Of a 1 - Ŷ below this, fewer digits are left (of 16) than the ten that can be shown."""


class Loss(Op):
    """What the losses share. inputs: Ŷ and Y, both (outputs, n); output: ℰ, (1, 1)."""

    def __init__(
        self, prediction: Node, label: Node, output: Node, n: int, logits: Node | None = None
    ) -> None:
        super().__init__((prediction, label), output)
        self.n = n
        self.logits = logits
        if logits is not None and prediction.op is not None:
            prediction.op.fused = True

    @override
    def prepare(self, scratch: Scratch) -> None:
        self._scratch = scratch.like(self.inputs[0].value)
        self._other = scratch.like(self.inputs[0].value, slot=1)

    @override
    def recompute(self, changed: Node) -> None:
        """Uses Ŷ itself where Ŷ was changed by hand, since the stable form would not see it."""
        if changed is self.inputs[0]:
            self._from_prediction()
        else:
            self.forward()

    @override
    def formula(self, entry: Entry) -> Expr:
        """The sum over samples and outputs, divided by n."""
        outputs, n = self.inputs[0].shape
        terms = tuple(self.term((i, k)) for k in range(n) for i in range(outputs))
        return self._scaled(terms[0] if len(terms) == 1 else Sum(terms))

    @abstractmethod
    def term(self, entry: Entry) -> Expr:
        """What one output of one sample adds, before sign and 1/n."""

    def stable_term(self, entry: Entry) -> Expr:
        """The same term with its sign, from the logits instead of Ŷ: finite where Ŷ has rounded to 0 or 1.

        Raises ValueError where there are no logits to compute from.
        """
        raise ValueError("there are no logits to compute from")

    @abstractmethod
    def _scaled(self, total: Expr) -> Expr:
        """The summed terms with the loss's sign and its division by n."""

    @abstractmethod
    def _from_prediction(self) -> None:
        """Computes ℰ from Ŷ as the definition says, without the stable form."""

    @abstractmethod
    def by_prediction(self, entry: Entry) -> Expr:
        """∂ℰ/∂Ŷ for one entry."""

    @override
    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        """Every prediction reaches ℰ."""
        return (((0, 0), self.by_prediction(entry)),)

    @override
    def fan_out(self, i: int) -> int:
        """One: ℰ is a scalar."""
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

    def over_n(self, expression: Expr) -> Expr:
        """Divided by n, which is left out where n is 1."""
        return expression if self.n == 1 else expression / Symbol("n")

    @override
    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        return "how the loss changes with the prediction"

    @override
    def remark(self, i: int, entry: Entry, output_entry: Entry) -> str | None:
        """Where Ŷ has rounded to 0 or 1 and its logarithm is infinite."""
        value = float(self.inputs[0].value[entry])
        return ROUNDED.format(value=int(value)) if self.logits is not None and value in (0.0, 1.0) else None

    def simplification(self, entry: Entry) -> list[Expr]:
        """∂ℰ/∂f at one entry, line by line from the separate factors to the simplified form; every line is equal."""
        return []

    def simplification_reasons(self, entry: Entry) -> list[str]:
        """Why each line of `simplification` is what it is, in a few words."""
        return []

    def nearly_one(self, entry: Entry) -> bool:
        """Whether Ŷ is so near 1 that Ŷ - Y, of rounded numbers, would be shown with digits that are not there."""
        return self.logits is not None and 1.0 - float(self.inputs[0].value[entry]) < FEW_DIGITS_LEFT

    def fused_product(self, prediction: Entry, logit: Entry) -> float:
        """∂ℰ/∂Ŷ · ∂Ŷ/∂f between two entries, multiplied out before evaluation: finite even where Ŷ has rounded."""
        raise ValueError("this loss has no stable form of its own")


class BinaryCrossEntropy(Loss):
    """Weighted binary cross-entropy of a sigmoid output. α weighs the Y=1 term, β the Y=0 term.

    A weight of None is 1 and is left out of formulas.
    """

    def __init__(
        self,
        prediction: Node,
        label: Node,
        output: Node,
        n: int,
        logits: Node | None = None,
        alpha: float | None = None,
        beta: float | None = None,
    ) -> None:
        super().__init__(prediction, label, output, n, logits)
        self.alpha = 1.0 if alpha is None else alpha
        self.beta = 1.0 if beta is None else beta
        self.weighted = alpha is not None or beta is not None

    @override
    def forward(self) -> None:
        """Σ αY log(1+e⁻ᶠ) + β(1-Y) log(1+eᶠ), divided by n: finite for every finite f.

        Both logarithms share log(1+e⁻ˡᶠˡ), and one of them has |f| besides.
        """
        if self.logits is None:
            self._from_prediction()
            return
        logits, work, other = self.logits.value, self._scratch, self._other
        np.abs(logits, out=work)
        np.negative(work, out=work)
        np.exp(work, out=work)
        np.log1p(work, out=work)
        below = workspace.like(logits)
        np.minimum(logits, 0.0, out=below)
        np.maximum(logits, 0.0, out=other)
        np.add(other, work, out=other)
        np.subtract(work, below, out=work)
        self._weigh(work, other)

    @override
    def _from_prediction(self) -> None:
        prediction = self.inputs[0].value
        np.log(prediction, out=self._scratch)
        np.negative(self._scratch, out=self._scratch)
        np.negative(prediction, out=self._other)
        np.log1p(self._other, out=self._other)
        np.negative(self._other, out=self._other)
        self._weigh(self._scratch, self._other)

    def _weigh(self, if_one: Array, if_zero: Array) -> None:
        """ℰ = (1/n) Σ αY·if_one + β(1-Y)·if_zero; overwrites `if_one`."""
        label = self.inputs[1].value
        positive = self.alpha * float(np.vdot(label, if_one))
        # Σ(1-Y)·if_zero as two sums, without an array for 1-Y, would cancel; put 1-Y in place of if_one.
        np.subtract(1.0, label, out=if_one)
        self.output.value[0, 0] = (positive + self.beta * float(np.vdot(if_one, if_zero))) / self.n

    @override
    def backward(self) -> None:
        """∂ℰ/∂f = (1/n)(β(1-Y)Ŷ - αYσ(-f)), and ∂ℰ/∂Ŷ where it is wanted; σ(-f) is 1-Ŷ."""
        prediction, label = (node.value for node in self.inputs)
        if self.needs_grad[0]:
            self.prediction_gradient(self.inputs[0].grad)
        if self.logits is None:
            return
        gradient, scratch, other = self.logits.grad, self._scratch, self._other
        np.exp(self.logits.value, out=other)  # 1-Ŷ as σ(-f): a Ŷ near 1 has rounded away what is left of it
        np.add(other, 1.0, out=other)
        np.reciprocal(other, out=other)
        np.multiply(other, label, out=other)
        np.subtract(1.0, label, out=scratch)
        np.multiply(scratch, prediction, out=scratch)
        if self.alpha != 1.0 or self.beta != 1.0:
            np.multiply(other, self.alpha, out=other)
            np.multiply(scratch, self.beta, out=scratch)
        np.subtract(scratch, other, out=gradient)
        np.divide(gradient, self.n, out=gradient)

    @override
    def prediction_gradient(self, out: Array) -> None:
        """(1/n)(-αY/Ŷ + β(1-Y)/(1-Ŷ)); infinite or NaN where Ŷ has rounded to 0 or 1."""
        prediction, label = (node.value for node in self.inputs)
        np.divide(label, prediction, out=out)
        np.multiply(out, -self.alpha, out=out)
        np.subtract(1.0, label, out=self._scratch)
        np.subtract(1.0, prediction, out=self._other)
        np.divide(self._scratch, self._other, out=self._scratch)
        np.multiply(self._scratch, self.beta, out=self._scratch)
        np.add(out, self._scratch, out=out)
        np.divide(out, self.n, out=out)

    def _symbols(self, entry: Entry) -> tuple[Symbol, Symbol]:
        prediction, label = self.inputs
        return prediction.entry(entry), label.entry(entry)

    def _weighted(self, name: str, expression: Expr) -> Expr:
        return Symbol(name) * expression if self.weighted else expression

    @override
    def term(self, entry: Entry) -> Expr:
        """αY log Ŷ + β(1-Y) log(1-Ŷ)."""
        prediction, label = self._symbols(entry)
        return self._weighted("alpha", label) * call("log", prediction) + self._weighted(
            "beta", 1 - label
        ) * call("log", 1 - prediction)

    @override
    def stable_term(self, entry: Entry) -> Expr:
        """αY log(1+e⁻ᶠ) + β(1-Y) log(1+eᶠ), written so that no exponential overflows."""
        if self.logits is None:
            raise ValueError("there are no logits to compute from")
        logit, label = self.logits.entry(entry), self._symbols(entry)[1]
        tail = call("log", 1 + call("exp", -call("abs", logit)))
        return self._weighted("alpha", label) * (call("relu", -logit) + tail) + self._weighted(
            "beta", 1 - label
        ) * (call("relu", logit) + tail)

    @override
    def _scaled(self, total: Expr) -> Expr:
        return Negative(self.over_n(total))

    @override
    def by_prediction(self, entry: Entry) -> Expr:
        """(1/n)(-αY/Ŷ + β(1-Y)/(1-Ŷ))."""
        prediction, label = self._symbols(entry)
        return self.over_n(
            Negative(self._weighted("alpha", label) / prediction)
            + self._weighted("beta", 1 - label) / (1 - prediction)
        )

    @override
    def simplification(self, entry: Entry) -> list[Expr]:
        """The tutorial's A1(b): the fractions multiplied out, then Ŷ - Y where α = β = 1."""
        prediction, label = self._symbols(entry)
        multiplied = (
            Negative(self._weighted("alpha", label) * (1 - prediction))
            + self._weighted("beta", 1 - label) * prediction
        )
        factors = self.by_prediction(entry)
        lines = [Product((factors, prediction, 1 - prediction)), self.over_n(multiplied)]
        if self.alpha == self.beta == 1.0:
            lines.append(self.over_n(prediction - label))
        if self.logits is not None and self.nearly_one(entry):
            rest = call("sigmoid", Negative(self.logits.entry(entry)))
            kept = Negative(self._weighted("alpha", label) * rest)
            lines.append(self.over_n(kept + self._weighted("beta", 1 - label) * prediction))
        return lines

    @override
    def simplification_reasons(self, entry: Entry) -> list[str]:
        """The steps of the tutorial's A1(b)."""
        reasons = [
            "the two factors; σ(f) is Ŷ, so the slope σ(f)(1 − σ(f)) is Ŷ(1 − Ŷ)",
            "multiplied out: Ŷ cancels in the first fraction, 1 − Ŷ in the second",
        ]
        if self.alpha == self.beta == 1.0:
            equal = "with α = β = 1: " if self.weighted else ""
            reasons.append(f"{equal}−Y + YŶ + Ŷ − YŶ, and the two products cancel")
        if self.nearly_one(entry):
            reasons.append("1 − Ŷ is σ(−f): as such it keeps the digits that Ŷ, rounded near 1, has lost")
        return reasons

    @override
    def fused_product(self, prediction: Entry, logit: Entry) -> float:
        """(1/n)(-αYσ(-f) + β(1-Y)Ŷ), where σ(-f) is 1-Ŷ before it is rounded."""
        if self.logits is None:
            return super().fused_product(prediction, logit)
        y_hat, y = (float(node.value[prediction]) for node in self.inputs)
        rest = sigmoid(-float(self.logits.value[logit]))
        return (-self.alpha * y * rest + self.beta * (1.0 - y) * y_hat) / self.n


def _largest(numbers: Sequence[Expr]) -> Expr:
    """The maximum of all, as a balanced tree of pairs: log2(len) deep, where a chain of 600 is too deep to walk."""
    if len(numbers) == 1:
        return numbers[0]
    half = len(numbers) // 2
    return call("maximum", _largest(numbers[:half]), _largest(numbers[half:]))


class CrossEntropy(Loss):
    """Cross-entropy of a softmax output; each column of Y sums to 1."""

    @override
    def prepare(self, scratch: Scratch) -> None:
        """Takes working arrays, rows for what each column sums to, and where the largest f of each column stands."""
        super().prepare(scratch)
        n = self.inputs[0].shape[1]
        self._row, self._others = (np.empty((1, n), self.output.value.dtype) for _ in range(2))
        self._largest = np.empty(self.inputs[0].shape, np.bool_)

    @override
    def forward(self) -> None:
        """Σ Y (log Σ eᶠ - f), divided by n, each column shifted by its maximum.

        The largest f then adds exactly 1 to the sum: what the others add is kept apart, and log(1 + it) is exact
        where it is small.
        """
        if self.logits is None:
            self._from_prediction()
            return
        label = self.inputs[1].value
        self._sum_others()
        np.log1p(self._others, out=self._row)
        np.subtract(self._row, self._scratch, out=self._scratch)
        np.multiply(self._scratch, label, out=self._scratch)
        self.output.value[0, 0] = self._scratch.sum() / self.n

    def _sum_others(self) -> None:
        """Into `_others` Σ eᶠ⁻ᵐ - 1, with m the largest f of the column; into `_scratch` f - m."""
        assert self.logits is not None
        logits, largest, others = self.logits.value, self._largest, self._others
        np.maximum.reduce(logits, axis=0, keepdims=True, out=self._row)
        np.subtract(logits, self._row, out=self._scratch)
        np.equal(self._scratch, 0.0, out=largest)
        np.exp(self._scratch, out=self._other)
        np.copyto(self._other, 0.0, where=largest)
        np.add.reduce(self._other, axis=0, keepdims=True, out=others)
        np.add.reduce(largest, axis=0, keepdims=True, dtype=others.dtype, out=self._row)
        np.subtract(self._row, 1.0, out=self._row)
        np.add(others, self._row, out=others)  # equally large ones are others to each other

    @override
    def _from_prediction(self) -> None:
        prediction, label = (node.value for node in self.inputs)
        np.log(prediction, out=self._scratch)
        np.multiply(self._scratch, label, out=self._scratch)
        self.output.value[0, 0] = -self._scratch.sum() / self.n

    @override
    def backward(self) -> None:
        """∂ℰ/∂f = (1/n)(Ŷ ΣY - Y), where ΣY, a column of labels, is 1; and ∂ℰ/∂Ŷ where it is wanted.

        Of the largest Ŷ of a column it is Ŷ (ΣY - Y) - Y (1 - Ŷ), with 1 - Ŷ from what the others add to the sum.
        """
        prediction, label = (node.value for node in self.inputs)
        if self.needs_grad[0]:
            self.prediction_gradient(self.inputs[0].grad)
        if self.logits is None:
            return
        gradient, scratch, other, row = self.logits.grad, self._scratch, self._other, self._row
        self._sum_others()
        np.add(self._others, 1.0, out=row)
        np.divide(self._others, row, out=self._others)
        np.multiply(label, self._others, out=other)
        np.add.reduce(label, axis=0, keepdims=True, out=row)
        np.subtract(row, label, out=scratch)
        np.multiply(scratch, prediction, out=scratch)
        np.subtract(scratch, other, out=scratch)
        np.multiply(prediction, row, out=gradient)
        np.subtract(gradient, label, out=gradient)
        np.copyto(gradient, scratch, where=self._largest)
        np.divide(gradient, self.n, out=gradient)

    @override
    def prediction_gradient(self, out: Array) -> None:
        """-(1/n) Y/Ŷ; infinite or NaN where Ŷ has rounded to 0."""
        prediction, label = (node.value for node in self.inputs)
        np.divide(label, prediction, out=out)
        np.divide(out, -self.n, out=out)

    @override
    def term(self, entry: Entry) -> Expr:
        """Y log Ŷ."""
        prediction, label = self.inputs
        return label.entry(entry) * call("log", prediction.entry(entry))

    @override
    def stable_term(self, entry: Entry) -> Expr:
        """Y (log Σ_j e^(f_j - f)), each exponent bounded by the largest f of the sample."""
        if self.logits is None:
            return super().stable_term(entry)
        k = entry[1]
        every = [self.logits.entry((j, k)) for j in range(self.logits.shape[0])]
        largest = _largest(every)
        spread = call("log", Sum(tuple(call("exp", one - largest) for one in every)))
        return self.inputs[1].entry(entry) * (spread + largest - self.logits.entry(entry))

    @override
    def _scaled(self, total: Expr) -> Expr:
        return Negative(self.over_n(total))

    @override
    def by_prediction(self, entry: Entry) -> Expr:
        """-(1/n) Y/Ŷ."""
        prediction, label = self.inputs
        return Negative(self.over_n(label.entry(entry) / prediction.entry(entry)))

    @override
    def simplification(self, entry: Entry) -> list[Expr]:
        """The sum over the outputs that one f reaches through softmax, collected to Ŷ - Y where the labels sum to 1."""
        prediction, label = self.inputs
        j, k = entry
        own, own_label = prediction.entry(entry), label.entry(entry)
        others = [i for i in range(prediction.shape[0]) if i != j]
        separate: list[Expr] = [Negative(own_label / own) * (own * (1 - own))]
        multiplied: list[Expr] = [Negative(own_label * (1 - own))]
        for i in others:
            one, one_label = prediction.entry((i, k)), label.entry((i, k))
            separate.append(Negative(one_label / one) * Negative(one * own))
            multiplied.append(one_label * own)
        labels = Sum(tuple(label.entry((i, k)) for i in range(prediction.shape[0])))
        lines = [Sum(tuple(separate)), Sum(tuple(multiplied)), own * labels - own_label]
        column = label.value[:, k]
        if abs(float(column.sum()) - 1.0) <= column.size * float(np.finfo(column.dtype).eps):
            lines.append(own - own_label)
        if self.nearly_one(entry) and others:
            rest, further = (Sum(tuple(node.entry((i, k)) for i in others)) for node in self.inputs)
            lines.append(own * further - own_label * rest)
        return [self.over_n(line) for line in lines]

    @override
    def simplification_reasons(self, entry: Entry) -> list[str]:
        """One for each line."""
        reasons = [
            "f reaches every output through softmax: one product for each",
            "multiplied out: each Ŷ under a fraction cancels",
            "collected: the own Ŷ times all labels, less the own label",
            "the labels of a sample sum to 1",
        ]
        lines = len(self.simplification(entry))
        if self.nearly_one(entry) and self.inputs[0].shape[0] > 1:
            rest = (
                "1 − Ŷ is the sum of the other outputs: it keeps the digits that Ŷ, rounded near 1, has lost"
            )
            return [*reasons[: lines - 1], rest]
        return reasons[:lines]

    @override
    def fused_product(self, prediction: Entry, logit: Entry) -> float:
        """-(1/n) Y_k (1{k=j} - Ŷ_j); 1 - Ŷ_j as the sum of the others."""
        label = float(self.inputs[1].value[prediction])
        column = self.inputs[0].value[:, logit[1]]
        own = float(column[logit[0]])
        if prediction == logit:
            own = -(float(column[: logit[0]].sum()) + float(column[logit[0] + 1 :].sum()))
        return label * own / self.n


class SquaredError(Loss):
    """Half the squared distance, averaged over the samples."""

    @override
    def forward(self) -> None:
        """(1/n) Σ ½(Ŷ - Y)²."""
        prediction, label = (node.value for node in self.inputs)
        np.subtract(prediction, label, out=self._scratch)
        np.multiply(self._scratch, self._scratch, out=self._scratch)
        self.output.value[0, 0] = 0.5 * self._scratch.sum() / self.n

    _from_prediction = forward

    @override
    def backward(self) -> None:
        """(1/n)(Ŷ - Y)."""
        if self.needs_grad[0]:
            self.prediction_gradient(self.inputs[0].grad)

    @override
    def prediction_gradient(self, out: Array) -> None:
        """(1/n)(Ŷ - Y)."""
        prediction, label = (node.value for node in self.inputs)
        np.subtract(prediction, label, out=out)
        np.divide(out, self.n, out=out)

    @override
    def term(self, entry: Entry) -> Expr:
        """½(Ŷ - Y)²."""
        prediction, label = self.inputs
        return (prediction.entry(entry) - label.entry(entry)) ** 2 / 2

    @override
    def _scaled(self, total: Expr) -> Expr:
        return self.over_n(total)

    @override
    def by_prediction(self, entry: Entry) -> Expr:
        """(1/n)(Ŷ - Y)."""
        prediction, label = self.inputs
        return self.over_n(prediction.entry(entry) - label.entry(entry))
