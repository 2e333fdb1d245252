"""Backpropagation as matrix products, with every shape written out and every product checked.

    f[1] = W[1]ᵀ · X              (2×3)·(3×1) → 2×1
    ∂E/∂W[1] = X · (∂E/∂f[1])ᵀ    (3×1)·(1×2) → 3×2, the shape of W[1]

Each line is recomputed here with plain NumPy from the matrices that it names and compared with what the graph
holds, so a line that is shown has been checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Literal

import numpy as np

from engine.autodiff.graph import Array, Graph, Node, Op
from engine.autodiff.interruption import between_parts
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.l2_penalty import L2Penalty, Total
from engine.autodiff.ops.linear import ACTIVATION, BIAS, WEIGHT, Linear
from engine.autodiff.ops.loss import Loss
from engine.autodiff.ops.normalization import (
    SAMPLES,
    SCALE,
    SHIFT,
    STANDARDISED,
    NormalizationAffine,
    NormalizationMean,
    NormalizationStd,
    Standardize,
)
from engine.autodiff.ops.residual import ResidualAdd
from engine.autodiff.ops.softmax import Softmax
from engine.formula.expression import Expr, Partial, Symbol

Shape = tuple[int, int]
Operator = Literal["·", "⊙", "+", "-", "/", ""]

UNDEFINED = "NaN is among it: there is nothing to compare"

TOLERANCE = 1e-9
"""Two ways of computing the same matrix agree within this, relative to its largest entry (float64)."""


@dataclass(frozen=True, slots=True)
class MatrixFactor:
    """A matrix on the right-hand side of a matrix product: its name, and whether it is transposed."""

    name: Expr
    value: Array
    transposed: bool = False

    @property
    def shape(self) -> Shape:
        """(rows, columns), after transposing."""
        rows, columns = self.value.shape
        return rows, columns


@dataclass(frozen=True, slots=True)
class MatrixLine:
    """One line of a pass in matrix form: `result` = the factors joined by `operator`, or a `function` of them.

    `agrees` says that recomputing the right-hand side gave the graph's own matrix.
    """

    phase: Literal["forward", "backward"]
    result: Expr
    shape: Shape
    operator: Operator
    factors: tuple[MatrixFactor, ...]
    agrees: bool
    function: str = ""
    remark: str = ""
    divisor: Expr | None = None
    undefined: bool = False
    """Whether there are entries that are NaN, so that nothing can be compared."""


def matrix_lines(graph: Graph) -> Iterator[MatrixLine]:
    """The forward and the backward pass in matrix form, a line for each matrix that is computed."""
    for op in graph.ops:
        yield from _told(forward_matrix_form, op)
    for op in reversed(graph.ops):
        if not op.fused:
            yield from _told(backward_matrix_form, op)


def _told(lines: Callable[[Op], Iterator[MatrixLine]], op: Op) -> list[MatrixLine]:
    """An op's lines; those of matrices with NaN are marked, since NaN agrees with nothing."""
    between_parts()
    with np.errstate(all="ignore"):  # what overflows is shown, not warned of
        found = list(lines(op))
    nodes = {node.symbol: node for node in (op.output, *op.inputs, *op.reads)}
    if isinstance(op, Loss) and op.logits is not None:
        nodes[op.logits.symbol] = op.logits
    for place, line in enumerate(found):
        name = line.result.by if isinstance(line.result, Partial) else line.result
        node = nodes[name] if isinstance(name, Symbol) else op.output
        if np.isnan(node.grad if isinstance(line.result, Partial) else node.value).any():
            remark = f"{line.remark}; {UNDEFINED}".removeprefix("; ")
            found[place] = replace(line, agrees=False, undefined=True, remark=remark)
    return found


def _agrees(mine: Array, graphs: Array, *summands: Array) -> bool:
    """Whether two ways of computing a matrix agree, up to rounding: of it, or of larger numbers that were added up."""
    scale = max(float(np.max(np.abs(one), initial=0.0)) for one in (graphs, *summands))
    tolerance = TOLERANCE if graphs.dtype == np.float64 else 1e-4
    leeway = tolerance * scale if np.isfinite(scale) else 0.0  # after a run that diverged
    return bool(np.allclose(mine, graphs, rtol=tolerance, atol=leeway))


def _value(node: Node, transposed: bool = False) -> MatrixFactor:
    return MatrixFactor(node.symbol, node.value.T if transposed else node.value, transposed)


def _gradient(node: Node, transposed: bool = False) -> MatrixFactor:
    name = Partial(Symbol("E"), node.symbol)
    return MatrixFactor(name, node.grad.T if transposed else node.grad, transposed)


