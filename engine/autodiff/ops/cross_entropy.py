"""The two cross-entropies: minus the logarithm of what the prediction gave to what came true.

    binary cross-entropy   ℰ = -(1/n) Σ { α Y log Ŷ + β (1-Y) log(1-Ŷ) }     ∂ℰ/∂f = (1/n)(Ŷ - Y), α = β = 1
    cross-entropy          ℰ = -(1/n) Σ Y log Ŷ, Ŷ = softmax(f)              ∂ℰ/∂f = (1/n)(Ŷ - Y)

After a sigmoid the first, after softmax the second computes from f: see `engine.autodiff.ops.loss`. Long before Ŷ
rounds to 1, Ŷ - Y has lost its digits: where a Ŷ of the batch is near 1, 1 - Ŷ is therefore computed from f as well,
as σ(-f) or as the sum of the other outputs, which lose none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from engine.autodiff.array_memory import ScratchMemory
from engine.autodiff.graph import Array, Node
from engine.autodiff.ops.loss import Loss
from engine.experiment.loss_specs import BceLoss
from engine.formula.expression import Entry, Expr, Negative, Product, Sum, Symbol, call
from engine.formula.numeric_functions import sigmoid

NEAR_ONE = 1 - 2**-7
"""Up to this Ŷ, Ŷ - 1 has at most seven of its bits rounded away, and need not be computed from f."""

FEW_DIGITS_LEFT = 1e-6
"""Of a 1 - Ŷ below this, fewer digits are left (of 16) than the ten that can be shown."""


class _CrossEntropy(Loss):
    """What both have in common."""

    negative = True

    @override
    def nearly_one(self, entry: Entry) -> bool:
        return self.logits is not None and 1.0 - float(self.inputs[0].value[entry]) < FEW_DIGITS_LEFT


class BinaryCrossEntropy(_CrossEntropy):
    """The weighted binary cross-entropy of outputs between 0 and 1.

    A weight of None is 1 and is left out of formulas.
    """

    fuses_with = "sigmoid"

    def __init__(
        self, prediction: Node, label: Node, output: Node, spec: BceLoss, logits: Node | None = None
    ) -> None:
        super().__init__(prediction, label, output, spec, logits)
        self.alpha = 1.0 if spec.alpha is None else spec.alpha
        self.beta = 1.0 if spec.beta is None else spec.beta
        self.weighted = spec.alpha is not None or spec.beta is not None
        self.constants = {"alpha": self.alpha, "beta": self.beta}

    @override
    def prepare(self, scratch: ScratchMemory) -> None:
        super().prepare(scratch)
        self._third = scratch.like(self.inputs[0].value, slot=2)

    @override
    def forward(self) -> None:
        """Σ αY log(1+e⁻ᶠ) + β(1-Y) log(1+eᶠ), divided by n: finite for every finite f.

        Both logarithms share log(1+e⁻ˡᶠˡ), and one of them has |f| besides.
        """
        if self.logits is None:
            self._from_prediction()
            return
        logits, work, other, below = self.logits.value, self._scratch, self._other, self._third
        np.abs(logits, out=work)
        np.negative(work, out=work)
        np.exp(work, out=work)
        np.log1p(work, out=work)
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
        self.output.value[0, 0] = (positive + self.beta * float(np.vdot(if_one, if_zero))) / self.divisor

    @override
    def backward(self) -> None:
        """∂ℰ/∂f = (1/n)(β(1-Y)Ŷ - αYσ(-f)), and ∂ℰ/∂Ŷ where it is wanted; σ(-f) is 1-Ŷ."""
        prediction, label = (node.value for node in self.inputs)
        if self.needs_grad[0]:
            self.prediction_gradient(self.inputs[0].grad)
        if self.logits is None:
            return
        gradient = self.logits.grad
        if self.alpha == self.beta == 1.0 and prediction.item(prediction.argmax()) <= NEAR_ONE:
            np.subtract(prediction, label, out=gradient)
        else:
            self._without_rounded(prediction, label, gradient)
        np.divide(gradient, self.divisor, out=gradient)

    def _without_rounded(self, prediction: Array, label: Array, out: Array) -> None:
        """β(1-Y)Ŷ - αY(1-Ŷ), with 1-Ŷ as 1/(1+eᶠ): what a Ŷ near 1 has rounded away is then still there."""
        assert self.logits is not None
        scratch, other = self._scratch, self._other
        np.exp(self.logits.value, out=other)
        np.add(other, 1.0, out=other)
        np.divide(label, other, out=other)
        np.subtract(1.0, label, out=scratch)
        np.multiply(scratch, prediction, out=scratch)
        if self.alpha != 1.0 or self.beta != 1.0:
            np.multiply(other, self.alpha, out=other)
            np.multiply(scratch, self.beta, out=scratch)
        np.subtract(scratch, other, out=out)

    @override
    def prediction_gradient(self, out: Array) -> None:
        """Writes ∂ℰ/∂Ŷ = (1/n)(-αY/Ŷ + β(1-Y)/(1-Ŷ)); infinite or NaN where Ŷ has rounded to 0 or 1."""
        prediction, label = (node.value for node in self.inputs)
        np.divide(label, prediction, out=out)
        np.multiply(out, -self.alpha, out=out)
        np.subtract(1.0, label, out=self._scratch)
        np.subtract(1.0, prediction, out=self._other)
        np.divide(self._scratch, self._other, out=self._scratch)
        np.multiply(self._scratch, self.beta, out=self._scratch)
        np.add(out, self._scratch, out=out)
        np.divide(out, self.divisor, out=out)

    def _symbols(self, entry: Entry) -> tuple[Symbol, Symbol]:
        prediction, label = self.inputs
        return prediction.entry(entry), label.entry(entry)

    def _weighted(self, name: str, expression: Expr) -> Expr:
        return Symbol(name) * expression if self.weighted else expression

    @override
    def term_of(self, prediction: Expr, label: Expr) -> Expr:
        """αY log Ŷ + β(1-Y) log(1-Ŷ)."""
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
    def by_prediction(self, entry: Entry) -> Expr:
        """The formula of ∂ℰ/∂Ŷ: (1/n)(-αY/Ŷ + β(1-Y)/(1-Ŷ))."""
        prediction, label = self._symbols(entry)
        return self.scaled(
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
        lines = [Product((factors, prediction, 1 - prediction)), self.scaled(multiplied)]
        if self.alpha == self.beta == 1.0:
            lines.append(self.scaled(prediction - label))
        if self.logits is not None and self.nearly_one(entry):
            rest = call("sigmoid", Negative(self.logits.entry(entry)))
            kept = Negative(self._weighted("alpha", label) * rest)
            lines.append(self.scaled(kept + self._weighted("beta", 1 - label) * prediction))
        return lines

    @override
    def simplification_reasons(self, entry: Entry) -> list[str]:
        """The reasons for the lines of the simplification, as the tutorial's A1(b) has them."""
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
        """The formula of ∂ℰ/∂Ŷ · ∂Ŷ/∂f multiplied out: (1/n)(-αYσ(-f) + β(1-Y)Ŷ)."""
        if self.logits is None:
            return super().fused_product(prediction, logit)
        y_hat, y = (float(node.value[prediction]) for node in self.inputs)
        rest = sigmoid(-float(self.logits.value[logit]))
        return (-self.alpha * y * rest + self.beta * (1.0 - y) * y_hat) / self.divisor

    @override
    def reference(self) -> float:
        """The binary cross-entropy recomputed in plain NumPy, from the logits where there are any."""
        prediction, label = (node.value for node in self.inputs)
        rare, common = self.alpha * label, self.beta * (1 - label)
        if self.logits is not None:
            f = self.logits.value
            terms = rare * np.logaddexp(0, -f) + common * np.logaddexp(0, f)
        else:
            terms = -(rare * np.log(prediction) + common * np.log(1 - prediction))
        return float(terms.sum()) / self.divisor

    @override
    def reference_gradient(self) -> Array:
        prediction, label = (node.value for node in self.inputs)
        rare, common = self.alpha * label / prediction, self.beta * (1 - label) / (1 - prediction)
        return np.asarray(common - rare) / self.divisor

    @override
    def reference_logit_gradient(self) -> Array:
        """The gradient ∂ℰ/∂f recomputed in plain NumPy, with 1 - Ŷ from f before it is rounded."""
        if self.logits is None:
            return super().reference_logit_gradient()
        prediction, label = (node.value for node in self.inputs)
        rest = np.exp(-np.logaddexp(0, self.logits.value))
        return np.asarray(-self.alpha * label * rest + self.beta * (1 - label) * prediction) / self.divisor

    @override
    def remark_on_weights(self) -> str:
        return f", with α = {self.alpha:g} and β = {self.beta:g}" if self.weighted else ""

    @override
    def error_factors(self) -> tuple[tuple[Expr, Array], tuple[Expr, Array]]:
        """The two matrices whose difference is the fused ∂ℰ/∂f: with weights βŶ(1-Y) and αY(1-Ŷ)."""
        if self.alpha == self.beta == 1.0:
            return super().error_factors()
        prediction, label = self.inputs
        y_hat, y = prediction.symbol, label.symbol
        return (
            (Symbol("beta") * y_hat * (1 - y), self.beta * prediction.value * (1 - label.value)),
            (Symbol("alpha") * y * (1 - y_hat), self.alpha * label.value * (1 - prediction.value)),
        )


