"""The vectorised error function against Python's own, entry by entry."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.autodiff.ops.erf import BLOCK, erf

ULP = 2.3e-16
SMALLEST = 5e-324
"""The step between the smallest numbers, where a relative error says nothing."""


def exact(x: np.ndarray) -> np.ndarray:
    return np.array([math.erf(value) for value in x.ravel().tolist()]).reshape(x.shape)


def erf_of(x: np.ndarray) -> np.ndarray:
    out = np.empty_like(x)
    erf(x, out)
    return out


@given(st.floats(allow_nan=False))
def test_any_number(value: float):
    (found,) = erf_of(np.array([value])).tolist()
    assert abs(found - math.erf(value)) <= 2 * ULP * abs(math.erf(value)) + SMALLEST
    assert math.copysign(1.0, found) == math.copysign(1.0, value)


def test_many_numbers_of_every_size():
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [rng.uniform(-7, 7, 20_000), rng.standard_normal(20_000), 10.0 ** rng.uniform(-320, 1, 5_000)]
    )
    expected = exact(x)
    assert (np.abs(erf_of(x) - expected) <= 2 * ULP * np.abs(expected) + SMALLEST).all()


def test_not_a_number_stays_one():
    assert np.isnan(erf_of(np.array([math.nan]))).all()


@pytest.mark.parametrize("n", [1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_blocks_leave_no_gap(n: int):
    x = np.linspace(-3, 3, n)
    np.testing.assert_allclose(erf_of(x), exact(x), rtol=2 * ULP)


def test_it_may_write_where_it_reads_and_in_any_order_of_memory():
    x = np.random.default_rng(0).standard_normal((5, 7))
    expected = exact(x)
    columns = np.empty((7, 5)).T
    erf(x, columns)
    erf(x[::2, 1:4], strided := np.empty((3, 3)))
    erf(x, x)
    np.testing.assert_allclose(x, expected, rtol=2 * ULP)
    np.testing.assert_allclose(columns, expected, rtol=2 * ULP)
    np.testing.assert_allclose(strided, expected[::2, 1:4], rtol=2 * ULP)


def test_float32_is_right_to_its_last_digits():
    x = np.linspace(-5, 5, 1001, dtype=np.float32)
    assert np.abs(erf_of(x) - exact(x)).max() < 6e-8
