"""Every optimiser takes the steps that its published rule says, with PyTorch's default constants.

The rules are written down here once more, entry by entry and in the order of the papers, without the engine's arrays.
"""

import math
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.autodiff.array_memory import BLOCK
from engine.experiment.optimizer_specs import (
    OPTIMIZER_SPECS,
    AdamTraining,
    AdamwTraining,
    MomentumTraining,
    RmspropTraining,
    SgdTraining,
    Train,
    TrainSpec,
)
from engine.training.optimizers import OPTIMIZERS, make_optimizer


def sgd(gradients: Iterator[float], rate: float) -> Iterator[float]:
    """θ ← θ - η g"""
    for g in gradients:
        yield -rate * g


def momentum(gradients: Iterator[float], rate: float) -> Iterator[float]:
    """m ← 0.9 m + g; θ ← θ - η m (torch.optim.SGD, momentum=0.9, dampening=0)"""
    m = 0.0
    for g in gradients:
        m = 0.9 * m + g
        yield -rate * m


def rmsprop(gradients: Iterator[float], rate: float) -> Iterator[float]:
    """v ← 0.99 v + 0.01 g²; θ ← θ - η g / (√v + 1e-8) (torch.optim.RMSprop)"""
    v = 0.0
    for g in gradients:
        v = 0.99 * v + 0.01 * g * g
        yield -rate * g / (math.sqrt(v) + 1e-8)


def adam(gradients: Iterator[float], rate: float) -> Iterator[float]:
    """Kingma & Ba 2015, algorithm 1, as it stands there (torch.optim.Adam)"""
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.999) * g * g
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        yield -rate * m_hat / (math.sqrt(v_hat) + 1e-8)


PUBLISHED = {"sgd": sgd, "momentum": momentum, "rmsprop": rmsprop, "adam": adam, "adamw": adam}
SIZE, STEPS = 5, 30
every_rule = pytest.mark.parametrize("name", PUBLISHED)


def run(name: str, values: np.ndarray, gradients: np.ndarray, rate: float, clip: float = 1.0) -> np.ndarray:
    """The values after each step, (steps, size)."""
    values, gradient = values.copy(), np.empty_like(values)
    optimizer = make_optimizer(OPTIMIZER_SPECS[name](), values, gradient)
    after = []
    for row in gradients:
        gradient[:] = row
        optimizer.update(rate, clip)
        assert (gradient == row).all(), "a reader may still look at the gradient"
        after.append(values.copy())
    return np.array(after)


def test_every_optimizer_is_tested():
    assert PUBLISHED.keys() == OPTIMIZER_SPECS.keys()
    assert set(OPTIMIZER_SPECS.values()) == set(OPTIMIZERS) == set(get_args(Train))


def decayed(value: float, steps: list[float], decay: float) -> Iterator[float]:
    """θ ← θ - ηλθ before each step (Loshchilov & Hutter 2019): 0 for all but adamw."""
    for step in steps:
        value = value - decay * value + step
        yield value


@every_rule
@given(
    seed=st.integers(0, 2**32 - 1),
    rate=st.sampled_from((1e-4, 0.1, 3.0)),
    scale=st.sampled_from((1e-9, 1.0, 1e6)),
)
def test_it_takes_the_published_steps(name: str, seed: int, rate: float, scale: float):
    rng = np.random.default_rng(seed)
    values, gradients = rng.standard_normal(SIZE), scale * rng.standard_normal((STEPS, SIZE))
    found = run(name, values, gradients, rate)
    for entry in range(SIZE):
        steps = list(PUBLISHED[name](iter(gradients[:, entry].tolist()), rate))
        expected = np.array(list(decayed(values[entry], steps, rate * 0.01 * (name == "adamw"))))
        np.testing.assert_allclose(found[:, entry], expected, rtol=1e-12, atol=1e-13 * max(map(abs, steps)))


@every_rule
def test_clipping_is_a_smaller_gradient(name: str):
    rng = np.random.default_rng(1)
    values, gradients = rng.standard_normal(SIZE), rng.standard_normal((STEPS, SIZE))
    clipped, smaller = run(name, values, gradients, 0.1, clip=0.25), run(name, values, 0.25 * gradients, 0.1)
    np.testing.assert_allclose(clipped, smaller, rtol=1e-13)


@every_rule
def test_block_by_block_is_the_same_as_entry_by_entry(name: str):
    rng = np.random.default_rng(2)
    size = 2 * BLOCK + 7
    values, gradients = rng.standard_normal(size), rng.standard_normal((3, size))
    whole = run(name, values, gradients, 0.1)
    for part in (slice(0, 3), slice(BLOCK - 2, BLOCK + 2), slice(size - 3, size)):
        np.testing.assert_array_equal(whole[:, part], run(name, values[part], gradients[:, part], 0.1))


@every_rule
def test_the_step_just_taken_is_scale_times_direction(name: str):
    rng = np.random.default_rng(3)
    values, gradient = rng.standard_normal(SIZE), rng.standard_normal(SIZE)
    optimizer = make_optimizer(OPTIMIZER_SPECS[name](), values, gradient)
    for _ in range(4):
        before = values.copy()
        optimizer.update(0.3, 0.5)
        np.testing.assert_allclose(
            values - before, -optimizer.scale * optimizer.direction, rtol=1e-12, atol=1e-15
        )