def _largest(numbers: Sequence[Expr]) -> Expr:
    """The maximum of all, as a balanced tree of pairs: log2(len) deep, where a chain of 600 is too deep to walk."""
    if len(numbers) == 1:
        return numbers[0]
    half = len(numbers) // 2
    return call("maximum", _largest(numbers[:half]), _largest(numbers[half:]))


class CrossEntropy(_CrossEntropy):
    """The cross-entropy of a softmax output; each column of Y sums to 1."""

    fuses_with = "softmax"

    @override
    def prepare(self, scratch: ScratchMemory) -> None:
        """Takes working arrays, rows for what each column sums to, and where the largest f of each column stands."""
        super().prepare(scratch)
        n = self.inputs[0].shape[1]
        self._row, self._others, self._rest = (np.empty((1, n), self.output.value.dtype) for _ in range(3))
        self._largest = np.empty(self.inputs[0].shape, np.bool_)
        self._near_one = False

    @override
    def forward(self) -> None:
        """Σ Y (log Σ eᶠ - f), divided by n, each column shifted by its maximum."""
        if self.logits is None:
            self._from_prediction()
            return
        logits, label, row = self.logits.value, self.inputs[1].value, self._row
        np.maximum.reduce(logits, axis=0, keepdims=True, out=row)
        np.subtract(logits, row, out=self._scratch)
        np.exp(self._scratch, out=self._other)
        np.add.reduce(self._other, axis=0, keepdims=True, out=row)
        self._near_one = row.item(row.argmin()) * NEAR_ONE < 1.0  # the largest Ŷ of a column is 1 / its sum
        if self._near_one:
            self._sum_others()
            np.log1p(self._others, out=row)
        else:
            np.log(row, out=row)
        np.subtract(row, self._scratch, out=self._scratch)
        np.multiply(self._scratch, label, out=self._scratch)
        self.output.value[0, 0] = self._scratch.sum() / self.divisor

    def _sum_others(self) -> None:
        """Into `_others` Σ eᶠ⁻ᵐ - 1, where m is the largest f of the column; `_scratch` has f - m and `_other` eᶠ⁻ᵐ.

        The largest f adds exactly 1 to the sum: what the others add is kept apart, since log(1 + it) is exact where it
        is small, and 1 - Ŷ of the largest Ŷ is it over the sum.
        """
        largest, others, row = self._largest, self._others, self._row
        np.equal(self._scratch, 0.0, out=largest)
        np.copyto(self._other, 0.0, where=largest)
        np.add.reduce(self._other, axis=0, keepdims=True, out=others)
        np.add.reduce(largest, axis=0, keepdims=True, dtype=others.dtype, out=row)
        np.subtract(row, 1.0, out=row)
        np.add(others, row, out=others)  # equally large ones are others to each other

    @override
    def _from_prediction(self) -> None:
        prediction, label = (node.value for node in self.inputs)
        np.log(prediction, out=self._scratch)
        np.multiply(self._scratch, label, out=self._scratch)
        self.output.value[0, 0] = -self._scratch.sum() / self.divisor

    @override
    def backward(self) -> None:
        """∂ℰ/∂f = (1/n)(Ŷ ΣY - Y), where ΣY, a column of labels, is 1; and ∂ℰ/∂Ŷ where it is wanted.

        Where a Ŷ is near 1, that of the largest Ŷ of a column is Ŷ (ΣY - Y) - Y (1 - Ŷ), with 1 - Ŷ from what the
        others add to the sum, as the forward pass has left it.
        """
        prediction, label = (node.value for node in self.inputs)
        if self.needs_grad[0]:
            self.prediction_gradient(self.inputs[0].grad)
        if self.logits is None:
            return
        gradient, row = self.logits.grad, self._row
        np.add.reduce(label, axis=0, keepdims=True, out=row)
        np.multiply(prediction, row, out=gradient)
        np.subtract(gradient, label, out=gradient)
        if self._near_one:
            self._without_rounded(prediction, label, gradient)
        np.divide(gradient, self.divisor, out=gradient)

    def _without_rounded(self, prediction: Array, label: Array, gradient: Array) -> None:
        """Puts Ŷ (ΣY - Y) - Y (1 - Ŷ) where the largest Ŷ of each column stands; `_row` has ΣY."""
        scratch, other, rest = self._scratch, self._other, self._rest
        np.add(self._others, 1.0, out=rest)
        np.divide(self._others, rest, out=rest)
        np.multiply(label, rest, out=other)
        np.subtract(self._row, label, out=scratch)
        np.multiply(scratch, prediction, out=scratch)
        np.subtract(scratch, other, out=scratch)
        np.copyto(gradient, scratch, where=self._largest)

    @override
    def prediction_gradient(self, out: Array) -> None:
        """Writes ∂ℰ/∂Ŷ = -(1/n) Y/Ŷ; infinite or NaN where Ŷ has rounded to 0."""
        prediction, label = (node.value for node in self.inputs)
        np.divide(label, prediction, out=out)
        np.divide(out, -self.divisor, out=out)

    @override
    def term_of(self, prediction: Expr, label: Expr) -> Expr:
        """Y log Ŷ."""
        return label * call("log", prediction)

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
    def by_prediction(self, entry: Entry) -> Expr:
        """The formula of ∂ℰ/∂Ŷ: -(1/n) Y/Ŷ."""
        prediction, label = self.inputs
        return Negative(self.scaled(label.entry(entry) / prediction.entry(entry)))

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
        return [self.scaled(line) for line in lines]

    @override
    def simplification_reasons(self, entry: Entry) -> list[str]:
        """The reasons for the lines of the simplification, one for each line."""
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
        """The formula of ∂ℰ/∂Ŷ · ∂Ŷ/∂f multiplied out: -(1/n) Y_k (1{k=j} - Ŷ_j)."""
        label = float(self.inputs[1].value[prediction])
        column = self.inputs[0].value[:, logit[1]]
        own = float(column[logit[0]])
        if prediction == logit:
            own = -(float(column[: logit[0]].sum()) + float(column[logit[0] + 1 :].sum()))
        return label * own / self.divisor

    @override
    def reference(self) -> float:
        """The cross-entropy recomputed in plain NumPy, from the logits where there are any."""
        prediction, label = (node.value for node in self.inputs)
        if self.logits is None:
            return -float((label * np.log(prediction)).sum()) / self.divisor
        f = self.logits.value
        return float((label * (np.logaddexp.reduce(f, axis=0) - f)).sum()) / self.divisor

    @override
    def reference_gradient(self) -> Array:
        prediction, label = (node.value for node in self.inputs)
        return np.asarray(-label / prediction) / self.divisor

    @override
    def reference_logit_gradient(self) -> Array:
        """The gradient ∂ℰ/∂f recomputed in plain NumPy, with 1 - Ŷ before it is rounded."""
        if self.logits is None:
            return super().reference_logit_gradient()
        prediction, label = (node.value for node in self.inputs)
        f = self.logits.value
        gradient = np.asarray(prediction * label.sum(axis=0) - label)
        place, every = f.argmax(axis=0), np.arange(f.shape[1])
        others = prediction.copy()
        others[place, every] = 0.0
        further = label.sum(axis=0) - label[place, every]
        gradient[place, every] = prediction[place, every] * further - label[place, every] * others.sum(axis=0)
        return gradient / self.divisor
