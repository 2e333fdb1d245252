"""The mean-field prediction: against closed forms, against published numbers, and against real networks."""

from __future__ import annotations

import math
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from engine.autodiff.ops.activation_functions import ACTIVATIONS, SELU_ALPHA, SELU_SCALE, leaky_relu
from engine.diagnosis.mean_field import (
    NARROWEST,
    MeanField,
    MeanFieldProfile,
    Unpredicted,
    mean_field,
    mean_square,
    mean_square_derivative,
    predict,
    scaled_variance,
)
from engine.experiment.datasets import load_data
from engine.experiment.spec import Experiment, Init, LayerSpec, NetworkSpec, RandomData, SquaredErrorLoss
from engine.formula.expression import Symbol
from engine.model.initializers import initial_weights
from engine.model.network import Network

WIDTH, DEPTH, NETS, SAMPLES = 256, 21, 8, 4
LENGTHS = (1e-12, 0.01, 0.5, 1.0, 7.0, 400.0)
SMOOTH_OR_KINKED = [name for name in ACTIVATIONS if name != "step"]


def limit(activation: str, weight_variance: float, **options: float) -> MeanField:
    found = mean_field(activation, weight_variance, **options)
    assert isinstance(found, MeanField)
    return found


# ── the expectations ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("q", LENGTHS)
def test_expectations_with_a_closed_form(q):
    assert mean_square(ACTIVATIONS["linear"], q) == pytest.approx(q, rel=1e-13)
    assert mean_square(ACTIVATIONS["relu"], q) == pytest.approx(q / 2, rel=1e-13)
    assert mean_square_derivative(ACTIVATIONS["relu"], q) == pytest.approx(0.5, rel=1e-13)
    assert mean_square(ACTIVATIONS["step"], q) == pytest.approx(0.5, rel=1e-13)
    assert mean_square(leaky_relu(0.2), q) == pytest.approx(q * 1.04 / 2, rel=1e-13)
    # E[Φ(√q z)²-like integrals] of the exponential half: E[e^{2√q z}; z < 0] = e^{2q} Φ(-2√q)
    tail = 0.5 * math.erfc(2 * math.sqrt(q) / math.sqrt(2))
    if q <= 7:
        expected = SELU_SCALE**2 * (0.5 + SELU_ALPHA**2 * math.exp(2 * q) * tail)
        assert mean_square_derivative(ACTIVATIONS["selu"], q) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("activation", SMOOTH_OR_KINKED)
@pytest.mark.parametrize("q", LENGTHS)
def test_expectations_agree_with_brute_force(activation, q):
    rule = ACTIVATIONS[activation]
    edge = np.linspace(-10, 10, 100_001)
    z = (edge[:-1] + edge[1:]) / 2  # midpoints: none falls on the kink at 0
    density = np.exp(-0.5 * z**2) * (edge[1] - edge[0]) / math.sqrt(2 * math.pi)
    x = math.sqrt(q) * z
    value, derivative = np.empty_like(x), np.empty_like(x)
    rule.value(x, value)
    rule.derivative(x, value, derivative)
    assert mean_square(rule, q) == pytest.approx(density @ value**2, rel=1e-6)
    assert mean_square_derivative(rule, q) == pytest.approx(density @ derivative**2, rel=1e-6)


@pytest.mark.parametrize("activation", SMOOTH_OR_KINKED)
def test_longer_inputs_make_longer_outputs(activation):
    """What finding the fixed point by walking relies on."""
    lengths = [mean_square(ACTIVATIONS[activation], q) for q in np.geomspace(1e-12, 1e6, 60)]
    assert all(a < b for a, b in pairwise(lengths))


# ── the limit ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("activation", "weight_variance", "natural_slope"),
    [("relu", 2.0, 0.0), ("relu", 1.0, -0.3466), ("tanh", 0.5, -0.3466), ("sigmoid", 1.0, -1.4437)],
)
def test_known_slopes(activation, weight_variance, natural_slope):
    assert limit(activation, weight_variance).slope * math.log(10) == pytest.approx(natural_slope, abs=5e-5)


def test_selu_keeps_unit_variance_as_its_authors_made_it():
    found = limit("selu", 1.0, start=3.0)
    assert found.q_star == pytest.approx(1.0, abs=1e-6)
    assert found.chi == pytest.approx(1.0716, abs=1e-4)