@singledispatch
def forward_matrix_form(op: Op) -> Iterator[MatrixLine]:
    """The matrix form of an op's forward pass: the lines that compute its output."""
    raise TypeError(f"no matrix form for {type(op).__name__}")


@singledispatch
def backward_matrix_form(op: Op) -> Iterator[MatrixLine]:
    """The matrix form of an op's backward pass: the lines that send its gradient back."""
    raise TypeError(f"no matrix form for {type(op).__name__}")


@forward_matrix_form.register
def _(op: Linear) -> Iterator[MatrixLine]:
    weight, activation = op.inputs[:2]
    product = op.weights.T @ activation.value
    remark = ""
    if len(op.inputs) > BIAS:
        product = product + op.inputs[BIAS].value
        remark = f"plus {op.inputs[BIAS].symbol.plain()}, added to every column"
    factors = (_value(weight, transposed=not op.out_in), _value(activation))
    agrees = _agrees(product, op.output.value, np.abs(op.weights.T) @ np.abs(activation.value))
    yield MatrixLine("forward", op.output.symbol, op.output.shape, "·", factors, agrees, remark=remark)


@backward_matrix_form.register
def _(op: Linear) -> Iterator[MatrixLine]:
    weight, activation = op.inputs[:2]
    if op.needs_grad[WEIGHT]:
        factors = (
            (_gradient(op.output), _value(activation, transposed=True))
            if op.out_in
            else (_value(activation), _gradient(op.output, transposed=True))
        )
        yield _backward(weight, "·", factors, factors[0].value @ factors[1].value, op, WEIGHT)
    if len(op.inputs) > BIAS and op.needs_grad[BIAS]:
        ones = MatrixFactor(Symbol("ones"), np.ones((op.output.shape[1], 1), op.output.value.dtype))
        factors = (_gradient(op.output), ones)
        yield _backward(op.inputs[BIAS], "·", factors, factors[0].value @ ones.value, op, BIAS)
    if op.needs_grad[ACTIVATION]:
        factors = (_value(weight, transposed=op.out_in), _gradient(op.output))
        yield _backward(activation, "·", factors, factors[0].value @ factors[1].value, op, ACTIVATION)


def _backward(
    node: Node,
    operator: Operator,
    factors: tuple[MatrixFactor, ...],
    value: Array,
    op: Op,
    i: int,
    remark: str = "",
    summands: tuple[Array, ...] = (),
) -> MatrixLine:
    """A backward line; where the node has several consumers, the line is one of the summands of its gradient."""
    several = sum(consumer.needs_grad[place] for consumer, place in node.consumers if not consumer.fused) > 1
    if operator == "·":
        summands = (np.abs(factors[0].value) @ np.abs(factors[1].value),)
    agrees = _agrees(value, node.grad, *summands)
    if several:
        contributions = [contribution(*consumer) for consumer in node.consumers]
        agrees = _agrees(np.sum(contributions, axis=0), node.grad, *contributions, *summands)
        remark = f"{remark}; one of several contributions, which add up".removeprefix("; ")
    name = Partial(Symbol("E"), node.symbol)
    return MatrixLine("backward", name, node.shape, operator, factors, agrees, remark=remark)


@singledispatch
def contribution(op: Op, i: int) -> Array:
    """The contribution of one consumer to the gradient of its input i, recomputed with plain NumPy."""
    raise TypeError(f"no matrix form for {type(op).__name__}")


@contribution.register
def _(op: Linear, i: int) -> Array:
    gradient = op.output.grad
    if i == WEIGHT:
        product = op.inputs[ACTIVATION].value @ gradient.T
        return np.asarray(product.T if op.out_in else product)
    if i == ACTIVATION:
        return np.asarray(op.weights @ gradient)
    return np.asarray(gradient.sum(axis=1, keepdims=True))


@contribution.register
def _(op: Elementwise, i: int) -> Array:
    return np.asarray(slopes(op) * op.output.grad)


@contribution.register
def _(op: Softmax, i: int) -> Array:
    y, gradient = op.output.value, op.output.grad
    return np.asarray(y * (gradient - (gradient * y).sum(axis=0)))


@contribution.register
def _(op: ResidualAdd, i: int) -> Array:
    return op.output.grad


@contribution.register
def _(op: NormalizationMean, i: int) -> Array:
    node = op.inputs[i]
    return np.asarray(np.broadcast_to(op.output.grad / node.shape[op.axis], node.shape))


@contribution.register
def _(op: NormalizationStd, i: int) -> Array:
    node = op.inputs[i]
    divisor = node.shape[op.axis] - op.unbiased
    return np.asarray((node.value - op.mean.value) / (divisor * op.output.value) * op.output.grad)


