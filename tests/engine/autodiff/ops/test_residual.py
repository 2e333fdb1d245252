"""Addition, as a residual block uses it."""

import numpy as np
import pytest

from engine.formula.expression import Number
from tests.engine.autodiff.ops.op_cases import CASES

ADD = next(case for case in CASES if case.name == "add")


def test_both_sides_get_the_gradient_unchanged():
    _, op = ADD.build(np.random.default_rng(0), 2, 3)
    op.output.grad[...] = np.arange(6.0).reshape(2, 3)
    op.backward()
    for node in op.inputs:
        np.testing.assert_array_equal(node.grad, op.output.grad)


@pytest.mark.parametrize("i", [0, 1])
def test_the_local_derivative_is_the_number_1(i: int):
    _, op = ADD.build(np.random.default_rng(0), 2, 3)
    assert list(op.local(i, (1, 2))) == [((1, 2), Number(1.0))]
    assert op.formula((1, 2)).plain() == "x[1,2] + y[1,2]"
