"""The weighted sum: its formula as the tutorials write it, and its remarks."""

import numpy as np

from engine.autodiff.graph import Graph
from engine.autodiff.ops.linear import ACTIVATION, BIAS, WEIGHT, Linear
from engine.formula.expression import Symbol
from tests.engine.autodiff.ops.op_cases import compute


def linear(weights: list, inputs: list, bias: list | None = None) -> tuple[Graph, Linear]:
    graph = Graph(len(inputs[0]), np.dtype("float64"))
    nodes = [
        graph.leaf(Symbol("W", 2), np.array(weights, float)),
        graph.leaf(Symbol("a", 1), np.array(inputs, float), per_sample=True),
    ]
    if bias is not None:
        nodes.append(graph.leaf(Symbol("b", 2), np.array(bias, float)))
    shape = len(weights[0]), len(inputs[0])
    op = Linear(nodes, graph.result(Symbol("f", 2), shape, nodes))
    graph.add(op)
    graph.finish()
    compute(graph)
    return graph, op


def test_the_formula_names_every_product():
    _, op = linear([[1, 2], [3, 4]], [[1], [2]], [[5], [6]])
    assert op.formula((1, 0)).plain() == "W[2][0,1]*a[1][0,0] + W[2][1,1]*a[1][1,0] + b[2][1,0]"
    _, single = linear([[1, 2]], [[1]])
    assert single.formula((1, 0)).plain() == "W[2][0,1]*a[1][0,0]"


def test_forward_is_the_transposed_product():
    _, op = linear([[1, 2], [3, 4]], [[1], [2]], [[5], [6]])
    assert op.output.value.tolist() == [[1 + 6 + 5], [2 + 8 + 6]]


def test_zeros_that_stop_the_gradient_are_remarked():
    _, op = linear([[0, 2], [3, 4]], [[1, 0], [2, 5]], [[5], [6]])
    assert op.remark(WEIGHT, (0, 0), (0, 0)) is None
    assert op.remark(WEIGHT, (0, 0), (0, 1)) == "zero input: this weight gets no gradient from this sample"
    assert op.remark(ACTIVATION, (0, 0), (0, 0)) == "zero weight: nothing passes back through it"
    assert op.remark(ACTIVATION, (0, 0), (1, 0)) is None
    assert op.remark(BIAS, (0, 0), (0, 0)) is None