@contribution.register
def _(op: Standardize, i: int) -> Array:
    direct = op.output.grad / op.inputs[2].value
    if i == 0:
        return np.asarray(direct)
    weighed = direct if i == 1 else direct * op.output.value
    return np.asarray(-weighed.sum(axis=op.axis, keepdims=True))


@contribution.register
def _(op: L2Penalty, i: int) -> Array:
    return np.asarray(op.strength * op.inputs[i].value)


def slopes(op: Elementwise) -> Array:
    """The slopes g'(f) of an activation, for every entry."""
    out = np.empty_like(op.output.value)
    op.function.derivative(op.inputs[0].value, op.output.value, out)
    return out


@forward_matrix_form.register
def _(op: Elementwise) -> Iterator[MatrixLine]:
    value = np.empty_like(op.output.value)
    with np.errstate(all="ignore"):
        op.function.value(op.inputs[0].value, value)
    factors = (_value(op.inputs[0]),)
    agrees = _agrees(value, op.output.value)
    yield MatrixLine(
        "forward", op.output.symbol, op.output.shape, "", factors, agrees, op.function.name, "entry by entry"
    )


@backward_matrix_form.register
def _(op: Elementwise) -> Iterator[MatrixLine]:
    slope = MatrixFactor(Partial(op.output.symbol, op.inputs[0].symbol), slopes(op))
    factors = (_gradient(op.output), slope)
    value = factors[0].value * slope.value
    yield _backward(op.inputs[0], "⊙", factors, value, op, 0, "entry by entry")


@forward_matrix_form.register
def _(op: Softmax) -> Iterator[MatrixLine]:
    shifted = np.exp(op.inputs[0].value - op.inputs[0].value.max(axis=0))
    agrees = _agrees(shifted / shifted.sum(axis=0), op.output.value)
    factors = (_value(op.inputs[0]),)
    yield MatrixLine(
        "forward", op.output.symbol, op.output.shape, "", factors, agrees, "softmax", "column by column"
    )


@backward_matrix_form.register
def _(op: Softmax) -> Iterator[MatrixLine]:
    factors = (_gradient(op.output), _value(op.output))
    yield _backward(
        op.inputs[0], "⊙", factors, contribution(op, 0), op, 0, "each column's mean under Ŷ taken off first"
    )


@forward_matrix_form.register
def _(op: ResidualAdd) -> Iterator[MatrixLine]:
    x, y = op.inputs
    agrees = _agrees(x.value + y.value, op.output.value)
    yield MatrixLine("forward", op.output.symbol, op.output.shape, "+", (_value(x), _value(y)), agrees)


@backward_matrix_form.register
def _(op: ResidualAdd) -> Iterator[MatrixLine]:
    for i, node in enumerate(op.inputs):
        if op.needs_grad[i]:
            yield _backward(node, "", (_gradient(op.output),), op.output.grad, op, i)


@forward_matrix_form.register(NormalizationMean)
@forward_matrix_form.register(NormalizationStd)
def _(op: NormalizationMean | NormalizationStd) -> Iterator[MatrixLine]:
    over = "samples" if op.axis == SAMPLES else "units"
    numbers = op.inputs[0].value
    if isinstance(op, NormalizationMean):
        value, remark = numbers.mean(axis=op.axis, keepdims=True), f"over the {over}"
    else:
        variance = numbers.var(axis=op.axis, keepdims=True, ddof=int(op.unbiased))
        value, remark = np.sqrt(variance + op.epsilon), f"over the {over}, with {op.epsilon:g} under the root"
    # A mean of large numbers, or a spread of nearly equal ones, is only as exact as those numbers are.
    agrees = _agrees(
        value, op.output.value, *([numbers] if isinstance(op, NormalizationMean) else [numbers * 1e-3])
    )
    factors = (_value(op.inputs[0]),)
    name = "mean" if isinstance(op, NormalizationMean) else "std"
    yield MatrixLine("forward", op.output.symbol, op.output.shape, "", factors, agrees, name, remark)


@backward_matrix_form.register(NormalizationMean)
@backward_matrix_form.register(NormalizationStd)
def _(op: NormalizationMean | NormalizationStd) -> Iterator[MatrixLine]:
    if op.needs_grad[0]:
        remark = (
            "an equal share to each" if isinstance(op, NormalizationMean) else "in proportion to f - mean"
        )
        yield _backward(op.inputs[0], "", (_gradient(op.output),), contribution(op, 0), op, 0, remark)


@forward_matrix_form.register
def _(op: Standardize) -> Iterator[MatrixLine]:
    value, mean, std = op.inputs
    agrees = _agrees((value.value - mean.value) / std.value, op.output.value)
    factors = (_value(value), _value(mean), _value(std))
    remark = "(f - mean) / std, entry by entry"
    yield MatrixLine("forward", op.output.symbol, op.output.shape, "", factors, agrees, "standardise", remark)


