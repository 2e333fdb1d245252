"""What is known of each activation agrees with how it is computed."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from engine.autodiff.ops.activation_functions import ACTIVATIONS, BY_COLUMN, WITH_SLOPE
from engine.experiment.activation_traits import ACTIVATION_TRAITS, CLOSED_UNIT, OPEN_UNIT, REALS, SATURATED
from engine.experiment.spec import Activation

X = np.concatenate([np.linspace(-30.0, 30.0, 60_001), np.random.default_rng(0).standard_normal(1000)])


def values_and_slopes(name: str) -> tuple[np.ndarray, np.ndarray]:
    value, slope = np.empty_like(X), np.empty_like(X)
    ACTIVATIONS[name].value(X, value)
    ACTIVATIONS[name].derivative(X, value, slope)
    return value, slope


def test_every_activation_of_an_experiment_file_has_its_traits_and_its_function():
    names = set(get_args(Activation))
    assert ACTIVATION_TRAITS.keys() == names
    assert ACTIVATIONS.keys() | BY_COLUMN.keys() == names
    assert {name for name, one in ACTIVATION_TRAITS.items() if one.by_column} == BY_COLUMN.keys()
    assert {name for name, one in ACTIVATION_TRAITS.items() if one.default_slope} == WITH_SLOPE.keys()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_lie_where_they_are_said_to_lie(name: str):
    values, _ = values_and_slopes(name)
    bounds = ACTIVATION_TRAITS[name].values
    assert bounds.low <= values.min()
    assert values.max() <= bounds.high
    if np.isfinite(bounds.low):
        assert values.min() - bounds.low < 1e-3
    if np.isfinite(bounds.high):
        assert bounds.high - values.max() < 1e-3


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_are_as_they_are_said_to_be(name: str):
    traits = ACTIVATION_TRAITS[name]
    values, slopes = values_and_slopes(name)
    if traits.largest_slope is not None:
        assert traits.largest_slope - 1e-3 < slopes.max() <= traits.largest_slope
    if traits.unsaturated is not None:
        low, high = traits.unsaturated
        saturated = (values < low) | (values > high)
        np.testing.assert_array_equal(saturated, slopes < SATURATED * traits.largest_slope)
    assert traits.can_die == bool(((values == 0) & (slopes == 0)).any())


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_homogeneous_function_grows_with_its_input(name: str):
    twice = np.empty_like(X)
    ACTIVATIONS[name].value(2 * X, twice)
    homogeneous = np.allclose(twice, 2 * values_and_slopes(name)[0], rtol=1e-12, atol=0)
    assert ACTIVATION_TRAITS[name].homogeneous == homogeneous


def test_intervals():
    assert 0.0 in CLOSED_UNIT
    assert 0.0 not in OPEN_UNIT
    assert 0.5 in OPEN_UNIT
    assert CLOSED_UNIT.covers(OPEN_UNIT)
    assert not OPEN_UNIT.covers(CLOSED_UNIT)
    assert REALS.covers(CLOSED_UNIT)
    assert not CLOSED_UNIT.covers(REALS)
    assert (str(OPEN_UNIT), str(CLOSED_UNIT), str(REALS)) == ("(0, 1)", "[0, 1]", "(-∞, ∞)")