@pytest.mark.parametrize("activation", SMOOTH_OR_KINKED)
@pytest.mark.parametrize("weight_variance", [0.5, 0.9, 1.3, 2.5])
@pytest.mark.parametrize("bias_variance", [0.0, 0.1])
@pytest.mark.parametrize("start", [0.3, 5.0])
def test_the_fixed_point_is_where_iteration_goes(activation, weight_variance, bias_variance, start):
    rule = ACTIVATIONS[activation]
    found = mean_field(activation, weight_variance, bias_variance, start=start)
    q = start
    for _ in range(1500):
        q = weight_variance * mean_square(rule, q) + bias_variance
        if q > 1e9:
            break
    if q > 1e9:
        assert isinstance(found, Unpredicted) or found.q_star is None
    else:
        assert isinstance(found, MeanField)
        assert found.q_star == pytest.approx(q, rel=1e-5, abs=1e-5)


def test_where_nothing_can_be_said_the_reason_is_given():
    for arguments, words in (
        (("silu", 4.0), "without bound"),
        (("step", 1.0), "derivative of step is 0"),
        (("relu", 0.0), "starts at zero"),
    ):
        found = mean_field(*arguments)
        assert isinstance(found, Unpredicted)
        assert words in found.reason
    assert limit("relu", 4.5).q_star is None  # no fixed point, but χ is the same at every length
    assert limit("relu", 4.5).chi == pytest.approx(2.25)


def test_the_walk_is_not_slowed_down_where_the_iteration_is():
    """At σ_w² = 1, tanh's q falls like 1/(2l): a billion layers would bring it to 10⁻⁹."""
    assert limit("tanh", 1.0).q_star == 0.0
    assert limit("tanh", 1.0).chi == pytest.approx(1.0, abs=1e-12)


# ── the schemes ─────────────────────────────────────────────────────────────────────────────────────

SCHEMES = [
    (Init(scheme="he"), 2.0),
    (Init(scheme="he", gain=1.5), 4.5),
    (Init(scheme="xavier"), 2 * 200 / 300),
    (Init(scheme="lecun"), 1.0),
    (Init(scheme="normal"), 200.0),
    (Init(scheme="normal", std=0.1), 2.0),
    (Init(scheme="he", std=0.1, gain=7.0), 2.0),
    (Init(scheme="uniform", gain=0.3), 200 * 0.03),
    (Init(scheme="orthogonal", gain=1.3), 1.69),
    (Init(scheme="zeros"), 0.0),
]


@pytest.mark.parametrize(("init", "expected"), SCHEMES)
@pytest.mark.parametrize("swapped", [False, True])
def test_the_variance_of_every_scheme_is_that_of_weights_it_draws(init, expected, swapped):
    fan_in, fan_out = (100, 200) if swapped else (200, 100)
    weights = initial_weights(
        init.scheme, fan_in, fan_out, np.random.default_rng(0), gain=init.gain, std=init.std
    )
    assert scaled_variance(init, fan_in, fan_out) == pytest.approx(fan_in * np.mean(weights**2), rel=0.03)
    if not swapped:
        assert scaled_variance(init, fan_in, fan_out) == pytest.approx(expected)


# ── real networks ───────────────────────────────────────────────────────────────────────────────────


def deep(activation: str, init: Init, seed: int = 0, width: int = WIDTH, **layer: object) -> Experiment:
    hidden = LayerSpec(units=width, activation=activation, repeat=DEPTH, **layer)  # type: ignore[arg-type]
    return Experiment(
        data=RandomData(n=SAMPLES, features=width),
        network=NetworkSpec(layers=[hidden, LayerSpec(units=1)], init=init),
        loss=SquaredErrorLoss(),
        seed=seed,
    )


def prediction(experiment: Experiment) -> MeanFieldProfile:
    found = predict(experiment, experiment.data.features)  # type: ignore[union-attr]
    assert isinstance(found, MeanFieldProfile)
    return found


def measured(activation: str, init: Init, width: int = WIDTH, nets: int = NETS) -> tuple[float, float]:
    """Decades a layer towards the input of ‖δ‖ and of ‖∂ℰ/∂W‖, over the layers between hidden ones.

    The mean over nets and samples of the logarithm, each sample by itself: a batch would add gradients up.
    """
    delta, weights = np.zeros(DEPTH), np.zeros(DEPTH)
    for seed in range(nets):
        experiment = deep(activation, init, seed, width)
        data = load_data(experiment)
        graph = Network.initialised(experiment, width).graph(data.X, data.Y)
        graph.forward()
        graph.backward()
        below = graph.nodes[Symbol("X")].value
        for index in range(DEPTH):
            squares = np.sum(graph.nodes[Symbol("f", index + 1)].grad ** 2, axis=0)
            delta[index] += np.mean(np.log10(squares)) / 2 / nets
            # One sample's ∂ℰ/∂W is an outer product, so its norm is the product of two.
            weights[index] += np.mean(np.log10(squares * np.sum(below**2, axis=0))) / 2 / nets
            below = graph.nodes[Symbol("a", index + 1)].value
    number = np.arange(DEPTH - 1)
    return -np.polyfit(number, delta[1:], 1)[0], -np.polyfit(number, weights[1:], 1)[0]


