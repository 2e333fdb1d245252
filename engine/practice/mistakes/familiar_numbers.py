"""Numbers that are often given in place of the right one: what was computed instead, with the same figures.

−0.1643 for 0.1643       the sign
0.3285                   the sum over both samples, not their mean
0.0713                   with the logarithm to base 10
−0.2883 for ∂ℰ/∂W₁₁      this is ∂ℰ/∂f⁽¹⁾₀₀
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from engine.autodiff.graph import Array, Graph
from engine.autodiff.ops.cross_entropy import BinaryCrossEntropy
from engine.autodiff.ops.loss import loss_op
from engine.formula.expression import WEIGHTS_OF_LOSS, Partial, Symbol
from engine.formula.layout import one_line
from engine.model.network import LOSS, PREDICTION
from engine.practice.verdict import Mistake

FEW_SAMPLES = 4
"""So many samples' predictions may be given for the loss itself."""
MOST_ENTRIES = 64
"""Entries of a network whose gradients are compared; in a larger one some of them agrees by chance."""


def familiar_numbers(
    truth: float, graph: Graph | None, asked: Symbol | None
) -> Iterator[tuple[float, Mistake]]:
    """The numbers that are often given in place of `truth`, the value of `asked`."""
    yield -truth, Mistake("sign", "-1", "1", "the sign is wrong")
    if graph is not None and asked == LOSS:
        yield from _of_the_loss(truth, graph)
    elif graph is not None and asked is not None and asked.matrix in graph.nodes:
        yield from _for_the_other_label(graph, asked)
        yield from _other_gradients(graph, asked)
        yield from _the_loss_itself(graph)
    elif graph is not None and asked in WEIGHTS_OF_LOSS:
        yield from _of_the_classes(graph)
    if truth:
        yield 1.0 / truth, Mistake("swapped", "1/x", "x", "it is upside down: its reciprocal is right")


def _the_loss_itself(graph: Graph) -> Iterator[tuple[float, Mistake]]:
    value = float(graph.loss.value[0, 0])
    for sign, word in ((1.0, "ℰ"), (-1.0, "−ℰ")):
        yield sign * value, _wrong(f"this is {word} itself, and not its derivative", "swapped", "E")


def _of_the_classes(graph: Graph) -> Iterator[tuple[float, Mistake]]:
    """A class weight: the size or the share of a class in place of the ratio of their weights."""
    labels = graph.nodes[Symbol("Y")].value
    ones, n = float((labels == 1).sum()), float(labels.size)
    if not 0 < ones < n:
        return
    yield (
        1.0,
        _wrong("this weighs each sample alike, and so the rare class by its small share", "swapped", "1"),
    )
    for name, count in (("Y = 1", ones), ("Y = 0", n - ones)):
        text = f"this is how many samples have {name}: the ratio of the weights is asked for"
        yield count, _wrong(text, "swapped", f"{count:g}")
        yield (
            1.0 / count,
            _wrong(f"this is one over the samples with {name}: α/β is asked for", "swapped", f"1/{count:g}"),
        )
        yield count / n, _wrong(f"this is the share of the samples with {name}", "swapped", f"{count:g}/n")
        yield (
            n / count,
            _wrong(
                f"this is n over the samples with {name}: the other class is what it is weighed against",
                "swapped",
                f"n/{count:g}",
            ),
        )


def _wrong(text: str, kind: str = "missing", what: str = "") -> Mistake:
    match kind:
        case "missing" | "swapped" | "reduction":
            return Mistake(kind, what or text, None, text)
    return Mistake("unknown", what or text, None, text)


def _of_the_loss(truth: float, graph: Graph) -> Iterator[tuple[float, Mistake]]:
    n = graph.n
    if n > 1:
        yield (
            n * truth,
            _wrong(f"this is the sum over the {n} samples: the factor 1/n is missing", what="1/n"),
        )
        yield -n * truth, _wrong(f"this is minus the sum over the {n} samples: −1/n is missing", what="-1/n")
        yield truth / n, _wrong(f"it is divided by n = {n} twice", "unknown")
    loss = loss_op(graph)
    if isinstance(loss, BinaryCrossEntropy):
        yield from _of_cross_entropy(truth, loss, n)
    yield (
        truth / math.log(10),
        _wrong("log is the natural logarithm here, not that to base 10", "swapped", "log10"),
    )
    yield (
        truth / math.log(2),
        _wrong("log is the natural logarithm here, not that to base 2", "swapped", "log2"),
    )