@backward_matrix_form.register
def _(op: Standardize) -> Iterator[MatrixLine]:
    for i, node in enumerate(op.inputs):
        if op.needs_grad[i]:
            factors = (_gradient(op.output), _value(op.inputs[2]))
            direct = op.output.grad / op.inputs[2].value
            summands = (direct, direct * op.output.value)
            yield _backward(node, "/", factors, contribution(op, i), op, i, _STANDARDIZE_REMARKS[i], summands)


_STANDARDIZE_REMARKS = (
    "entry by entry",
    "minus its sum over all that share the mean",
    "times h, minus its sum over all that share the std",
)


@forward_matrix_form.register
def _(op: NormalizationAffine) -> Iterator[MatrixLine]:
    h, scale, shift = op.inputs
    agrees = _agrees(scale.value * h.value + shift.value, op.output.value, scale.value * h.value)
    factors = tuple(_value(node) for node in op.inputs)
    remark = "times the scale, plus the shift, row by row"
    yield MatrixLine("forward", op.output.symbol, op.output.shape, "", factors, agrees, "affine", remark)


@backward_matrix_form.register
def _(op: NormalizationAffine) -> Iterator[MatrixLine]:
    h, scale, _ = op.inputs
    gradient, size = _gradient(op.output), np.abs(op.output.grad * h.value)
    lines = (
        (STANDARDISED, "scaled", (gradient, _value(scale)), "row by row", ()),
        (SCALE, "sums", (gradient, _value(h)), "of the products, over the samples", (size,)),
        (SHIFT, "sums", (gradient,), "over the samples", (np.abs(op.output.grad),)),
    )
    for i, function, factors, remark, summands in lines:
        if op.needs_grad[i]:
            line = _backward(op.inputs[i], "", factors, contribution(op, i), op, i, remark, summands)
            yield replace(line, function=function)


@contribution.register
def _(op: NormalizationAffine, i: int) -> Array:
    h, scale, _ = op.inputs
    gradient = op.output.grad
    if i == STANDARDISED:
        return np.asarray(scale.value * gradient)
    return np.asarray((gradient * h.value if i == SCALE else gradient).sum(axis=1, keepdims=True))


@forward_matrix_form.register
def _(op: Loss) -> Iterator[MatrixLine]:
    prediction, label = op.inputs
    with np.errstate(all="ignore"):
        agrees = _agrees(np.array([[op.reference()]]), op.output.value)
    yield MatrixLine(
        "forward",
        op.output.symbol,
        op.output.shape,
        "",
        (_value(prediction), _value(label)),
        agrees,
        "loss",
        "a scalar",
    )


@backward_matrix_form.register
def _(op: Loss) -> Iterator[MatrixLine]:
    prediction, label = op.inputs
    if op.needs_grad[0]:
        with np.errstate(all="ignore"):
            agrees = _agrees(op.reference_gradient(), prediction.grad)
        yield MatrixLine(
            "backward",
            Partial(Symbol("E"), prediction.symbol),
            prediction.shape,
            "",
            (_value(prediction), _value(label)),
            agrees,
            "loss'",
            "the scalar's derivative by each entry: the shape of Ŷ",
        )
    if op.logits is not None:
        yield MatrixLine(
            "backward",
            Partial(Symbol("E"), op.logits.symbol),
            op.logits.shape,
            "-",
            tuple(MatrixFactor(name, value) for name, value in op.error_factors()),
            _agrees(op.reference_logit_gradient(), op.logits.grad),
            remark="entry by entry" + op.remark_on_weights(),
            divisor=op.divisor_formula(),
        )


@forward_matrix_form.register
def _(op: L2Penalty) -> Iterator[MatrixLine]:
    squares = sum(float(np.square(node.value).sum()) for node in op.inputs)
    agrees = _agrees(np.array([[op.strength / 2 * squares]]), op.output.value)
    factors = tuple(_value(node) for node in op.inputs)
    remark = f"a scalar: {op.strength / 2:g} times the sum of all squared weights"
    yield MatrixLine("forward", op.output.symbol, op.output.shape, "", factors, agrees, "penalty", remark)


@backward_matrix_form.register
def _(op: L2Penalty) -> Iterator[MatrixLine]:
    for i, node in enumerate(op.inputs):
        if op.needs_grad[i]:
            remark = f"times {op.strength:g}"
            yield _backward(node, "", (_value(node),), contribution(op, i), op, i, remark)


@backward_matrix_form.register
def _(op: Total) -> Iterator[MatrixLine]:
    """Nothing to multiply: ∂ℰ/∂fit and ∂ℰ/∂penalty are 1."""
    yield from ()
