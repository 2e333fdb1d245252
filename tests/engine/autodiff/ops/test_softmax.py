"""Softmax far out, where a naive exponential would overflow."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.engine.autodiff.ops.op_cases import CASES, compute

SOFTMAX = next(case for case in CASES if case.name == "softmax")


def softmax(column: list[float]) -> np.ndarray:
    graph, op = SOFTMAX.build(np.random.default_rng(0), len(column), 1)
    op.inputs[0].value[:, 0] = column
    compute(graph)
    return op.output.value[:, 0]


@pytest.mark.parametrize("shift", [-1e6, -800.0, 0.0, 800.0, 1e6])
def test_a_common_shift_changes_nothing(shift: float):
    assert_allclose(softmax([shift + 1.0, shift + 2.0, shift - 1.0]), softmax([1.0, 2.0, -1.0]), rtol=1e-9)


def test_far_apart_it_is_one_hot():
    assert_array_equal(softmax([800.0, -800.0, 0.0]), [1.0, 0.0, 0.0])


def test_two_outputs_are_a_sigmoid():
    assert softmax([1.3, 0.0])[0] == pytest.approx(1 / (1 + np.exp(-1.3)), rel=1e-15)


def test_columns_sum_to_1():
    _, op = SOFTMAX.build(np.random.default_rng(3), 4, 4)
    assert_allclose(op.output.value.sum(axis=0), 1.0, rtol=1e-15)
