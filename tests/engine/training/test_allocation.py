"""The step loop allocates no arrays: what a step needs is made before the first one.

tracemalloc sees every array that NumPy makes. The networks here have activations and weights of 400 kB and more, so
that a single temporary of that size would show in the peak; NumPy's own buffers for casting are smaller.
"""

import gc
import tracemalloc

import numpy as np
import pytest

from engine.autodiff.array_memory import LINE, aligned_zeros
from engine.experiment.spec import Experiment
from engine.training.trainer import Trainer
from tests.engine.networks import HIDDEN_ACTIVATIONS
from tests.engine.short_runs import experiment, layer

TEMPORARY = 200_000
"""Bytes: half of the smallest large array of these networks."""

WIDE, MANY = 240, 240


def wide(
    activation: str = "relu", more: str = "", train: str = "", dtype: str = "float64", **options: str
) -> Experiment:
    last, loss = options.get("last", "sigmoid"), options.get("loss", "bce")
    return experiment(
        [layer(WIDE, activation), layer(WIDE, activation, more), layer(WIDE, last)],
        data=f'kind = "random"\nn = {MANY}\nfeatures = {WIDE}\noutputs = {WIDE}',
        loss=f'kind = "{loss}"',
        network="bias = true",
        train=train,
        dtype=dtype,
    )


def peak_of(made: Experiment, measure: bool, steps: int = 4) -> int:
    """How far the memory in use rises above where it was, at worst, during some steps."""
    trainer = Trainer(made)
    for _ in range(3):  # the first steps fill caches, and are where a run may make what it then keeps
        trainer.step(measure)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(steps):
            trainer.step(measure)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak - before


both = pytest.mark.parametrize("measure", [False, True], ids=["bare", "measured"])


@both
@pytest.mark.parametrize("activation", HIDDEN_ACTIVATIONS)
def test_no_activation_makes_arrays(activation: str, measure: bool):
    assert peak_of(wide(activation), measure) < TEMPORARY


@both
@pytest.mark.parametrize("more", ["residual = true", 'norm = "batch"', 'norm = "layer"'])
def test_neither_shortcut_nor_norm_makes_arrays(more: str, measure: bool):
    assert peak_of(wide(more=more), measure) < TEMPORARY


@both
@pytest.mark.parametrize(("last", "loss"), [("softmax", "cross_entropy"), ("linear", "squared_error")])
def test_no_loss_makes_arrays(last: str, loss: str, measure: bool):
    assert peak_of(wide(last=last, loss=loss), measure) < TEMPORARY


@both
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", "adam"])
def test_no_optimizer_makes_arrays(optimizer: str, measure: bool):
    train = f'optimizer = "{optimizer}"\nclip_norm = 0.1'
    assert peak_of(wide(train=train), measure) < TEMPORARY


@both
def test_dealing_batches_makes_no_arrays(measure: bool):
    assert peak_of(wide(train="batch = 220"), measure, steps=6) < TEMPORARY


@both
def test_float32_is_computed_in_float32(measure: bool):
    assert peak_of(wide("tanh", dtype="float32"), measure) < TEMPORARY / 2


def test_the_check_can_see_a_temporary():
    made = wide()
    trainer = Trainer(made)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        trainer.data.X + trainer.data.X
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before > TEMPORARY


def test_a_long_run_holds_no_more_than_a_short_one():
    trainer = Trainer(experiment([layer(4, "relu"), layer(1, "sigmoid")], train="batch = 5"))

    def held(steps: int) -> int:
        for _ in range(steps):
            trainer.step()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        short = held(200)
        assert held(2000) - short < 20_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_arrays_begin_where_a_cache_line_does(dtype: str):
    for columns in (1, 7, 40, 50_000):
        made = aligned_zeros((3, columns), np.dtype(dtype))
        assert made.shape == (3, columns)
        assert made.dtype == dtype
        assert made.flags.c_contiguous
        assert not made.any()
        assert made.ctypes.data % LINE == 0