def _of_cross_entropy(truth: float, loss: BinaryCrossEntropy, n: int) -> Iterator[tuple[float, Mistake]]:
    prediction, label = (np.asarray(node.value, np.float64) for node in loss.inputs)
    alpha, beta = loss.alpha, loss.beta

    def mean(first: float, second: float, labels: Array = label) -> float:
        with np.errstate(all="ignore"):
            return float(
                -(first * labels * np.log(prediction) + second * (1 - labels) * np.log(1 - prediction)).sum()
                / n
            )

    yield mean(alpha, beta, 1 - label), _wrong("Y and 1 − Y are exchanged", "swapped", "1 - Y")
    if (alpha, beta) != (1.0, 1.0):
        yield mean(1.0, 1.0), _wrong("the class weights α and β are missing", what="alpha, beta")
        yield mean(beta, alpha), _wrong("α and β are exchanged", "swapped", "beta")
        yield mean(alpha, alpha), _wrong("α multiplies the term of Y = 1 alone", "swapped", "alpha")
        yield mean(beta, beta), _wrong("β multiplies the term of Y = 0 alone", "swapped", "beta")
        if n > 1:
            text = "the class weights are missing, and this is the sum over the samples, not the mean"
            yield n * mean(1.0, 1.0), _wrong(text, what="alpha, beta")
    yield mean(alpha, 0.0), _wrong("the term (1 − Y) log(1 − Ŷ) is missing", what="(1 - Y)*log(1 - Y_hat)")
    yield mean(0.0, beta), _wrong("the term Y log Ŷ is missing", what="Y*log(Y_hat)")
    with np.errstate(all="ignore"):
        same = -float(np.log(prediction).sum()) / n
    text = "this takes log Ŷ for every sample: where Y = 0 it is log(1 − Ŷ)"
    for sign, also in ((1.0, ""), (-1.0, "; the sign is wrong")):
        yield sign * same, _wrong(text + also, "swapped", "log(Y_hat)")
    yield (
        float(np.abs(prediction - label).sum()) / n,
        _wrong("this is the mean of |Ŷ − Y|, and not the cross-entropy", "swapped", "abs(Y_hat - Y)"),
    )
    for index in np.ndindex(*prediction.shape) if n <= FEW_SAMPLES else ():
        name = one_line(PREDICTION.at((index[0], index[1])))
        for value, what in ((prediction[index], name), (1.0 - prediction[index], f"1 − {name}")):
            yield float(value), _wrong(f"this is {what}, and not the loss", "swapped", what)
    for first, second in ((alpha, 0.0), (0.0, beta)):
        yield (
            n * mean(first, second),
            _wrong("this is one sample's part: the mean goes over all", "reduction"),
        )


def _for_the_other_label(graph: Graph, asked: Symbol) -> Iterator[tuple[float, Mistake]]:
    """∂ℰ/∂Ŷ for the label that it is not."""
    loss = loss_op(graph)
    if asked.matrix != PREDICTION or asked.index is None or not isinstance(loss, BinaryCrossEntropy):
        return
    prediction, label = (float(node.value[asked.index]) for node in loss.inputs)
    if label not in (0.0, 1.0) or not 0.0 < prediction < 1.0:
        return
    value = loss.beta / (1.0 - prediction) if label else -loss.alpha / prediction
    text = f"this is for Y = {1 - label:g}, and here Y is {label:g}"
    yield value / graph.n, _wrong(text, "swapped", "1 - Y")
    yield -value / graph.n, _wrong(f"{text}; the sign is wrong as well", "swapped", "1 - Y")


def _other_gradients(graph: Graph, asked: Symbol) -> Iterator[tuple[float, Mistake]]:
    """The gradients by other entries, those of the same matrix first; then the values themselves."""
    nodes = [node for node in graph.nodes.values() if node is not graph.loss]
    if sum(node.value.size for node in nodes) > MOST_ENTRIES:
        return
    nodes.sort(key=lambda node: node.symbol != asked.matrix)
    for node in nodes:
        if node.grad.shape != node.value.shape or not node.needs_gradient:
            continue
        for index in np.ndindex(node.value.shape):
            symbol = node.entry((index[0], index[1]))
            if symbol != asked:
                name = one_line(Partial(graph.differentiated, symbol))
                text = f"this is {name}, not {one_line(Partial(graph.differentiated, asked))}"
                yield float(node.grad[index]), Mistake("swapped", symbol.plain(), asked.plain(), text)
                text = f"this is {name} with the sign wrong, and not {one_line(Partial(LOSS, asked))}"
                yield -float(node.grad[index]), Mistake("swapped", symbol.plain(), asked.plain(), text)
    own = graph.nodes[asked.matrix]
    value = float(own.value[asked.index or (0, 0)])
    yield value, _wrong(f"this is the value of {one_line(asked)}, not its gradient", "swapped", asked.plain())