@pytest.mark.parametrize(
    ("activation", "init"),
    [
        ("relu", Init(scheme="he")),
        ("relu", Init(scheme="lecun")),
        ("tanh", Init(scheme="lecun", gain=math.sqrt(0.5))),
        ("sigmoid", Init(scheme="xavier")),
        ("selu", Init(scheme="lecun")),
        ("silu", Init(scheme="he")),
        ("softplus", Init(scheme="uniform", gain=0.1)),
    ],
)
def test_real_networks_have_the_predicted_slopes(activation, init):
    profile = prediction(deep(activation, init))
    delta_slope = -np.polyfit(np.arange(DEPTH - 1), profile.delta[1:], 1)[0]
    delta, weights = measured(activation, init)
    assert delta == pytest.approx(delta_slope, abs=0.01)
    assert weights == pytest.approx(profile.weights_slope, abs=0.01)


def test_orthogonal_weights_follow_the_same_prediction_and_stray_less():
    """Their QR factorisations are slow, and a narrower network does: lengths are kept exactly, not on average."""
    init = Init(scheme="orthogonal", gain=1.5)
    profile = prediction(deep("tanh", init, width=64))
    assert measured("tanh", init, 64, 3)[1] == pytest.approx(profile.weights_slope, abs=0.01)


def test_the_profile_reaches_the_limit_and_ends_at_zero():
    profile = prediction(deep("sigmoid", Init(scheme="lecun")))
    assert (profile.delta[-1], profile.weights[-1]) == (0.0, 0.0)
    assert len(profile.q) == len(profile.delta) == len(profile.weights) == DEPTH
    assert profile.q[0] == pytest.approx(1.0)
    assert profile.q[-1] == pytest.approx(profile.limit.q_star)
    assert profile.delta[-3] - profile.delta[-2] == pytest.approx(profile.limit.slope, rel=1e-6)
    assert profile.weights_slope == pytest.approx(profile.limit.slope, abs=1e-3)


def test_where_activations_shrink_with_depth_weights_and_deltas_part():
    profile = prediction(deep("relu", Init(scheme="lecun")))
    assert profile.limit.slope == pytest.approx(-0.3466 / math.log(10), abs=1e-4)
    assert profile.weights_slope == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"norm": "batch"}, "layer 1 is normalised"),
        ({"residual": True}, "residual"),
        ({"repeat": 2}, "fewer than 3 hidden layers"),
        ({"units": NARROWEST - 1}, "fewer than 16"),
        ({"W": [[1.0]]}, "given, not drawn"),
        ({"b": [1.0]}, "biases are given"),
        ({"activation": "step"}, "derivative of step is 0"),
    ],
)
def test_each_condition_that_fails_is_named(change, words):
    experiment = deep("tanh", Init(scheme="lecun"))
    hidden, output = experiment.network.layers
    layers = [msgspec.structs.replace(hidden, **change), output]
    network = msgspec.structs.replace(experiment.network, layers=layers)
    found = predict(msgspec.structs.replace(experiment, network=network), WIDTH)
    assert isinstance(found, Unpredicted)
    assert words in found.reason


def test_layers_that_differ_are_refused():
    experiment = deep("relu", Init())
    hidden, output = experiment.network.layers
    for other, words in (
        (LayerSpec(units=8, activation="relu"), "differ in width"),
        (LayerSpec(units=WIDTH, activation="tanh"), "differ in their activation"),
    ):
        network = msgspec.structs.replace(experiment.network, layers=[hidden, other, output])
        found = predict(msgspec.structs.replace(experiment, network=network), WIDTH)
        assert isinstance(found, Unpredicted)
        assert words in found.reason
    assert predict(experiment, WIDTH, 0.0) == Unpredicted("every input is zero")


@pytest.mark.parametrize(("width", "activation"), [(64, "gelu"), (256, "gelu"), (64, "silu")])
def test_where_chance_decides_there_is_no_prediction(width, activation):
    """He's variance holds GELU at a length that it does not keep: single networks stray by decades."""
    found = predict(deep(activation, Init(scheme="he"), width=width), width)
    assert isinstance(found, Unpredicted)
    assert "chance" in found.reason


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu", "silu", "selu", "elu", "softplus"])
def test_a_length_that_shrinks_or_stays_is_predicted_at_any_width(activation):
    assert isinstance(
        predict(deep(activation, Init(scheme="lecun", gain=0.8), width=16), 16), MeanFieldProfile
    )