@every_rule
def test_state_and_count_are_all_that_it_remembers(name: str):
    rng = np.random.default_rng(4)
    values, gradients = rng.standard_normal(SIZE), rng.standard_normal((STEPS, SIZE))
    expected = run(name, values, gradients, 0.1)
    gradient, first = np.empty(SIZE), values.copy()
    optimizer = make_optimizer(OPTIMIZER_SPECS[name](), first, gradient)
    for row in gradients[:10]:
        gradient[:] = row
        optimizer.update(0.1)
    resumed = first.copy()
    other = make_optimizer(OPTIMIZER_SPECS[name](), resumed, gradient)
    other.steps = optimizer.steps
    for array, kept in zip(other.state, optimizer.state, strict=True):
        array[...] = kept
    for row in gradients[10:]:
        gradient[:] = row
        other.update(0.1)
    np.testing.assert_array_equal(resumed, expected[-1])


@every_rule
def test_float32_stays_float32(name: str):
    rng = np.random.default_rng(5)
    values = rng.standard_normal(SIZE).astype("float32")
    gradients = rng.standard_normal((STEPS, SIZE)).astype("float32")
    found, exact = (
        run(name, values, gradients, 0.01),
        run(name, values.astype(float), gradients.astype(float), 0.01),
    )
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, exact, rtol=1e-4, atol=1e-5)


SETTINGS: list[tuple[TrainSpec, str, dict[str, Any]]] = [
    (SgdTraining(weight_decay=0.1), "SGD", {"weight_decay": 0.1}),
    (MomentumTraining(momentum=0.7), "SGD", {"momentum": 0.7}),
    (
        MomentumTraining(momentum=0.8, nesterov=True, weight_decay=0.05),
        "SGD",
        {"momentum": 0.8, "nesterov": True, "weight_decay": 0.05},
    ),
    (
        RmspropTraining(alpha=0.9, eps=1e-3, weight_decay=0.2),
        "RMSprop",
        {"alpha": 0.9, "eps": 1e-3, "weight_decay": 0.2},
    ),
    (
        AdamTraining(betas=(0.8, 0.95), eps=1e-4, weight_decay=0.3),
        "Adam",
        {"betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.3},
    ),
    (AdamwTraining(), "AdamW", {}),
    (
        AdamwTraining(betas=(0.7, 0.9), eps=1e-2, weight_decay=0.3),
        "AdamW",
        {"betas": (0.7, 0.9), "eps": 1e-2, "weight_decay": 0.3},
    ),
]


@pytest.mark.parametrize(("train", "peer", "settings"), SETTINGS)
@pytest.mark.parametrize("clip_norm", [None, 0.5])
def test_ten_steps_are_pytorch_s(
    train: TrainSpec, peer: str, settings: dict[str, Any], clip_norm: float | None
):
    torch = pytest.importorskip("torch", reason="PyTorch is an extra: an independent optimiser")
    rng = np.random.default_rng(5)
    values, gradients = rng.standard_normal(SIZE), rng.standard_normal((10, SIZE))
    theirs = torch.tensor(values.copy(), requires_grad=True)
    optimizer = getattr(torch.optim, peer)([theirs], lr=0.05, **settings)
    gradient = np.empty(SIZE)
    ours = make_optimizer(train, values, gradient)
    for row in gradients:
        gradient[:] = row
        clip = 1.0 if clip_norm is None else min(1.0, clip_norm / (float(np.linalg.norm(row)) + 1e-6))
        ours.update(0.05, clip)
        theirs.grad = torch.tensor(row.copy())
        if clip_norm is not None:
            torch.nn.utils.clip_grad_norm_([theirs], clip_norm)
        optimizer.step()
        np.testing.assert_allclose(values, theirs.detach().numpy(), rtol=1e-12, atol=1e-14)


def test_the_published_momentum_table():
    """E = w², η = 0.8, momentum 0.1 from w = 10: 10, -6, 2, -0.4."""
    w, gradient = np.array([10.0]), np.empty(1)
    optimizer = make_optimizer(MomentumTraining(momentum=0.1), w, gradient)
    seen = [10.0]
    for _ in range(3):
        gradient[0] = 2 * w[0]
        optimizer.update(0.8)
        seen.append(float(w[0]))
    assert seen == pytest.approx([10.0, -6.0, 2.0, -0.4])


def test_adam_on_half_a_square():
    """E = ½w², η = 0.1 from w = 4: 4, 3.9, 3.80007."""
    w, gradient = np.array([4.0]), np.empty(1)
    optimizer = make_optimizer(AdamTraining(), w, gradient)
    seen = [4.0]
    for _ in range(2):
        gradient[0] = w[0]
        optimizer.update(0.1)
        seen.append(float(w[0]))
    assert seen == pytest.approx([4.0, 3.9, 3.80007], abs=5e-6)
