"""Normalisation: the definitions, with n where samples are counted, and rows without spread."""

import math

import numpy as np
import pytest

from engine.autodiff.ops.normalization import EPSILON, SAMPLES, UNITS
from tests.engine.autodiff.ops.op_cases import CASES

BY_NAME = {case.name: case for case in CASES}


def build(name: str, rows: int, n: int):
    return BY_NAME[name].build(np.random.default_rng(1), rows, n)


def test_epsilon_and_axes_are_those_of_the_definition():
    assert EPSILON == 1e-5
    assert (SAMPLES, UNITS) == (1, 0)


def test_formulas_over_samples_divide_by_n():
    _, op = build("mean over samples", 1, 2)
    assert op.formula((0, 0)).plain() == "(x[0,0] + x[0,1])/n"
    _, op = build("std over samples", 1, 2)
    assert op.formula((0, 0)).plain() == (
        "sqrt(((x[0,0] - mean_of_o[0,0])**2 + (x[0,1] - mean_of_o[0,0])**2)/n + 1e-05)"
    )
    assert next(iter(op.local(0, (0, 1))))[1].plain() == "(x[0,1] - mean_of_o[0,0])/(n*o[0,0])"


def test_formulas_over_units_divide_by_their_number():
    _, op = build("mean over units", 3, 1)
    assert op.formula((0, 0)).plain() == "(x[0,0] + x[1,0] + x[2,0])/3"


@pytest.mark.parametrize("name", ["std over samples", "std over units"])
def test_one_entry_has_no_spread_but_epsilon(name: str):
    _, op = build(name, 1, 1)
    assert op.output.value[0, 0] == math.sqrt(EPSILON)
    assert "/1" not in op.formula((0, 0)).plain()


@pytest.mark.parametrize("name", ["standardize over samples", "standardize over units"])
def test_almost_no_spread_is_remarked(name: str):
    _, op = build(name, 2, 2)
    std = op.inputs[2].value
    std[...] = 1.0
    assert op.remark(0, (0, 0), (0, 0)) is None
    std[...] = math.sqrt(1.5 * EPSILON)
    assert "almost no spread" in op.remark(0, (0, 0), (0, 0))
