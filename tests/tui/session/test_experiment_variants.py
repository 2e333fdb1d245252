"""An experiment with one thing changed: what the keys begin anew with."""

from __future__ import annotations

import msgspec
import pytest

from engine.experiment.loading import PRESET_NAMES, load_experiment
from engine.training.trainer import Trainer
from tests.tui.trainings import small
from tui.session.experiment_variants import SCHEMES, counterpart, with_next_init, with_relu_swapped


def activations(experiment) -> list[str]:
    return [layer.activation for layer in experiment.network.layers]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("vanishing-sigmoid-50", "relu"), ("relu-50", "sigmoid"), ("leaky-relu-50", "sigmoid"), ("xor", None)],
)
def test_the_counterpart_differs_in_the_hidden_layers_activation_alone(name, expected):
    experiment = load_experiment(name)
    label, other = counterpart(name, experiment)
    if expected is not None:
        assert label == f"with {expected}"
        assert activations(other)[:-1] == [expected] * (len(other.network.layers) - 1)
    assert activations(other)[-1] == activations(experiment)[-1]
    restored = [
        msgspec.structs.replace(theirs, activation=mine.activation, slope=mine.slope)
        for mine, theirs in zip(experiment.network.layers, other.network.layers, strict=True)
    ]
    network = msgspec.structs.replace(other.network, layers=restored)
    assert msgspec.structs.replace(other, network=network) == experiment


def test_the_counterpart_of_vanishing_sigmoid_is_relu_50():
    _, other = counterpart("v", load_experiment("vanishing-sigmoid-50"))
    one, two = Trainer(other), Trainer(load_experiment("relu-50"))
    assert [next(one).loss for _ in range(3)] == [next(two).loss for _ in range(3)]


def test_without_hidden_layers_other_random_weights_are_compared():
    experiment = load_experiment("tutorial-a")
    label, other = counterpart("tutorial-a", experiment)
    assert label == "tutorial-a, seed + 1"
    assert other == msgspec.structs.replace(experiment, seed=experiment.seed + 1)


def test_swapping_relu_twice_is_no_change():
    experiment = load_experiment("dying-relu")
    leaky = with_relu_swapped(experiment)
    assert activations(leaky) == ["leaky_relu", "sigmoid"]
    assert with_relu_swapped(leaky) == experiment


def test_without_relus_there_is_nothing_to_swap():
    assert with_relu_swapped(load_experiment("vanishing-sigmoid-50")) is None


def test_initialisations_go_round():
    experiment, seen = small(), []
    for _ in range(len(SCHEMES) + 1):
        experiment = with_next_init(experiment)
        seen.append(experiment.network.init.scheme)
    assert set(seen) == set(SCHEMES)
    assert seen[0] == seen[-1]


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_every_change_of_every_preset_can_be_trained(name):
    experiment = load_experiment(name)
    changed = [with_relu_swapped(experiment), with_next_init(experiment), counterpart(name, experiment)[1]]
    for one in changed:
        if one is not None:  # no ReLU to swap
            Trainer(one).step()
