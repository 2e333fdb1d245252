"""How weights begin: the spread that each scheme promises, and that a seed decides everything."""

import math
from typing import get_args

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from engine.experiment.spec import Scheme
from engine.model.initializers import STANDARD_DEVIATIONS, initial_weights

FAN_IN, FAN_OUT = 400, 250
PROMISED = {
    "he": math.sqrt(2 / FAN_IN),
    "xavier": math.sqrt(2 / (FAN_IN + FAN_OUT)),
    "lecun": math.sqrt(1 / FAN_IN),
    "normal": 1.0,
}
SCHEMES = tuple(scheme for scheme in get_args(Scheme) if scheme != "file")  # that one draws nothing


def drawn(scheme: str, fan_in: int = FAN_IN, fan_out: int = FAN_OUT, seed: int = 0, **options) -> np.ndarray:
    return initial_weights(scheme, fan_in, fan_out, np.random.default_rng(seed), **options)


def assert_normal(weights: np.ndarray, std: float) -> None:
    """Five standard errors of mean, deviation and kurtosis: one run in a million fails by chance."""
    size = weights.size
    standard = weights / std
    assert standard.mean() == pytest.approx(0.0, abs=5 / math.sqrt(size))
    assert standard.std() == pytest.approx(1.0, abs=5 / math.sqrt(2 * size))
    assert (standard**4).mean() == pytest.approx(3.0, abs=5 * math.sqrt(96 / size))


def test_every_scheme_of_the_experiment_file_is_here():
    assert set(SCHEMES) == {*STANDARD_DEVIATIONS, "uniform", "orthogonal", "zeros", "pytorch"}
    assert set(PROMISED) == set(STANDARD_DEVIATIONS)
    with pytest.raises(KeyError):
        drawn("glorot")


@pytest.mark.parametrize("scheme", PROMISED)
def test_normal_schemes_have_their_standard_deviation(scheme: str):
    assert_normal(drawn(scheme), PROMISED[scheme])


@pytest.mark.parametrize("scheme", PROMISED)
def test_gain_multiplies_the_standard_deviation_and_std_replaces_it(scheme: str):
    assert_allclose(drawn(scheme, gain=3.0), 3.0 * drawn(scheme), rtol=1e-14)
    assert_normal(drawn(scheme, std=0.25), 0.25)
    assert_array_equal(drawn(scheme, std=0.25, gain=3.0), drawn(scheme, std=0.25))
    assert not drawn(scheme, std=0.0).any()


def test_uniform_fills_its_interval():
    weights = drawn("uniform", gain=0.5)
    assert weights.min() >= -0.5
    assert weights.max() <= 0.5
    # All ten tenths of the interval are equally full, to five standard errors.
    counts, _ = np.histogram(weights, bins=10, range=(-0.5, 0.5))
    assert np.abs(counts - weights.size / 10).max() < 5 * math.sqrt(weights.size / 10)


@pytest.mark.parametrize(("fan_in", "fan_out"), [(5, 5), (8, 3), (3, 8), (1, 4), (1, 1)])
def test_orthogonal_has_orthonormal_rows_or_columns(fan_in: int, fan_out: int):
    weights = drawn("orthogonal", fan_in, fan_out, gain=2.0) / 2.0
    assert weights.shape == (fan_in, fan_out)
    product = weights.T @ weights if fan_in >= fan_out else weights @ weights.T
    assert_allclose(product, np.eye(min(fan_in, fan_out)), atol=1e-14)


def test_orthogonal_is_drawn_evenly():
    """Without its sign correction QR would favour one half of the orthogonal matrices."""
    entries = [drawn("orthogonal", 2, 2, seed)[0, 0] for seed in range(400)]
    assert np.mean(entries) == pytest.approx(0.0, abs=5 * math.sqrt(0.5 / 400))
    assert np.mean(np.square(entries)) == pytest.approx(0.5, abs=5 * math.sqrt(0.125 / 400))


def test_zeros_are_zeros():
    assert_array_equal(drawn("zeros", 3, 2), np.zeros((3, 2)))


@pytest.mark.parametrize("scheme", [scheme for scheme in SCHEMES if scheme != "zeros"])
def test_the_seed_decides(scheme: str):
    assert_array_equal(drawn(scheme, 4, 3, seed=7), drawn(scheme, 4, 3, seed=7))
    assert not np.array_equal(drawn(scheme, 4, 3, seed=7), drawn(scheme, 4, 3, seed=8))
    assert drawn(scheme, 4, 3).dtype == np.float64


@pytest.mark.parametrize("scheme", ["he", "xavier", "lecun", "normal", "uniform", "orthogonal", "zeros"])
def test_a_gain_at_the_end_of_the_numbers_neither_raises_nor_warns(scheme: str):
    drawn = initial_weights(scheme, 3, 4, np.random.default_rng(0), gain=1e308)
    assert drawn.shape == (3, 4)
    assert not np.isnan(drawn).any()
    if scheme == "uniform":
        assert np.abs(drawn).max() <= 1e308
