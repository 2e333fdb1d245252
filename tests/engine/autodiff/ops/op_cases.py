"""One case for every op and every rule: the table that the property tests of `test_every_op` go through.

Rules are taken from the engine's own tables, so a new activation or function is tested without being
entered here; a new op must be added, and `test_every_op_has_a_case` says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.autodiff.graph import Array, Graph, Node, Op
from engine.autodiff.ops.activation_functions import ACTIVATIONS, leaky_relu
from engine.autodiff.ops.arithmetic import FUNCTIONS, OPERATIONS, PairRule, PairwiseArithmetic
from engine.autodiff.ops.cross_entropy import BinaryCrossEntropy, CrossEntropy
from engine.autodiff.ops.elementwise import Elementwise, ScalarFunction
from engine.autodiff.ops.l2_penalty import L2Penalty, Total
from engine.autodiff.ops.linear import Linear
from engine.autodiff.ops.loss import Loss
from engine.autodiff.ops.loss_registry import LOSSES
from engine.autodiff.ops.normalization import (
    SAMPLES,
    UNITS,
    NormalizationAffine,
    NormalizationMean,
    NormalizationStd,
    Standardize,
)
from engine.autodiff.ops.residual import ResidualAdd
from engine.autodiff.ops.softmax import Softmax
from engine.experiment.loss_specs import (
    AbsoluteErrorLoss,
    BceLoss,
    CrossEntropyLoss,
    HuberLoss,
    LossSpec,
    SquaredErrorLoss,
)
from engine.formula.expression import Symbol

LEAKY_SLOPES = (0.0, 0.2, 1.0, 1.5, -0.5)
WEIGHTS = ((None, None), (10.0, None), (2.0, 0.3), (0.0, 1.0))
"""alpha and beta of the binary cross-entropy."""

Shapes = tuple[int, int]
Draw = Callable[[np.random.Generator, Shapes], Array]


def normal(rng: np.random.Generator, shape: Shapes) -> Array:
    return 2.0 * rng.standard_normal(shape)


def above_zero(rng: np.random.Generator, shape: Shapes) -> Array:
    return rng.uniform(0.2, 3.0, shape)


def probability(rng: np.random.Generator, shape: Shapes) -> Array:
    return rng.uniform(0.05, 0.95, shape)


def moderate(rng: np.random.Generator, shape: Shapes) -> Array:
    """Logits of probabilities that are neither very near 0 nor very near 1."""
    return rng.uniform(-2.0, 2.0, shape)


def one_hot(rng: np.random.Generator, shape: Shapes) -> Array:
    return np.eye(shape[0])[:, rng.integers(0, shape[0], shape[1])].copy()


DOMAINS: dict[str, Draw] = {"log": above_zero, "sqrt": above_zero, "divide": above_zero, "power": above_zero}
"""Where a rule is smooth; every other rule is drawn from a normal distribution."""


@dataclass(frozen=True)
class Leaf:
    """An input of the op: its name, shape, numbers, and whether its columns are samples."""

    name: str
    shape: Shapes
    draw: Draw = normal
    per_sample: bool = True
    needs_gradient: bool = True


@dataclass(frozen=True)
class OpCase:
    """How to make one kind of op: its inputs, and the op (after others, if need be) on top of them."""

    name: str
    kind: type[Op]
    leaves: Callable[[int, int], Sequence[Leaf]]
    make: Callable[[Graph, Sequence[Node], str], Op]
    rule: ScalarFunction | PairRule | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def is_loss(self) -> bool:
        return issubclass(self.kind, Loss)

    @property
    def couples_samples(self) -> bool:
        return self.name.endswith("over samples")

    def inputs(self, graph: Graph, rng: np.random.Generator, rows: int, n: int) -> list[Node]:
        return [
            graph.leaf(
                Symbol(leaf.name),
                leaf.draw(rng, leaf.shape),
                per_sample=leaf.per_sample,
                needs_gradient=leaf.needs_gradient,
            )
            for leaf in self.leaves(rows, n)
        ]

    def build(self, rng: np.random.Generator, rows: int, n: int) -> tuple[Graph, Op]:
        """A finished graph that ends with the op, computed once."""
        graph = empty_graph(n)
        op = self.make(graph, self.inputs(graph, rng, rows, n), "o")
        graph.finish()
        compute(graph)
        return graph, op


def compute(graph: Graph) -> None:
    """All ops forwards. `Graph.forward` would want the last to be a scalar loss, which a single op need not be."""
    with np.errstate(all="ignore"):
        for op in graph.ops:
            op.forward()


def compute_after(graph: Graph, changed: Node) -> None:
    """What depends on a node that was changed by hand, as `Graph.recompute` does for a loss."""
    stale = {id(changed)}
    with np.errstate(all="ignore"):
        for op in graph.ops:
            if any(id(node) in stale for node in op.inputs):
                op.recompute(changed)
                stale.add(id(op.output))


def empty_graph(n: int) -> Graph:
    return Graph(n, np.dtype("float64"), constants={"n": float(n)})


def _one(rows: int, n: int) -> list[Leaf]:
    return [Leaf("x", (rows, n))]


def _two(draw: Draw = normal) -> Callable[[int, int], list[Leaf]]:
    return lambda rows, n: [Leaf("x", (rows, n), draw), Leaf("y", (rows, n), draw)]


def _layer(rows: int, n: int) -> list[Leaf]:
    fan_in = rows % 3 + 1
    return [Leaf("W", (fan_in, rows), per_sample=False), Leaf("a", (fan_in, n))]


def _layer_with_bias(rows: int, n: int) -> list[Leaf]:
    return [*_layer(rows, n), Leaf("b", (rows, 1), per_sample=False)]


def _layer_out_in(rows: int, n: int) -> list[Leaf]:
    weight, activation = _layer(rows, n)
    turned = Leaf("W", (weight.shape[1], weight.shape[0]), per_sample=False)
    return [turned, activation, Leaf("b", (rows, 1), per_sample=False)]


def _affine_leaves(rows: int, n: int) -> list[Leaf]:
    return [Leaf("h", (rows, n)), *(Leaf(name, (rows, 1), per_sample=False) for name in ("scale", "shift"))]


def _linear(graph: Graph, inputs: Sequence[Node], name: str, out_in: bool = False) -> Op:
    shape = inputs[0].shape[0 if out_in else 1], inputs[1].shape[1]
    return _added(graph, Linear(inputs, graph.result(Symbol(name), shape, inputs), out_in))


def _added(graph: Graph, op: Op) -> Op:
    graph.add(op)
    return op


def _like_first(kind: Callable[..., Op]) -> Callable[[Graph, Sequence[Node], str], Op]:
    def make(graph: Graph, inputs: Sequence[Node], name: str) -> Op:
        return _added(graph, kind(tuple(inputs), graph.result(Symbol(name), inputs[0].shape, inputs)))

    return make


def elementwise(name: str, rule: ScalarFunction) -> OpCase:
    def make(graph: Graph, inputs: Sequence[Node], output: str) -> Op:
        return _added(
            graph, Elementwise(rule, inputs[0], graph.result(Symbol(output), inputs[0].shape, inputs))
        )

    draw = DOMAINS.get(rule.name, normal)
    return OpCase(name, Elementwise, lambda rows, n: [Leaf("x", (rows, n), draw)], make, rule)


def pairwise(name: str, rule: PairRule) -> OpCase:
    def make(graph: Graph, inputs: Sequence[Node], output: str) -> Op:
        x, y = inputs
        return _added(graph, PairwiseArithmetic(rule, (x, y), graph.result(Symbol(output), x.shape, inputs)))

    return OpCase(name, PairwiseArithmetic, _two(DOMAINS.get(rule.name, normal)), make, rule)


def _statistic_shape(axis: int, shape: Shapes) -> Shapes:
    return (shape[0], 1) if axis == SAMPLES else (1, shape[1])


def _mean(axis: int) -> Callable[[Graph, Sequence[Node], str], Op]:
    def make(graph: Graph, inputs: Sequence[Node], name: str) -> Op:
        shape = _statistic_shape(axis, inputs[0].shape)
        output = graph.result(Symbol(name), shape, inputs, per_sample=axis == UNITS)
        return _added(graph, NormalizationMean(axis, (inputs[0],), output))

    return make


def _std(axis: int) -> Callable[[Graph, Sequence[Node], str], Op]:
    def make(graph: Graph, inputs: Sequence[Node], name: str) -> Op:
        mean = _mean(axis)(graph, inputs, f"mean_of_{name}").output
        output = graph.result(Symbol(name), mean.shape, inputs, per_sample=axis == UNITS)
        return _added(graph, NormalizationStd(axis, inputs[0], mean, output))

    return make


def _standardize_leaves(axis: int) -> Callable[[int, int], list[Leaf]]:
    def leaves(rows: int, n: int) -> list[Leaf]:
        shape, alone = _statistic_shape(axis, (rows, n)), axis == UNITS
        mean, std = Leaf("mean", shape, per_sample=alone), Leaf("std", shape, above_zero, per_sample=alone)
        return [Leaf("f", (rows, n)), mean, std]

    return leaves


def _standardize(axis: int) -> Callable[[Graph, Sequence[Node], str], Op]:
    return lambda graph, inputs, name: _like_first(lambda i, o: Standardize(axis, i, o))(graph, inputs, name)


LossMaker = Callable[[Node, Node, Node, Node | None], Loss]


def _loss(
    make_loss: LossMaker, activation: Callable[[Node, Node], Op] | None = None
) -> Callable[[Graph, Sequence[Node], str], Op]:
    """On a prediction that is a leaf, or on logits with their activation (then the loss is fused)."""

    def make(graph: Graph, inputs: Sequence[Node], name: str) -> Op:
        first, label = inputs
        prediction, logits = first, None
        if activation is not None:
            logits = first
            prediction = graph.add(activation(first, graph.result(Symbol("Y_hat"), first.shape, (first,))))
        output = graph.result(Symbol(name), (1, 1), (prediction,), per_sample=False, scalar=True)
        return _added(graph, _with_constants(graph, make_loss(prediction, label, output, logits)))

    return make


def _with_constants(graph: Graph, loss: Loss) -> Loss:
    graph.constants.update(loss.constants)
    return loss


def _of(spec: LossSpec) -> LossMaker:
    op = LOSSES[type(spec)]
    return lambda prediction, label, output, logits: op(prediction, label, output, spec, logits)


def _sigmoid_op(logits: Node, output: Node) -> Op:
    return Elementwise(ACTIVATIONS["sigmoid"], logits, output)


def _softmax_op(logits: Node, output: Node) -> Op:
    return Softmax((logits,), output)


def _loss_leaves(prediction: Draw, label: Draw) -> Callable[[int, int], list[Leaf]]:
    return lambda rows, n: [
        Leaf("p", (rows, n), prediction),
        Leaf("Y", (rows, n), label, needs_gradient=False),
    ]


def _cases() -> Iterator[OpCase]:
    yield OpCase("linear", Linear, _layer, _linear)
    yield OpCase("linear with bias", Linear, _layer_with_bias, _linear)
    yield OpCase("linear, out_in", Linear, _layer_out_in, lambda *args: _linear(*args, out_in=True))
    yield OpCase(
        "affine",
        NormalizationAffine,
        _affine_leaves,
        _like_first(lambda inputs, output: NormalizationAffine(inputs, output)),
    )
    yield OpCase("add", ResidualAdd, _two(), _like_first(ResidualAdd))
    yield OpCase("softmax", Softmax, _one, _like_first(Softmax))
    for name, rule in ACTIVATIONS.items():
        yield elementwise(f"activation {name}", rule)
    for slope in LEAKY_SLOPES:
        yield elementwise(f"activation leaky_relu {slope:g}", leaky_relu(slope))
    for name, rule in FUNCTIONS.items():
        yield elementwise(f"function {name}", rule)
    for name, pair in OPERATIONS.items():
        yield pairwise(f"operation {name}", pair)
    for axis, over in ((SAMPLES, "over samples"), (UNITS, "over units")):
        yield OpCase(f"mean {over}", NormalizationMean, _one, _mean(axis))
        yield OpCase(f"std {over}", NormalizationStd, _one, _std(axis))
        yield OpCase(f"standardize {over}", Standardize, _standardize_leaves(axis), _standardize(axis))
    for alpha, beta in WEIGHTS:
        yield from _bce_cases(f"bce alpha={alpha} beta={beta}", BceLoss(alpha=alpha, beta=beta))
    for outputs, samples in SUMS:
        ways = {"outputs": outputs, "samples": samples}
        named = f"{outputs} of outputs, {samples} of samples"
        yield from _bce_cases(f"bce, {named}", BceLoss(alpha=2.0, beta=0.3, **ways))
        for half in (True, False):
            yield _distance(f"squared_error half={half}, {named}", SquaredErrorLoss(half=half, **ways))
        yield _distance(f"absolute_error, {named}", AbsoluteErrorLoss(**ways))
        yield _distance(f"huber, {named}", HuberLoss(delta=0.7, **ways))
    for samples in ("mean", "sum"):
        spec, name = CrossEntropyLoss(samples=samples), f"cross_entropy, {samples} of samples"
        yield OpCase(name, CrossEntropy, _loss_leaves(probability, one_hot), _loss(_of(spec)))
        leaves = _loss_leaves(moderate, one_hot)
        yield OpCase(f"{name}, of logits", CrossEntropy, leaves, _loss(_of(spec), _softmax_op))
    yield OpCase("total", Total, _two(), _like_first(Total))
    yield OpCase("l2 penalty", L2Penalty, _weights, _penalty)


SUMS = (("sum", "mean"), ("sum", "sum"), ("mean", "mean"), ("mean", "sum"))


def _bce_cases(name: str, spec: BceLoss) -> Iterator[OpCase]:
    leaves = _loss_leaves(probability, probability)
    yield OpCase(name, BinaryCrossEntropy, leaves, _loss(_of(spec)))
    leaves = _loss_leaves(moderate, probability)
    yield OpCase(f"{name} of logits", BinaryCrossEntropy, leaves, _loss(_of(spec), _sigmoid_op))


def _distance(name: str, spec: LossSpec) -> OpCase:
    return OpCase(name, LOSSES[type(spec)], _loss_leaves(normal, normal), _loss(_of(spec)))


def _weights(rows: int, n: int) -> list[Leaf]:
    return [Leaf(name, (rows, n), per_sample=False) for name in ("v", "w")]


def _penalty(graph: Graph, inputs: Sequence[Node], output: str) -> Op:
    result = graph.result(Symbol(output), (1, 1), inputs, per_sample=False, scalar=True)
    return _added(graph, L2Penalty(0.3, inputs, result))


CASES = tuple(_cases())


def log_magnitude(x: float) -> float:
    return math.log(abs(x)) if x else -math.inf
