"""The data sets that are drawn from a seed: wine, xor, moons, circles, spirals, blobs; two features a sample."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

ClassIndex: TypeAlias = NDArray[np.int64]


class Variety(NamedTuple):
    """A bivariate normal distribution of (colour intensity, alcohol): one cultivar of the Wine data."""

    mean: tuple[float, float]
    std: tuple[float, float]
    correlation: float


VARIETY_A = Variety(mean=(7.3962, 13.1538), std=(2.3109, 0.5302), correlation=0.3504)

VARIETY_B = Variety(mean=(5.5283, 13.7447), std=(1.2386, 0.4621), correlation=0.4083)

SAMPLES_PER_A = 11  # one of A for ten of B


def wine(n: int, rng: np.random.Generator) -> tuple[Array, ClassIndex]:
    """The wine data set: colour intensity and alcohol (2, n) of two varieties; classes (n,): 1 is A, 0 is B.

    One sample in eleven is of variety A (at least one is): 100 of 1100. Each variety is a bivariate normal
    with the statistics (means, sample standard deviations with divisor n-1, correlation) of a cultivar in
    the UCI Wine data (Aeberhard & Forina, doi 10.24432/C5PC7J). A is cultivar 3, of 48 wines:
    colour intensity 7.3962 ± 2.3109, alcohol 13.1538 ± 0.5302 %, correlation 0.3504. B is cultivar 1, of 59:
    5.5283 ± 1.2386, 13.7447 ± 0.4621 %, correlation 0.4083. The two overlap, so that a classifier that is
    right on average may still miss half of the rare variety.

    With z₀ and z₁ standard normal: colour = mean + std z₀, alcohol = mean + std (ρ z₀ + √(1-ρ²) z₁).
    """
    classes = np.zeros(n, dtype=np.int64)
    classes[: max(1, round(n / SAMPLES_PER_A))] = 1
    classes = rng.permutation(classes)
    varieties = (VARIETY_B, VARIETY_A)
    mean = np.array([variety.mean for variety in varieties])[classes].T
    std = np.array([variety.std for variety in varieties])[classes].T
    correlation = np.array([variety.correlation for variety in varieties])[classes]
    z = rng.standard_normal((2, n))
    correlated = np.stack([z[0], correlation * z[0] + np.sqrt(1 - correlation**2) * z[1]])
    return mean + std * correlated, classes


def xor(n: int, noise: float, rng: np.random.Generator) -> tuple[Array, ClassIndex]:
    """The xor data set: corners of the unit square (2, n) in the order 00, 01, 10, 11; class p ≠ q (n,).

    Four samples without noise are exactly the truth table.
    """
    corner = np.arange(n) % 4
    p, q = corner // 2, corner % 2
    return _blurred(np.stack([p, q]), noise, rng), p ^ q


def moons(n: int, noise: float, rng: np.random.Generator) -> tuple[Array, ClassIndex]:
    """The moons data set: two interleaved half circles (2, n), evenly spaced; classes (n,) alternate.

    For t from 0 to π: class 0 at (cos t, sin t), class 1 at (1 - cos t, ½ - sin t), as in scikit-learn's
    make_moons.
    """
    classes, along = _taking_turns(n, 2)
    t = np.pi * along
    horizontal = np.where(classes == 0, np.cos(t), 1 - np.cos(t))
    vertical = np.where(classes == 0, np.sin(t), 0.5 - np.sin(t))
    return _blurred(np.stack([horizontal, vertical]), noise, rng), classes


def circles(n: int, noise: float, rng: np.random.Generator) -> tuple[Array, ClassIndex]:
    """The circles data set: two circles about the origin (2, n), class 0 of radius 1, class 1 of radius ½.

    Angles are uniform random.
    """
    classes, _ = _taking_turns(n, 2)
    angle = rng.uniform(0, 2 * np.pi, n)
    radius = np.where(classes == 0, 1.0, 0.5)
    return _blurred(radius * np.stack([np.cos(angle), np.sin(angle)]), noise, rng), classes


def spirals(n: int, noise: float, count: int, rng: np.random.Generator) -> tuple[Array, ClassIndex]:
    """The spirals data set: `count` spiral arms (2, n), evenly spaced; classes (n,) take turns.

    For t from 0 to 1, arm c has radius t at the angle 2π (c / count + t): one full turn outwards.
    """
    classes, along = _taking_turns(n, count)
    angle = 2 * np.pi * (classes / count + along)
    return _blurred(along * np.stack([np.cos(angle), np.sin(angle)]), noise, rng), classes


def blobs(n: int, noise: float, count: int, rng: np.random.Generator) -> tuple[Array, ClassIndex]:
    """The blobs data set: `count` round normal clouds (2, n) of standard deviation `noise`.

    Cloud c is centred on the unit circle at the angle 2π c / count.
    """
    classes, _ = _taking_turns(n, count)
    angle = 2 * np.pi * classes / count
    return _blurred(np.stack([np.cos(angle), np.sin(angle)]), noise, rng), classes


def _taking_turns(n: int, count: int) -> tuple[ClassIndex, Array]:
    """Class i mod count for sample i, and how far along its class the sample is, from 0 to 1; both (n,)."""
    sample = np.arange(n)
    classes = sample % count
    steps_in_class = (n - 1 - classes) // count  # from a class's first sample to its last
    return classes, sample // count / np.maximum(steps_in_class, 1)


def _blurred(points: NDArray[Any], noise: float, rng: np.random.Generator) -> Array:
    with np.errstate(over="ignore"):  # refused in plain words further on
        blurred: Array = points + noise * rng.standard_normal(points.shape)
    return blurred
