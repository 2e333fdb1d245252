"""Each op as a line of NumPy or PyTorch: its value, and in NumPy how its gradient is sent back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import singledispatchmethod

import numpy as np

from engine.autodiff.graph import Graph, Node, Op
from engine.autodiff.ops.arithmetic import PairwiseArithmetic
from engine.autodiff.ops.cross_entropy import BinaryCrossEntropy, CrossEntropy
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.l2_penalty import L2Penalty
from engine.autodiff.ops.linear import ACTIVATION, BIAS, WEIGHT, Linear
from engine.autodiff.ops.loss import Loss
from engine.autodiff.ops.normalization import (
    SAMPLES,
    NormalizationAffine,
    NormalizationMean,
    NormalizationStd,
    Standardize,
)
from engine.autodiff.ops.residual import ResidualAdd
from engine.autodiff.ops.softmax import Softmax
from engine.formula.expression import Expr
from engine.formula.matrix_expression import without_indices

TORCH = {
    "linear": "{x}",
    "sigmoid": "torch.sigmoid({x})",
    "tanh": "torch.tanh({x})",
    "relu": "torch.relu({x})",
    "leaky_relu": "torch.nn.functional.leaky_relu({x}, {slope})",
    "elu": "torch.nn.functional.elu({x})",
    "selu": "torch.nn.functional.selu({x})",
    "gelu": "torch.nn.functional.gelu({x})",
    "silu": "torch.nn.functional.silu({x})",
    "softplus": "torch.logaddexp({x}, torch.zeros_like({x}))",
    "step": "({x} > 0).to(DTYPE).requires_grad_()",
    "softmax": "torch.softmax({x}, 0)",
}
"""Every activation in PyTorch's own words. NumPy has none: there the function's formula is written out."""

_INDEXED = re.compile(r"\b([A-Za-z_]\w*)\[(\d+)\]")


class OpCode:
    """Spells the ops of one graph in one language, with the names that its matrices and gradients have there."""

    def __init__(self, graph: Graph, torch: bool, names: dict[int, str], gradients: dict[int, str]) -> None:
        """`names` and `gradients` are by the id of a node."""
        self.graph, self.torch, self.names, self.gradients = graph, torch, names, gradients

    def text(self, expr: Expr) -> str:
        """A formula of whole matrices as code."""
        renamed = {node.symbol.plain(): self.names[id(node)] for node in self.graph.nodes.values()}
        plain = without_indices(expr).plain()
        plain = _INDEXED.sub(lambda match: renamed.get(match[0], match[0]), plain)
        bare = {old: new for old, new in renamed.items() if "[" not in old and old != new}
        for old, new in bare.items():
            plain = re.sub(rf"(?<![\w.]){re.escape(old)}(?![\w\[(])", new, plain)
        return plain

    def _of(self, node: Node) -> str:
        return self.names[id(node)]

    def _by(self, node: Node) -> str:
        return self.gradients[id(node)]

    # ── every op's value ────────────────────────────────────────────────────────────────────────────

    @singledispatchmethod
    def value(self, op: Op) -> str:
        """The code that computes an op's output from its inputs.

        Raises TypeError for an op that is not spelled here.
        """
        raise TypeError(f"{type(op).__name__} is not spelled for other programs")

    @value.register
    def _(self, op: Linear) -> str:
        weight, activation = op.inputs[:2]
        bias = f" + {self._of(op.inputs[BIAS])}" if len(op.inputs) > BIAS else ""
        turned = "" if op.out_in else ".T"
        return f"{self._of(weight)}{turned} @ {self._of(activation)}{bias}"

    @value.register
    def _(self, op: Elementwise) -> str:
        (node,) = op.inputs
        spelled = TORCH.get(op.function.name)
        if self.torch and spelled is not None and not node.scalar:
            return spelled.format(x=self._of(node), slope=_leak(op))
        return self.text(op.function.formula(node.entry((0, 0))))

    @value.register
    def _(self, op: Softmax) -> str:
        name = self._of(op.inputs[0])
        if self.torch:
            return TORCH["softmax"].format(x=name)
        return f"exp({name} - {name}.max(axis=0)) / exp({name} - {name}.max(axis=0)).sum(axis=0)"

    @value.register
    def _(self, op: PairwiseArithmetic) -> str:
        x, y = op.inputs
        return self.text(op.rule.formula(x.entry((0, 0)), y.entry((0, 0))))

    @value.register
    def _(self, op: ResidualAdd) -> str:
        x, y = op.inputs
        return self.text(x.entry((0, 0)) + y.entry((0, 0)))

    @value.register
    def _(self, op: NormalizationMean) -> str:
        return f"{self._of(op.inputs[0])}.mean({self._over(op.axis)})"

    @value.register
    def _(self, op: NormalizationStd) -> str:
        deviation = f"({self._of(op.inputs[0])} - {self._of(op.mean)}) ** 2"
        return f"(({deviation}).sum({self._over(op.axis)}) / {_divisor(op)} + {op.epsilon!r}) ** 0.5"

    @value.register
    def _(self, op: Standardize) -> str:
        value, mean, std = map(self._of, op.inputs)
        return f"({value} - {mean}) / {std}"

    @value.register
    def _(self, op: NormalizationAffine) -> str:
        h, scale, shift = map(self._of, op.inputs)
        return f"{scale} * {h} + {shift}"

    @value.register
    def _(self, op: L2Penalty) -> str:
        squares = " + ".join(f"({self._of(node)} ** 2).sum()" for node in op.inputs)
        return f"{op.strength!r} / 2 * ({squares})"

    @value.register
    def _(self, op: Loss) -> str:
        sign = "-" if op.negative else ""
        prediction, label = op.inputs
        term = self.text(op.term_of(prediction.symbol, label.symbol))
        return f"{sign}({term}).sum() / {op.divisor!r}"

    @value.register
    def _(self, op: BinaryCrossEntropy) -> str:
        if op.logits is None:
            return self._plain_loss(op)
        f, y = self._of(op.logits), self._of(op.inputs[1])
        module = "torch" if self.torch else "np"
        zero = f"{module}.zeros_like({f})"
        if_one, if_zero = f"{module}.logaddexp({zero}, -{f})", f"{module}.logaddexp({zero}, {f})"
        return f"({op.alpha!r} * {y} * {if_one} + {op.beta!r} * (1 - {y}) * {if_zero}).sum() / {op.divisor!r}"

    @value.register
    def _(self, op: CrossEntropy) -> str:
        if op.logits is None:
            return self._plain_loss(op)
        f, y = self._of(op.logits), self._of(op.inputs[1])
        total = f"torch.logsumexp({f}, 0)" if self.torch else f"np.logaddexp.reduce({f}, axis=0)"
        return f"({y} * ({total} - {f})).sum() / {op.divisor!r}"

    def _plain_loss(self, op: Loss) -> str:
        sign = "-" if op.negative else ""
        prediction, label = op.inputs
        return f"{sign}({self.text(op.term_of(prediction.symbol, label.symbol))}).sum() / {op.divisor!r}"

    def _over(self, axis: int) -> str:
        return f"axis={axis}, keepdims=True"

    # ── every op's backward ─────────────────────────────────────────────────────────────────────────

    @singledispatchmethod
    def slopes(self, op: Op) -> Iterator[str]:
        """The code that sends an op's gradient to its inputs, in NumPy."""
        raise TypeError(f"{type(op).__name__} is not spelled for other programs")

    def _send(self, op: Op, i: int, code: str) -> Iterator[str]:
        if op.needs_grad[i]:
            yield f"{self._by(op.inputs[i])} += {code}"

    @slopes.register
    def _(self, op: Linear) -> Iterator[str]:
        above = self._by(op.output)
        weight, activation = self._of(op.inputs[WEIGHT]), self._of(op.inputs[ACTIVATION])
        yield from self._send(
            op, WEIGHT, f"{above} @ {activation}.T" if op.out_in else f"{activation} @ {above}.T"
        )
        yield from self._send(op, ACTIVATION, f"{weight}{'.T' if op.out_in else ''} @ {above}")
        if len(op.inputs) > BIAS:
            yield from self._send(op, BIAS, f"{above}.sum(axis=1, keepdims=True)")

    @slopes.register
    def _(self, op: Elementwise) -> Iterator[str]:
        slope = self.text(op.function.derivative_formula(op.inputs[0].entry((0, 0))))
        yield from self._send(op, 0, f"{self._by(op.output)} * ({slope})")

    @slopes.register
    def _(self, op: Softmax) -> Iterator[str]:
        y, above = self._of(op.output), self._by(op.output)
        yield from self._send(op, 0, f"{y} * ({above} - ({above} * {y}).sum(axis=0))")

    @slopes.register
    def _(self, op: PairwiseArithmetic) -> Iterator[str]:
        x, y = (node.entry((0, 0)) for node in op.inputs)
        for i, partial in enumerate(op.rule.partial_formulas):
            yield from self._send(op, i, f"{self._by(op.output)} * ({self.text(partial(x, y))})")

    @slopes.register
    def _(self, op: ResidualAdd) -> Iterator[str]:
        for i in range(2):
            yield from self._send(op, i, self._by(op.output))

    @slopes.register
    def _(self, op: NormalizationMean) -> Iterator[str]:
        yield from self._send(op, 0, f"{self._by(op.output)} / {op.inputs[0].shape[op.axis]}")

    @slopes.register
    def _(self, op: NormalizationStd) -> Iterator[str]:
        node = op.inputs[0]
        deviation = f"({self._of(node)} - {self._of(op.mean)})"
        share = f"({_divisor(op)} * {self._of(op.output)})"
        yield from self._send(op, 0, f"{self._by(op.output)} * {deviation} / {share}")

    @slopes.register
    def _(self, op: Standardize) -> Iterator[str]:
        above, h, std = self._by(op.output), self._of(op.output), self._of(op.inputs[2])
        over = self._over(1 if op.axis == SAMPLES else 0)
        yield from self._send(op, 0, f"{above} / {std}")
        yield from self._send(op, 1, f"-({above} / {std}).sum({over})")
        yield from self._send(op, 2, f"-({above} * {h} / {std}).sum({over})")

    @slopes.register
    def _(self, op: NormalizationAffine) -> Iterator[str]:
        h, scale, _ = map(self._of, op.inputs)
        above = self._by(op.output)
        yield from self._send(op, 0, f"{scale} * {above}")
        yield from self._send(op, 1, f"({h} * {above}).sum(axis=1, keepdims=True)")
        yield from self._send(op, 2, f"{above}.sum(axis=1, keepdims=True)")

    @slopes.register
    def _(self, op: L2Penalty) -> Iterator[str]:
        for i, node in enumerate(op.inputs):
            yield from self._send(op, i, f"{op.strength!r} * {self._of(node)} * {self._by(op.output)}")

    @slopes.register
    def _(self, op: Loss) -> Iterator[str]:
        prediction, label = op.inputs
        above = self._by(op.output)
        if op.logits is None:
            yield from self._send(op, 0, f"{above} * ({self.text(op.by_prediction((0, 0)))})")
            return
        y_hat, y = self._of(prediction), self._of(label)
        if isinstance(op, BinaryCrossEntropy):
            error = f"{op.beta!r} * (1 - {y}) * {y_hat} - {op.alpha!r} * {y} * (1 - {y_hat})"
        else:
            error = f"{y_hat} * {y}.sum(axis=0) - {y}"
        yield f"{self._by(op.logits)} += {above} * ({error}) / {op.divisor!r}"


def _leak(op: Elementwise) -> float:
    """The slope of a leaky ReLU for what is below 0."""
    x, out = np.array([-1.0]), np.empty(1)
    op.function.derivative(x, -x, out)
    return float(out[0])


def _divisor(op: NormalizationStd) -> int:
    """What the sum of squares is divided by."""
    return op.inputs[0].shape[op.axis] - op.unbiased
