"""A rule may be changed while the graph lives: a leaky ReLU's slope, say."""

import numpy as np

from engine.autodiff.ops.activation_functions import leaky_relu
from engine.formula.expression import Symbol
from tests.engine.autodiff.ops.op_cases import compute, elementwise


def test_another_rule_changes_value_gradient_formula_and_remark():
    graph, op = elementwise("leaky", leaky_relu(0.1)).build(np.random.default_rng(0), 1, 1)
    x = op.inputs[0]
    x.value[...] = -2.0
    for slope in (0.1, 0.5):
        op.function = leaky_relu(slope)
        compute(graph)
        op.output.grad[...] = 3.0
        op.backward()
        assert op.output.value[0, 0] == -2.0 * slope
        assert x.grad[0, 0] == 3.0 * slope
        ((_, formula),) = op.local(0, (0, 0))
        assert formula.evaluate({Symbol("x", None, (0, 0)): -2.0}) == slope
        assert f"{slope:g}" in op.remark(0, (0, 0), (0, 0))
